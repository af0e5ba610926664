r"""Forward stepwise ridge regression: the feature that lowers the loss most comes next.

Added to the features S, feature j lowers :math:`\|Xc - y\|^2 + \alpha \sum_k (s_k c_k)^2`, minimized over c, by
:math:`c_j^2 / d_j`: the squared correlation with the residual over the part of column j that S does not span. Where
features have costs, that is divided by a power of what j adds to the cost of S.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from linmlp.exceptions import SettingsError
from linmlp.solvers.base import SystemSolver
from linmlp.solvers.feature_costs import FeatureCosts, Spending
from linmlp.solvers.greedy import GreedyPath, Price
from linmlp.solvers.scaled_gram import ScaledGram, check_size, size_grid
from linmlp.solvers.solution import Solution
from linmlp.system.compressed import CompressedSystem
from linmlp.units import FloatArray, IntArray


class ForwardSelection(SystemSolver):
    """Ridge regression on features chosen one by one, each the one that lowers the loss most.

    Parameters
    ----------
    n_features_to_select : int or "auto", default="auto"
        Number of features; "auto" is half of them.
    alpha : float, default=1e-8
        Ridge strength on scaled columns, in the choice and in the coefficients alike.
    costs : FeatureCosts, optional
        What features cost, and which parts of their costs they share: the drop of the loss is divided by a power of
        what the feature adds to the cost of those chosen before. All cost the same by default.
    cost_power : float, default=0.5
        That power; 0 leaves costs out of the choice.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        Coefficients; exactly 0 for features that were not chosen.
    order_ : ndarray of shape (n_chosen,), int
        Features in the order in which they were chosen.
    solution_ : Solution
        Coefficients, number of features, condition number, residual norm and status.
    n_features_in_ : int
        Number of features.

    Notes
    -----
    One run gives all sizes: `solve_path` chooses up to the largest and solves with leading blocks of one factor.

    Examples
    --------
    >>> import numpy as np
    >>> from linmlp.solvers import ForwardSelection
    >>> X = np.array([[1.0, 0.0, 0.1], [0.0, 1.0, 0.1], [1.0, 1.0, 0.0], [1.0, -1.0, 0.2]])
    >>> ForwardSelection(1).fit(X, X[:, 1] * 2).order_
    array([1])
    """

    order_: IntArray

    def __init__(
        self,
        n_features_to_select: int | str = "auto",
        alpha: float = 1e-8,
        costs: FeatureCosts | None = None,
        cost_power: float = 0.5,
    ) -> None:
        self.n_features_to_select = n_features_to_select
        self.alpha = alpha
        self.costs = costs
        self.cost_power = cost_power

    @property
    def path_parameter(self) -> str:
        """Name of the parameter that `solve_path` varies."""
        return "n_features_to_select"

    def path_values(self, form: str, n_features: int) -> tuple[float, ...]:
        """Return the numbers of features that are tried by default."""
        return size_grid(n_features)

    def solve_path(self, system: CompressedSystem, values: Sequence[float]) -> list[Solution]:
        """Return one solution for each number of features.

        Parameters
        ----------
        system : CompressedSystem
            Rows and targets, folded.
        values : sequence of int
            Numbers of features.

        Returns
        -------
        list of Solution
            In the order of `values`.
        """
        return self._select(system, values)[1]

    def solve(self, system: CompressedSystem) -> Solution:
        """Return the solution with the solver's own settings, and remember the order of choice."""
        path, solutions = self._select(system, [getattr(self, self.path_parameter)])
        self.order_ = path.problem.used[path.order]
        return solutions[0]

    def _select(self, system: CompressedSystem, values: Sequence[float]) -> tuple[GreedyPath, list[Solution]]:
        """Return the path up to the largest size, and the solutions of all."""
        sizes = [check_size(value, self.path_parameter, system.n_features) for value in values]
        path = self._choose(ScaledGram(system, self.alpha), max(sizes, default=0))
        return path, path.solutions(sizes)

    def _choose(self, problem: ScaledGram, n_most: int) -> GreedyPath:
        """Return the features in the order of choice."""
        return GreedyPath(problem, n_most, _drop_of_loss, self._price(problem))

    def _price(self, problem: ScaledGram) -> Price | None:
        """Return what merits are divided by, if anything."""
        if self.costs is None:
            return None
        n_features = problem.system.n_features
        if not isinstance(self.costs, FeatureCosts) or len(self.costs.own) != n_features:
            raise SettingsError(f"costs={self.costs!r}; give FeatureCosts of the {n_features} features, or None")
        if not (isinstance(self.cost_power, int | float) and 0.0 <= self.cost_power < np.inf):
            raise SettingsError(f"cost_power={self.cost_power!r}; give a number, 0 or more")
        return Spending(self.costs, problem.used), float(self.cost_power)


def _drop_of_loss(correlations: FloatArray, pivots: FloatArray) -> FloatArray:
    """Return by how much each feature would lower the loss."""
    return np.asarray(correlations**2 / pivots)
