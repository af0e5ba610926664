"""Assessments of transferability in, matplotlib Axes out."""

from __future__ import annotations

from typing import Any

import numpy as np

from linmlp.evaluation.transferability.assessment import Transferability
from linmlp.evaluation.transferability.conditions import METRICS as CONDITION_METRICS
from linmlp.evaluation.transferability.conditions import ConditionErrors
from linmlp.evaluation.transferability.figures import METRICS
from linmlp.evaluation.transferability.grades import TWICE, GradeErrors
from linmlp.evaluation.transferability.left_out import FLOOR, LeaveOut
from linmlp.evaluation.transferability.volumes import VolumeCoverage
from linmlp.exceptions import SettingsError

SHOWN_DECADES = 1e-3
"""Errors below this part of the largest are beyond the axis."""


def plot_left_out(result: LeaveOut, metric: str = "force_rmse", ax: Any = None) -> Any:
    """Return Axes with the error on everything that was left out, beside that of cross-validation.

    Parameters
    ----------
    result : LeaveOut
        As made by `leave_one_group_out` and its siblings.
    metric : str, default="force_rmse"
        One of energy_mae, shape_mae, force_rmse, stress_rmse.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        Logarithmic error axis, one row for each that could be predicted.

    Raises
    ------
    SettingsError
        If there is no such error.
    """
    rows = [row for row in result.rows if row.without is not None and getattr(row.without, metric, None) is not None]
    if not rows:
        raise SettingsError(
            f"metric={metric!r} was not measured for any {result.kind}; give one of {', '.join(METRICS)}"
        )
    ax = _axes(ax)
    places = np.arange(len(rows))
    without = [max(getattr(row.without, metric), FLOOR) for row in rows]
    usual = [getattr(row.within, metric) if row.within is not None else None for row in rows]
    within = [np.nan if value is None else max(value, FLOOR) for value in usual]
    ax.hlines(places, within, without, color="0.7")
    ax.plot(within, places, "o", color="C0", label="cross-validation")
    ax.plot(without, places, "o", color="C3", label=f"{result.kind} left out")
    ax.set_yticks(places, [row.name for row in rows])
    ax.invert_yaxis()
    name, unit, _ = METRICS[metric]
    ax.set(xscale="log", xlabel=f"{name} ({unit})")
    # Forces that symmetry fixes would stretch the axis over many decades.
    ax.set_xlim(left=max(0.7 * np.nanmin([*without, *within]), SHOWN_DECADES * max(without)))
    ax.legend(fontsize="small")
    return ax


def plot_grades(result: GradeErrors, metric: str = "force_rmse", ax: Any = None) -> Any:
    """Return Axes with an error against the grade of extrapolation.

    Parameters
    ----------
    result : GradeErrors
        As made by `errors_by_grade`.
    metric : {"force_rmse", "energy_mae"}, default="force_rmse"
        Error.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        Steps over bins, with the error in cross-validation and twice that.

    Raises
    ------
    SettingsError
        If there is no such error.
    """
    bins = [b for b in result.bins if getattr(b, metric, None) is not None]
    if not bins:
        raise SettingsError(f'metric={metric!r} was not measured; give "force_rmse" or "energy_mae", and labels')
    ax = _axes(ax)
    last = max(float(result.structure_grades.max()), bins[-1].low)
    highs = [b.high if np.isfinite(b.high) else last for b in bins]
    for b, high in zip(bins, highs, strict=True):
        ax.plot([b.low, high], [getattr(b, metric)] * 2, "-", color="C3", lw=2)
    middles = [(b.low + high) / 2 for b, high in zip(bins, highs, strict=True)]
    ax.plot(middles, [getattr(b, metric) for b in bins], "o:", color="C3", label="test")
    if metric in result.usual:
        usual = result.usual[metric]
        ax.axhspan(usual, TWICE * usual, color="0.9", label=f"cross-validation, up to {TWICE:g} times")
    ax.axvline(1.0, color="0.5", ls="--", label="edge of training")
    name, unit, _ = METRICS[metric]
    ax.set(xlabel="grade of extrapolation", ylabel=f"{name} ({unit})")
    ax.legend(fontsize="small")
    return ax


def plot_conditions(result: ConditionErrors, metric: str = "force_rmse", ax: Any = None) -> Any:
    """Return Axes with an error against volume, temperature or another condition.

    Parameters
    ----------
    result : ConditionErrors
        As made by `errors_by_condition`.
    metric : {"energy_mae", "force_rmse", "stress_rmse"}, default="force_rmse"
        Error.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        Where training has structures is shaded.

    Raises
    ------
    SettingsError
        If there is no such error.
    """
    bins = [b for b in result.bins if getattr(b, metric, None) is not None]
    if not bins:
        raise SettingsError(
            f"metric={metric!r} was not measured; give one of {', '.join(CONDITION_METRICS)}, and labels"
        )
    ax = _axes(ax)
    covered = [b for b in result.bins if b.place == "inside"]
    for k, b in enumerate(covered):
        ax.axvspan(b.low, b.high, color="0.9", label="covered by training" if k == 0 else None)
    for b in bins:
        ax.plot([b.low, b.high], [getattr(b, metric)] * 2, "-", color="C0" if b.place == "inside" else "C3", lw=2)
    middles = [(b.low + b.high) / 2 for b in bins]
    ax.plot(middles, [getattr(b, metric) for b in bins], "o:", color="C0", label="test")
    name, unit, _ = CONDITION_METRICS[metric]
    ax.set(xlabel=f"{result.name} ({result.unit})" if result.unit else result.name, ylabel=f"{name} ({unit})")
    ax.legend(fontsize="small")
    return ax


def plot_volumes(result: VolumeCoverage, ax: Any = None) -> Any:
    """Return Axes with the grade of a crystal against its volume.

    Parameters
    ----------
    result : VolumeCoverage
        As made by `cover_volumes`.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        Where training covers it is shaded.
    """
    ax = _axes(ax)
    for k, (low, high) in enumerate(result.covered):
        ax.axvspan(low, high, color="0.9", label="covered by training" if k == 0 else None)
    ax.plot(result.volumes, result.grades, label=result.name)
    ax.axhline(1.0, color="0.5", ls="--")
    ax.axvline(result.start, color="0.7", lw=1)
    ax.set(xlabel="volume (Å³/atom)", ylabel="grade of extrapolation", yscale="log")
    ax.legend(fontsize="small")
    return ax


def plot_transferability(result: Transferability) -> Any:
    """Return a figure with a panel for every section that was assessed.

    Parameters
    ----------
    result : Transferability
        As made by `assess_transferability`.

    Returns
    -------
    matplotlib.figure.Figure
        Save it with ``savefig``; it belongs to no window.

    Raises
    ------
    SettingsError
        If no section was assessed.
    """
    from matplotlib.figure import Figure

    drawn: list[tuple[Any, Any]] = []
    for part in (result.groups, result.chemical_systems, result.elements):
        if part is not None and any(row.without is not None for row in part.rows):
            metrics = [m for m in ("energy_mae", "force_rmse") if _has(part, m)]
            drawn += [(lambda ax, p=part, m=m: plot_left_out(p, m, ax), m) for m in metrics]
    if result.grades is not None:
        grades = result.grades
        drawn += [
            (lambda ax, m=m: plot_grades(grades, m, ax), m)
            for m in ("force_rmse", "energy_mae")
            if any(getattr(b, m) is not None for b in grades.bins)
        ]
    for condition in (result.volume, result.temperature):
        if condition is not None:
            found = [m for m in CONDITION_METRICS if any(getattr(b, m) is not None for b in condition.bins)]
            drawn += [(lambda ax, c=condition, m=m: plot_conditions(c, m, ax), m) for m in found[:2]]
    drawn += [(lambda ax, c=scan: plot_volumes(c, ax), "grade") for scan in result.crystals]
    if not drawn:
        raise SettingsError(f"nothing was assessed that could be drawn: {result.missing}")
    columns = min(len(drawn), 2)
    n_rows = -(-len(drawn) // columns)
    figure = Figure(figsize=(5.5 * columns, 3.8 * n_rows), layout="constrained")
    axes = figure.subplots(n_rows, columns, squeeze=False)
    for ax, (draw, _) in zip(axes.flat, drawn, strict=False):
        draw(ax)
    for ax in axes.flat[len(drawn) :]:
        ax.remove()
    return figure


def _has(part: LeaveOut, metric: str) -> bool:
    return any(row.without is not None and getattr(row.without, metric) is not None for row in part.rows)


def _axes(ax: Any) -> Any:
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(layout="constrained")[1]
