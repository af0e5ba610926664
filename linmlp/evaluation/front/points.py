"""Points of errors and costs in; those that no other beats, and the one to take, out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from linmlp.exceptions import SettingsError

WORTH = 0.05
"""A potential whose score is within this of the best (5 % in energy and force errors) is as good: the luck of folds."""


@dataclass(frozen=True)
class Point:
    """Errors and cost of a potential.

    Parameters
    ----------
    name : str
        Preset, degrees, or number of functions selected.
    n_functions : int
        Functions with a coefficient, in the fit to all structures.
    energy_mae : float or None
        Mean absolute error of the energy of held-out structures, meV/atom; None where nothing carries the label.
    force_rmse : float or None
        Root mean square error of the components of their forces, eV/Å.
    score : float
        ½ ln(energy MAE) + ½ ln(force RMSE), in eV; smaller is better, and 0.01 is 1 % in both errors.
    cost : float
        Measured time of energies, forces and stress, µs per atom and step on one thread.
    settings : dict
        Settings of `LinearPotential` that make it.
    """

    name: str
    n_functions: int
    energy_mae: float | None
    force_rmse: float | None
    score: float
    cost: float
    settings: dict[str, Any]


def pareto(points: Sequence[Point]) -> tuple[Point, ...]:
    """Return the points that no other beats: none is better at the same or a smaller cost.

    Parameters
    ----------
    points : sequence of Point
        Any.

    Returns
    -------
    tuple of Point
        By cost; the score falls from one to the next.
    """
    front: list[Point] = []
    for point in sorted(points, key=lambda p: (p.cost, p.score)):
        if not front or point.score < front[-1].score:
            front.append(point)
    return tuple(front)


def recommend(points: Sequence[Point], budget: float | None = None) -> Point:
    """Return the best point within a budget, or the cheapest one that is as good as the best.

    Parameters
    ----------
    points : sequence of Point
        At least one.
    budget : float, optional
        Largest cost, µs per atom and step. Without one the cheapest point is taken whose score is within `WORTH` of
        the best.

    Returns
    -------
    Point
        One of them.

    Raises
    ------
    SettingsError
        If none is within the budget.
    """
    if budget is None:
        best = min(point.score for point in points)
        return min((p for p in points if p.score <= best + WORTH), key=lambda p: (p.cost, p.score))
    check_budget(budget)
    within = [point for point in points if point.cost <= budget]
    if not within:
        fastest = min(points, key=lambda p: p.cost)
        raise SettingsError(
            f"no potential takes {budget:g} µs per atom and step or less; the fastest found ({fastest.name}) takes "
            f"{fastest.cost:.3g}: raise the budget, or give smaller sizes"
        )
    return min(within, key=lambda p: (p.score, p.cost))


def check_budget(budget: float | None) -> None:
    """Raise SettingsError if a budget is no positive number."""
    if budget is not None and not (isinstance(budget, int | float) and np.isfinite(budget) and budget > 0):
        raise SettingsError(f"budget={budget!r}; give µs per atom and step, a positive number")
