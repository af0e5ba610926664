r"""What functions cost in a step of energies and forces: parameters and numbers of neighbors in, operations out.

A function needs *parts* that others may need, too, and operations of its own. In multiply-adds for one center with N
neighbors of element e, derivatives included:

====================================  =================================================================================
part                                  operations
====================================  =================================================================================
neighbors of e                        N (`PER_NEIGHBOR` + 2 (terms of both power series of the radial functions))
raw radial function k of e            5 N
angular momentum l of e               N (10 l + 9): Legendre functions, columns, and what differentiates them
raw sum (e, l, k)                     N (2l + 1) to sum, 2 N (2l + 1) for forces
mixed sum (c, l, k) of all elements   2 (2l + 1) for each element
channel (e, n, l), or (c, n, l)       2 (2l + 1) for each of its raw functions, there and back, and 2 (2l + 1)
product of two columns, order 3       3; 6 for a real part, 12 for a complex product
product of two channels, order 4      3 for each product of columns
couple (a, b, L) of order 4           2 for each coefficient of its columns, and 2 (2L + 1)
====================================  =================================================================================

The maps of radial functions are triangular: channel n needs the raw sums 0 to n of its l, and these the angular momenta
up to l; at least four are made. A function's own operations are 2 (2l + 1) of order 2 or, with L for l, order 4, half
of that for a square; and 2, 2 or 4 for each monomial of order 3 (`linmlp.descriptors.ace.products`), whose products are
shared as if all functions were used.

Operations of different kinds take different times, above all because some load and store more. Their `RATES` are those
that `benchmarks/speed/function_costs.py` fits to measured times of many sets of functions, which it also predicts.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from ase import Atoms

from linmlp.descriptors.ace.basis import Channel, Couple, couples_of, factors, is_mixed, order_of
from linmlp.descriptors.ace.coupling import real_coupling
from linmlp.descriptors.ace.parameters import AceParameters
from linmlp.descriptors.ace.plan_center import MIN_RAW, Center
from linmlp.descriptors.ace.products import FULL, PAIRED, REAL, choose_products
from linmlp.neighbors import find_pairs
from linmlp.units import FloatArray, IntArray

PER_NEIGHBOR = 40
"""Operations for distances, unit vectors and forces of a neighbor."""

PER_PRODUCT = {REAL: 3, PAIRED: 6, FULL: 12}
PER_MONOMIAL = {REAL: 2, PAIRED: 2, FULL: 4}
"""Operations of order 3, derivatives included."""


RATES = {"neighbors": 8.0, "radial": 3.0, "angular": 3.0, "product": 2.5, "couple": 2.5}
"""Time of an operation by kind of part, in units of that of raw sums, which is also that of all others."""


class FunctionCosts(NamedTuple):
    """Costs of functions that share parts; features are those of the descriptor.

    Parameters
    ----------
    own : ndarray of shape (n_features,)
        What a feature costs beside its parts.
    parts : ndarray of shape (n_parts,)
        What a part costs, however many features need it.
    first : ndarray of shape (n_features + 1,), int
        Where the parts of each feature start in `part`.
    part : ndarray of shape (n_entries,), int
        Parts of one feature after the other.
    """

    own: FloatArray
    parts: FloatArray
    first: IntArray
    part: IntArray


Part: TypeAlias = tuple[Hashable, ...]
"""Name of a part; the first entry is its kind."""


class _CenterCosts:
    """Own costs, and parts by name with their costs, of the functions around one element."""

    def __init__(self, parameters: AceParameters, z: int, n_neighbors: FloatArray, fraction: float) -> None:
        self._parameters, self._z, self._n_neighbors, self._fraction = parameters, z, n_neighbors, fraction
        functions = parameters.functions
        self._center = Center(parameters, z, list(enumerate(functions)))
        self.own: FloatArray = np.zeros(len(functions))
        self.parts_of: list[set[Part]] = [set() for _ in functions]
        self.cost_of: dict[Part, float] = {}
        for k, function in enumerate(functions):
            if order_of(function) == 1:
                self._add_pair(k, function[0])
                continue
            for channel in factors(function):
                self._add_channel(k, channel)
        for feature, a, b, l in self._center.squares():
            self.own[feature] += fraction * (2 * l + 1) * (1 if a == b else 2)
            for couple in couples_of(functions[feature]):
                self._add_couple(feature, couple)
        for kind in (REAL, PAIRED, FULL):
            self._add_third_order(kind)

    def _need(self, feature: int, part: Part, cost: float) -> None:
        self.parts_of[feature].add(part)
        self.cost_of[part] = self._fraction * RATES.get(str(part[0]), 1.0) * cost

    def _add_pair(self, feature: int, channel: Channel) -> None:
        e, n, _ = channel
        used = np.flatnonzero(self._center.pair_map[e, n])
        self._add_raw(feature, e, 0, int(used[-1]) + 1 if len(used) else 0)
        self.own[feature] += self._fraction * 2

    def _add_channel(self, feature: int, channel: Channel) -> None:
        density, n, l = channel
        # Where elements are mixed, the raw functions are the same for all neighbors.
        elements = range(len(self._n_neighbors)) if is_mixed(channel) else range(density, density + 1)
        used = np.flatnonzero(self._center.map[elements[0], l, n])
        n_raw = int(used[-1]) + 1 if len(used) else 0
        for e in elements:
            self._add_raw(feature, e, l, n_raw)
        for k in range(max(n_raw, MIN_RAW) if is_mixed(channel) else 0):
            self._need(feature, ("mixed", density, l, k), 2 * (2 * l + 1) * len(elements))
        self._need(feature, ("channel", *channel), 2 * (2 * l + 1) * (len(used) + 1))

    def _add_raw(self, feature: int, e: int, l: int, n: int) -> None:
        """Add the raw sums 0 to n - 1 of an angular momentum and what they are made of."""
        count = float(self._n_neighbors[e])
        form = self._parameters.form(self._z, e)
        polynomials = 2 * (len(form.distance_series()) + len(form.envelope_series()))
        self._need(feature, ("neighbors", e), count * (PER_NEIGHBOR + polynomials))
        for k in range(max(n, MIN_RAW)):
            self._need(feature, ("radial", e, k), 5 * count)
            self._need(feature, ("raw", e, l, k), 3 * (2 * l + 1) * count)
        for lower in range(l + 1):
            self._need(feature, ("angular", e, lower), (10 * lower + 9) * count)

    def _add_couple(self, feature: int, couple: Couple) -> None:
        a, b, momentum = couple
        table = real_coupling(a[2], b[2], momentum)
        self._need(feature, ("couple", *couple), 2 * int(np.count_nonzero(table)) + 2 * (2 * momentum + 1))
        self._need(feature, ("product", a, b), 3 * (2 * a[2] + 1) * (2 * b[2] + 1))

    def _add_third_order(self, kind: int) -> None:
        for product, thirds in choose_products(self._center.monomials[kind], kind).items():
            for share in thirds.values():
                for feature in share:
                    self._need(feature, ("monomials", kind, product), PER_PRODUCT[kind])
                    self.own[feature] += self._fraction * PER_MONOMIAL[kind]


def parts_around(parameters: AceParameters, z: int, n_neighbors: FloatArray) -> dict[Part, float]:
    """Return the parts that the functions around one element need, with their costs.

    Parameters
    ----------
    parameters : AceParameters
        Functions and radial functions.
    z : int
        Central element.
    n_neighbors : ndarray of shape (n_elements,)
        Mean number of neighbors of each element.

    Returns
    -------
    dict of tuple to float
        Costs by name; the first entry of a name is the kind of the part.
    """
    return _CenterCosts(parameters, z, n_neighbors, 1.0).cost_of


def compute_costs(parameters: AceParameters, n_neighbors: FloatArray, fractions: FloatArray) -> FunctionCosts:
    """Return what functions cost.

    Parameters
    ----------
    parameters : AceParameters
        Functions and radial functions.
    n_neighbors : ndarray of shape (n_elements, n_elements)
        Mean number of neighbors within the cutoff, by elements of center and neighbor.
    fractions : ndarray of shape (n_elements,)
        Parts of all atoms that are of each element.

    Returns
    -------
    FunctionCosts
        Per atom, in multiply-adds.
    """
    own, parts, first, part = [], list[float](), [0], list[int]()
    for z in range(len(parameters.numbers)):
        center = _CenterCosts(parameters, z, n_neighbors[z], float(fractions[z]))
        place = {name: len(parts) + k for k, name in enumerate(center.cost_of)}
        parts += center.cost_of.values()
        own.append(center.own)
        for needed in center.parts_of:
            part += sorted(place[name] for name in needed)
            first.append(len(part))
    return FunctionCosts(np.concatenate(own), np.array(parts), np.array(first), np.array(part))


def count_neighbors(parameters: AceParameters, structures: Sequence[Atoms]) -> tuple[FloatArray, FloatArray]:
    """Return how many neighbors atoms have, and how frequent elements are.

    Parameters
    ----------
    parameters : AceParameters
        Elements and cutoff.
    structures : sequence of ase.Atoms
        At least one.

    Returns
    -------
    n_neighbors : ndarray of shape (n_elements, n_elements)
        Mean number of neighbors within the cutoff, by elements of center and neighbor.
    fractions : ndarray of shape (n_elements,)
        Parts of all atoms that are of each element; one that is absent counts like one atom, so that it has a cost.
    """
    n = len(parameters.numbers)
    found, n_atoms = np.zeros((n, n)), np.zeros(n)
    for structure in structures:
        pairs = find_pairs(structure, parameters.cutoff)
        kinds = parameters.element_indices(pairs.numbers)
        np.add.at(found, (kinds[pairs.i], kinds[pairs.j]), 1.0)
        n_atoms += np.bincount(kinds, minlength=n)
    n_atoms = np.maximum(n_atoms, 1.0)
    return found / n_atoms[:, None], n_atoms / n_atoms.sum()
