r"""Screened nuclear repulsion (Ziegler, Biersack, Littmark), as LAMMPS computes it.

.. math::

    E(r) = \frac{Z_i Z_j e^2}{4 \pi \epsilon_0 r} \phi(r/a) + S(r), \qquad
    a = \frac{0.46850}{Z_i^{0.23} + Z_j^{0.23}}

    \phi(x) = 0.18175 e^{-3.19980 x} + 0.50986 e^{-0.94229 x} + 0.28022 e^{-0.40290 x} + 0.02817 e^{-0.20162 x}

    S(r) = C \;(r < r_1), \qquad S(r) = \frac{A}{3} (r - r_1)^3 + \frac{B}{4} (r - r_1)^4 + C \;(r_1 < r < r_2)

With A, B and C of the LAMMPS documentation (``pair_style zbl``) energy, force and curvature vanish at the outer radius
:math:`r_2`. As :math:`\phi(x)/x` is convex with a convex slope, the sum repels at every distance below it.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers, covalent_radii
from numpy.typing import ArrayLike

from linmlp.exceptions import SettingsError
from linmlp.structures.baseline_contract import BaselineResult, PairData, element_lookup, find_elements
from linmlp.structures.baseline_loops import zbl_loop
from linmlp.units import FloatArray

LAMMPS_COULOMB = 14.399645
"""e²/(4 pi epsilon_0) in eV Å as LAMMPS has it in metal units; part of this potential like its other constants."""

EXPONENTS = np.array([0.20162, 0.40290, 0.94229, 3.19980])
PREFACTORS = np.array([0.02817, 0.28022, 0.50986, 0.18175])

INNER_FRACTION = 0.7
"""Where the switching begins, in units of the outer radius. No data lie below the outer radius, so nothing speaks for a
wide switching region but smoothness in time steps; a narrow one makes the full repulsion act soon."""

UNSEEN_FRACTION = 0.6
"""Outer radius of a pair never seen in the data, in units of the sum of the covalent radii."""


class ZBL:
    """Switched ZBL repulsion between all pairs of some elements.

    Parameters
    ----------
    elements : sequence of str
        Symbols.
    inner : array-like of shape (n_elements, n_elements)
        Distances where the switching begins, Å; symmetric.
    outer : array-like of shape (n_elements, n_elements)
        Distances from which there is no repulsion, Å; symmetric.
    notes : sequence of str, optional
        How the radii were chosen, for reports.

    Attributes
    ----------
    cutoff : float
        Largest outer radius, Å.
    """

    def __init__(self, elements: Sequence[str], inner: ArrayLike, outer: ArrayLike, notes: Sequence[str] = ()) -> None:
        self.elements = tuple(elements)
        self._lookup = element_lookup(self.elements)
        shape = (len(self.elements), len(self.elements))
        self.inner, self.outer = np.array(inner, dtype=float), np.array(outer, dtype=float)
        for name, radii in (("inner", self.inner), ("outer", self.outer)):
            if radii.shape != shape or not np.array_equal(radii, radii.T):
                raise SettingsError(f"the {name} radii of ZBL must be a symmetric array of shape {shape}, Å")
        if not ((self.inner > 0.0) & (self.inner < self.outer) & np.isfinite(self.outer)).all():
            raise SettingsError(
                f"ZBL needs 0 < inner < outer for every pair of elements, not inner {self.inner.tolist()} and outer "
                f"{self.outer.tolist()} Å"
            )
        self.notes = tuple(notes)
        self.cutoff = float(self.outer.max())
        self._table = _tabulate(np.array([atomic_numbers[symbol] for symbol in self.elements]), self.inner, self.outer)

    def compute(self, pairs: PairData, atoms: Atoms | None = None) -> BaselineResult:
        """Return energies, forces and strain gradient of a structure.

        Parameters
        ----------
        pairs : Pairs
            Full list of pairs, complete up to `cutoff`; may hold longer ones.
        atoms : ase.Atoms, optional
            Not used.

        Returns
        -------
        BaselineResult
            Each pair's energy shared evenly by its two atoms.
        """
        n_atoms = len(pairs.numbers)
        places = find_elements(pairs.numbers, self._lookup, "the ZBL repulsion")
        energies, forces, gradients = np.empty(n_atoms), np.empty((n_atoms, 3)), np.empty((n_atoms, 6))
        zbl_loop(
            pairs.positions, places, pairs.first, pairs.j, pairs.shift, len(self.elements), self._table,
            energies, forces, gradients,
        )  # fmt: skip
        return BaselineResult(energies, forces, gradients.sum(axis=0), gradients)

    def report(self) -> str:
        """Return the radii of every pair of elements as text."""
        lines = []
        for a, b in combinations_with_replacement(range(len(self.elements)), 2):
            pair = f"{self.elements[a]}-{self.elements[b]}"
            lines.append(f"ZBL {pair}: full below {self.inner[a, b]:.3f} Å, none beyond {self.outer[a, b]:.3f} Å")
        return "\n".join([*lines, *self.notes])

    def to_state(self) -> dict[str, Any]:
        """Return elements and radii.

        Returns
        -------
        dict
            Can be written as JSON.
        """
        return {
            "kind": "zbl",
            "elements": list(self.elements),
            "inner": self.inner.tolist(),
            "outer": self.outer.tolist(),
            "notes": list(self.notes),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> "ZBL":
        """Return the repulsion of a stored state.

        Parameters
        ----------
        state : mapping
            As given by `to_state`.

        Returns
        -------
        ZBL
            Repulsion with the same radii.
        """
        return cls(state["elements"], state["inner"], state["outer"], state.get("notes", ()))


def zbl_from_closest_approaches(
    elements: Sequence[str], closest: ArrayLike, inner_fraction: float = INNER_FRACTION
) -> ZBL:
    """Return a repulsion that ends where the data begin.

    Parameters
    ----------
    elements : sequence of str
        Symbols.
    closest : array-like of shape (n_elements, n_elements)
        Closest approach of each pair of elements, Å; infinite where the pair was never seen. These get 0.6 times the
        sum of the covalent radii, which the notes of the result say.
    inner_fraction : float, default=0.7
        Where the switching begins, in units of the closest approach.

    Returns
    -------
    ZBL
        Repulsion that is exactly zero on the data.
    """
    outer = np.array(closest, dtype=float)
    unseen = ~np.isfinite(outer)
    radii = np.array([covalent_radii[atomic_numbers[symbol]] for symbol in elements])
    outer[unseen] = UNSEEN_FRACTION * (radii[:, None] + radii[None, :])[unseen]
    notes = [
        f"ZBL {elements[a]}-{elements[b]}: never seen in the data, radii taken from covalent radii"
        for a, b in combinations_with_replacement(range(len(elements)), 2)
        if unseen[a, b]
    ]
    return ZBL(elements, inner_fraction * outer, outer, notes)


def _tabulate(numbers: FloatArray, inner: FloatArray, outer: FloatArray) -> FloatArray:
    """Return the constants of every pair of elements, shape (n_elements**2, 12), in the order of the loop."""
    powers = numbers**0.23
    length = 0.46850 / (powers[:, None] + powers[None, :])
    charge = LAMMPS_COULOMB * numbers[:, None] * numbers[None, :]
    rates = EXPONENTS / length[..., None]
    terms = PREFACTORS * np.exp(-rates * outer[..., None])
    phi, slope, curvature = terms.sum(axis=-1), -(rates * terms).sum(axis=-1), (rates**2 * terms).sum(axis=-1)
    value = charge * phi / outer
    first = charge * (slope - phi / outer) / outer
    second = charge * (curvature - 2.0 * slope / outer + 2.0 * phi / outer**2) / outer
    width = outer - inner
    a = (-3.0 * first + width * second) / width**2
    b = (2.0 * first - width * second) / width**3
    c = -value + width / 2.0 * first - width**2 / 12.0 * second
    columns = [outer**2, inner, charge, *np.moveaxis(rates, -1, 0), a, b, a / 3.0, b / 4.0, c]
    return np.ascontiguousarray(np.stack(columns, axis=-1).reshape(-1, 12))
