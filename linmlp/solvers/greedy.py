"""Greedy selection of columns by a partial Cholesky factorization whose pivots are the features chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import scipy.linalg

from linmlp.solvers.feature_costs import Spending
from linmlp.solvers.scaled_gram import ScaledGram
from linmlp.solvers.solution import Solution, Status, with_residuals
from linmlp.units import FloatArray, IntArray

REFRESH = 32
"""Steps after which the correlations are computed anew from the coefficients, which ends the growth of rounding."""

Criterion = Callable[[FloatArray, FloatArray], FloatArray]
"""Correlations with the residual and pivots of all features in, their merit out; the largest is chosen."""

Price = tuple[Spending, float]
"""Marginal costs, and the power of them by which a merit is divided."""


class GreedyPath:
    """Features in the order in which a greedy criterion chooses them.

    Parameters
    ----------
    problem : ScaledGram
        Normal equations G u = b.
    n_most : int
        Number of features to choose; fewer are chosen where the others depend on them.
    criterion : callable
        Merit of all features from correlations and pivots.
    price : (Spending, float), optional
        Merits are divided by this power of the marginal costs, which follow the choice.

    Attributes
    ----------
    order : ndarray of shape (n_chosen,), int
        Positions of the features, first chosen first.

    Notes
    -----
    With the chosen features S and G[S, S] = LLᵀ, the rows of L⁻¹G[S, :] orthogonalize all columns against the chosen
    ones. A step adds one row, ``(G[j] − Σ_i L_ji L_i) / √d_j``, at 2 n k operations for n features and k chosen; the
    pivots d_j = G_jj − Σ_i L_ji² and the correlations c_j = b_j − G[j, S] u follow at n operations each. This is
    orthogonal least squares (Chen, Billings and Luo, Int. J. Control 50, 1873 (1989)) on the Gram matrix.
    """

    def __init__(self, problem: ScaledGram, n_most: int, criterion: Criterion, price: Price | None = None) -> None:
        self.problem = problem
        n = len(problem.used)
        n_most = min(n_most, n)
        self._rows = np.empty((n_most, n))
        self._order = np.empty(n_most, dtype=np.int64)
        pivots = np.diagonal(problem.matrix).copy()
        smallest = 10 * max(n, 1) * np.finfo(float).eps
        correlations = problem.vector.copy()
        free = np.ones(n, dtype=bool)
        for k in range(n_most):
            allowed = free & (pivots > smallest)
            if not allowed.any():
                n_most = k
                break
            merit = criterion(correlations, np.where(allowed, pivots, 1.0))
            if price is not None:
                merit = merit / price[0].marginal ** price[1]
            j = int(np.argmax(np.where(allowed, merit, -1.0)))
            if price is not None:
                price[0].choose(j)
            row = problem.matrix[j] - self._rows[:k, j] @ self._rows[:k]
            row /= np.sqrt(row[j])
            self._rows[k], self._order[k], free[j] = row, j, False
            correlations -= row * (correlations[j] / row[j])
            pivots -= row * row
            if (k + 1) % REFRESH == 0:
                correlations = problem.gradient(self._order[: k + 1], self._solve(k + 1))
        self.order: IntArray = self._order[:n_most]

    def upper(self, size: int) -> FloatArray:
        """Return the Cholesky factor of the block of the first features.

        Parameters
        ----------
        size : int
            Number of features.

        Returns
        -------
        ndarray of shape (size, size)
            Upper triangular, in the order of choice.
        """
        return np.asfortranarray(np.triu(self._rows[:size, self._order[:size]]))

    def solutions(self, sizes: Sequence[int]) -> list[Solution]:
        """Return the solution with the first features, for several numbers of them.

        Parameters
        ----------
        sizes : sequence of int
            Numbers of features. Where independent features are fewer, all of these are used and the status says so.

        Returns
        -------
        list of Solution
            In the order of `sizes`.
        """
        made: dict[int, Solution] = {}
        for size in set(sizes):
            n_chosen = min(size, len(self.order))
            status = Status.SOLVED if n_chosen == min(size, len(self.problem.used)) else Status.RANK_DEFICIENT
            chosen, upper = self.order[:n_chosen], self.upper(n_chosen)
            u = self.problem.solve(chosen, upper) if n_chosen else np.zeros(0)
            made[size] = self.problem.to_solution(chosen, u, upper, status)
        return with_residuals([made[size] for size in sizes], self.problem.system)

    def _solve(self, size: int) -> FloatArray:
        """Return the scaled coefficients of the first features, corrected once."""
        chosen, upper = self._order[:size], self.upper(size)
        u = scipy.linalg.cho_solve((upper, False), self.problem.vector[chosen], check_finite=False)
        gradient = self.problem.gradient(chosen, u)[chosen]
        return np.asarray(u + scipy.linalg.cho_solve((upper, False), gradient, check_finite=False))
