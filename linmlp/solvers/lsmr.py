r"""LSMR: ridge regression by products with the rows alone, for features too many for a square matrix of them.

.. math:: \min_c \|Xc - y\|^2 + \alpha \|Dc\|^2

with D the norms of the columns of X, as in `Ridge`. The iteration [1]_ runs in :math:`v = L^T D c` with L the Cholesky
factor of the Gram matrix of a sample of rows (plus alpha), on :math:`X D^{-1} L^{-T}` over
:math:`\sqrt\alpha L^{-T}`: the nearer the sample is to all rows, the fewer the iterations.
"""

from __future__ import annotations

import warnings
from typing import Any, Literal

import numpy as np
from scipy.sparse.linalg import LinearOperator, lsmr

from linmlp.exceptions import LinmlpWarning, SettingsError
from linmlp.solvers.preconditioning import Preconditioner
from linmlp.solvers.row_solver import RowSolver, Run
from linmlp.solvers.solution import Solution, Status
from linmlp.system.row_source import RowSource
from linmlp.units import FloatArray

CONVERGED = (0, 1, 2, 4, 5)
"""Ends of scipy's lsmr that mean a solution, to the tolerance or to machine precision."""


class LSMR(RowSolver):
    """Ridge regression by the LSMR iteration.

    Parameters
    ----------
    alpha : float, default=1e-8
        Strength, a pure number on columns scaled to unit norm; above 0 with a preconditioner.
    preconditioner : "sample" or None, default="sample"
        Whether to precondition by the Cholesky factor of a sample of rows, which takes n_features² numbers and makes
        tens of iterations of what are thousands without: None is for strengths of 1e-4 and above, on rows like those
        of the default ACE.
    sample_rows : float, default=4.0
        Rows of the sample in units of the features.
    tol : float, default=1e-12
        Relative tolerance of the iteration (atol and btol of scipy's lsmr).
    max_iter : int, default=1000
        Most iterations; each takes two passes over the rows.
    random_state : int, default=0
        Seed of the sample.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        Coefficients.
    solution_ : Solution
        Coefficients, residual norm and status; the rank is the number of columns that are not zero, and the condition
        number is not known.
    n_iter_ : int
        Iterations.
    n_features_in_ : int
        Number of features.

    References
    ----------
    .. [1] D. C.-L. Fong and M. Saunders, SIAM J. Sci. Comput. 33, 2950 (2011).

    Examples
    --------
    >>> from linmlp.solvers import LSMR
    >>> LSMR(alpha=1e-12).fit([[1.0, 0.0], [0.0, 2.0], [1.0, 2.0]], [1.0, 4.0, 5.0]).coef_.round(6)
    array([1., 2.])
    """

    def __init__(
        self,
        alpha: float = 1e-8,
        preconditioner: Literal["sample"] | None = "sample",
        sample_rows: float = 4.0,
        tol: float = 1e-12,
        max_iter: int = 1000,
        random_state: int = 0,
    ) -> None:
        self.alpha = alpha
        self.preconditioner = preconditioner
        self.sample_rows = sample_rows
        self.tol = tol
        self.max_iter = max_iter
        self.random_state = random_state

    def _iterate(self, rows: RowSource, alpha: float) -> Run:
        """Return the solution, without its residual norm, and the iterations."""
        self._check(alpha)
        factorize = self.preconditioner is not None
        prepared = Preconditioner.of(rows, alpha, self.sample_rows, self.random_state, factorize)
        operator, target = _augment(rows, prepared, alpha)
        v, end, n_iter, *_ = lsmr(operator, target, atol=self.tol, btol=self.tol, conlim=0.0, maxiter=self.max_iter)
        status = Status.SOLVED if end in CONVERGED else Status.NOT_CONVERGED
        if status is Status.NOT_CONVERGED:
            warnings.warn(
                f"LSMR has not converged in max_iter={self.max_iter} iterations; raise max_iter, alpha or sample_rows",
                LinmlpWarning,
                stacklevel=3,
            )
        coef = prepared.to_scaled(v) / prepared.scale
        return Run(Solution(coef, prepared.n_used, np.nan, 0.0, status), int(n_iter), [])

    def _check(self, alpha: float) -> None:
        """Raise where a setting cannot be used."""
        lowest_is_fine = self.preconditioner is None
        if not (np.isfinite(alpha) and (alpha > 0.0 or (lowest_is_fine and alpha == 0.0))):
            raise SettingsError(f"alpha is {alpha}; it must be a finite number above 0 (0 without a preconditioner)")
        if self.preconditioner not in ("sample", None):
            raise SettingsError(f'preconditioner={self.preconditioner!r} is not known; give "sample" or None')
        if not (self.max_iter >= 1 and self.tol > 0.0 and self.sample_rows > 0.0):
            raise SettingsError(
                f"max_iter={self.max_iter}, tol={self.tol}, sample_rows={self.sample_rows}; all must be above 0"
            )


def _augment(rows: RowSource, prepared: Preconditioner, alpha: float) -> tuple[LinearOperator, FloatArray]:
    """Return the preconditioned rows over the penalty, and the targets."""
    n_rows, n_features, root = rows.n_rows, rows.n_features, float(np.sqrt(alpha))

    def forward(v: Any) -> FloatArray:
        u = prepared.to_scaled(np.ravel(v))
        return np.concatenate([rows.matvec(u / prepared.scale), root * u])

    def backward(r: Any) -> FloatArray:
        r = np.ravel(r)
        return prepared.pull_gradient(rows.rmatvec(r[:n_rows]) / prepared.scale + root * r[n_rows:])

    operator = LinearOperator((n_rows + n_features, n_features), matvec=forward, rmatvec=backward, dtype=np.float64)
    return operator, np.concatenate([rows.targets(), np.zeros(n_features)])
