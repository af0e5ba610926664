"""What a front says: a table, the points that no other beats, the potential to take."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from linmlp.evaluation.front.points import WORTH, Point, pareto, recommend
from linmlp.evaluation.report.words import number
from linmlp.exceptions import SettingsError
from linmlp.potentials.setting_states import plain

if TYPE_CHECKING:
    from linmlp.evaluation.front.material import Material
    from linmlp.potentials import LinearPotential

COLUMNS = ("potential", "functions", "energy MAE (meV/atom)", "force RMSE (eV/Å)", "score", "step (µs/atom)", "front")
"""Of the table; the score is the geometric mean of both errors, as a multiple of the smallest."""


@dataclass(frozen=True)
class Front:
    """Errors against cost of potentials of growing size.

    Parameters
    ----------
    points : tuple of Point
        All potentials.
    cutoff : float
        Their cutoff, Å.
    n_folds : int
        Folds of the cross-validation.
    n_structures : int
        Structures that count.
    material : Material
        Folded rows, for `fit`.
    """

    points: tuple[Point, ...]
    cutoff: float
    n_folds: int
    n_structures: int
    material: Material = field(repr=False, compare=False)

    @property
    def pareto(self) -> tuple[Point, ...]:
        """The points that no other beats, by cost: none is better at the same or a smaller cost."""
        return pareto(self.points)

    def recommend(self, budget: float | None = None) -> Point:
        """Return the best point within a budget, or the cheapest one that is as good as the best.

        Parameters
        ----------
        budget : float, optional
            Largest cost, µs per atom and step. Without one the cheapest point is taken whose score is within `WORTH`
            (5 %) of the best.

        Returns
        -------
        Point
            One of the points.

        Raises
        ------
        SettingsError
            If none is within the budget.
        """
        return recommend(self.points, budget)

    def fit(self, point: Point | None = None, *, budget: float | None = None) -> LinearPotential:
        """Return a potential of the front fitted to all structures, from the rows that are folded already.

        Parameters
        ----------
        point : Point, optional
            One of the points; the recommended one by default.
        budget : float, optional
            Largest cost of the recommended one, µs per atom and step.

        Returns
        -------
        LinearPotential
            Fitted.

        Raises
        ------
        SettingsError
            If it is no point of this front, or none is within the budget.
        """
        if point is not None and budget is not None:
            raise SettingsError(f"budget={budget!r} and a point ({point.name}) are both given; leave out one")
        point = self.recommend(budget) if point is None else point
        places = [k for k, own in enumerate(self.points) if own is point]
        if not places:
            raise SettingsError(f"{point.name!r} is no point of this front; give one of front.points")
        return self.material.fit(point, places[0])

    def statement(self, budget: float | None = None) -> str:
        """Return which potential to take, as a sentence.

        Parameters
        ----------
        budget : float, optional
            As for `recommend`.

        Returns
        -------
        str
            With its size, errors and cost, and why.

        Raises
        ------
        SettingsError
            If none is within the budget.
        """
        point = self.recommend(budget)
        why = (
            f"the cheapest whose errors are within {100 * WORTH:g} % of the best"
            if budget is None
            else f"the best that takes {budget:g} µs per atom and step or less"
        )
        is_selected = point.name.startswith(str(point.n_functions))
        what = f"{point.name} functions" if is_selected else f"{point.name}, {point.n_functions} functions"
        errors = (f"{number(point.energy_mae)} meV/atom", f"{number(point.force_rmse)} eV/Å")
        return (
            f"Recommended: {what} ({why}): {' and '.join(errors)} on held-out "
            f"structures, {number(point.cost)} µs per atom and step."
        )

    def rows(self) -> list[tuple[str, ...]]:
        """Return the cells of the table, with the names of `COLUMNS`, by cost."""
        front, best = self.pareto, min(point.score for point in self.points)
        return [
            (
                point.name,
                str(point.n_functions),
                number(point.energy_mae),
                number(point.force_rmse),
                f"{100 * (point.score - best):+.1f} %",
                number(point.cost),
                "yes" if any(point is other for other in front) else "",
            )
            for point in sorted(self.points, key=lambda p: p.cost)
        ]

    def to_frame(self) -> pd.DataFrame:
        """Return one row per point: functions, errors, score, cost, and whether no other beats it."""
        columns = ("n_functions", "energy_mae", "force_rmse", "score", "cost")
        table = {name: [getattr(point, name) for point in self.points] for name in columns}
        front = self.pareto
        table["is_pareto"] = [any(point is other for other in front) for point in self.points]
        return pd.DataFrame(table, index=pd.Index([point.name for point in self.points], name="potential"))

    def to_dict(self, budget: float | None = None) -> dict[str, Any]:
        """Return everything as JSON takes it; the recommended point is None where the budget admits none.

        Parameters
        ----------
        budget : float, optional
            As for `recommend`.

        Returns
        -------
        dict
            Energies in meV/atom, forces in eV/Å, costs in µs per atom and step.
        """
        try:
            recommended = self.recommend(budget).name
        except SettingsError:
            recommended = None
        frame = self.to_frame()
        points = [
            {"name": point.name, **{str(k): plain(v) for k, v in row.items()}, "settings": _settings(point)}
            for point, row in zip(self.points, frame.to_dict("records"), strict=True)
        ]
        return {
            "cutoff": self.cutoff,
            "n_folds": self.n_folds,
            "n_structures": self.n_structures,
            "budget": budget,
            "recommended": recommended,
            "points": points,
        }

    def to_json(self, budget: float | None = None) -> str:
        """Return `to_dict` as JSON."""
        return json.dumps(self.to_dict(budget), indent=1, allow_nan=False)

    def plot(self, metric: str = "force_rmse", ax: Any = None, budget: float | None = None) -> Any:
        """Return the Axes of `plot_front`.

        Parameters
        ----------
        metric : {"force_rmse", "energy_mae"}, default="force_rmse"
            Error to draw.
        ax : matplotlib Axes, optional
            Where to draw.
        budget : float, optional
            Is drawn, too.

        Returns
        -------
        matplotlib Axes
            Errors over cost.
        """
        from linmlp.evaluation.front.plots import plot_front

        return plot_front(self, metric, ax, budget)

    def __str__(self) -> str:
        """Return the table."""
        rows = [COLUMNS, *self.rows()]
        widths = [max(len(row[k]) for row in rows) for k in range(len(COLUMNS))]
        lines = [
            "  ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))])
            for row in rows
        ]
        head = f"{self.n_structures} structures, {self.n_folds} folds, cutoff {self.cutoff:g} Å"
        return "\n".join([head, *(line.rstrip() for line in lines)])


def _settings(point: Point) -> Any:
    """Return settings as JSON takes them, with the name in the place of the costs of all functions."""
    settings = plain(point.settings)
    if isinstance(settings.get("solver"), dict) and "costs" in settings["solver"]["settings"]:
        settings["solver"]["settings"]["costs"] = repr(point.settings["solver"].costs)
    return settings
