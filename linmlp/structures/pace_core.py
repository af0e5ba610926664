r"""The core repulsion of LAMMPS ML-PACE as a baseline, for potentials that are read from its files.

.. math:: E_i = \sum_j \frac{A_{ij}}{r} e^{-\lambda_{ij} r^2} \tfrac12 \left(1 + \cos \frac{\pi r}{r_c}\right)
   \left(1 - s(r)\right), \qquad \lambda r^2 < 50,

where s is a quintic smoothstep from ``inner - inner_width`` to `inner`, and 0 where `inner_width` is 0. The sum of an
atom is its own: a pair has the energy of both orders of its elements.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import ArrayLike

from linmlp.exceptions import SettingsError
from linmlp.structures.baseline_contract import BaselineResult, PairData, element_lookup, find_elements
from linmlp.units import VOIGT, FloatArray, IntArray

LARGEST_EXPONENT = 50.0
"""ML-PACE takes the exponential for zero from here on."""

ARRAYS = ("prefactor", "exponent", "outer", "inner", "inner_width")


class PaceCore:
    """Core repulsion between all pairs of some elements.

    Parameters
    ----------
    elements : sequence of str
        Symbols.
    prefactor : array-like of shape (n_elements, n_elements)
        A by center and neighbor, eV Å.
    exponent : array-like of shape (n_elements, n_elements)
        λ, 1/Å².
    outer : array-like of shape (n_elements, n_elements)
        Cutoff, Å.
    inner, inner_width : array-like of shape (n_elements, n_elements)
        Where it ends smoothly before that, Å; no such end where the width is 0.

    Attributes
    ----------
    cutoff : float
        Largest outer radius, Å.
    """

    def __init__(
        self,
        elements: Sequence[str],
        prefactor: ArrayLike,
        exponent: ArrayLike,
        outer: ArrayLike,
        inner: ArrayLike,
        inner_width: ArrayLike,
    ) -> None:
        self.elements = tuple(elements)
        self._lookup = element_lookup(self.elements)
        shape = (len(self.elements), len(self.elements))
        given = (prefactor, exponent, outer, inner, inner_width)
        for name, values in zip(ARRAYS, given, strict=True):
            array = np.array(values, dtype=float)
            if array.shape != shape or not np.isfinite(array).all() or (array < 0).any():
                raise SettingsError(f"{name} of a core repulsion must be finite, not negative and of shape {shape}")
            setattr(self, name, array)
        self.cutoff = float(np.array(outer).max())

    prefactor: FloatArray
    exponent: FloatArray
    outer: FloatArray
    inner: FloatArray
    inner_width: FloatArray

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
            Each atom has its own sum.
        """
        n_atoms, r, i = len(pairs.numbers), pairs.distances, pairs.i
        places = find_elements(pairs.numbers, self._lookup, "the core repulsion")
        near = np.flatnonzero(r < self.cutoff)
        r, i, j = r[near], i[near], pairs.j[near]
        vectors = pairs.positions[j] - pairs.positions[i] + pairs.shift[near]
        values, slopes = self._evaluate(r, places[i], places[j])
        _, slopes_back = self._evaluate(r, places[j], places[i])
        unit = vectors / r[:, None]
        pulls = (slopes + slopes_back)[:, None] * unit
        strain = np.stack([slopes * unit[:, a] * vectors[:, b] for a, b in VOIGT], axis=-1)
        energies, forces, gradients = np.zeros(n_atoms), np.zeros((n_atoms, 3)), np.zeros((n_atoms, len(VOIGT)))
        for target, source in ((energies, values), (forces, pulls), (gradients, strain)):
            np.add.at(target, i, source)
        return BaselineResult(energies, forces, gradients.sum(axis=0), gradients)

    def _evaluate(self, r: FloatArray, center: IntArray, neighbor: IntArray) -> tuple[FloatArray, FloatArray]:
        """Return energies of centers and their derivatives."""
        kind = (center, neighbor)
        power, outer = self.exponent[kind] * r**2, self.outer[kind]
        there = (power < LARGEST_EXPONENT) & (r < outer)
        value = np.where(there, self.prefactor[kind] * np.exp(-np.minimum(power, LARGEST_EXPONENT)) / r, 0.0)
        slope = -value * (2 * power + 1) / r
        f, df = 0.5 * (1 + np.cos(np.pi * r / outer)), -0.5 * np.pi / outer * np.sin(np.pi * r / outer)
        value, slope = value * f, slope * f + value * df
        width = np.where(self.inner_width[kind] > 0, self.inner_width[kind], 1.0)
        t = np.where(self.inner_width[kind] > 0, np.clip(1 + (r - self.inner[kind]) / width, 0, 1), 0.0)
        f, df = 1 - t**3 * (10 - 15 * t + 6 * t**2), -30 * t**2 * (1 - t) ** 2 / width
        return value * f, slope * f + value * df

    def report(self) -> str:
        """Return what it is as text."""
        largest = ", ".join(f"{symbol} {a:g}" for symbol, a in zip(self.elements, np.diag(self.prefactor), strict=True))
        return f"core repulsion of ML-PACE, prefactors in eV Å of equal elements: {largest}"

    def to_state(self) -> dict[str, Any]:
        """Return elements and constants.

        Returns
        -------
        dict
            Can be written as JSON.
        """
        arrays = {name: getattr(self, name).tolist() for name in ARRAYS}
        return {"kind": "pace_core", "elements": list(self.elements), **arrays}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> "PaceCore":
        """Return the repulsion of a stored state.

        Parameters
        ----------
        state : mapping
            As given by `to_state`.

        Returns
        -------
        PaceCore
            The same.
        """
        return cls(state["elements"], *(state[name] for name in ARRAYS))
