"""Tabulated pair energies as baseline of a fit."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import ArrayLike
from scipy.interpolate import CubicSpline

from linmlp.exceptions import SettingsError
from linmlp.structures.baseline_contract import BaselineResult, PairData, element_lookup, find_elements
from linmlp.structures.baseline_loops import pair_table_loop
from linmlp.units import FloatArray

END_TOLERANCE = 1e-8
"""Largest energy (eV) at the end of a table, beyond which there is none."""


class PairTable:
    """Pair energies given on a grid of distances, with a cubic spline between.

    Below the first distance the table goes on along its tangent; the spline ends with slope zero.

    Parameters
    ----------
    elements : sequence of str
        Symbols.
    distances : array-like of shape (n_distances,)
        Evenly spaced, growing, Å; at least four.
    energies : array-like of shape (n_elements, n_elements, n_distances)
        Energy of each pair of elements, eV; symmetric in the elements, zero at the last distance.

    Attributes
    ----------
    cutoff : float
        Last distance, Å.
    """

    def __init__(self, elements: Sequence[str], distances: ArrayLike, energies: ArrayLike) -> None:
        self.elements = tuple(elements)
        self._lookup = element_lookup(self.elements)
        self.distances, self.energies = np.array(distances, dtype=float), np.array(energies, dtype=float)
        _check(self)
        self.cutoff = float(self.distances[-1])
        table = self.energies.reshape(len(self.elements) ** 2, -1)
        spline = CubicSpline(self.distances, table, axis=1, bc_type=("not-a-knot", "clamped"))
        self._coefficients = np.ascontiguousarray(np.moveaxis(spline.c, 0, -1).swapaxes(0, 1))

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
        places = find_elements(pairs.numbers, self._lookup, "the pair table")
        energies, forces, gradients = np.empty(n_atoms), np.empty((n_atoms, 3)), np.empty((n_atoms, 6))
        start = float(self.distances[0])
        spacing = (self.cutoff - start) / (len(self.distances) - 1)
        pair_table_loop(
            pairs.positions, places, pairs.first, pairs.j, pairs.shift, len(self.elements), start, spacing,
            self._coefficients, energies, forces, gradients,
        )  # fmt: skip
        return BaselineResult(energies, forces, gradients.sum(axis=0), gradients)

    def pair_energies(self, first: str, second: str, distances: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the energy of a pair of atoms, and minus its derivative.

        Parameters
        ----------
        first, second : str
            Symbols.
        distances : ndarray of shape (n_distances,)
            Å.

        Returns
        -------
        energies, forces : ndarray of shape (n_distances,)
            In eV and eV/Å; zero from the end of the table on.
        """
        table = self.energies[self.elements.index(first), self.elements.index(second)]
        spline = CubicSpline(self.distances, table, bc_type=("not-a-knot", "clamped"))
        inside = np.clip(distances, self.distances[0], self.cutoff)
        slopes = spline(inside, 1)
        energies = spline(inside) + slopes * np.minimum(distances - self.distances[0], 0.0)
        near = distances < self.cutoff
        return np.where(near, energies, 0.0), np.where(near, -slopes, 0.0)

    def report(self) -> str:
        """Return the range of the table as text."""
        return f"pair table of {', '.join(self.elements)}: {self.distances[0]:g} to {self.cutoff:g} Å"

    def to_state(self) -> dict[str, Any]:
        """Return elements, distances and energies.

        Returns
        -------
        dict
            Can be written as JSON.
        """
        return {
            "kind": "pair_table",
            "elements": list(self.elements),
            "distances": self.distances.tolist(),
            "energies": self.energies.tolist(),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> "PairTable":
        """Return the table of a stored state.

        Parameters
        ----------
        state : mapping
            As given by `to_state`.

        Returns
        -------
        PairTable
            The same table.
        """
        return cls(state["elements"], state["distances"], state["energies"])


def _check(table: PairTable) -> None:
    """Raise if the arrays of a table cannot be used."""
    r, energies = table.distances, table.energies
    shape = (len(table.elements), len(table.elements), len(r))
    if r.ndim != 1 or len(r) < 4 or not np.isfinite(r).all() or r[0] <= 0.0 or r[-1] <= r[0]:
        raise SettingsError("a pair table needs at least four growing positive distances")
    if not np.allclose(np.diff(r), (r[-1] - r[0]) / (len(r) - 1), rtol=1e-6, atol=0.0):
        raise SettingsError("the distances of a pair table must be evenly spaced")
    if energies.shape != shape or not np.isfinite(energies).all():
        raise SettingsError(f"the energies of a pair table must be finite and of shape {shape}, not {energies.shape}")
    if not np.array_equal(energies, energies.transpose(1, 0, 2)):
        raise SettingsError("the energies of a pair table must be the same for A-B and B-A")
    if np.abs(energies[..., -1]).max() > END_TOLERANCE:
        raise SettingsError(
            f"the energies of a pair table must be zero at the last distance ({r[-1]:g} Å), where it ends, "
            f"not {np.abs(energies[..., -1]).max():.3g} eV; subtract that value or extend the table"
        )
