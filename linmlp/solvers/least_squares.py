r"""Least squares with the rank that the data show, by QR with column pivoting of the scaled factor.

.. math:: R D^{-1} P = Q T

with the diagonal of T falling. Its entries above `rcond` times the first are the rank r. The solution of smallest
scaled norm of the first r rows follows from a second QR of their transpose (the complete orthogonal decomposition
[1]_).

References
----------
.. [1] G. H. Golub and C. F. Van Loan, Matrix Computations, 4th ed., section 5.5 (2013).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.linalg

from linmlp.solvers.base import SystemSolver
from linmlp.solvers.scaling import RCONDS, ScaledFactor, resolve_rcond
from linmlp.solvers.solution import Solution, Status, with_residuals
from linmlp.system.compressed import CompressedSystem
from linmlp.units import FloatArray


class LeastSquares(SystemSolver):
    """Least squares of smallest scaled norm, without an intercept.

    Parameters
    ----------
    rcond : float, optional
        Pivots below this part of the first count as zero. None means the rounding error of the form: ``n_features ε``,
        and the root of that for the Gram form.
    scale_columns : bool, default=True
        Whether columns are scaled to unit norm before pivots are compared.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        Coefficients; 0 for features that are zero in all rows.
    solution_ : Solution
        Coefficients, rank, condition number (of the normal equations on the columns kept) and residual norm.
    n_features_in_ : int
        Number of features.

    Examples
    --------
    >>> from linmlp.solvers import LeastSquares
    >>> LeastSquares().fit([[1.0, 1.0], [2.0, 2.0], [0.0, 0.0]], [2.0, 4.0, 0.0]).coef_.round(6)
    array([1., 1.])
    """

    def __init__(self, rcond: float | None = None, scale_columns: bool = True) -> None:
        self.rcond = rcond
        self.scale_columns = scale_columns

    @property
    def path_parameter(self) -> str:
        """Name of the parameter that `solve_path` varies."""
        return "rcond"

    def path_values(self, form: str, n_features: int) -> tuple[float, ...]:
        """Return the thresholds that are tried by default."""
        return RCONDS[form]

    def solve_path(self, system: CompressedSystem, values: Sequence[float | None]) -> list[Solution]:
        """Return one solution for each threshold, from one factorization.

        Parameters
        ----------
        system : CompressedSystem
            Rows and targets, folded.
        values : sequence of float or None
            Thresholds rcond.

        Returns
        -------
        list of Solution
            In the order of `values`.
        """
        thresholds = [resolve_rcond(value, system) for value in values]
        factor = ScaledFactor(system, self.scale_columns)
        if not len(factor.used):
            return with_residuals([Solution(np.zeros(system.n_features), 0, 1.0, 0.0) for _ in values], system)
        Q, T, order = scipy.linalg.qr(factor.matrix, mode="economic", pivoting=True, check_finite=False)
        target, pivots = Q.T @ factor.target, np.abs(np.diagonal(T))
        by_rank: dict[int, Solution] = {}
        for threshold in thresholds:
            rank = _rank(pivots, threshold)
            if rank not in by_rank:
                by_rank[rank] = _solve(factor, T[:rank], target[:rank], order)
        return with_residuals([by_rank[_rank(pivots, threshold)] for threshold in thresholds], system)


def _rank(pivots: FloatArray, threshold: float) -> int:
    """Return the number of pivots that count."""
    return int(np.count_nonzero(pivots > threshold * pivots[0]))


def _solve(factor: ScaledFactor, T: FloatArray, target: FloatArray, order: FloatArray) -> Solution:
    """Return the solution of smallest norm of ``T u[order] = target``; its residual norm is left to be filled in."""
    rank, n = T.shape
    u = np.empty(n)
    if rank == n:
        L, u[order] = T, scipy.linalg.solve_triangular(T, target)
    else:
        Z, L = scipy.linalg.qr(T.T, mode="economic", check_finite=False)
        u[order] = Z @ scipy.linalg.solve_triangular(L, target, trans="T")
    rcond, _ = scipy.linalg.lapack.dtrcon(L)
    condition = float(1.0 / max(rcond, float(np.finfo(float).tiny) ** 0.5)) ** 2
    return Solution(factor.unscale(u), rank, condition, 0.0, Status.SOLVED if rank == n else Status.RANK_DEFICIENT)
