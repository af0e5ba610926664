r"""Regression on the leading singular vectors of the scaled design (principal component regression).

.. math:: u = \sum_{\sigma_k > t\,\sigma_1} v_k\, \frac{w_k^T z}{\sigma_k}

with :math:`R D^{-1} = W \Sigma V^T` and :math:`c = D^{-1} u`; P. C. Hansen, Rank-Deficient and Discrete Ill-Posed
Problems, section 3.2 (1998).
"""

from __future__ import annotations

import numpy as np
import scipy.linalg

from linmlp.solvers.rank_revealing import RankRevealingSolver, ScaledFactor, Threshold
from linmlp.solvers.solution import Solution, Status


class TruncatedSVDRegression(RankRevealingSolver):
    """Least squares in the space of the singular vectors whose singular values are above a threshold.

    Dropping directions is the regularization here, so a solution says that it is rank-deficient only where `rcond` is
    None and directions were lost to rounding.

    Parameters
    ----------
    rcond : float, optional
        Singular values of the scaled design below this part of the largest are dropped. None means the rounding error
        of the form: ``n_features ε``, and the root of that for the Gram form.
    scale_columns : bool, default=True
        Whether columns are scaled to unit norm.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        Coefficients; 0 for features that are zero in all rows.
    solution_ : Solution
        Coefficients, rank, condition number (of the normal equations in the space kept) and residual norm.
    n_features_in_ : int
        Number of features.

    Examples
    --------
    >>> from linmlp.solvers import TruncatedSVDRegression
    >>> TruncatedSVDRegression(rcond=0.5, scale_columns=False).fit([[2.0, 0.0], [0.0, 0.1]], [2.0, 1.0]).coef_.round(6)
    array([1., 0.])
    """

    def _solve_factor(self, factor: ScaledFactor, thresholds: list[Threshold]) -> list[Solution]:
        """Return one solution for each threshold, from one singular value decomposition."""
        left, singular, right = scipy.linalg.svd(factor.matrix, full_matrices=False, check_finite=False)
        along = left.T @ factor.target
        solutions = []
        for threshold in thresholds:
            rank = int(np.count_nonzero(singular > threshold.rcond * singular[0]))
            u = right[:rank].T @ (along[:rank] / singular[:rank])
            lost = not threshold.is_given and rank < len(factor.used)
            status = Status.RANK_DEFICIENT if lost else Status.SOLVED
            condition = float(singular[0] / singular[rank - 1]) ** 2
            solutions.append(Solution(factor.unscale(u), rank, condition, 0.0, status))
        return solutions
