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

import numpy as np
import scipy.linalg

from linmlp.solvers.rank_revealing import RankRevealingSolver, ScaledFactor, Threshold
from linmlp.solvers.solution import Solution, Status
from linmlp.units import FloatArray


class LeastSquares(RankRevealingSolver):
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

    def _solve_factor(self, factor: ScaledFactor, thresholds: list[Threshold]) -> list[Solution]:
        """Return one solution for each threshold, and one solve for each rank."""
        Q, T, order = scipy.linalg.qr(factor.matrix, mode="economic", pivoting=True, check_finite=False)
        target, pivots = Q.T @ factor.target, np.abs(np.diagonal(T))
        ranks = [int(np.count_nonzero(pivots > threshold.rcond * pivots[0])) for threshold in thresholds]
        by_rank = {rank: _solve(factor, T[:rank], target[:rank], order) for rank in set(ranks)}
        return [by_rank[rank] for rank in ranks]


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
