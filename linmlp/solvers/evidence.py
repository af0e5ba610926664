r"""Evidence maximization with one noise level for each kind of row.

.. math:: y_k = X_k c + e_k,\quad e_k \sim N(0, \sigma_k^2),\quad c_j \sim N(0, 1/(\alpha\, d_j^2 \gamma_j^2))

with :math:`A = \sum_k X_k^T X_k/\sigma_k^2` and :math:`d_j^2 = A_{jj}`, the squared norm of column j of the weighted
design: the mean of the posterior is the solution of ``Ridge(alpha)`` on the systems summed with weights
:math:`1/\sigma_k^2`, and any common factor on these leaves it alone. With
:math:`\Sigma = (A + \alpha D^2\Gamma^2)^{-1}` and the numbers of parameters that each kind determines,
:math:`g_k = \mathrm{tr}(\Sigma X_k^T X_k)/\sigma_k^2`, the fixed point is

.. math:: \sigma_k^2 = \frac{\|y_k - X_k c\|^2}{n_k - g_k}, \qquad \alpha = \frac{\sum_k g_k - p_0}{\|D\Gamma c\|^2}

(:math:`p_0` parameters with :math:`\gamma = 0` are determined without being penalized) [1]_ [2]_. The scales d follow
the noise levels and are held fixed within a step.

References
----------
.. [1] D. J. C. MacKay, "Bayesian interpolation", Neural Comput. 4, 415 (1992), equations 4.8 to 4.10.
.. [2] M. E. Tipping, "Sparse Bayesian learning and the relevance vector machine", J. Mach. Learn. Res. 1, 211 (2001).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg

from linmlp.exceptions import LinmlpWarning, SettingsError
from linmlp.solvers.ridge import ALPHAS, ridge_path
from linmlp.solvers.solution import Solution
from linmlp.system.compressed import CompressedSystem
from linmlp.system.summed import SystemSum
from linmlp.units import FloatArray, IntArray

MAX_ALPHA = 1e6
"""Strengths above this change nothing any more: the coefficients are zero to six digits."""

SMALLEST_PART = 1e-12
"""Squared residuals below this part of the squared targets are rounding, not noise."""

SMALLEST_FREEDOM = 1e-3
"""Rows of which the fit leaves fewer free than this part say little about their noise."""


@dataclass(frozen=True)
class Evidence:
    """Noise levels and prior that make the targets most probable.

    Parameters
    ----------
    solution : Solution
        Mean of the posterior; its residual norm is that of the weighted system.
    noise_variance : ndarray of shape (n_parts,)
        Variance of the noise of a row of each part, in squared units of its targets.
    alpha : float
        Strength for `Ridge` on the parts summed with `weights`.
    n_determined : ndarray of shape (n_parts,)
        Number of parameters that each part determines.
    log_evidence : float
        Logarithm of the probability density of the targets.
    n_iter : int
        Steps taken.
    converged : bool
        Whether the last step changed no noise level and not the strength by more than the tolerance.
    """

    solution: Solution
    noise_variance: FloatArray
    alpha: float
    n_determined: FloatArray
    log_evidence: float
    n_iter: int
    converged: bool

    @property
    def weights(self) -> FloatArray:
        """Factors on the squared residuals of the parts, ``1/noise_variance``."""
        return np.asarray(1.0 / self.noise_variance)


def maximize_evidence(
    parts: Sequence[CompressedSystem],
    n_rows: Sequence[float],
    scale_columns: bool = True,
    prior: FloatArray | None = None,
    max_iter: int = 300,
    tol: float = 1e-3,
) -> Evidence:
    """Return the noise level of each part and the ridge strength by the fixed point of the evidence.

    Parameters
    ----------
    parts : sequence of CompressedSystem
        One system for each kind of row, with the same features.
    n_rows : sequence of float
        Number of rows of each part; weights of rows that mean repetition count.
    scale_columns : bool, default=True
        Whether the prior of a coefficient follows the norm of its column.
    prior : array-like of shape (n_features,), optional
        Factor gamma on each coefficient in the penalty, 1 by default; 0 is not penalized.
    max_iter : int, default=300
        Largest number of steps.
    tol : float, default=1e-3
        Relative change of noise variances and strength at which it has converged.

    Returns
    -------
    Evidence
        Noise levels, strength and solution.

    Raises
    ------
    SettingsError
        If parts and numbers of rows do not match, or nothing has rows.

    Warns
    -----
    LinmlpWarning
        If it has not converged.
    """
    counts = np.asarray(n_rows, dtype=float)
    if len(parts) == 0 or counts.shape != (len(parts),) or not (counts > 0.0).all():
        raise SettingsError(f"n_rows is {list(n_rows)} for {len(parts)} parts; give a number above 0 for each part")
    problem = _Problem(parts, counts, scale_columns, prior)
    state = problem.start()
    converged, n_iter = False, 0
    while n_iter < max_iter and not converged:
        n_iter += 1
        new = problem.step(state)
        change = max(float(np.abs(np.log(new.noise / state.noise)).max()), abs(float(np.log(new.alpha / state.alpha))))
        state, converged = new, change < tol
    if not converged:
        warnings.warn(
            f"the evidence has not converged within max_iter={max_iter} steps; the noise levels are those of the last "
            "one. Raise max_iter or tol, or check that every kind of row has more rows than it determines parameters",
            LinmlpWarning,
            stacklevel=2,
        )
    return problem.result(state, n_iter, converged)


@dataclass(frozen=True)
class _State:
    noise: FloatArray
    alpha: float


class _Problem:
    """Gram matrices of the parts and the steps of the fixed point."""

    def __init__(
        self, parts: Sequence[CompressedSystem], counts: FloatArray, scale_columns: bool, prior: FloatArray | None
    ) -> None:
        self.parts, self.counts, self.scale_columns, self.prior = parts, counts, scale_columns, prior
        self.matrices = [part.to_gram().matrix for part in parts]
        self.gamma = np.ones(parts[0].n_features) if prior is None else np.asarray(prior, dtype=float)
        self.floor = np.array(
            [max(p.residual_floor, SMALLEST_PART * p.y_squared, float(np.finfo(float).tiny) ** 0.5) for p in parts]
        )
        keeps = all(part.keeps_condition for part in parts)
        self.min_alpha = min(ALPHAS["qr" if keeps else "gram"])

    def start(self) -> _State:
        """Return noise levels of a tenth of the targets, and a weak prior."""
        squared = np.array([part.y_squared for part in self.parts])
        return _State(np.maximum(0.01 * squared, self.floor) / self.counts, 1e3 * self.min_alpha)

    def solve(self, state: _State) -> Solution:
        """Return the mean of the posterior."""
        system = SystemSum(self.parts, (1.0 / state.noise).tolist())
        return ridge_path(system, [state.alpha], self.scale_columns, self.prior)[0]

    def scale(self, state: _State) -> FloatArray:
        """Return the norms of the columns of the weighted design, (n_features,)."""
        squared = sum(np.diagonal(m) / v for m, v in zip(self.matrices, state.noise, strict=True))
        norms = np.sqrt(np.maximum(squared, 0.0))
        return norms if self.scale_columns else np.where(norms > 0.0, 1.0, 0.0)

    def cholesky(self, state: _State) -> tuple[FloatArray, IntArray, FloatArray]:
        """Return the factor of the scaled posterior precision, the features that occur, and their scales."""
        scale = self.scale(state)
        used = np.flatnonzero(scale > 0.0)
        scale = scale[used]
        A = np.zeros((len(used), len(used)))
        for matrix, variance in zip(self.matrices, state.noise, strict=True):
            A += matrix[np.ix_(used, used)] / variance
        A /= np.outer(scale, scale)
        A.flat[:: len(used) + 1] += state.alpha * self.gamma[used] ** 2
        return scipy.linalg.cholesky(A, lower=True, check_finite=False), used, scale

    def determined(self, state: _State) -> FloatArray:
        """Return the number of parameters that each part determines."""
        lower, used, scale = self.cholesky(state)
        if not len(used):
            return np.zeros(len(self.parts))
        inverse, _ = scipy.linalg.lapack.dpotri(lower, lower=1)
        inverse = np.tril(inverse) + np.tril(inverse, -1).T
        inverse /= np.outer(scale, scale)
        traces = [float(np.vdot(inverse, m[np.ix_(used, used)])) for m in self.matrices]
        return np.asarray(traces) / state.noise

    def residuals(self, coef: FloatArray) -> FloatArray:
        """Return the squared residual of each part."""
        return np.asarray(np.maximum([part.squared_residual(coef) for part in self.parts], self.floor))

    def step(self, state: _State) -> _State:
        """Return the next noise levels and strength."""
        coef = self.solve(state).coef
        g = self.determined(state)
        free = np.maximum(self.counts - g, SMALLEST_FREEDOM * self.counts)
        scaled = self.scale(state) * self.gamma * coef
        unpenalized = np.count_nonzero((self.gamma == 0.0) & (self.scale(state) > 0.0))
        tiny = float(np.finfo(float).tiny)
        alpha = max(float(g.sum()) - unpenalized, tiny) / max(float(scaled @ scaled), tiny**0.5)
        # alpha is a precision in units of the noise of this step, whose levels only enter through their ratios.
        return _State(self.residuals(coef) / free, float(np.clip(alpha, self.min_alpha, MAX_ALPHA)))

    def result(self, state: _State, n_iter: int, converged: bool) -> Evidence:
        """Return the evidence at a state."""
        solution = self.solve(state)
        lower, used, _ = self.cholesky(state)
        gamma = self.gamma[used]
        scaled = self.scale(state) * self.gamma * solution.coef
        log_evidence = 0.5 * float(
            -(self.counts * np.log(2 * np.pi * state.noise)).sum()
            - (self.residuals(solution.coef) / state.noise).sum()
            - state.alpha * (scaled @ scaled)
            - 2.0 * np.log(np.diagonal(lower)).sum()
            + np.log(state.alpha * gamma[gamma != 0.0] ** 2).sum()
        )
        return Evidence(solution, state.noise, state.alpha, self.determined(state), log_evidence, n_iter, converged)
