"""A front in, matplotlib Axes out."""

from __future__ import annotations

from typing import Any

from linmlp.evaluation.front.points import Point
from linmlp.evaluation.front.result import Front
from linmlp.evaluation.report.figures import COLORS, new_axes, plain_ticks
from linmlp.exceptions import SettingsError

LABELS = {"energy_mae": "energy MAE (meV/atom)", "force_rmse": "force RMSE (eV/Å)"}

BY_DEGREE = "by degree"


def plot_front(front: Front, metric: str = "force_rmse", ax: Any = None, budget: float | None = None) -> Any:
    """Return Axes with an error of every potential over its cost.

    Parameters
    ----------
    front : Front
        Points.
    metric : {"force_rmse", "energy_mae"}, default="force_rmse"
        Error to draw.
    ax : matplotlib Axes, optional
        Where to draw.
    budget : float, optional
        Largest cost that is wanted, µs per atom and step, to be drawn.

    Returns
    -------
    matplotlib Axes
        Potentials that no other beats (in the score, which has both errors) are filled and joined; others are hollow.

    Raises
    ------
    SettingsError
        If there is no such error.
    """
    if metric not in LABELS:
        raise SettingsError(f"metric={metric!r}; give one of {', '.join(LABELS)}")
    best = front.pareto
    if any(getattr(point, metric) is None for point in best):
        raise SettingsError(f"metric={metric!r}, but no structure has such a label; draw the other error")
    ax = new_axes() if ax is None else ax
    ax.plot([p.cost for p in best], [getattr(p, metric) for p in best], color="0.6", lw=1, zorder=1)
    for color, label in zip(COLORS, dict.fromkeys(map(_kind, front.points)), strict=False):
        own = [point for point in front.points if _kind(point) == label]
        colors = [color if any(point is other for other in best) else "white" for point in own]
        values = [getattr(point, metric) for point in own]
        ax.scatter([p.cost for p in own], values, c=colors, edgecolors=color, label=label, zorder=2)
        for point, value in zip(own, values, strict=True):
            text = point.name if label == BY_DEGREE else point.name.split()[0]
            ax.annotate(text, (point.cost, value), xytext=(4, 4), textcoords="offset points", fontsize=7)
    if budget is not None:
        ax.axvline(budget, color="0.4", ls="--", lw=1, label="budget")
    ax.set(xscale="log", yscale="log", xlabel="step (µs per atom, one thread)", ylabel=LABELS[metric])
    ax.margins(0.12)
    plain_ticks(ax.xaxis, ax.yaxis)
    legend = ax.legend()
    for handle in legend.legend_handles[: len(ax.collections)]:
        handle.set_facecolor(handle.get_edgecolor())
    return ax


def _kind(point: Point) -> str:
    """Return the way in which the functions of a point were selected."""
    return point.name.split(maxsplit=1)[1] if "solver" in point.settings else BY_DEGREE
