"""A front in, matplotlib Axes out."""

from __future__ import annotations

from typing import Any

from linmlp.evaluation.front.result import Front
from linmlp.evaluation.report.figures import COLORS, new_axes, plain_ticks
from linmlp.exceptions import SettingsError

LABELS = {"energy_mae": "energy MAE (meV/atom)", "force_rmse": "force RMSE (eV/Å)"}


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
    for color, label in zip(COLORS, ("by degree", "selected"), strict=False):
        own = [point for point in front.points if ("solver" in point.settings) == (label == "selected")]
        if not own:
            continue
        colors = [color if any(point is other for other in best) else "white" for point in own]
        values = [getattr(point, metric) for point in own]
        ax.scatter([p.cost for p in own], values, c=colors, edgecolors=color, label=label, zorder=2)
        for point, value in zip(own, values, strict=True):
            text = point.name.split()[0] if label == "selected" else point.name
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
