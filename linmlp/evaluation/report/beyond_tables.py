"""What is known of structures beyond training, as tables of the report."""

from __future__ import annotations

import numpy as np

from linmlp.evaluation.report.contract import Table
from linmlp.evaluation.report.words import number
from linmlp.evaluation.transferability import ConditionErrors, GradeErrors, LeaveOut
from linmlp.evaluation.transferability.conditions import METRICS as CONDITION_METRICS
from linmlp.evaluation.transferability.figures import METRICS


def left_out_table(result: LeaveOut) -> Table:
    """Return errors on what was left out, beside those in cross-validation.

    Parameters
    ----------
    result : LeaveOut
        Of groups, chemical systems or elements.

    Returns
    -------
    Table
        A row for each; columns for errors that any has.
    """
    present = [m for m in METRICS if any(getattr(row.without, m, None) is not None for row in result.rows)]
    columns = [result.kind, "structures"]
    for metric in present:
        name, unit, _ = METRICS[metric]
        columns += [f"{name}, left out ({unit})", f"in cross-validation ({unit})"]
    rows = []
    for row in result.rows:
        pairs = [(getattr(row.without, m, None), getattr(row.within, m, None)) for m in present]
        cells = [number(value) for pair in pairs for value in pair]
        rows.append((row.name, str(row.n_structures), *cells))
    caption = f"Errors on each {result.kind} when it is left out, and when most of its like are trained on."
    return Table(caption, tuple(columns), tuple(rows))


def grade_table(result: GradeErrors) -> Table:
    """Return errors by grade.

    Parameters
    ----------
    result : GradeErrors
        Of the test structures.

    Returns
    -------
    Table
        A row for each range of grades.
    """
    rows = [
        (
            f"{b.low:g} to {b.high:g}" if np.isfinite(b.high) else f"from {b.low:g}",
            str(b.n_atoms),
            number(b.force_rmse),
            str(b.n_structures),
            number(b.energy_mae),
        )
        for b in result.bins
    ]
    columns = ("grade", "atoms", "force RMSE (eV/Å)", "structures", "energy MAE (meV/atom)")
    return Table(
        "Errors of forces by the grade of the atom, of energies by that of the structure.", columns, tuple(rows)
    )


def condition_table(result: ConditionErrors) -> Table:
    """Return errors by volume, temperature or another condition.

    Parameters
    ----------
    result : ConditionErrors
        Of the test structures.

    Returns
    -------
    Table
        A row for each range.
    """
    name = f"{result.name} ({result.unit})" if result.unit else result.name
    columns = [name, "training", "structures trained on", "test structures"]
    columns += [f"{label} ({unit})" for label, unit, _ in CONDITION_METRICS.values()]
    rows = [
        (
            f"{b.low:.4g} to {b.high:.4g}",
            b.place,
            str(b.n_train),
            str(b.n_test),
            *(number(getattr(b, metric)) for metric in CONDITION_METRICS),
        )
        for b in result.bins
    ]
    return Table(f"Errors by {result.name}, inside and outside of what training covers.", tuple(columns), tuple(rows))
