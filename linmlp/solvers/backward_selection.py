r"""Backward elimination: of all features, the one whose removal raises the loss least goes next.

Removal of feature j raises :math:`\|Xc - y\|^2 + \alpha \sum_k (s_k c_k)^2`, minimized over c, by
:math:`u_j^2 / [G^{-1}]_{jj}`, with G the scaled Gram matrix with alpha on its diagonal and u = G⁻¹b.
"""

from __future__ import annotations

from collections.abc import Sequence

import numba
import numpy as np
import scipy.linalg

from linmlp.exceptions import SettingsError
from linmlp.solvers.base import SystemSolver
from linmlp.solvers.forward_selection import ForwardSelection
from linmlp.solvers.scaled_gram import ScaledGram, check_size, size_grid
from linmlp.solvers.solution import Solution, Status, with_residuals
from linmlp.system.compressed import CompressedSystem
from linmlp.units import FloatArray, IntArray

SHRINKAGE = 0.9
"""The inverse is computed anew when the features have become fewer by this factor."""

TRACE_DROP = 0.01
"""... and when its trace has fallen to this part: rounding is a part of its norm at the start."""


class BackwardSelection(SystemSolver):
    """Ridge regression on the features that are left when those that are missed least are removed one by one.

    Parameters
    ----------
    n_features_to_select : int or "auto", default="auto"
        Number of features to keep; "auto" is half of them.
    alpha : float, default=1e-8
        Ridge strength on scaled columns, in the choice and in the coefficients alike; more than 0 where features
        depend on each other.
    start : int, optional
        Number of features that `ForwardSelection` chooses to start from; all by default. No size may be above it.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        Coefficients; exactly 0 for features that were removed.
    solution_ : Solution
        Coefficients, number of features, condition number, residual norm and status.
    n_features_in_ : int
        Number of features.

    Examples
    --------
    >>> import numpy as np
    >>> from linmlp.solvers import BackwardSelection
    >>> X = np.array([[1.0, 0.0, 0.1], [0.0, 1.0, 0.1], [1.0, 1.0, 0.0], [1.0, -1.0, 0.2]])
    >>> BackwardSelection(1).fit(X, X[:, 1] * 2).coef_.round(6)
    array([0., 2., 0.])
    """

    def __init__(self, n_features_to_select: int | str = "auto", alpha: float = 1e-8, start: int | None = None) -> None:
        self.n_features_to_select = n_features_to_select
        self.alpha = alpha
        self.start = start

    @property
    def path_parameter(self) -> str:
        """Name of the parameter that `solve_path` varies."""
        return "n_features_to_select"

    def path_values(self, form: str, n_features: int) -> tuple[float, ...]:
        """Return the numbers of features that are tried by default."""
        return tuple(size for size in size_grid(n_features) if self.start is None or size <= self.start)

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
        sizes = [check_size(value, self.path_parameter, system.n_features) for value in values]
        problem = ScaledGram(system, self.alpha)
        kept, status = self._start(system, problem, max(sizes, default=1))
        made: dict[int, Solution] = {}
        for size in sorted(set(sizes), reverse=True):
            kept = _eliminate(problem, kept, size)
            short = len(kept) < min(size, len(problem.used))
            made[size] = _solution(problem, kept, status if short else Status.SOLVED)
        return with_residuals([made[size] for size in sizes], system)

    def _start(self, system: CompressedSystem, problem: ScaledGram, largest: int) -> tuple[IntArray, Status]:
        """Return the positions to start from, and what to say where they are fewer than asked for."""
        n_used = len(problem.used)
        start = system.n_features if self.start is None else check_size(self.start, "start", system.n_features)
        if start < largest:
            raise SettingsError(
                f"start is {start}, but {largest} features are to be kept; give start={largest} or more"
            )
        if self.start is None and _is_definite(problem.matrix):
            return np.arange(n_used), Status.SOLVED
        # Columns that depend on others are left out by the pivots of a forward selection.
        coef = ForwardSelection(start, self.alpha).solve(system).coef[problem.used]
        return np.flatnonzero(coef), Status.RANK_DEFICIENT


def _is_definite(matrix: FloatArray) -> bool:
    """Return whether a matrix with unit diagonal can be inverted with some digits left."""
    if not len(matrix):
        return True
    upper, info = scipy.linalg.lapack.dpotrf(matrix)
    return info == 0 and bool(np.diagonal(upper).min() ** 2 > 10 * len(matrix) * np.finfo(float).eps)


def _solution(problem: ScaledGram, kept: IntArray, status: Status) -> Solution:
    """Return the solution with the features that are left."""
    if not len(kept):
        return problem.to_solution(kept, np.zeros(0), np.zeros((0, 0)), status)
    upper = scipy.linalg.cholesky(problem.matrix[np.ix_(kept, kept)], check_finite=False)
    return problem.to_solution(kept, problem.solve(kept, upper), upper, status)


def _eliminate(problem: ScaledGram, kept: IntArray, size: int) -> IntArray:
    """Return the positions that are left when all but `size` are removed one by one."""
    while len(kept) > size:
        upper = scipy.linalg.cholesky(problem.matrix[np.ix_(kept, kept)], check_finite=False)
        u = problem.solve(kept, upper)
        inverse, _ = scipy.linalg.lapack.dpotri(upper)
        kept = kept.copy()
        # LAPACK leaves the upper triangle in Fortran order, which is the lower one in C order.
        left = _remove(inverse.T.copy(), u, kept, max(size, int(SHRINKAGE * len(kept))), TRACE_DROP)
        kept = np.sort(kept[:left])
    return kept


@numba.njit(cache=True)
def _remove(inverse: FloatArray, u: FloatArray, kept: IntArray, size: int, trace_drop: float) -> int:
    """Remove features until `size` are left or the trace has dropped; return how many are left.

    ``inverse`` (m, m), lower triangle; ``u`` (m,); ``kept`` (m,): all are overwritten, the last one takes the place of
    the one removed.
    """
    m = len(u)
    column = np.empty(m)
    first_trace = np.trace(inverse)
    while m > size:
        j = 0
        least = np.inf
        for i in range(m):
            rise = u[i] * u[i] / inverse[i, i]
            if rise < least:
                least, j = rise, i
        last = m - 1
        # Swap j with the last: rows and columns of the lower triangle.
        for i in range(m):
            column[i] = inverse[j, i] if i <= j else inverse[i, j]
        pivot = column[j]
        for i in range(last):
            if i < j:
                inverse[j, i] = inverse[last, i]
            elif i > j:
                inverse[i, j] = inverse[last, i]
        inverse[j, j] = inverse[last, last]
        column[j] = column[last]
        ratio = u[j] / pivot
        u[j] = u[last]
        kept[j] = kept[last]
        trace = 0.0
        for i in range(last):
            u[i] -= column[i] * ratio
            factor = column[i] / pivot
            for k in range(i + 1):
                inverse[i, k] -= factor * column[k]
            trace += inverse[i, i]
        m = last
        if trace < trace_drop * first_trace:
            break
    return m
