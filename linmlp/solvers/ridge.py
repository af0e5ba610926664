r"""Ridge regression on scaled columns, for one or many strengths.

.. math:: \min_c \|Xc - y\|^2 + \alpha \sum_k (s_k \gamma_k c_k)^2

with :math:`s_k` the norm of column k of the weighted design and :math:`\gamma_k` a prior. In the scaled coefficients
:math:`u_k = s_k c_k` it is plain ridge on a matrix with unit columns, so that alpha is a pure number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import scipy.linalg

from linmlp.exceptions import SettingsError
from linmlp.solvers.base import SystemSolver
from linmlp.solvers.scaled_gram import ScaledGram, refine
from linmlp.solvers.solution import Solution, Status, with_residuals
from linmlp.system.compressed import CompressedSystem
from linmlp.units import FloatArray

ALPHAS: Mapping[str, tuple[float, ...]] = {
    "gram": tuple(10.0**power for power in range(-8, 0)),
    "qr": tuple(10.0**power for power in range(-11, -1)),
}
"""Ridge strengths to try, by form of the compressed systems: predictions from the Gram form lose digits below 1e-8."""

REFINEMENT_FAILED = 1e-8
"""A last correction above this part of the scaled coefficients is too much; a singular value decomposition follows."""


class Ridge(SystemSolver):
    """Ridge regression on columns scaled to unit norm, without an intercept.

    Parameters
    ----------
    alpha : float, default=1e-8
        Strength; a pure number if columns are scaled. 0 gives the least-squares solution of smallest scaled norm.
    scale_columns : bool, default=True
        Whether the penalty of a coefficient is multiplied by the squared norm of its column.
    prior : array-like of shape (n_features,), optional
        Factor gamma on each coefficient in the penalty, 1 by default; 0 is not penalized.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        Coefficients; 0 for features that are zero in all rows.
    solution_ : Solution
        Coefficients, rank, condition number, residual norm and status.
    n_features_in_ : int
        Number of features.

    Examples
    --------
    >>> import numpy as np
    >>> from linmlp.solvers import Ridge
    >>> Ridge(alpha=0.0).fit([[1.0, 0.0], [0.0, 2.0], [1.0, 2.0]], [1.0, 4.0, 5.0]).coef_.round(6)
    array([1., 2.])
    """

    def __init__(self, alpha: float = 1e-8, scale_columns: bool = True, prior: FloatArray | None = None) -> None:
        self.alpha = alpha
        self.scale_columns = scale_columns
        self.prior = prior

    @property
    def path_parameter(self) -> str:
        """Name of the parameter that `solve_path` varies."""
        return "alpha"

    def path_values(self, form: str, n_features: int) -> tuple[float, ...]:
        """Return the strengths that are tried by default."""
        return ALPHAS[form]

    def solve_path(self, system: CompressedSystem, values: Sequence[float]) -> list[Solution]:
        """Return one solution for each strength.

        Parameters
        ----------
        system : CompressedSystem
            Rows and targets, folded.
        values : sequence of float
            Strengths alpha.

        Returns
        -------
        list of Solution
            In the order of `values`.
        """
        return ridge_path(system, values, self.scale_columns, self.prior)


def ridge_path(
    system: CompressedSystem, alphas: Sequence[float], scale_columns: bool = True, prior: FloatArray | None = None
) -> list[Solution]:
    """Return the ridge solutions of a system for many strengths.

    Every strength costs one Cholesky factorization of the scaled Gram matrix (cheaper than one eigendecomposition for
    up to some fifteen strengths). Where the system does not square the condition number, the solution is refined with
    residuals taken from the rows or their triangular factor, after which it is as accurate as QR would have made it
    [1]_. Strengths so small that this does not converge, and 0, are solved by a singular value decomposition.

    Parameters
    ----------
    system : CompressedSystem
        Rows and targets, folded.
    alphas : sequence of float
        Strengths, 0 or more.
    scale_columns : bool, default=True
        Whether the penalty of a coefficient is multiplied by the squared norm of its column.
    prior : array-like of shape (n_features,), optional
        Factor on each coefficient in the penalty.

    Returns
    -------
    list of Solution
        In the order of `alphas`.

    References
    ----------
    .. [1] A. Björck, "Stability analysis of the method of seminormal equations for linear least squares problems",
       Linear Algebra Appl. 88/89, 31 (1987).
    """
    strengths = [_check_alpha(alpha) for alpha in alphas]
    problem = _Problem(system, scale_columns, _check_prior(prior, system.n_features))
    return with_residuals([problem.solve(alpha) for alpha in strengths], system)


class _Problem:
    """Normal equations on scaled columns, to which the penalty of any strength is added."""

    def __init__(self, system: CompressedSystem, scale_columns: bool, gamma: FloatArray) -> None:
        self.system = system
        self.gram = ScaledGram(system, 0.0, scale_columns)
        self.every = np.arange(len(self.gram.used))
        self.gamma = gamma[self.gram.used]
        self.norm = float(np.abs(self.gram.matrix).sum(axis=0).max(initial=0.0))

    def solve(self, alpha: float) -> Solution:
        """Return the solution for one strength; its residual norm is left to be filled in."""
        if not len(self.every):
            return Solution(np.zeros(self.system.n_features), 0, 1.0, 0.0)
        solution = self._solve_by_cholesky(alpha)
        return self._solve_by_svd(alpha) if solution is None else solution

    def _solve_by_cholesky(self, alpha: float) -> Solution | None:
        """Return the solution, or None where the matrix is too near to a singular one."""
        penalty = alpha * self.gamma**2
        regularized = self.gram.matrix.copy()
        regularized.flat[:: len(regularized) + 1] += penalty
        try:
            lower: FloatArray = np.linalg.cholesky(regularized).astype(float, copy=False)
        except np.linalg.LinAlgError:
            return None
        upper = lower.T  # in Fortran order, so that LAPACK does not copy it
        rcond, _ = scipy.linalg.lapack.dpocon(upper, self.norm + penalty.max())
        if rcond < 10 * np.finfo(float).eps:
            return None
        u = scipy.linalg.cho_solve((upper, False), self.gram.vector, check_finite=False)
        if self.system.keeps_condition:
            u, change = refine(u, upper, lambda u: self.gram.gradient(self.every, u) - penalty * u)
            if not change <= REFINEMENT_FAILED:
                return None
        elif alpha == 0.0 and rcond < 100 * len(u) * np.finfo(float).eps:
            return None
        return Solution(self.gram.coefficients(self.every, u), len(u), 1.0 / rcond, 0.0)

    def _solve_by_svd(self, alpha: float) -> Solution:
        """Return the solution of smallest norm from the singular values of the factor above the penalty."""
        factor = self.system.to_factor()
        stacked = np.vstack([factor.R[:, self.gram.used] / self.gram.scale, np.diag(np.sqrt(alpha) * self.gamma)])
        target = np.concatenate([factor.z, np.zeros(len(self.every))])
        left, values, right = scipy.linalg.svd(stacked, full_matrices=False, check_finite=False)
        kept = values > len(stacked) * np.finfo(float).eps * values[0]
        u = right[kept].T @ ((left.T @ target)[kept] / values[kept])
        rank = int(np.count_nonzero(kept))
        status = Status.SOLVED if rank == len(u) else Status.RANK_DEFICIENT
        coef = self.gram.coefficients(self.every, u)
        return Solution(coef, rank, float(values[0] / values[kept][-1]) ** 2, 0.0, status)


def _check_alpha(alpha: float) -> float:
    """Return a strength."""
    if not (np.isfinite(alpha) and alpha >= 0.0):
        raise SettingsError(f"alpha is {alpha}; it must be a finite number, 0 or more")
    return float(alpha)


def _check_prior(prior: FloatArray | None, n_features: int) -> FloatArray:
    """Return the factors on the coefficients in the penalty."""
    if prior is None:
        return np.ones(n_features)
    gamma = np.asarray(prior, dtype=float)
    if gamma.shape != (n_features,) or not np.isfinite(gamma).all():
        raise SettingsError(f"prior has shape {gamma.shape}; give {n_features} finite numbers, one per feature")
    return gamma
