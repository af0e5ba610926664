"""What a solve returns: coefficients, and how far they can be trusted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

import numpy as np

from linmlp.system.compressed import CompressedSystem
from linmlp.units import FloatArray, IntArray

COEFFICIENT_TOLERANCE = 1e-6
"""Relative error of the coefficients above which a solution says so."""


class Status(Enum):
    """How a solve ended; the value is the advice."""

    SOLVED = "solved"
    ILL_CONDITIONED = (
        "ill-conditioned: the coefficients may be wrong by more than 1e-6 of their norm, though predictions for "
        "structures like the training set are not; likely nearly dependent features with too small a ridge strength. "
        'Use a larger alpha, or form="qr", which does not square the condition number.'
    )
    RANK_DEFICIENT = (
        "rank-deficient: some features are combinations of others on these rows, and the smallest coefficients that "
        "fit were returned. Use alpha > 0, fewer features, or more structures."
    )
    LOW_RESIDUAL = (
        "residual below the accuracy of the Gram form (1e-10 of the squared norm of the targets): the fit is as good "
        'as this form can tell. Use form="qr" to resolve it.'
    )
    NOT_CONVERGED = (
        "not converged: the iterations ended before their tolerance was met, and the coefficients are not those of the "
        "optimum. Use a larger strength, a larger alpha, or more iterations."
    )
    EMPTY = "no rows: there is nothing to fit, all coefficients are 0. Give structures with labels of nonzero weight."


@dataclass(frozen=True, slots=True)
class Solution:
    """Result of a solve.

    Parameters
    ----------
    coef : ndarray of shape (n_features,)
        Coefficients.
    rank : int
        Number of independent features that the solve used; features that are zero in all rows do not count.
    condition_number : float
        Estimated condition number of the regularized normal equations ``XᵀX + alpha Γ²`` on scaled columns.
    residual_norm : float
        ``‖Xc − y‖``, without the penalty.
    status : Status
        How it ended; `message` says it in words.
    alpha : float, default=NaN
        Ridge strength, of a solver that finds it itself.
    """

    coef: FloatArray
    rank: int
    condition_number: float
    residual_norm: float
    status: Status = Status.SOLVED
    alpha: float = float("nan")

    @property
    def success(self) -> bool:
        """Whether nothing has to be said."""
        return self.status is Status.SOLVED

    @property
    def message(self) -> str:
        """What happened, likely causes and what to change."""
        return self.status.value

    def spread(self, columns: IntArray, n_features: int) -> Solution:
        """Return the solution of a subset of features as one of all features.

        Parameters
        ----------
        columns : ndarray of shape (n_chosen,), int
            Features that the coefficients belong to.
        n_features : int
            Number of all features.

        Returns
        -------
        Solution
            With coefficients 0 elsewhere.
        """
        coef = np.zeros(n_features)
        coef[columns] = self.coef
        return replace(self, coef=coef)


def with_residuals(solutions: list[Solution], system: CompressedSystem) -> list[Solution]:
    """Return solutions with residual norms, and the status that the form of the system imposes.

    Parameters
    ----------
    solutions : list of Solution
        Solutions of one system.
    system : CompressedSystem
        The system.

    Returns
    -------
    list of Solution
        New solutions.
    """
    if not solutions:
        return []
    squared = system.squared_residual(np.array([solution.coef for solution in solutions]))
    floor = system.residual_floor
    return [
        replace(solution, residual_norm=float(np.sqrt(value)), status=_status(solution, system, bool(value < floor)))
        for solution, value in zip(solutions, squared, strict=True)
    ]


def _status(solution: Solution, system: CompressedSystem, below_floor: bool) -> Status:
    """Return the most severe thing to say about a solution."""
    if not system.n_rows:
        return Status.EMPTY
    if solution.status is not Status.SOLVED:
        return solution.status
    power = 0.5 if system.keeps_condition else 1.0
    if 100 * np.finfo(float).eps * solution.condition_number**power > COEFFICIENT_TOLERANCE:
        return Status.ILL_CONDITIONED
    return Status.LOW_RESIDUAL if below_floor else Status.SOLVED
