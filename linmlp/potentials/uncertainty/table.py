"""How far stated uncertainties hold on labelled structures: predictions and labels in, a table out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from linmlp.potentials.uncertainty.coverage import CoverageTable
from linmlp.potentials.uncertainty.prediction import UncertainPrediction
from linmlp.potentials.uncertainty.uncertainty import Uncertainty
from linmlp.structures import Labels
from linmlp.units import FloatArray

LEVELS = (0.68, 0.95)
KINDS = ("energy", "force")
UNITS = {"energy": "meV/atom", "force": "eV/Å"}


@dataclass(frozen=True)
class Interval:
    """Residuals of one kind of label of a structure beside what was stated of them; all empty without labels.

    Parameters
    ----------
    residual : ndarray of shape (n, n_components)
        Predictions minus labels.
    std : ndarray of shape (n, 1)
        Stated standard deviation.
    half_widths : dict of float to ndarray of shape (n, 1)
        Half-widths of intervals by level.
    """

    residual: FloatArray
    std: FloatArray
    half_widths: dict[float, FloatArray]


@dataclass(frozen=True)
class StructureUncertainty:
    """Residuals of one structure beside its stated uncertainty.

    Parameters
    ----------
    group : str
        Its ``config_type``.
    energy, force : Interval
        In meV/atom and eV/Å; atoms whose forces symmetry fixes are left out, and those with masked components.
    grade : float
        Extrapolation grade of the structure.
    """

    group: str
    energy: Interval
    force: Interval
    grade: float

    @classmethod
    def of(cls, result: UncertainPrediction, label: Labels) -> StructureUncertainty:
        """Return prediction and label side by side.

        Parameters
        ----------
        result : UncertainPrediction
            Of the structure.
        label : Labels
            Its labels.

        Returns
        -------
        StructureUncertainty
            Empty for kinds of label that it lacks, or that were not calibrated.
        """
        return cls(label.config_type, _energy_interval(result, label), _force_interval(result, label), result.grade)


@dataclass(frozen=True)
class UncertaintyTable:
    """Stated intervals, standard deviations and grades of structures, in total and per group.

    Energies in meV/atom over structures, forces in eV/Å over Cartesian components. Printing it gives the table;
    `to_dict` and `to_frame` give the numbers.

    Parameters
    ----------
    structures : sequence of StructureUncertainty
        What was predicted.
    constant : dict of str to dict of float to float
        By kind and level: half-width of intervals that are equally wide everywhere, from the same held-out residuals.
    """

    structures: Sequence[StructureUncertainty] = field(repr=False)
    constant: dict[str, dict[float, float]] = field(repr=False)

    @classmethod
    def of(
        cls, results: Sequence[UncertainPrediction], labels: Sequence[Labels], uncertainty: Uncertainty
    ) -> UncertaintyTable:
        """Return the table of some structures.

        Parameters
        ----------
        results : sequence of UncertainPrediction
            One per structure.
        labels : sequence of Labels
            One per structure.
        uncertainty : Uncertainty
            What the predictions were made with.

        Returns
        -------
        UncertaintyTable
            Print it, or use `to_dict`.
        """
        calibrations = {"energy": uncertainty.energy_calibration, "force": uncertainty.force_calibration}
        factor = {"energy": 1e3, "force": 1.0}
        constant = {
            kind: {level: factor[kind] * calibration.constant_half_width(level) for level in LEVELS}
            for kind, calibration in calibrations.items()
            if calibration is not None
        }
        rows = tuple(StructureUncertainty.of(r, label) for r, label in zip(results, labels, strict=True))
        return cls(rows, constant)

    @property
    def groups(self) -> list[str]:
        """Names of the groups, sorted."""
        return sorted({structure.group for structure in self.structures})

    def coverage(self, kind: str) -> CoverageTable:
        """Return coverage and scores of the intervals of one kind of label.

        Parameters
        ----------
        kind : {"energy", "force"}
            Kind of label.

        Returns
        -------
        CoverageTable
            Without rows if nothing carries such labels.
        """
        held = [getattr(structure, kind) for structure in self.structures]
        if kind not in self.constant:
            return CoverageTable(())
        widths = {level: [interval.half_widths[level] for interval in held] for level in LEVELS}
        groups = [structure.group for structure in self.structures]
        return CoverageTable.of([interval.residual for interval in held], widths, groups, self.constant[kind])

    def to_dict(self) -> dict[str, Any]:
        """Return {"total": row, "groups": {name: row}}.

        Returns
        -------
        dict
            A row has n_structures, grade_median and grade_max, and for kind energy and force (None without labels):
            kind_n, the number of labels; kind_inside_68 and kind_inside_95, the part of them inside stated intervals;
            kind_score_68 and kind_score_95, the mean interval score in units of that of intervals of constant width
            (below 1 is better; None where that is not known); kind_std, the root mean square of stated standard
            deviations, and kind_rmse of the same labels.
        """
        coverage = {kind: self.coverage(kind) for kind in KINDS}
        by_group = {group: self._row(group, coverage) for group in self.groups}
        return {"total": self._row("total", coverage), "groups": by_group}

    def to_frame(self) -> pd.DataFrame:
        """Return a data frame with one row per group and a last row "total"."""
        table = self.to_dict()
        return pd.DataFrame([*table["groups"].values(), table["total"]], index=[*table["groups"], "total"])

    def _row(self, group: str, coverage: dict[str, CoverageTable]) -> dict[str, Any]:
        members = [structure for structure in self.structures if group in (structure.group, "total")]
        row: dict[str, Any] = {"n_structures": len(members)}
        for kind in KINDS:
            row |= _kind_row(kind, [getattr(structure, kind) for structure in members], group, coverage[kind])
        grades = [structure.grade for structure in members]
        return {**row, "grade_median": float(np.median(grades)), "grade_max": float(np.max(grades))}

    def __str__(self) -> str:
        """Return the table as text, a block per kind of label."""
        table = self.to_dict()
        rows = {**(table["groups"] if len(self.groups) > 1 else {}), "total": table["total"]}
        width = max(len("group"), *(len(name) for name in rows))
        blocks = [_block(kind, rows, width) for kind in KINDS]
        lines = [f"extrapolation grades\n{'group':{width}} {'structures':>10} {'median':>8} {'largest':>8}"]
        lines += [
            f"{name:{width}} {row['n_structures']:>10} {row['grade_median']:8.2f} {row['grade_max']:8.2f}"
            for name, row in rows.items()
        ]
        return "\n\n".join([*blocks, "\n".join(lines)])


def _energy_interval(result: UncertainPrediction, label: Labels) -> Interval:
    if label.energy is None or not label.energy_weight > 0 or result.energy_calibration is None:
        return _NOTHING
    factor = 1e3 / label.n_atoms
    residual = np.array([[factor * (result.prediction.energy - label.energy)]])
    widths = {level: np.array([[factor * result.energy_half_width(level)]]) for level in LEVELS}
    return Interval(residual, np.array([[factor * result.energy_std]]), widths)


def _force_interval(result: UncertainPrediction, label: Labels) -> Interval:
    if label.forces is None or result.force_calibration is None:
        return _NOTHING
    counted = np.all(np.broadcast_to(np.asarray(label.force_weight) > 0, label.forces.shape), axis=1)
    counted &= result.force_calibration.is_free(result.raw_force_std)
    residual = (result.prediction.forces - label.forces)[counted]
    widths = {level: result.force_half_width(level)[counted, None] for level in LEVELS}
    return Interval(residual, result.force_std[counted, None], widths)


_NOTHING = Interval(np.empty((0, 1)), np.empty((0, 1)), {level: np.empty((0, 1)) for level in LEVELS})


def _kind_row(kind: str, intervals: Sequence[Interval], group: str, coverage: CoverageTable) -> dict[str, Any]:
    """Return the numbers of one kind of label in a row."""
    names = [f"{kind}_{what}_{100 * level:.0f}" for what in ("inside", "score") for level in LEVELS]
    n = sum(interval.residual.size for interval in intervals)
    if not n:
        return {f"{kind}_n": 0, **dict.fromkeys([*names, f"{kind}_std", f"{kind}_rmse"])}
    rows = [coverage.get(level, group) for level in LEVELS]
    ratios = [float(row["score"]) / float(row["constant_score"]) for row in rows]
    known = [ratio if np.isfinite(ratio) else None for ratio in ratios]
    values = [*(float(row["coverage"]) for row in rows), *known]
    squares = sum(np.sum(np.broadcast_to(interval.std, interval.residual.shape) ** 2) for interval in intervals)
    errors = sum(np.sum(interval.residual**2) for interval in intervals)
    means = {f"{kind}_std": float(np.sqrt(squares / n)), f"{kind}_rmse": float(np.sqrt(errors / n))}
    return {f"{kind}_n": n, **dict(zip(names, values, strict=True)), **means}


def _block(kind: str, rows: dict[str, dict[str, Any]], width: int) -> str:
    """Return the lines of one kind of label."""
    digits = {"energy": 2, "force": 4}[kind]
    title = f"stated intervals of {'energies' if kind == 'energy' else 'forces'} ({UNITS[kind]})"
    head = f"{'group':{width}} {'values':>10} {'in 68 %':>8} {'in 95 %':>8} {'score 68':>9} {'score 95':>9}"
    lines = [title, head + f" {'std':>10} {'RMSE':>10}"]
    for name, row in rows.items():
        values = [row[f"{kind}_{what}"] for what in ("inside_68", "inside_95", "score_68", "score_95", "std", "rmse")]
        formats = ("8.1f", "8.1f", "9.2f", "9.2f", f"10.{digits}f", f"10.{digits}f")
        factors = (100.0, 100.0, 1.0, 1.0, 1.0, 1.0)
        cells = [
            f"{'-':>{form.split('.')[0]}}" if value is None else f"{factor * value:{form}}"
            for value, form, factor in zip(values, formats, factors, strict=True)
        ]
        lines.append(f"{name:{width}} {row[f'{kind}_n']:>10} {' '.join(cells)}")
    return "\n".join(lines)
