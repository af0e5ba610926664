"""How well stated intervals hold: coverage and interval score, in total and per group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from linmlp.exceptions import SettingsError
from linmlp.potentials.uncertainty.calibration import check_level
from linmlp.units import FloatArray


def interval_score(half_width: FloatArray, residual: FloatArray, level: float) -> FloatArray:
    r"""Return the score of central intervals around predictions; smaller is better.

    Parameters
    ----------
    half_width : ndarray
        Half-widths h.
    residual : ndarray
        Predictions minus labels r, of the same shape.
    level : float
        Probability 1 − a that is stated, between 0 and 1.

    Returns
    -------
    ndarray
        ``2h + (2/a) max(|r| − h, 0)``, equation 43 of T. Gneiting and A. E. Raftery, J. Am. Stat. Assoc. 102, 359
        (2007), for an interval that is centered on the prediction.

    Examples
    --------
    >>> interval_score(np.array([1.0, 1.0]), np.array([0.5, -2.0]), 0.5)
    array([2., 6.])
    """
    check_level(level)
    beyond = np.maximum(np.abs(residual) - half_width, 0.0)
    return np.asarray(2.0 * half_width + 2.0 / (1.0 - level) * beyond)


@dataclass(frozen=True)
class CoverageTable:
    """Coverage and interval score of stated intervals, per group and in total, beside intervals of constant width.

    Parameters
    ----------
    rows : tuple of dict
        One per level and group: level, group ("total" for all), n_structures, n (values that count), coverage (part
        of the labels inside), score (mean interval score), constant_score, and gain, ``1 − score/constant_score``.
    """

    rows: tuple[dict[str, float | int | str], ...]

    @classmethod
    def of(
        cls,
        residuals: Sequence[FloatArray],
        half_widths: Mapping[float, Sequence[FloatArray]],
        groups: Sequence[str],
        constant: Mapping[float, float],
    ) -> CoverageTable:
        """Return the table of some structures.

        Parameters
        ----------
        residuals : sequence of ndarray
            Predictions minus labels of each structure, of any shape. Leave out values that symmetry fixes: they are
            predicted exactly whatever the width.
        half_widths : mapping of float to sequence of ndarray
            By level: half-widths for each structure, of the shape of the residuals or one that broadcasts to it.
        groups : sequence of str
            Group of each structure.
        constant : mapping of float to float
            By level: the constant half-width to compare with.

        Returns
        -------
        CoverageTable
            Print it, or use `to_frame`.

        Raises
        ------
        SettingsError
            If the numbers of structures differ.
        """
        if any(len(widths) != len(residuals) for widths in half_widths.values()) or len(groups) != len(residuals):
            raise SettingsError(
                f"residuals of {len(residuals)} structures, but {len(groups)} groups and half-widths of "
                f"{[len(widths) for widths in half_widths.values()]}; give one of each per structure"
            )
        rows = []
        for level, widths in half_widths.items():
            r = [np.ravel(values) for values in residuals]
            w = [np.ravel(np.broadcast_to(h, np.shape(v))) for h, v in zip(widths, residuals, strict=True)]
            for group in [*sorted(set(groups)), "total"]:
                members = [i for i, name in enumerate(groups) if group in (name, "total")]
                values, around = (np.concatenate([part[i] for i in members]) for part in (r, w))
                if len(values):
                    rows.append(_row(level, group, len(members), values, around, constant[level]))
        return cls(tuple(rows))

    def get(self, level: float, group: str = "total") -> dict[str, float | int | str]:
        """Return one row.

        Parameters
        ----------
        level : float
            Stated level.
        group : str
            Name of a group, or "total".

        Returns
        -------
        dict
            See `rows`.
        """
        for row in self.rows:
            if row["level"] == level and row["group"] == group:
                return row
        raise SettingsError(f"no row for level {level} and group {group!r}; there are {self._names()}")

    def to_frame(self) -> pd.DataFrame:
        """Return a data frame with one row per level and group."""
        return pd.DataFrame(list(self.rows))

    def _names(self) -> list[tuple[object, object]]:
        return [(row["level"], row["group"]) for row in self.rows]

    def __str__(self) -> str:
        """Return the table as text, coverage and gain in percent."""
        width = max([len("group"), *(len(str(row["group"])) for row in self.rows)])
        head = (
            f"{'group':{width}} {'level':>6} {'structures':>10} {'values':>8} {'coverage':>9} {'score':>10} {'gain':>7}"
        )
        lines = [
            f"{row['group']:{width}} {100 * float(row['level']):6.0f} {row['n_structures']:10} {row['n']:8} "
            f"{100 * float(row['coverage']):9.1f} {float(row['score']):10.4g} {100 * float(row['gain']):7.1f}"
            for row in self.rows
        ]
        return "\n".join([head, *lines])


def _row(
    level: float, group: str, n_structures: int, residual: FloatArray, half_width: FloatArray, constant: float
) -> dict[str, float | int | str]:
    score = float(interval_score(half_width, residual, level).mean())
    reference = float(interval_score(np.full(len(residual), constant), residual, level).mean())
    return {
        "level": level,
        "group": group,
        "n_structures": n_structures,
        "n": len(residual),
        "coverage": float(np.mean(np.abs(residual) <= half_width)),
        "score": score,
        "constant_score": reference,
        "gain": 1.0 - score / reference if reference > 0.0 else 0.0,
    }
