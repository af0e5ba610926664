"""A crystal at many volumes, without labels: where training covers it, and where the potential extrapolates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms

from linmlp.evaluation.transferability.condition_values import volume_per_atom
from linmlp.evaluation.transferability.measured import fitted_potential
from linmlp.evaluation.transferability.tables import cell
from linmlp.exceptions import SettingsError, StructureError
from linmlp.potentials.preparation import check_elements
from linmlp.potentials.uncertainty.setting import kept_uncertainty
from linmlp.units import FloatArray

if TYPE_CHECKING:
    from linmlp.potentials import LinearPotential, LinearPotentialCV

FACTORS = np.linspace(0.85, 1.2, 71)
"""Lengths that are scanned, relative to those of the crystal: 61 to 173 % of its volume."""

SHOWN = (-0.3, -0.2, -0.1, -0.05, 0.0, 0.05, 0.1, 0.2, 0.3)
"""Changes of the volume that the table shows, where they were scanned."""


@dataclass(frozen=True)
class VolumeCoverage:
    """Grades of a crystal over its volume.

    Parameters
    ----------
    name : str
        Of the crystal.
    start : float
        Its volume as given, Å³ per atom.
    volumes : ndarray of shape (n_points,)
        Å³ per atom, ascending.
    grades : ndarray of shape (n_points,)
        Grade of the structure; above 1 is beyond what held-out training structures show.
    energies, energy_std : ndarray of shape (n_points,)
        Energy and its calibrated standard deviation, eV per atom; NaN where energies were not calibrated.
    """

    name: str
    start: float
    volumes: FloatArray
    grades: FloatArray
    energies: FloatArray
    energy_std: FloatArray

    @property
    def covered(self) -> list[tuple[float, float]]:
        """Ranges of volumes in which no grade is above 1, Å³ per atom; log grades are linear between points."""
        inside = np.concatenate([[False], self.grades <= 1.0, [False]])
        edges = np.flatnonzero(np.diff(inside.astype(int))).reshape(-1, 2)
        return [(self._crossing(a, a - 1), self._crossing(b - 1, b)) for a, b in edges]

    def _crossing(self, inner: int, outer: int) -> float:
        """Return where the grade passes 1 between two points, or the last point where the scan ends."""
        if not 0 <= outer < len(self.volumes):
            return float(self.volumes[inner])
        heights = np.log(np.maximum(self.grades[[inner, outer]], np.finfo(float).tiny))
        part = -heights[0] / (heights[1] - heights[0])
        return float(self.volumes[inner] + part * (self.volumes[outer] - self.volumes[inner]))

    def statement(self) -> str:
        """Return where the potential interpolates.

        Returns
        -------
        str
            One sentence.
        """
        scanned = f"{self.volumes[0]:.4g} to {self.volumes[-1]:.4g} Å³/atom"
        if not self.covered:
            return (
                f"{self.name}: extrapolates at all volumes scanned, {scanned} (least grade {self.grades.min():.2f}); "
                "training has nothing like it"
            )
        ranges = " and ".join(
            f"{a:.4g} to {b:.4g} Å³/atom ({a / self.start - 1:+.1%} to {b / self.start - 1:+.1%})"
            for a, b in self.covered
        )
        whole = len(self.covered) == 1 and self.covered[0] == (self.volumes[0], self.volumes[-1])
        beyond = "all that was scanned" if whole else f"beyond, within {scanned}, it extrapolates, at worst with grade"
        return f"{self.name}: interpolates at {ranges}; {beyond}" + ("" if whole else f" {self.grades.max():.1f}")

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers.

        Returns
        -------
        dict
            Lists over the volumes; an energy_std that is not known is None.
        """
        known = [float(std) if np.isfinite(std) else None for std in self.energy_std]
        return {
            "name": self.name,
            "start": self.start,
            "volumes": self.volumes.tolist(),
            "grades": self.grades.tolist(),
            "energies": self.energies.tolist(),
            "energy_std": known,
            "covered": [list(part) for part in self.covered],
            "statement": self.statement(),
        }

    def __str__(self) -> str:
        """Return a table at some volumes, and the statement."""
        changes = self.volumes / self.start - 1.0
        shown = sorted({int(np.argmin(np.abs(changes - c))) for c in SHOWN if changes[0] <= c <= changes[-1]})
        lines = [
            f"{'volume':>10}{'change':>9}{'grade':>8}{'stated energy error':>21}   (Å³/atom, meV/atom) {self.name}"
        ]
        for k in shown:
            std = cell(1e3 * float(self.energy_std[k]), 21, 2)
            lines.append(f"{self.volumes[k]:>10.2f}{changes[k]:>9.1%}{self.grades[k]:>8.2f}{std}")
        return "\n".join([*lines, self.statement()])


def cover_volumes(
    model: LinearPotential | LinearPotentialCV,
    crystal: Atoms,
    factors: Sequence[float] | FloatArray = FACTORS,
    name: str | None = None,
) -> VolumeCoverage:
    """Return the grades of a crystal that is stretched and compressed evenly.

    Parameters
    ----------
    model : LinearPotential or LinearPotentialCV
        Fitted with ``uncertainty=True``.
    crystal : ase.Atoms
        Periodic structure; needs no labels.
    factors : sequence of float
        Lengths relative to those given; 0.85 to 1.2 by default.
    name : str, optional
        For the statement; the formula by default.

    Returns
    -------
    VolumeCoverage
        Print it.

    Raises
    ------
    InputError
        If the potential has no grades, does not know an element, the crystal has no volume, or a factor is not
        positive.
    """
    model = fitted_potential(model)
    kept_uncertainty(model)
    check_elements(model.descriptor_, [crystal])
    if not crystal.pbc.all():
        raise StructureError(f"pbc is {crystal.pbc.tolist()}; volumes are scanned of crystals, periodic in all three")
    lengths = np.sort(np.asarray(factors, dtype=float))
    if not (len(lengths) and (lengths > 0.0).all()):
        raise SettingsError(f"factors={list(factors)}; give lengths above 0 relative to those of the crystal")
    scaled = []
    for factor in lengths:
        atoms = crystal.copy()
        atoms.set_cell(factor * crystal.cell.array, scale_atoms=True)
        scaled.append(atoms)
    results, n_atoms = model.predict_uncertainty(scaled), len(crystal)
    calibrated = results[0].energy_calibration is not None
    return VolumeCoverage(
        name or crystal.get_chemical_formula(),
        crystal.get_volume() / n_atoms,
        np.array([atoms.get_volume() / n_atoms for atoms in scaled]),
        np.array([result.grade for result in results]),
        np.array([result.prediction.energy / n_atoms for result in results]),
        np.array([result.energy_std / n_atoms if calibrated else np.nan for result in results]),
    )


def stable_crystals(model: LinearPotential, structures: Sequence[Atoms]) -> dict[str, Atoms]:
    """Return the structure of lowest energy of every chemical system.

    Parameters
    ----------
    model : LinearPotential
        Fitted; labels are read as it reads them, energies counted from its reference energies.
    structures : sequence of ase.Atoms
        Labelled structures.

    Returns
    -------
    dict of str to ase.Atoms
        By formula; systems whose structures all have a vacuum or no energy are left out.
    """
    best: dict[str, tuple[float, Atoms]] = {}
    for atoms, label in zip(structures, model._read_labels(structures), strict=True):
        if label.energy is None or np.isnan(volume_per_atom(atoms)):
            continue
        energy = (label.energy - model.reference_.energy(label.numbers)) / label.n_atoms
        system = "-".join(sorted(set(atoms.get_chemical_symbols())))
        if system not in best or energy < best[system][0]:
            best[system] = energy, atoms
    return {f"{atoms.get_chemical_formula()} of lowest energy": atoms for _, atoms in best.values()}
