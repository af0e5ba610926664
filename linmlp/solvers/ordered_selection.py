"""Ridge regression on the first features of a given order: all sizes from one factorization."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.linalg

from linmlp.exceptions import SettingsError
from linmlp.solvers.base import SystemSolver
from linmlp.solvers.scaled_gram import ScaledGram, check_size, refine, size_grid
from linmlp.solvers.solution import Solution, Status, with_residuals
from linmlp.system.compressed import CompressedSystem
from linmlp.units import FloatArray, IntArray


class OrderedSelection(SystemSolver):
    r"""Ridge regression on as many features as wanted, taken in an order that is known beforehand.

    Parameters
    ----------
    order : array-like of shape (n_features,), int, or None, default=None
        Features, first taken first; None means as they stand.
    n_features_to_select : int or "auto", default="auto"
        Number of features; "auto" is half of them.
    alpha : float, default=1e-8
        Ridge strength on scaled columns.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        Coefficients; exactly 0 for features that were not taken.
    solution_ : Solution
        Coefficients, number of features, condition number, residual norm and status.
    n_features_in_ : int
        Number of features.

    Notes
    -----
    The Cholesky factor of a leading block is the leading block of the factor, so that `solve_path` factorizes once.

    Examples
    --------
    >>> import numpy as np
    >>> from linmlp.solvers import OrderedSelection
    >>> X = np.array([[1.0, 0.0, 0.1], [0.0, 1.0, 0.1], [1.0, 1.0, 0.0], [1.0, -1.0, 0.2]])
    >>> OrderedSelection([1, 0, 2], 1, alpha=0.0).fit(X, X[:, 1] * 2).coef_
    array([0., 2., 0.])
    """

    def __init__(
        self,
        order: IntArray | Sequence[int] | None = None,
        n_features_to_select: int | str = "auto",
        alpha: float = 1e-8,
    ) -> None:
        self.order = order
        self.n_features_to_select = n_features_to_select
        self.alpha = alpha

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
            In the order of `values`. Features that depend on those before them are left out, and the status says so.
        """
        sizes = [check_size(value, self.path_parameter, system.n_features) for value in values]
        order = _check_order(self.order, system.n_features)[: max(sizes, default=0)]
        problem = ScaledGram(system, self.alpha)
        place = np.full(system.n_features, -1)
        place[problem.used] = np.arange(len(problem.used))
        chosen = place[order]
        n_first = np.cumsum(chosen >= 0)  # of the first features, so many are not zero in all rows
        chosen = chosen[chosen >= 0]
        matrix, kept = problem.matrix[np.ix_(chosen, chosen)], np.arange(len(chosen))
        try:
            lower = np.linalg.cholesky(matrix)
        except np.linalg.LinAlgError:
            lower, kept = _independent(matrix)
        norm = float(np.linalg.norm(matrix, 1)) if len(chosen) else 0.0
        made: dict[int, Solution] = {}
        for size in set(sizes):
            n = int(np.searchsorted(kept, n_first[size - 1]))
            status = Status.SOLVED if n == n_first[size - 1] else Status.RANK_DEFICIENT
            made[size] = _solve(problem, chosen[kept[:n]], lower, norm, status)
        return with_residuals([made[size] for size in sizes], system)


def _solve(problem: ScaledGram, first: IntArray, lower: FloatArray, norm: float, status: Status) -> Solution:
    """Return the solution with the first features; its residual norm is left to fill in."""
    n = len(first)
    if not n:
        return Solution(np.zeros(problem.system.n_features), 0, 1.0, 0.0, status)
    upper = np.ascontiguousarray(lower[:n, :n]).T  # in Fortran order, so that LAPACK does not copy it
    u = scipy.linalg.cho_solve((upper, False), problem.vector[first], check_finite=False)
    if problem.system.keeps_condition:
        u = refine(u, upper, lambda u: problem.gradient(first, u)[first])[0]
    # The norm is that of all columns, which a leading block does not exceed.
    rcond, _ = scipy.linalg.lapack.dpocon(upper, norm)
    condition = 1.0 / max(float(rcond), np.finfo(float).tiny)
    return Solution(problem.coefficients(first, u), n, condition, 0.0, status)


def _independent(matrix: FloatArray) -> tuple[FloatArray, IntArray]:
    """Return the Cholesky factor of the columns that do not depend on those before them, and which these are."""
    n = len(matrix)
    rows, kept = np.empty((n, n)), list[int]()
    for j in range(n):
        k = len(kept)
        row = matrix[j] - rows[:k, j] @ rows[:k]
        if row[j] > 10 * n * np.finfo(float).eps:
            rows[k] = row / np.sqrt(row[j])
            kept.append(j)
    return np.tril(rows[: len(kept), kept].T), np.array(kept, dtype=np.int64)


def _check_order(order: IntArray | Sequence[int] | None, n_features: int) -> IntArray:
    """Return the order as an array."""
    found = np.arange(n_features) if order is None else np.asarray(order)
    if found.shape != (n_features,) or not np.array_equal(np.sort(found), np.arange(n_features)):
        raise SettingsError(
            f"order has shape {found.shape} and is no order of the {n_features} features; give each of 0 to "
            f"{n_features - 1} once"
        )
    return found.astype(np.int64)
