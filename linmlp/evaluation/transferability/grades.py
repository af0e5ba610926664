"""Errors on labelled structures against the grade of extrapolation, their distance from training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms
from scipy.stats import spearmanr

from linmlp.evaluation.transferability.measured import Measured, fitted_potential, measure
from linmlp.evaluation.transferability.tables import cell
from linmlp.exceptions import SettingsError
from linmlp.potentials.uncertainty.setting import kept_uncertainty
from linmlp.units import FloatArray

if TYPE_CHECKING:
    from linmlp.potentials import LinearPotential, LinearPotentialCV

EDGES = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, np.inf)
"""Edges of the bins of grades; 1 is the edge of training."""

FEW = 5
"""Bins of fewer atoms or structures are taken together with the next ones, to say whether errors rise."""

TWICE = 2.0
"""An error above this many times that of cross-validation has risen: that one is a mean over quiet and hot atoms, so
that what is usual for the hot ones is more."""


@dataclass(frozen=True)
class GradeBin:
    """Errors of atoms and structures whose grades are in a range.

    Parameters
    ----------
    low, high : float
        Grades from `low` on, below `high`.
    n_atoms, n_structures : int
        Atoms with force labels and structures with an energy label.
    force_rmse : float or None
        eV/Å; None without atoms.
    energy_mae : float or None
        meV/atom; None without structures.
    """

    low: float
    high: float
    n_atoms: int
    n_structures: int
    force_rmse: float | None
    energy_mae: float | None


@dataclass(frozen=True)
class GradeErrors:
    """Errors against grades.

    Parameters
    ----------
    bins : tuple of GradeBin
        Ascending; those without any label are left out.
    usual : dict of str to float
        "force_rmse" (eV/Å) and "energy_mae" (meV/atom) in cross-validation, where known.
    force_correlation, energy_correlation : float or None
        Rank correlation (Spearman) of atom grade and size of the force error (of atoms whose force symmetry does not
        fix), and of structure grade and size of the energy error per atom; None for fewer than three, or if one of
        them is constant.
    atom_grades, structure_grades : ndarray
        Of all atoms and structures, labelled or not.
    """

    bins: tuple[GradeBin, ...]
    usual: Mapping[str, float]
    force_correlation: float | None
    energy_correlation: float | None
    atom_grades: FloatArray
    structure_grades: FloatArray

    def trusted_grade(self, metric: str) -> float | None:
        """Return the grade up to which errors are as in cross-validation.

        Parameters
        ----------
        metric : {"force_rmse", "energy_mae"}
            Error.

        Returns
        -------
        float or None
            Lower edge of the first bin (of five samples or more, small ones taken together) whose error is more than
            twice that of cross-validation: 0 if already the first is, infinite if none is. None where the error of
            cross-validation is not known or there are fewer than five labels.
        """
        usual, merged = self.usual.get(metric), self._merged(metric)
        if usual is None or not merged:
            return None
        return next((low for low, _, error in merged if error > TWICE * usual), float("inf"))

    def _merged(self, metric: str) -> list[tuple[float, float, float]]:
        """Return edges and errors of bins that are taken together until they hold enough samples."""
        count, power = {"force_rmse": ("n_atoms", 2), "energy_mae": ("n_structures", 1)}[metric]
        merged, members = [], []
        for grade_bin in self.bins:
            if getattr(grade_bin, metric) is None:
                continue
            members.append(grade_bin)
            counts = [getattr(b, count) for b in members]
            if sum(counts) >= FEW:
                mean = np.average([getattr(b, metric) ** power for b in members], weights=counts)
                merged.append((members[0].low, grade_bin.high, float(mean ** (1 / power))))
                members = []
        return merged

    def part_above(self, grade: float, of: str = "atoms") -> float:
        """Return the part of atoms or structures whose grade is at least some grade.

        Parameters
        ----------
        grade : float
            Grade.
        of : {"atoms", "structures"}, default="atoms"
            Of what.

        Returns
        -------
        float
            Between 0 and 1.
        """
        grades = self.atom_grades if of == "atoms" else self.structure_grades
        return float(np.mean(grades >= grade))

    def statement(self) -> str:
        """Return up to which grade errors are as in training, and how much of the test set is above.

        Returns
        -------
        str
            Some sentences.
        """
        lines = [
            self._statement("force_rmse", "force RMSE", "eV/Å", "atoms", self.force_correlation),
            self._statement("energy_mae", "energy MAE", "meV/atom", "structures", self.energy_correlation),
            f"beyond the edge of training (grade 1): {self.part_above(1.0):.1%} of atoms, "
            f"{self.part_above(1.0, 'structures'):.1%} of structures",
        ]
        return "\n".join(lines)

    def _statement(self, metric: str, name: str, unit: str, of: str, correlation: float | None) -> str:
        grade, usual = self.trusted_grade(metric), self.usual.get(metric)
        ranks = "" if correlation is None else f"; rank correlation of grade and error {correlation:.2f}"
        if grade is None:
            why = (
                f"fewer than {FEW} labels"
                if usual is not None
                else "its error in cross-validation is not known; give train"
            )
            return f"{name}: nothing to say of where it rises ({why}){ranks}"
        told = f"{name}, {usual:.4g} {unit} in cross-validation: "
        if grade == float("inf"):
            seen = self._merged(metric)[-1][1]
            return f"{told}at no grade more than {TWICE:g} times that, as far as grades go (bins up to {seen:g}){ranks}"
        if grade == self._merged(metric)[0][0]:
            return f"{told}above {TWICE:g} times that at the lowest grades already: the grade does not tell{ranks}"
        above = f"{self.part_above(grade, of):.1%} of test {of} are above"
        return f"{told}below grade {grade:g} at most {TWICE:g} times that; {above}{ranks}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers.

        Returns
        -------
        dict
            "bins" is a list; an open upper edge and a grade without limit are None.
        """
        finite = {m: self.trusted_grade(m) for m in ("force_rmse", "energy_mae")}
        return {
            "bins": [{**asdict(b), "high": b.high if np.isfinite(b.high) else None} for b in self.bins],
            "usual": dict(self.usual),
            "force_correlation": self.force_correlation,
            "energy_correlation": self.energy_correlation,
            "trusted_grade": {m: g if g is not None and np.isfinite(g) else None for m, g in finite.items()},
            "atoms_above_1": self.part_above(1.0),
            "structures_above_1": self.part_above(1.0, "structures"),
            "statement": self.statement(),
        }

    def __str__(self) -> str:
        """Return the table and the statements."""
        lines = [
            "errors against the grade of extrapolation",
            f"{'grade':>13}{'atoms':>9}{'force RMSE':>13}{'structures':>13}{'energy MAE':>13}",
            f"{'':>13}{'':>9}{'eV/Å':>13}{'':>13}{'meV/atom':>13}",
        ]
        for b in self.bins:
            name = f"{b.low:g} to {b.high:g}" if np.isfinite(b.high) else f"from {b.low:g}"
            numbers = cell(b.force_rmse, 13, 4) + f"{b.n_structures:>13}" + cell(b.energy_mae, 13, 2)
            lines.append(f"{name:>13}{b.n_atoms:>9}{numbers}")
        return "\n".join([*lines, self.statement()])


def errors_by_grade(
    model: LinearPotential | LinearPotentialCV,
    structures: Sequence[Atoms],
    edges: Sequence[float] = EDGES,
    usual: Mapping[str, float] | None = None,
) -> GradeErrors:
    """Return errors on labelled structures in bins of the grade of extrapolation.

    Parameters
    ----------
    model : LinearPotential or LinearPotentialCV
        Fitted with ``uncertainty=True``.
    structures : sequence of ase.Atoms
        Labelled structures that it was not fitted to.
    edges : sequence of float
        Edges of the bins, ascending from 0; beyond the last one there is no bin, unless it is infinite.
    usual : mapping of str to float, optional
        "force_rmse" and "energy_mae" in cross-validation; those that the fit found by default.

    Returns
    -------
    GradeErrors
        Forces by the grades of atoms, energies by those of structures. Print it.

    Raises
    ------
    InputError
        If the potential has no grades, structures or labels cannot be used, or the edges do not ascend.
    """
    model = fitted_potential(model)
    kept_uncertainty(model)
    return grade_errors(measure(model, structures), model.cv_errors_ if usual is None else usual, edges)


def grade_errors(measured: Measured, usual: Mapping[str, float], edges: Sequence[float] = EDGES) -> GradeErrors:
    """Return the errors of structures that were predicted, in bins of grades.

    Parameters
    ----------
    measured : Measured
        With grades.
    usual : mapping of str to float
        "force_rmse" and "energy_mae" in cross-validation.
    edges : sequence of float
        Edges of the bins.

    Returns
    -------
    GradeErrors
        Print it.
    """
    bounds = np.asarray(edges, dtype=float)
    if len(bounds) < 2 or not (np.diff(bounds) > 0.0).all():
        raise SettingsError(f"edges={list(edges)}; give two grades or more, ascending")
    results = measured.uncertain or ()
    squares, grades, moves = [], [], []
    for index, result in enumerate(results):
        squared, counted = measured.atom_errors(index)
        squares.append(squared)
        grades.append(result.atom_grades[counted])
        calibration, std = result.force_calibration, result.raw_force_std[counted]
        moves.append(np.ones(len(std), dtype=bool) if calibration is None else calibration.is_free(std))
    force, of_atoms, is_free = np.concatenate(squares), np.concatenate(grades), np.concatenate(moves)
    has_energy = np.array([len(errors.energy) > 0 for errors in measured.errors], dtype=bool)
    energy = np.abs(np.concatenate([errors.energy for errors in measured.errors]))
    structure_grades = np.array([result.grade for result in results])
    of_structures = structure_grades[has_energy]
    bins = []
    for low, high in pairwise(bounds):
        atoms, inside = (of_atoms >= low) & (of_atoms < high), (of_structures >= low) & (of_structures < high)
        if atoms.any() or inside.any():
            rmse = float(np.sqrt(force[atoms].mean() / 3.0)) if atoms.any() else None
            mae = float(energy[inside].mean()) if inside.any() else None
            bins.append(GradeBin(float(low), float(high), int(atoms.sum()), int(inside.sum()), rmse, mae))
    known = {name: float(usual[name]) for name in ("force_rmse", "energy_mae") if usual.get(name) is not None}
    return GradeErrors(
        tuple(bins),
        known,
        rank_correlation(of_atoms[is_free], force[is_free]),
        rank_correlation(of_structures, energy),
        np.concatenate([result.atom_grades for result in results]),
        structure_grades,
    )


def rank_correlation(x: FloatArray, y: FloatArray) -> float | None:
    """Return Spearman's rank correlation; None for fewer than three values, or if one side is constant."""
    if len(x) < 3 or np.ptp(x) == 0.0 or np.ptp(y) == 0.0:
        return None
    return float(spearmanr(x, y).statistic)
