"""Errors on test and training structures, how well stated uncertainties hold, and where the potential extrapolates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from linmlp.evaluation.diagnosis import diagnose_fit
from linmlp.evaluation.report.contract import (
    Advance,
    Block,
    Content,
    Heading,
    Level,
    Paragraph,
    Section,
    Table,
    Verdict,
)
from linmlp.evaluation.report.inputs import Evaluated, Inputs
from linmlp.evaluation.report.uncertainty import coverage_verdicts, extrapolation_verdict, uncertainty_tables
from linmlp.evaluation.report.words import NAMES, count, number, spoken
from linmlp.potentials.errors import KINDS, UNITS, ErrorTable

OFF = 2.0
"""A group whose error is more than this many times that of all is named."""

PROMISE = 1.5
"""A test error above this many times that of cross-validation is one that cross-validation did not promise."""

COMPARED = ("energy_mae", "force_rmse")
"""Errors that the table and cross-validation measure in the same way."""


class ErrorsSection(Section):
    """Tables of errors in total and per group."""

    key = "errors"
    title = "Errors"

    def make(self, inputs: Inputs, advance: Advance) -> Content:
        """Return tables for test and training structures, with what they mean."""
        tested = inputs.tested
        verdicts = [_accuracy(tested), *_worst_groups(tested.table), *_against_promise(inputs)]
        blocks: list[Block] = [_error_table(tested.table, inputs.name("test"), True)]
        advance(0.5)
        stated = tested.table.uncertainty
        if stated is not None:
            verdicts += [*coverage_verdicts(stated), extrapolation_verdict(stated)]
            blocks += [Heading("Stated uncertainties"), *uncertainty_tables(stated)]
        else:
            blocks.append(Paragraph("The potential states no uncertainties and no grades: fit it with --uncertainty."))
        if inputs.trained is not None:
            blocks += [
                Heading("On the training structures"),
                _error_table(inputs.trained.table, inputs.name("train"), False),
            ]
            verdicts += _fit_diagnosis(inputs)
        else:
            blocks.append(Paragraph("Errors on the training structures are not made: give --train DATA."))
        return Content(tuple(verdicts), tuple(blocks))


def _accuracy(tested: Evaluated) -> Verdict:
    """Return the errors of all test structures in a sentence."""
    total = tested.table.to_dict()["total"]
    parts = [
        f"{NAMES[kind]} by {number(total[f'{kind}_mae'])} {UNITS[kind]}"
        for kind in KINDS
        if total[f"{kind}_mae"] is not None
    ]
    told = (
        f"On {count(total['n_structures'], 'test structure')} it is off in {', '.join(parts)} (mean absolute errors)."
    )
    return Verdict("plain", told, headline=True)


def _worst_groups(table: ErrorTable) -> list[Verdict]:
    """Return the groups that are much worse than the rest, by kind."""
    rows, found = table.to_dict(), []
    for kind in ("energy", "force"):
        whole = rows["total"][f"{kind}_mae"]
        errors = {g: row[f"{kind}_mae"] for g, row in rows["groups"].items() if row[f"{kind}_mae"] is not None}
        if whole is None or len(errors) < 2:
            continue
        worst = max(errors, key=lambda group: errors[group])
        if errors[worst] > OFF * whole:
            size = count(rows["groups"][worst]["n_structures"], "structure")
            found.append(
                Verdict(
                    "warning",
                    f"The group {worst} ({size}) is worst in {NAMES[kind]}: {number(errors[worst])} {UNITS[kind]}, "
                    f"{number(errors[worst] / whole, 2)} times the error of all.",
                )
            )
    return found


def _against_promise(inputs: Inputs) -> list[Verdict]:
    """Return whether test errors are those that cross-validation promised."""
    total, promised = inputs.tested.table.to_dict()["total"], inputs.model.cv_errors_
    pairs = {n: (total[n], promised[n]) for n in COMPARED if promised.get(n) and total.get(n) is not None}
    if not pairs:
        return []
    told = ", ".join(
        f"{spoken(n)} {number(test)} against {number(cv)} {UNITS[n.split('_')[0]]}" for n, (test, cv) in pairs.items()
    )
    if any(test > PROMISE * cv for test, cv in pairs.values()):
        return [
            Verdict(
                "warning",
                f"Test errors are more than {PROMISE:g} times what cross-validation promised ({told}): the test "
                "structures are of another kind than the training structures.",
            )
        ]
    return [Verdict("good", f"Test errors are what cross-validation on the training structures promised: {told}.")]


def _fit_diagnosis(inputs: Inputs) -> list[Verdict]:
    """Return whether the fit overfits, by the errors on training and held-out structures."""
    trained, held_out = inputs.trained, inputs.model.cv_errors_
    if trained is None or not held_out:
        return []
    total = trained.table.to_dict()["total"]
    names = [n for n in ("energy_mae", "energy_rmse", "force_rmse") if total[n] is not None and held_out.get(n)]
    if not names:
        return []
    n_rows = sum(e.energy.size + e.force.size + e.stress.size for e in trained.table.structures)
    told = diagnose_fit({n: total[n] for n in names}, {n: held_out[n] for n in names}, n_rows, len(inputs.model.coef_))
    level: Level = "warning" if told.startswith("overfits") else "good"
    for name in names:
        told = told.replace(name, spoken(name))
    return [Verdict(level, f"By cross-validation the fit {told}.")]


def _error_table(table: ErrorTable, name: str, with_intervals: bool) -> Table:
    """Return the table of errors; with the bootstrap interval of the totals."""
    rows = table.to_dict()
    measured = [kind for kind in KINDS if rows["total"][f"{kind}_mae"] is not None]
    metrics = [f"{kind}_{mean}" for kind in measured for mean in ("mae", "rmse")]
    columns = ("group", "structures", *(f"{spoken(m)} ({UNITS[m.split('_')[0]]})" for m in metrics))
    body = [(group, *_cells(row, metrics)) for group, row in rows["groups"].items()] if len(table.groups) > 1 else []
    body.append(("total", *_cells(rows["total"], metrics)))
    caption = f"Errors on {name}."
    if with_intervals and len(table.structures) > 1:
        intervals = table.intervals()
        parts = [f"{spoken(m)} {number(low)} to {number(high)}" for m, (low, high) in intervals.items()]
        caption += f" 95 % intervals of the totals, from resampled structures: {', '.join(parts)}."
    return Table(caption, columns, tuple(body), len(body) > 1)


def _cells(row: Mapping[str, Any], metrics: list[str]) -> tuple[str, ...]:
    return (str(row["n_structures"]), *(number(row[m]) for m in metrics))
