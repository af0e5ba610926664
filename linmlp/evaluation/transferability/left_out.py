"""Errors on structures that were left out, beside those of an ordinary cross-validation, and what they say."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from linmlp.evaluation.transferability.figures import METRICS, Errors
from linmlp.evaluation.transferability.tables import cell, times

RISES = 1.5
"""An error above this many times that of cross-validation has risen: less would be noise of small groups."""

FAILS = 3.0
"""Above this many times, what was left out is not predicted."""

FLOOR = 1e-6
"""Errors below this, in the units of the table, are rounding: forces that symmetry fixes, an exact fit."""


@dataclass(frozen=True)
class LeftOut:
    """What was left out together, and the errors on it.

    Parameters
    ----------
    name : str
        Of the group, chemical system or element.
    n_structures, n_atoms : int
        That were left out and predicted.
    without : Errors or None
        Of the potential that is fitted to the rest; None where that cannot predict.
    within : Errors or None
        On the same structures in ordinary cross-validation, where most of their like are trained on; None without.
    n_unseen : int
        Functions that the rest does not have at all.
    n_skipped : int
        Structures left out besides, of elements that do not remain.
    reference_open : bool
        Whether the rest leaves reference energies open, so that the energy has an arbitrary offset.
    impossible : str
        Why nothing can be predicted; empty if something can.
    few_rows : int
        Rows of the rest where they are fewer than the functions, else 0.
    """

    name: str
    n_structures: int
    n_atoms: int
    without: Errors | None
    within: Errors | None
    n_unseen: int = 0
    n_skipped: int = 0
    reference_open: bool = False
    impossible: str = ""
    few_rows: int = 0

    def ratio(self, metric: str) -> float | None:
        """Return an error over that in cross-validation.

        Parameters
        ----------
        metric : str
            One of `METRICS`.

        Returns
        -------
        float or None
            None where one is missing, or the group is one structure, for which both leave out the same.
        """
        if self.without is None or self.within is None or self.n_structures < 2:
            return None
        error, usual = getattr(self.without, metric), getattr(self.within, metric)
        return None if error is None or usual is None else float(max(error, FLOOR) / max(usual, FLOOR))

    @property
    def risen(self) -> list[str]:
        """Names of the errors that are more than `RISES` times those of cross-validation and mean something."""
        meant = [metric for metric in METRICS if not (metric == "energy_mae" and self.reference_open)]
        return [metric for metric in meant if (self.ratio(metric) or 0.0) > RISES]

    @property
    def verdict(self) -> str:
        """How far it is predicted without being trained on.

        "transfers"; "offset" if the mean of the energy alone is off; "degrades" if another error rises by more than
        half; "fails" if one is more than three times as large; "impossible" where it cannot be predicted; "unknown"
        with nothing to compare.
        """
        if self.impossible:
            return "impossible"
        if all(self.ratio(metric) is None for metric in METRICS):
            return "unknown"
        others = [metric for metric in self.risen if metric != "energy_mae"]
        if not others:
            return "offset" if self.risen else "transfers"
        return "fails" if any((self.ratio(metric) or 0.0) > FAILS for metric in others) else "degrades"

    def statement(self) -> str:
        """Return what the errors say.

        Returns
        -------
        str
            One sentence.
        """
        if self.impossible:
            return f"{self.name}: cannot be predicted: {self.impossible}"
        told = f"{self.name}: {self._judgement()}"
        if self.n_unseen:
            told += f"; {self.n_unseen} functions are not seen without it and count as 0"
        if self.few_rows:
            told += f"; the rest has {self.few_rows} rows alone, fewer than functions: nothing is settled by them"
        if self.reference_open:
            told += "; the rest leaves reference energies open, so that the offset of its energy means nothing"
        if self.n_skipped:
            told += (
                f"; {self.n_skipped} more structures of it cannot be predicted, an element of theirs does not remain"
            )
        return told

    def _judgement(self) -> str:
        verdict = self.verdict
        if verdict == "unknown":
            if self.within is not None and self.n_structures < 2:
                return "a single structure, which cross-validation leaves out as well: nothing to compare with"
            return "nothing to compare with"
        if verdict == "transfers":
            return f"predicted without it as in cross-validation (errors at most {RISES:g} times as large)"
        ratios = ", ".join(f"{METRICS[metric][0]} {times(self.ratio(metric))}" for metric in self.risen)
        assert self.without is not None
        shift = self.without.energy_shift
        told = {
            "offset": "energies are off by a constant without it, while their differences and forces hold",
            "degrades": "predicted less well without it",
            "fails": "NOT predicted without it",
        }[verdict]
        is_offset = shift is not None and abs(shift) > 0.5 * (self.without.energy_mae or 0.0)
        offset = (
            f"; mean of its energy off by {shift:+.1f} meV/atom" if "energy_mae" in self.risen and is_offset else ""
        )
        return f"{told}: {ratios} that of cross-validation{offset}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers.

        Returns
        -------
        dict
            "without" and "within" hold errors, "ratio" their ratios, "verdict" and "statement" what they say.
        """
        return {**asdict(self), "ratio": {m: self.ratio(m) for m in METRICS}, "verdict": self.verdict} | {
            "statement": self.statement()
        }


@dataclass(frozen=True)
class LeaveOut:
    """Errors of leaving out one thing after the other.

    Parameters
    ----------
    kind : {"group", "chemical system", "element"}
        What is left out.
    rows : tuple of LeftOut
        One for each.
    overall : Errors or None
        Of ordinary cross-validation over all structures.
    n_folds : int
        Folds of that; 0 without.
    n_functions : int
        Functions of the potential.
    notes : tuple of str
        What a user should know.
    """

    kind: str
    rows: tuple[LeftOut, ...]
    overall: Errors | None
    n_folds: int
    n_functions: int
    notes: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> LeftOut:
        """Return the row of a name."""
        return {row.name: row for row in self.rows}[name]

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers.

        Returns
        -------
        dict
            "rows" is a list; errors in meV/atom, eV/Å and GPa, None where nothing carries the label.
        """
        return {
            "kind": self.kind,
            "n_folds": self.n_folds,
            "n_functions": self.n_functions,
            "rows": [row.to_dict() for row in self.rows],
            "overall": None if self.overall is None else asdict(self.overall),
            "notes": list(self.notes),
        }

    def summary(self) -> str:
        """Return which are predicted without being trained on, and which are not.

        Returns
        -------
        str
            One sentence.
        """
        names = {
            "transfers": "as in cross-validation",
            "offset": "but for a constant in the energy",
            "degrades": f"with errors up to {FAILS:g} times as large",
            "fails": "NOT",
            "impossible": "impossible",
            "unknown": "with nothing to compare",
        }
        parts = [
            f"{told}: {', '.join(row.name for row in self.rows if row.verdict == verdict)}"
            for verdict, told in names.items()
            if any(row.verdict == verdict for row in self.rows)
        ]
        return f"predicted without being trained on (each {self.kind}): {'; '.join(parts)}"

    def statement(self) -> str:
        """Return what is said of each, one line each."""
        return "\n".join([*(row.statement() for row in self.rows), *(f"note: {note}" for note in self.notes)])

    def __str__(self) -> str:
        """Return the table and the statements."""
        width = max(len(self.kind), *(len(row.name) for row in self.rows))
        titles = "".join(f"{f'{name} ({unit})':>31}" for name, unit, _ in METRICS.values())
        heads = f"{'without':>13}{'CV':>10}{'ratio':>8}" * len(METRICS)
        lines = [
            f"each {self.kind} left out; errors on it without it, and in ordinary cross-validation (CV)",
            f"{'':{width}} {'':>10}{titles}",
            f"{self.kind:{width}} {'structures':>10}{heads}{'unseen':>8}",
        ]
        for row in self.rows:
            cells = "".join(
                cell(_get(row.without, metric), 13, digits)
                + cell(_get(row.within, metric), 10, digits)
                + cell(row.ratio(metric), 8, 2)
                for metric, (_, _, digits) in METRICS.items()
            )
            lines.append(f"{row.name:{width}} {row.n_structures:>10}{cells}{row.n_unseen:>8}")
        return "\n".join([*lines, self.statement()])


def _get(errors: Errors | None, metric: str) -> float | None:
    """Return an error, None without any."""
    value: float | None = None if errors is None else getattr(errors, metric)
    return value
