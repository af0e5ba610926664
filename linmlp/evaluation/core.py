"""What a potential does where atoms come close: dimers of all pairs of elements, and crystals under compression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms
from sklearn.utils.validation import check_is_fitted

from linmlp.exceptions import SettingsError, StructureError
from linmlp.neighbors import find_pairs
from linmlp.structures import ZBL, closest_approaches
from linmlp.units import EV_PER_A3_IN_GPA, FloatArray

if TYPE_CHECKING:
    from linmlp.potentials import LinearPotential

INNERMOST = 0.2
"""Dimers are scanned from this part of the closest approach on: MD at any temperature stays outside."""

UNKNOWN_FROM = 0.5
"""Where the closest approach is not known, dimers are scanned from this distance on, Å."""

LEANS = 0.9
"""A potential leans on its baselines where these give at least this part of the force."""


@dataclass(frozen=True)
class DimerScan:
    """Two atoms in empty space.

    Parameters
    ----------
    elements : tuple of str
        The two elements.
    distances : ndarray of shape (n_points,)
        Ascending, Å.
    energies : ndarray of shape (n_points,)
        Energy less that of the two atoms far apart, eV.
    forces : ndarray of shape (n_points,)
        Force that drives them apart, eV/Å.
    baseline_forces : ndarray of shape (n_points,)
        The part of it that comes from baselines, eV/Å.
    closest : float
        Closest approach of the pair in the training structures, Å; NaN if it is not known.
    """

    elements: tuple[str, str]
    distances: FloatArray
    energies: FloatArray
    forces: FloatArray
    baseline_forces: FloatArray
    closest: float

    @property
    def name(self) -> str:
        """Such as "C-Si"."""
        return "-".join(self.elements)

    @property
    def attraction(self) -> float:
        """Largest distance below the closest approach at which the atoms attract, Å; NaN if they repel throughout."""
        attracts = self.distances[(self.forces <= 0.0) & (self.distances < self.closest)]
        return float(attracts[-1]) if len(attracts) else float("nan")

    @property
    def leans_below(self) -> float:
        """Distance below which baselines give at least `LEANS` of a repulsive force, Å; NaN if nowhere."""
        alone = (self.forces > 0.0) & (self.baseline_forces >= LEANS * self.forces)
        n_alone = len(alone) if alone.all() else int(np.argmin(alone))
        return float(self.distances[n_alone - 1]) if n_alone else float("nan")

    def statement(self) -> str:
        """Return what a user should know of the pair.

        Returns
        -------
        str
            One sentence or two.
        """
        if np.isnan(self.closest):
            return f"{self.name}: the closest approach in training is not known; pass the training structures"
        if np.isnan(self.attraction):
            told = f"{self.name}: repels everywhere below the closest approach in training, {self.closest:.2f} Å"
        else:
            told = (
                f"{self.name}: ATTRACTS at {self.attraction:.2f} Å, below the closest approach in training, "
                f"{self.closest:.2f} Å; MD may fall in. Add compressed structures, or fit with baseline='zbl'"
            )
        if np.isnan(self.leans_below):
            return told
        return f"{told}; below {self.leans_below:.2f} Å it leans on the baseline alone ({LEANS:.0%} of the force)"


@dataclass(frozen=True)
class CoreScan:
    """Dimers of all pairs of elements.

    Parameters
    ----------
    dimers : tuple of DimerScan
        One for every pair.
    """

    dimers: tuple[DimerScan, ...]

    @property
    def is_safe(self) -> bool:
        """Whether all pairs repel everywhere below their closest approach, and that is known."""
        return all(np.isnan(scan.attraction) and not np.isnan(scan.closest) for scan in self.dimers)

    def __str__(self) -> str:
        header = f"{'pair':8}{'closest':>9}{'energy there':>14}{'least force below':>19}{'leans below':>13}"
        lines = [header + "   (Å, eV, eV/Å)"]
        for scan in self.dimers:
            inside = scan.forces[scan.distances < scan.closest]
            least = float(inside.min()) if len(inside) else float("nan")
            energy = float(np.interp(scan.closest, scan.distances, scan.energies))
            numbers = f"{scan.closest:9.2f}{energy:14.2f}{least:19.2f}{scan.leans_below:13.2f}"
            lines.append(f"{scan.name:8}{numbers}".replace("nan", "  -"))
        return "\n".join([*lines, *(scan.statement() for scan in self.dimers)])


def scan_dimers(model: LinearPotential, structures: Sequence[Atoms] | None = None, n_points: int = 400) -> CoreScan:
    """Return energies and forces of the dimers of all pairs of elements.

    Parameters
    ----------
    model : LinearPotential
        Fitted.
    structures : sequence of ase.Atoms, optional
        Training structures, for the closest approach of every pair; by default what the ZBL baseline of the fit knows.
    n_points : int, default=400
        Distances, from a fifth of the closest approach to the cutoff.

    Returns
    -------
    CoreScan
        Table and statements by ``str``.

    Raises
    ------
    SettingsError
        If there are fewer than two points.
    """
    check_is_fitted(model)
    if n_points < 2:
        raise SettingsError(f"n_points={n_points}; give 2 or more")
    elements = tuple(model.descriptor_.elements_)
    closest = closest_in_training(model, elements, structures)
    scans, cutoff = [], model.predictor().cutoff
    for a, b in combinations_with_replacement(range(len(elements)), 2):
        start = UNKNOWN_FROM if np.isnan(closest[a, b]) else INNERMOST * closest[a, b]
        distances = np.linspace(start, cutoff, n_points)
        scans.append(_scan_pair(model, (elements[a], elements[b]), distances, float(closest[a, b])))
    return CoreScan(tuple(scans))


@dataclass(frozen=True)
class CompressionScan:
    """A crystal at many volumes.

    Parameters
    ----------
    factors : ndarray of shape (n_points,)
        Lengths in units of those given, ascending.
    volumes : ndarray of shape (n_points,)
        Å³ per atom.
    energies : ndarray of shape (n_points,)
        eV per atom.
    pressures : ndarray of shape (n_points,)
        GPa.
    nearest : ndarray of shape (n_points,)
        Nearest-neighbor distance, Å; NaN beyond the cutoff.
    """

    factors: FloatArray
    volumes: FloatArray
    energies: FloatArray
    pressures: FloatArray
    nearest: FloatArray

    @property
    def equilibrium(self) -> float:
        """Volume of the minimum of the energy that lies downhill from the structure as given, Å³ per atom."""
        return float(self.volumes[self._minimum])

    @property
    def collapse(self) -> float:
        """Largest volume below the equilibrium at which the pressure is not positive, Å³ per atom; NaN if none is."""
        inside = self.volumes[: self._minimum]
        # The pressure passes zero at the equilibrium itself, between two of the volumes.
        soft = inside[:-1][self.pressures[: max(len(inside) - 1, 0)] <= 0.0]
        return float(soft[-1]) if len(soft) else float("nan")

    @property
    def _minimum(self) -> int:
        """Position of the equilibrium."""
        at = int(np.argmin(np.abs(self.factors - 1.0)))
        while True:
            around = [k for k in (at - 1, at, at + 1) if 0 <= k < len(self.energies)]
            lowest = min(around, key=lambda k: self.energies[k])
            if lowest == at:
                return at
            at = lowest

    def statement(self) -> str:
        """Return whether the crystal withstands compression.

        Returns
        -------
        str
            One sentence.
        """
        if np.isnan(self.collapse):
            return (
                f"withstands compression from {self.equilibrium:.2f} to {self.volumes[0]:.2f} Å³/atom, "
                f"{self.pressures[0]:.0f} GPa"
            )
        barrier = self.pressures[self.volumes > self.collapse].max()
        at = int(np.searchsorted(self.volumes, self.collapse))
        return (
            f"COLLAPSES below {self.collapse:.2f} Å³/atom (neighbors at {self.nearest[at]:.2f} Å), once "
            f"{barrier:.0f} GPa are overcome; add compressed structures if that is in reach"
        )


def scan_compression(model: LinearPotential, atoms: Atoms, factors: Sequence[float] | None = None) -> CompressionScan:
    """Return energy and pressure of a crystal at many volumes.

    Parameters
    ----------
    model : LinearPotential
        Fitted.
    atoms : ase.Atoms
        Periodic structure.
    factors : sequence of float, optional
        Lengths relative to those of `atoms`; 0.6 to 1.4 by default.

    Returns
    -------
    CompressionScan
        In the order of ascending factors.

    Raises
    ------
    StructureError
        If the structure has no volume.
    SettingsError
        If a factor is not positive.
    """
    check_is_fitted(model)
    if not atoms.pbc.all():
        raise StructureError(f"pbc is {atoms.pbc.tolist()}; a crystal that is compressed must be periodic in all three")
    lengths = np.sort(np.linspace(0.6, 1.4, 81) if factors is None else np.asarray(factors, dtype=float))
    if not (len(lengths) and (lengths > 0.0).all()):
        raise SettingsError(f"factors={factors}; give lengths above 0 relative to those of the structure")
    predictor, rows = model.predictor(), []
    for factor in lengths:
        scaled = atoms.copy()
        scaled.set_cell(factor * atoms.cell.array, scale_atoms=True)
        pairs = find_pairs(scaled, predictor.cutoff)
        prediction = predictor.compute(pairs, scaled)
        pressure = -float(prediction.stress[:3].mean()) * EV_PER_A3_IN_GPA
        nearest = float(pairs.distances.min()) if len(pairs.distances) else np.nan
        rows.append((scaled.get_volume() / len(scaled), prediction.energy / len(scaled), pressure, nearest))
    volumes, energies, pressures, nearest = np.array(rows).T
    return CompressionScan(lengths, volumes, energies, pressures, nearest)


def closest_in_training(
    model: LinearPotential, elements: tuple[str, ...], structures: Sequence[Atoms] | None
) -> FloatArray:
    """Return the closest approach of every pair of elements in training.

    Parameters
    ----------
    model : LinearPotential
        Fitted.
    elements : tuple of str
        Its elements.
    structures : sequence of ase.Atoms or None
        Training structures; None takes what the ZBL baseline of the fit knows.

    Returns
    -------
    ndarray of shape (n_elements, n_elements)
        Å; NaN where it is not known.
    """
    if structures is not None:
        cutoff = model.predictor().cutoff
        found = closest_approaches((find_pairs(structure, cutoff) for structure in structures), elements)
        return np.where(np.isfinite(found), found, np.nan)
    for baseline in model.baselines_:
        if isinstance(baseline, ZBL) and set(elements) <= set(baseline.elements):
            places = [baseline.elements.index(element) for element in elements]
            return np.asarray(baseline.outer[np.ix_(places, places)])
    return np.full((len(elements), len(elements)), np.nan)


def _scan_pair(model: LinearPotential, elements: tuple[str, str], distances: FloatArray, closest: float) -> DimerScan:
    """Return the scan of one pair."""
    predictor = model.predictor()
    dimers = [Atoms(elements, [[0.0, 0.0, 0.0], [r, 0.0, 0.0]]) for r in (*distances, 2.0 * distances[-1])]
    *results, apart = [predictor(dimer) for dimer in dimers]
    baseline = [
        sum(float(b.compute(find_pairs(dimer, predictor.cutoff), dimer).forces[1, 0]) for b in model.baselines_)
        for dimer in dimers[:-1]
    ]
    return DimerScan(
        elements,
        distances,
        np.array([result.energy - apart.energy for result in results]),
        np.array([float(result.forces[1, 0]) for result in results]),
        np.array(baseline, dtype=float),
        closest,
    )
