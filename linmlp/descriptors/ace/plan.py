r"""From functions and coefficients to the flat lists that the energy and force loops read.

All quantities are real *columns*. A channel (element, n, l) has 2l + 1 of them: the m = 0 value, then real and
imaginary part for m = 1 to l; negative m follow from :math:`A_{l,-m} = (-1)^m \bar A_{lm}`. A column is one vector of
lanes, and offsets are counted in doubles. There are two sets of channels for every central element:

*raw*: sums of :math:`g_k Q_{lm} e_m`, one for each raw radial function (`linmlp.descriptors.ace.radial`), grouped as
(element, l, k, column);
*used*: the channels that occur in functions with a coefficient, grouped as (element, l, n, column), which are

.. math:: A_{enlm} = F_{lm} \sum_k C_{nk} A^{raw}_{eklm}, \qquad F_{lm} = (-1)^m \sqrt{(2l+1) (l-m)! / (l+m)!},

(with channels of elements :math:`A_{cnlm} = F_{lm} \sum_k C_{nk} \sum_e W_{ce} A^{raw}_{eklm}`: elements are mixed
first, to *mixed* columns that stand after the raw ones; the map C is the same for all neighbors),
and after them the coupled pairs of order 4, which have columns like a channel of angular momentum L (that of M = 0 is
the imaginary part of :math:`Q_0` where :math:`l_1 + l_2 + L` is odd). Order 4 is order 2 of coupled pairs.
"""

from dataclasses import dataclass
from math import factorial, sqrt
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from linmlp.descriptors.ace.combinations import Combinations, join_rows
from linmlp.descriptors.ace.parameters import AceParameters
from linmlp.descriptors.ace.plan_center import Center
from linmlp.descriptors.ace.products import FULL, PAIRED, REAL, Products, choose_products, join_products
from linmlp.descriptors.ace.shares import Share, share_matrix
from linmlp.units import FloatArray, IntArray


class PairTerm(NamedTuple):
    """The pair term as a sum over raw channels with l = 0."""

    first: IntArray  # (n_elements + 1,)
    channel: IntArray  # (n_terms,) offset
    coefficient: FloatArray  # (n_terms,)


class Mixing(NamedTuple):
    """How raw columns of neighbor elements are mixed to channels; those of all elements stand in the same order."""

    n_channels: int
    start: IntArray  # (n_elements,) offset of the first mixed column
    size: IntArray  # (n_elements,) doubles of one element, and of one channel; 0 where nothing is mixed
    weight: FloatArray  # (n_elements, n_channels, n_elements) W of every center, flat


class Plan(NamedTuple):
    """What to compute for each central element; arrays end with a spare channel."""

    n_raw: IntArray  # (n_elements, n_elements, max_l + 1) raw functions of center, neighbor and l
    n_radial: IntArray  # (n_elements, n_elements) the most of any l
    n_l: IntArray  # (n_elements, n_elements) how many l are needed, from 0
    raw_start: IntArray  # (n_elements, n_elements, max_l + 1) offset of their first column
    raw_size: IntArray  # (n_elements,) doubles
    used_size: IntArray  # (n_elements,) doubles
    coupled_start: IntArray  # (n_elements,) offset of the first column of coupled pairs
    to_used: Combinations
    order_two: Combinations
    to_raw: Combinations
    pair: PairTerm
    real: Products
    paired: Products
    full: Products
    coupled: Products  # real products, whose third factors are columns of coupled pairs
    mixing: Mixing


class Coefficients(NamedTuple):
    """Coefficients of the loops by field of the plan: arrays (n,), or (n_members, n)."""

    pair: FloatArray
    order_two: FloatArray
    real: FloatArray
    paired: FloatArray
    full: FloatArray


class Maps(NamedTuple):
    """From coefficients of features to those of the loops: sparse matrices (n, n_features)."""

    pair: csr_array
    order_two: csr_array
    real: csr_array
    paired: csr_array
    full: csr_array


@dataclass(frozen=True, eq=False)
class Layout:
    """What does not depend on the coefficients: a plan with zeros, and how to make them."""

    plan: Plan
    maps: Maps
    centers: list[Center]

    def coefficients(self, of_features: FloatArray) -> Coefficients:
        """Return the coefficients of the loops (n,) from those of the features (n_features,).

        Sets of coefficients (n_members, n_features) give (n_members, n).
        """
        return Coefficients(*(np.ascontiguousarray((matrix @ of_features.T).T) for matrix in self.maps))

    def with_coefficients(self, of_features: FloatArray) -> Plan:
        """Return the plan with the coefficients (n_features,)."""
        values = self.coefficients(of_features)
        fields = {name: getattr(self.plan, name)._replace(coefficient=new) for name, new in values._asdict().items()}
        return self.plan._replace(**fields)


def make_plan(parameters: AceParameters, coefficients: FloatArray, lanes: int) -> Plan:
    """Return the plan for given coefficients.

    Parameters
    ----------
    parameters : AceParameters
        Functions and radial functions.
    coefficients : ndarray of shape (n_features,)
        Energy = features @ coefficients, eV.
    lanes : int
        Atoms per vector; all offsets are multiples of it.

    Returns
    -------
    Plan
        Flat lists; functions without a coefficient leave no trace in them.
    """
    coefficients = np.asarray(coefficients, dtype=float)
    return make_layout(parameters, coefficients != 0.0, lanes).with_coefficients(coefficients)


KEPT_LAYOUTS = 4
"""Layouts that are kept for each set of parameters: they take a hundred times as long as what they are made for."""

_layouts: WeakKeyDictionary[AceParameters, dict[tuple[bytes, int], Layout]] = WeakKeyDictionary()


def make_layout(parameters: AceParameters, active: NDArray[np.bool_], lanes: int) -> Layout:
    """Return the layout of the features that are not left out, the one of before if it is among the last.

    Parameters
    ----------
    parameters : AceParameters
        Functions and radial functions.
    active : ndarray of shape (n_features,), bool
        False where a feature is left out.
    lanes : int
        Atoms per vector; all offsets are multiples of it.

    Returns
    -------
    Layout
        Flat lists, not to be written to; functions that are left out leave no trace in them.
    """
    kept, key = _layouts.setdefault(parameters, {}), (active.tobytes(), lanes)
    layout = kept.get(key)
    if layout is None:
        layout = kept[key] = _make_layout(parameters, active, lanes)
        for old in list(kept)[:-KEPT_LAYOUTS]:
            kept.pop(old, None)
    return layout


def _make_layout(parameters: AceParameters, active: NDArray[np.bool_], lanes: int) -> Layout:
    n_functions = len(parameters.functions)
    centers = []
    for z, row in enumerate(active.reshape(len(parameters.numbers), n_functions)):
        kept = [(z * n_functions + int(k), parameters.functions[k]) for k in np.flatnonzero(row)]
        centers.append(Center(parameters, z, kept))
    raw_sizes, used_sizes = [center.raw_size for center in centers], [center.used_size for center in centers]
    n_raw = np.array([center.n_raw for center in centers])
    pair, pair_shares = _join_pairs([center.pair_terms() for center in centers], lanes)
    order_two, order_two_shares = join_rows([center.order_two() for center in centers], used_sizes, lanes, {})
    kinds = [
        join_products(
            [choose_products(center.monomials[kind], kind) for center in centers], used_sizes, kind, lanes, {}
        )
        for kind in (REAL, PAIRED, FULL)
    ]
    coupled, couplings = join_products([center.couplings() for center in centers], used_sizes, REAL, lanes, 0.0)
    real, paired, full = (of_kind for of_kind, _ in kinds)
    plan = Plan(
        n_raw,
        n_raw.max(axis=2),
        np.max((n_raw > 0) * np.arange(1, n_raw.shape[2] + 1), axis=2),
        np.array([center.raw_start for center in centers]) * lanes,
        np.array(raw_sizes, dtype=np.int64) * lanes,
        np.array(used_sizes, dtype=np.int64) * lanes,
        np.array([center.coupled_start for center in centers], dtype=np.int64) * lanes,
        _fixed(*join_rows([center.to_used() for center in centers], used_sizes, lanes, 0.0)),
        order_two,
        _fixed(*join_rows([center.to_raw() for center in centers], raw_sizes, lanes, 0.0)),
        pair,
        real,
        paired,
        full,
        coupled._replace(coefficient=np.array(couplings, dtype=float)),
        Mixing(
            parameters.n_channels or 0,
            np.array([center.mixed_start for center in centers], dtype=np.int64) * lanes,
            np.array([center.mixed_size for center in centers], dtype=np.int64) * lanes,
            np.zeros(1) if parameters.mixing is None else np.ascontiguousarray(parameters.mixing, dtype=float).ravel(),
        ),
    )
    shares = [pair_shares, order_two_shares, *(shares for _, shares in kinds)]
    return Layout(plan, Maps(*(share_matrix(of_kind, len(active)) for of_kind in shares)), centers)


def _fixed(rows: Combinations, values: list[float]) -> Combinations:
    return rows._replace(coefficient=np.array(values, dtype=float))


def _join_pairs(centers: list[dict[int, Share]], lanes: int) -> tuple[PairTerm, list[Share]]:
    channels = [channel for center in centers for channel in center]
    term = PairTerm(
        np.cumsum([0, *map(len, centers)], dtype=np.int64),
        np.array(channels, dtype=np.int64) * lanes,
        np.zeros(len(channels)),
    )
    return term, [share for center in centers for share in center.values()]


def column_norms(max_l: int) -> FloatArray:
    """Return F_lm for every column, ordered by l: column 0 of l stands at l²."""
    return np.array(
        [
            (-1) ** m * sqrt((2 * l + 1) * factorial(l - m) / factorial(l + m))
            for l in range(max_l + 1)
            for m in _projections(l)
        ]
    )


def column_weights(max_l: int) -> FloatArray:
    """Return how often a column counts in a sum over all m: 1 for m = 0, 2 for others."""
    return np.array([1.0 if m == 0 else 2.0 for l in range(max_l + 1) for m in _projections(l)])


def _projections(l: int) -> list[int]:
    return [0, *(m for m in range(1, l + 1) for _ in range(2))]
