r"""Automatic relevance determination: a prior precision of its own for every feature, by the evidence.

.. math:: y = Xc + e,\quad e \sim N(0, \sigma^2),\quad c_j \sim N(0, 1/a_j)

On columns of unit norm, with :math:`\Sigma = (X^TX/\sigma^2 + \mathrm{diag}\,a)^{-1}` and the mean
:math:`\mu = \Sigma X^Ty/\sigma^2`, the fixed point is [1]_

.. math:: \gamma_j = 1 - a_j\Sigma_{jj},\qquad a_j = \gamma_j/\mu_j^2,\qquad
    \sigma^2 = \frac{\|y - X\mu\|^2}{n - \sum_j\gamma_j}.

With :math:`s_j = 1/\Sigma_{jj} - a_j` and :math:`q_j = \mu_j/\Sigma_{jj}` the evidence as a function of one
:math:`a_j` has its maximum at infinity where :math:`q_j^2 \le s_j` [2]_: such a feature is dropped, once the data
determine next to nothing of it.

References
----------
.. [1] M. E. Tipping, "Sparse Bayesian learning and the relevance vector machine", J. Mach. Learn. Res. 1, 211 (2001).
.. [2] M. E. Tipping and A. C. Faul, "Fast marginal likelihood maximisation for sparse Bayesian models", Proc. AISTATS
   (2003), equations 18 to 21.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import scipy.linalg

from linmlp.exceptions import LinmlpWarning
from linmlp.solvers.evidence import MAX_ALPHA, SMALLEST_FREEDOM, SMALLEST_PART
from linmlp.solvers.evidence_solver import EvidenceSolver
from linmlp.solvers.ridge import ALPHAS
from linmlp.solvers.scaled_gram import ScaledGram
from linmlp.solvers.solution import Solution, Status, with_residuals
from linmlp.system.compressed import CompressedSystem
from linmlp.units import FloatArray, IntArray

DETERMINED = 1e-2
"""Features of which the data determine less than this are dropped where the evidence is for it."""


class ARD(EvidenceSolver):
    """Sparse regression by automatic relevance determination, without an intercept.

    Parameters
    ----------
    max_iter : int, default=1000
        Largest number of steps; each factorizes the matrix of the features that are left.
    tol : float, default=1e-3
        It has converged when a step changes the noise level and the coefficients (in the norm of their predictions) by
        less than this part.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        Coefficients; 0 for features that were dropped.
    precision_ : ndarray of shape (n_features,)
        Prior precision of each coefficient, in units of noise precision on columns of unit norm; infinite for
        features that were dropped.
    noise_variance_ : float
        Variance of the noise of a row of weight 1, in squared units of the targets.
    n_iter_ : int
        Steps taken.
    solution_ : Solution
        Coefficients, number of features kept, condition number, residual norm and status.
    n_features_in_ : int
        Number of features.

    Examples
    --------
    >>> import numpy as np
    >>> from linmlp.solvers import ARD
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 5))
    >>> ARD().fit(X, X @ [1.0, 0.0, 0.0, 2.0, 0.0] + 0.1 * rng.normal(size=100)).coef_.round(1)
    array([1., 0., 0., 2., 0.])
    """

    precision_: FloatArray
    noise_variance_: float
    n_iter_: int

    def __init__(self, max_iter: int = 1000, tol: float = 1e-3) -> None:
        self.max_iter = max_iter
        self.tol = tol

    def solve(self, system: CompressedSystem) -> Solution:
        """Return the mean of the posterior at the most probable precisions.

        Parameters
        ----------
        system : CompressedSystem
            Rows and targets, folded.

        Returns
        -------
        Solution
            With coefficients 0 of the features that were dropped.
        """
        return self._maximize(system).solution

    def _solve_and_remember(self, system: CompressedSystem) -> Solution:
        """Return the solution, and keep precisions and noise level."""
        result = self._maximize(system)
        self.precision_, self.noise_variance_, self.n_iter_ = result.precision, result.noise, result.n_iter
        return result.solution

    def _maximize(self, system: CompressedSystem) -> _Result:
        """Return the fixed point."""
        self._check_iterations()
        problem = _Problem(system)
        state, converged, n_iter = problem.start(), False, 0
        while n_iter < self.max_iter and not converged:
            n_iter += 1
            new = problem.step(state)
            converged = problem.change(state, new) < self.tol
            state = new
        if not converged:
            warnings.warn(
                f"ARD has not converged within max_iter={self.max_iter} steps; the coefficients are those of the last "
                "one. Raise max_iter or tol",
                LinmlpWarning,
                stacklevel=4,
            )
        return problem.result(state, n_iter, converged)


class _Result(NamedTuple):
    solution: Solution
    precision: FloatArray
    noise: float
    n_iter: int


@dataclass(frozen=True)
class _State:
    """Features that are left (positions), precisions times the noise variance, that variance, scaled coefficients."""

    kept: IntArray
    alpha: FloatArray
    noise: float
    u: FloatArray


class _Problem:
    """Normal equations on unit columns, and the steps of the fixed point."""

    def __init__(self, system: CompressedSystem) -> None:
        self.gram = ScaledGram(system, 0.0)
        self.system, self.count = system, max(system.n_observations, 1.0)
        self.floor = max(system.residual_floor, SMALLEST_PART * self.gram.y_squared, float(np.finfo(float).tiny) ** 0.5)
        self.min_alpha = min(ALPHAS["gram"])  # what is factorized is the Gram matrix, whatever the form

    def start(self) -> _State:
        """Return all features with one weak prior, and a noise level of a tenth of the targets."""
        n_used = len(self.gram.used)
        noise = max(0.01 * self.gram.y_squared, self.floor) / self.count
        return _State(np.arange(n_used), np.full(n_used, 1e3 * self.min_alpha), noise, np.zeros(n_used))

    def factorize(self, kept: IntArray, alpha: FloatArray) -> FloatArray:
        """Return the Cholesky factor of the posterior precision times the noise variance."""
        matrix = self.gram.matrix[np.ix_(kept, kept)]
        matrix.flat[:: len(kept) + 1] += alpha
        return np.asarray(scipy.linalg.cholesky(matrix, check_finite=False))

    def mean(self, kept: IntArray, alpha: FloatArray, upper: FloatArray) -> FloatArray:
        """Return the scaled coefficients, corrected once with residuals that keep their digits."""
        u = scipy.linalg.cho_solve((upper, False), self.gram.vector[kept], check_finite=False)
        gradient = self.gram.gradient(kept, u)[kept] - alpha * u
        return np.asarray(u + scipy.linalg.cho_solve((upper, False), gradient, check_finite=False))

    def step(self, state: _State) -> _State:
        """Return the next precisions and noise level, without the features that the evidence drops."""
        kept, alpha, noise = state.kept, state.alpha, state.noise
        if not len(kept):
            return replace(state, noise=max(self.gram.y_squared, self.floor) / self.count)
        upper = self.factorize(kept, alpha)
        u = self.mean(kept, alpha, upper)
        inverse, _ = scipy.linalg.lapack.dtrtri(upper, lower=0)
        variance = np.einsum("ij,ij->i", inverse, inverse)  # Σ_jj in units of the noise variance
        gamma = np.clip(1.0 - alpha * variance, np.finfo(float).tiny, 1.0)
        residual = max(float(self.system.squared_residual(self.gram.coefficients(kept, u))), self.floor)
        new_noise = residual / max(self.count - float(gamma.sum()), SMALLEST_FREEDOM * self.count)
        new = noise * gamma / np.maximum(u**2, np.finfo(float).tiny)
        hopeless = (u**2 / variance**2 <= noise * (1.0 / variance - alpha)) & (gamma < DETERMINED)
        left = ~hopeless & (new * new_noise < MAX_ALPHA * noise)
        scale = new_noise / noise  # alpha is a precision times the noise variance
        return _State(kept[left], np.clip(scale * new[left], self.min_alpha, MAX_ALPHA), new_noise, u[left])

    def change(self, old: _State, new: _State) -> float:
        """Return how much the noise level and the predictions have changed, relative to themselves."""
        n_used = len(self.gram.used)
        before, after = np.zeros(n_used), np.zeros(n_used)
        before[old.kept], after[new.kept] = old.u, new.u
        step = after - before
        norm = max(float(after @ self.gram.matrix @ after), np.finfo(float).tiny)
        moved = np.sqrt(max(float(step @ self.gram.matrix @ step), 0.0) / norm)
        dropped = float(len(new.kept) < len(old.kept))
        return max(abs(float(np.log(new.noise / old.noise))), float(moved), dropped)

    def result(self, state: _State, n_iter: int, converged: bool) -> _Result:
        """Return the solution at the last precisions."""
        precision = np.full(self.system.n_features, np.inf)
        precision[self.gram.used[state.kept]] = state.alpha
        status = Status.SOLVED if converged else Status.NOT_CONVERGED
        if not len(state.kept):
            empty = Solution(np.zeros(self.system.n_features), 0, 1.0, 0.0, status)
            return _Result(with_residuals([empty], self.system)[0], precision, state.noise, n_iter)
        upper = self.factorize(state.kept, state.alpha)
        u = self.mean(state.kept, state.alpha, upper)
        solution = self.gram.to_solution(state.kept, u, upper, status)
        return _Result(with_residuals([solution], self.system)[0], precision, state.noise, n_iter)
