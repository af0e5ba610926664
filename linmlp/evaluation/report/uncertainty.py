"""How well stated uncertainties hold, and where the potential extrapolates, in sentences and tables."""

from __future__ import annotations

import numpy as np

from linmlp.evaluation.report.contract import Block, Table, Verdict
from linmlp.evaluation.report.words import NAMES, count, number
from linmlp.potentials.uncertainty.table import LEVELS, UNITS, UncertaintyTable

TOO_FEW = 0.05
"""Intervals that hold less often than stated by more than this, and than two standard errors, are too narrow."""


def coverage_verdicts(stated: UncertaintyTable) -> list[Verdict]:
    """Return whether stated intervals hold as often as they should.

    Parameters
    ----------
    stated : UncertaintyTable
        Of the test structures.

    Returns
    -------
    list of Verdict
        One for energies, one for forces, where there are such labels.
    """
    total, found = stated.to_dict()["total"], []
    for kind in ("energy", "force"):
        if not total[f"{kind}_n"]:
            continue
        inside = {level: total[f"{kind}_inside_{100 * level:.0f}"] for level in LEVELS}
        told = ", ".join(f"{100 * level:.0f} % intervals hold {100 * part:.1f} %" for level, part in inside.items())
        # Labels of one structure go together, so that chance is that of so many structures.
        chance = {level: 2.0 * np.sqrt(level * (1.0 - level) / total["n_structures"]) for level in LEVELS}
        narrow = [level for level, part in inside.items() if part < level - max(TOO_FEW, chance[level])]
        verdict = Verdict("good", f"Stated uncertainties of {NAMES[kind]} hold: {told}.")
        if narrow:
            verdict = Verdict("warning", f"Stated uncertainties of {NAMES[kind]} are too small: {told}.")
        found.append(verdict)
    return found


def extrapolation_verdict(stated: UncertaintyTable) -> Verdict:
    """Return where the potential extrapolates.

    Parameters
    ----------
    stated : UncertaintyTable
        Of the test structures.

    Returns
    -------
    Verdict
        How many structures have a grade above 1, and of which groups.
    """
    beyond = [s for s in stated.structures if s.grade > 1.0]
    n = len(stated.structures)
    if not beyond:
        told = f"None of {count(n, 'test structure')} is an extrapolation (grade above 1)."
        return Verdict("good", told, headline=True)
    groups = {g: sum(s.group == g for s in beyond) for g in stated.groups}
    named = ", ".join(f"{found} of {g}" for g, found in groups.items() if found)
    largest = max(s.grade for s in beyond)
    return Verdict(
        "warning",
        f"It extrapolates on {len(beyond)} of {count(n, 'test structure')} (grade above 1): {named}; the largest "
        f"grade is {number(largest)}.",
        headline=True,
    )


def uncertainty_tables(stated: UncertaintyTable) -> list[Block]:
    """Return tables of coverage and grades.

    Parameters
    ----------
    stated : UncertaintyTable
        Of the test structures.

    Returns
    -------
    list of Block
        Tables.
    """
    rows = stated.to_dict()
    named = {**(rows["groups"] if len(stated.groups) > 1 else {}), "total": rows["total"]}
    blocks: list[Block] = []
    for kind in ("energy", "force"):
        if not rows["total"][f"{kind}_n"]:
            continue
        columns = ("group", "values", "in 68 %", "in 95 %", f"std ({UNITS[kind]})", f"RMSE ({UNITS[kind]})")
        body = tuple(
            (
                group,
                str(row[f"{kind}_n"]),
                *(_percent(row[f"{kind}_inside_{level}"]) for level in (68, 95)),
                *(number(row[f"{kind}_{what}"]) for what in ("std", "rmse")),
            )
            for group, row in named.items()
        )
        caption = f"How often stated 68 % and 95 % intervals of {NAMES[kind]} hold, and stated against real errors."
        blocks.append(Table(caption, columns, body, len(body) > 1))
    grades = tuple(
        (g, str(row["n_structures"]), number(row["grade_median"]), number(row["grade_max"])) for g, row in named.items()
    )
    caption = "Extrapolation grades: above 1, a structure holds an atom whose surroundings are beyond the training set."
    return [*blocks, Table(caption, ("group", "structures", "median", "largest"), grades, len(grades) > 1)]


def _percent(part: float | None) -> str:
    return "–" if part is None else f"{100 * part:.1f} %"
