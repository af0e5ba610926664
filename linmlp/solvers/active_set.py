r"""Active-set minimization of a quadratic with a penalty on absolute values.

.. math:: \min_u \tfrac12 u^T G u - b^T u + \lambda \|u\|_1

The feature-sign search of [1]_ with many features entering at once: in each round those whose correlation with the
residual exceeds the penalty most enter with its sign; then Newton steps on the active coefficients, each cut where the
first one becomes 0 and leaves, lead to the minimum for the signs that remain. The objective falls with every round, so
that no set of signs comes twice.

References
----------
.. [1] H. Lee, A. Battle, R. Raina and A. Y. Ng, "Efficient sparse coding algorithms", NIPS 19, 801 (2006).
"""

from __future__ import annotations

import numpy as np
import scipy.linalg

from linmlp.solvers.scaled_gram import ScaledGram
from linmlp.units import FloatArray

SMALLEST_BATCH = 10
"""Features that may enter together; a quarter as many as are active are added to it."""


def minimize_absolute(
    problem: ScaledGram, start: FloatArray, penalty: float, tol: float, max_iter: int
) -> tuple[FloatArray, int, bool]:
    """Return the minimum for one penalty.

    Parameters
    ----------
    problem : ScaledGram
        G and b, and the rows they are made of.
    start : ndarray of shape (n_used,)
        Scaled coefficients to start from, best those of a somewhat larger penalty; 0 for inactive features.
    penalty : float
        λ, above 0.
    tol : float
        The duality gap at the end, as a part of the objective ``½ ‖Au − y‖² + ½ alpha ‖u‖² + λ ‖u‖₁``.
    max_iter : int
        Rounds.

    Returns
    -------
    u : ndarray of shape (n_used,)
        Scaled coefficients.
    n_iter : int
        Rounds made.
    converged : bool
        Whether the gap closed; if not, rounds or digits did not suffice.
    """
    u, signs, last = start.copy(), np.sign(start), np.inf
    correlations = _correlations(problem, u)
    for done in range(1, max_iter + 1):
        finished = _descend(problem.matrix, u, correlations, penalty, signs)
        correlations = _correlations(problem, u)
        gap = _relative_gap(problem, u, correlations, penalty)
        if gap <= tol:
            return u, done, True
        if not finished:
            continue
        # Features that exceed the penalty by less than this do not keep the gap open.
        excess = np.where(u == 0.0, np.abs(correlations) - penalty * (1.0 + 0.5 * tol), 0.0)
        entering = np.argsort(-excess)[: _batch(int(np.count_nonzero(u)))]
        entering = entering[excess[entering] > 0.0]
        if not len(entering) and gap > 0.5 * last:  # rounding alone is left
            return u, done, False
        signs[entering] = np.sign(correlations[entering])
        last = gap
    return u, max_iter, False


def _batch(n_active: int) -> int:
    """Return how many features may enter, or leave, between two factorizations."""
    return SMALLEST_BATCH + n_active // 4


def _descend(matrix: FloatArray, u: FloatArray, correlations: FloatArray, penalty: float, signs: FloatArray) -> bool:
    """Move u towards the minimum over coefficients with these signs or 0; return whether it got there.

    Along the Newton step the first coefficient to become 0 is taken out, and the next step is for the others. Features
    that enter but would take the wrong sign are taken out before the step. All steps come from one factorization G =
    LLᵀ: where those in Q are out, the step is ``p − W W[Q]⁻¹ p[Q]``, with p the step if none was and W the columns Q
    of G⁻¹. ``u`` and ``signs`` are overwritten.
    """
    active = np.flatnonzero(signs)
    values, wanted = u[active], signs[active]
    factor = _factorize(matrix[np.ix_(active, active)])
    full = _solve(factor, correlations[active] - penalty * wanted)
    out = np.zeros(0, dtype=np.int64)
    columns = np.empty((len(active), 0))
    while len(out) <= _batch(len(active)):
        step = full - columns @ np.linalg.solve(columns[out], full[out])
        step[out] = 0.0
        wrong = wanted * (values + step) <= 0.0
        wrong[out] = False
        leaving = np.flatnonzero(wrong & (values == 0.0))
        if not len(leaving):
            crossing = np.flatnonzero(wrong)
            lengths = -values[crossing] / step[crossing]
            length = lengths.min(initial=1.0)
            values += length * step
            full -= length * step
            leaving = crossing[lengths == length]
            values[leaving] = 0.0
        if not len(leaving):
            break
        unit = np.zeros((len(active), len(leaving)))
        unit[leaving, np.arange(len(leaving))] = 1.0
        out = np.concatenate([out, leaving])
        columns = np.hstack([columns, _solve(factor, unit)])
    u[active] = values
    signs[active[out]] = 0.0
    return len(out) <= _batch(len(active))


def _factorize(block: FloatArray) -> FloatArray:
    """Return the upper Cholesky factor of a matrix, which is overwritten.

    The matrix gets a shift of the size of its rounding errors, more if that does not make it positive definite. Steps
    of several rounds then approach the minimum as those of the proximal point method do.
    """
    shift = 10 * len(block) * float(np.finfo(float).eps)
    diagonal = np.diagonal(block).copy()
    while True:
        block.flat[:: len(block) + 1] = diagonal + shift
        try:
            return np.asarray(scipy.linalg.cholesky(block, check_finite=False))
        except np.linalg.LinAlgError:
            if shift > len(block):  # more than any matrix of unit diagonal needs, if its numbers are finite
                raise
            shift *= 100.0


def _solve(factor: FloatArray, right: FloatArray) -> FloatArray:
    """Return ``G⁻¹`` times the right-hand side."""
    return np.asarray(scipy.linalg.cho_solve((factor, False), right, check_finite=False))


def _correlations(problem: ScaledGram, u: FloatArray) -> FloatArray:
    """Return ``b − Gu``: correlations of the scaled columns with the residual, ridge included."""
    chosen = np.flatnonzero(u)
    return problem.gradient(chosen, u[chosen])


def _relative_gap(problem: ScaledGram, u: FloatArray, correlations: FloatArray, penalty: float) -> float:
    """Return the duality gap as a part of the objective.

    With alpha as n more rows of A the problem is a plain lasso, whose dual point is the residual r scaled until no
    correlation exceeds the penalty: θ = s r. As yᵀr = ‖r‖² + uᵀAᵀr, the gap is ``½ ‖r‖² (1 − s)² + λ‖u‖₁ − s uᵀAᵀr``,
    in which nothing large cancels.
    """
    residual = problem.system.squared_residual(problem.coefficients(np.arange(len(u)), u))
    squared = max(float(residual), 0.0) + problem.alpha * float(u @ u)
    absolute = penalty * float(np.abs(u).sum())
    objective = 0.5 * squared + absolute
    largest = float(np.abs(correlations).max(initial=0.0))
    if objective == 0.0 or largest == 0.0:
        return 0.0
    shrink = min(1.0, penalty / largest)
    return (0.5 * squared * (1.0 - shrink) ** 2 + absolute - shrink * float(u @ correlations)) / objective
