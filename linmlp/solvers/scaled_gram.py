"""Normal equations on columns of unit norm: what ridge and the sparse solvers work on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.linalg

from linmlp.exceptions import SettingsError
from linmlp.solvers.solution import Solution, Status
from linmlp.system.compressed import CompressedSystem
from linmlp.units import FloatArray, IntArray

MAX_REFINEMENTS = 8
REFINED = 1e-11
"""Refinement ends when a step changes the scaled coefficients by less than this part of their norm."""


class ScaledGram:
    """The matrix ``SXᵀXS + alpha I`` and the vector ``SXᵀy``, S making columns of unit norm; zero columns are left out.

    Parameters
    ----------
    system : CompressedSystem
        Rows and targets, folded.
    alpha : float
        Ridge strength on scaled coefficients, 0 or more.
    scale_columns : bool, default=True
        Whether S makes columns of unit norm, or is the unit matrix.

    Attributes
    ----------
    used : ndarray of shape (n_used,), int
        Features that are not zero in all rows; positions in all other arrays count these.
    scale : ndarray of shape (n_used,)
        Norms of their columns, or 1.
    matrix : ndarray of shape (n_used, n_used)
        Scaled Gram matrix, `alpha` on its diagonal included.
    vector : ndarray of shape (n_used,)
        Scaled ``Xᵀy``.
    """

    def __init__(self, system: CompressedSystem, alpha: float, scale_columns: bool = True) -> None:
        if not (np.isfinite(alpha) and alpha >= 0.0):
            raise SettingsError(f"alpha is {alpha}; it must be a finite number, 0 or more")
        gram = system.to_gram()
        norms = np.sqrt(np.maximum(np.diagonal(gram.matrix), 0.0))
        self.system = system
        self.alpha = float(alpha)
        self.y_squared = gram.y_squared
        self.used = np.flatnonzero(norms > 0.0)
        self.scale = norms[self.used] if scale_columns else np.ones(len(self.used))
        all_used = len(self.used) == len(norms)
        self.matrix = (gram.matrix if all_used else gram.matrix[np.ix_(self.used, self.used)]) / self.scale
        self.matrix /= self.scale[:, None]
        self.matrix.flat[:: len(self.used) + 1] += self.alpha
        self.vector = gram.vector[self.used] / self.scale

    def gradient(self, chosen: IntArray, u: FloatArray) -> FloatArray:
        """Return ``SXᵀ(y − XSu) − alpha u``, from the rows or their factor where the system has them.

        Parameters
        ----------
        chosen : ndarray of shape (n_chosen,), int
            Positions of the features with coefficients.
        u : ndarray of shape (n_chosen,)
            Their scaled coefficients.

        Returns
        -------
        ndarray of shape (n_used,)
            Half the negative gradient of the penalized squared residual.
        """
        if not self.system.keeps_condition:
            return np.asarray(self.vector - u @ self.matrix[chosen])
        gradient = self.system.normal_residual(self.coefficients(chosen, u))[self.used] / self.scale
        gradient[chosen] -= self.alpha * u
        return gradient

    def solve(self, chosen: IntArray, upper: FloatArray | None = None) -> FloatArray:
        """Return the scaled ridge coefficients of some features.

        Parameters
        ----------
        chosen : ndarray of shape (n_chosen,), int
            Positions of the features.
        upper : ndarray of shape (n_chosen, n_chosen), optional
            Cholesky factor of their block of `matrix`, if it is known.

        Returns
        -------
        ndarray of shape (n_chosen,)
            Scaled coefficients.

        Raises
        ------
        numpy.linalg.LinAlgError
            If the block is not positive definite.
        """
        if upper is None:
            upper = scipy.linalg.cholesky(self.matrix[np.ix_(chosen, chosen)], check_finite=False)
        u = scipy.linalg.cho_solve((upper, False), self.vector[chosen], check_finite=False)
        return refine(u, upper, lambda u: self.gradient(chosen, u)[chosen])[0]

    def coefficients(self, chosen: IntArray, u: FloatArray) -> FloatArray:
        """Return the coefficients of all features; those that were not chosen are 0.

        Parameters
        ----------
        chosen : ndarray of shape (n_chosen,), int
            Positions of the features with coefficients.
        u : ndarray of shape (n_chosen,)
            Their scaled coefficients.

        Returns
        -------
        ndarray of shape (n_features,)
            Coefficients in the units of the system.
        """
        coef = np.zeros(self.system.n_features)
        coef[self.used[chosen]] = u / self.scale[chosen]
        return coef

    def to_solution(
        self, chosen: IntArray, u: FloatArray, upper: FloatArray, status: Status = Status.SOLVED
    ) -> Solution:
        """Return a solution whose residual norm is left to be filled in.

        Parameters
        ----------
        chosen : ndarray of shape (n_chosen,), int
            Positions of the features with coefficients.
        u : ndarray of shape (n_chosen,)
            Their scaled coefficients.
        upper : ndarray of shape (n_chosen, n_chosen)
            Cholesky factor of their block of `matrix`.
        status : Status
            How it ended.

        Returns
        -------
        Solution
            Its rank is the number of chosen features.
        """
        return Solution(self.coefficients(chosen, u), len(chosen), self._condition(chosen, upper), 0.0, status)

    def _condition(self, chosen: IntArray, upper: FloatArray) -> float:
        """Return the estimated condition number of the block of the chosen features."""
        if not len(chosen):
            return 1.0
        norm = float(np.abs(self.matrix[np.ix_(chosen, chosen)]).sum(axis=0).max())
        rcond, _ = scipy.linalg.lapack.dpocon(np.asfortranarray(upper), norm)
        return 1.0 / max(float(rcond), np.finfo(float).tiny)


def refine(u: FloatArray, upper: FloatArray, gradient: Callable[[FloatArray], FloatArray]) -> tuple[FloatArray, float]:
    """Return scaled coefficients corrected with residuals (Björck's corrected seminormal equations).

    Parameters
    ----------
    u : ndarray of shape (n,)
        Scaled coefficients.
    upper : ndarray of shape (n, n)
        Cholesky factor of the normal equations.
    gradient : callable
        Right-hand side minus the matrix times coefficients, from the rows or their factor if they are kept.

    Returns
    -------
    u : ndarray of shape (n,)
        Corrected coefficients; the least corrected ones from where corrections stop shrinking.
    change : float
        The last correction, as a part of their norm.
    """
    last = change = np.inf
    for _ in range(MAX_REFINEMENTS):
        step = scipy.linalg.cho_solve((upper, False), gradient(u), check_finite=False)
        size = float(np.linalg.norm(step))
        change = size / max(float(np.linalg.norm(u + step)), np.finfo(float).tiny)
        if not size < 0.5 * last:
            break
        u = u + step
        if change <= REFINED:
            break
        last = size
    return u, change


def check_size(value: object, name: str, n_features: int) -> int:
    """Return a number of features to select.

    Parameters
    ----------
    value : int or "auto"
        The number; "auto" is half of the features, rounded up.
    name : str
        Name of the parameter, for the message.
    n_features : int
        Number of features there are.

    Returns
    -------
    int
        From 1 to `n_features`.

    Raises
    ------
    SettingsError
        If it is neither.
    """
    if isinstance(value, str) and value == "auto":
        return -(-n_features // 2)
    if isinstance(value, int | float | np.integer | np.floating) and value == int(value) and 1 <= value <= n_features:
        return int(value)
    raise SettingsError(f'{name} is {value!r}; give "auto" or a whole number from 1 to the {n_features} features')


def size_grid(n_features: int) -> tuple[float, ...]:
    """Return numbers of features to try: from a sixteenth to all, two per doubling.

    Parameters
    ----------
    n_features : int
        Number of features there are.

    Returns
    -------
    tuple of float
        Ascending whole numbers.
    """
    return tuple(sorted({float(max(1, round(n_features * 2.0 ** (-k / 2)))) for k in range(9)}))
