r"""Lasso on scaled columns, for one or many strengths.

.. math:: \min_u \tfrac12 \|Au - y\|^2 + \tfrac12 \alpha \|u\|^2 + \lambda \|u\|_1

with the columns of A those of X scaled to unit norm, and :math:`\lambda` a fraction of :math:`\max_j |A_j^T y|`, the
smallest at which all coefficients are 0; both strengths are pure numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.linalg

from linmlp.exceptions import SettingsError
from linmlp.solvers.active_set import minimize_absolute
from linmlp.solvers.base import SystemSolver
from linmlp.solvers.scaled_gram import ScaledGram
from linmlp.solvers.solution import Solution, Status, with_residuals
from linmlp.system.compressed import CompressedSystem
from linmlp.units import FloatArray

STRENGTHS = tuple(float(f"{10.0 ** (power / 2):.3g}") for power in range(-14, -1))
"""Strengths to try by default: 1e-7 to 0.1, two per decade."""


class Lasso(SystemSolver):
    """Least squares with a penalty on the absolute values of scaled coefficients, without an intercept.

    Parameters
    ----------
    strength : float, default=1e-3
        Penalty, as a fraction of the smallest one at which all coefficients are 0; above 0.
    alpha : float, default=1e-8
        Ridge strength on scaled columns; it makes the solution unique where columns depend on each other.
    refit : bool, default=False
        Whether to solve ridge with `alpha` on the features that the lasso left, which removes the bias of the penalty.
    tol : float, default=1e-6
        The duality gap at the end, as a part of the objective.
    max_iter : int, default=1000
        Rounds for each strength, with one factorization of the active block each. `Status.NOT_CONVERGED` says that they
        did not suffice, or that rounding keeps the gap above `tol`.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        Coefficients; exactly 0 for features that were not chosen.
    solution_ : Solution
        Coefficients, number of features, condition number, residual norm and status.
    n_iter_ : int
        Rounds that the strength took, at least 1.
    n_features_in_ : int
        Number of features.

    Notes
    -----
    Coordinate descent, which others use, crawls where columns are nearly dependent; the active-set method here
    solves for the coefficients that are not 0 exactly. Strengths are solved in descending order, each from the one
    before.

    Examples
    --------
    >>> import numpy as np
    >>> from linmlp.solvers import Lasso
    >>> X = np.array([[1.0, 0.0, 0.1], [0.0, 1.0, 0.1], [1.0, 1.0, 0.0], [1.0, -1.0, 0.2]])
    >>> Lasso(0.5, alpha=0.0).fit(X, X[:, 1] * 2).coef_.round(6)
    array([0., 1., 0.])
    """

    n_iter_: int

    def __init__(
        self,
        strength: float = 1e-3,
        alpha: float = 1e-8,
        refit: bool = False,
        tol: float = 1e-6,
        max_iter: int = 1000,
    ) -> None:
        self.strength = strength
        self.alpha = alpha
        self.refit = refit
        self.tol = tol
        self.max_iter = max_iter

    @property
    def path_parameter(self) -> str:
        """Name of the parameter that `solve_path` varies."""
        return "strength"

    def path_values(self, form: str, n_features: int) -> tuple[float, ...]:
        """Return the strengths that are tried by default."""
        return STRENGTHS

    def solve_path(self, system: CompressedSystem, values: Sequence[float]) -> list[Solution]:
        """Return one solution for each strength.

        Parameters
        ----------
        system : CompressedSystem
            Rows and targets, folded.
        values : sequence of float
            Strengths, as fractions of the one at which all coefficients are 0.

        Returns
        -------
        list of Solution
            In the order of `values`.
        """
        return self._follow(system, values)[0]

    def solve(self, system: CompressedSystem) -> Solution:
        """Return the solution with the solver's own settings, and remember how many rounds it took."""
        solutions, self.n_iter_ = self._follow(system, [self.strength])
        return solutions[0]

    def _follow(self, system: CompressedSystem, values: Sequence[float]) -> tuple[list[Solution], int]:
        """Return one solution for each strength, and the rounds that the smallest took."""
        strengths = [_check_positive(value, "strength") for value in values]
        tol = _check_positive(self.tol, "tol")
        if not (isinstance(self.max_iter, int | np.integer) and self.max_iter >= 1):
            raise SettingsError(f"max_iter={self.max_iter!r}; it must be a whole number, 1 or more")
        problem = ScaledGram(system, self.alpha)
        largest = float(np.abs(problem.vector).max(initial=0.0))
        u = np.zeros(len(problem.used))
        made: dict[float, Solution] = {}
        rounds = 1
        for strength in sorted(set(strengths), reverse=True):
            u, rounds, converged = minimize_absolute(problem, u, strength * largest, tol, self.max_iter)
            made[strength] = self._to_solution(problem, u, Status.SOLVED if converged else Status.NOT_CONVERGED)
        return with_residuals([made[strength] for strength in strengths], system), rounds

    def _to_solution(self, problem: ScaledGram, u: FloatArray, status: Status) -> Solution:
        """Return the solution of scaled coefficients, refitted if asked for."""
        chosen = np.flatnonzero(u)
        try:
            upper = scipy.linalg.cholesky(problem.matrix[np.ix_(chosen, chosen)], check_finite=False)
        except np.linalg.LinAlgError:  # without a ridge, columns that depend on each other can be chosen together
            return Solution(problem.coefficients(chosen, u[chosen]), len(chosen), np.inf, 0.0, Status.RANK_DEFICIENT)
        values = problem.solve(chosen, upper) if self.refit and len(chosen) else u[chosen]
        return problem.to_solution(chosen, values, upper, status)


def _check_positive(value: float, name: str) -> float:
    """Return a number above 0."""
    if not (np.isfinite(value) and value > 0.0):
        raise SettingsError(f"{name} is {value}; it must be a finite number above 0")
    return float(value)
