"""What the rank-revealing solvers share: thresholds, and the triangular factor on scaled columns."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from linmlp.exceptions import SettingsError
from linmlp.solvers.base import SystemSolver
from linmlp.solvers.solution import Solution, with_residuals
from linmlp.system.compressed import CompressedSystem
from linmlp.units import FloatArray

RCONDS = {
    "gram": tuple(10.0**power for power in range(-7, -1)),
    "qr": tuple(10.0**power for power in range(-13, -1)),
}
"""Relative thresholds to try, by form of the compressed systems: the Gram form does not resolve less than 1e-7."""


class Threshold(NamedTuple):
    """A relative threshold, and whether it was given or is the rounding error."""

    rcond: float
    is_given: bool


class ScaledFactor:
    """``‖Rc − z‖² = ‖Mu − z‖²`` with u = c · scale, for the features that occur.

    Parameters
    ----------
    system : CompressedSystem
        Rows and targets, folded.
    scale_columns : bool
        Whether columns of M are scaled to unit norm.
    """

    def __init__(self, system: CompressedSystem, scale_columns: bool) -> None:
        factor = system.to_factor()
        norms = np.linalg.norm(factor.R, axis=0)
        self.n_features = system.n_features
        self.used = np.flatnonzero(norms > 0.0)
        self.scale = norms[self.used] if scale_columns else np.ones(len(self.used))
        self.matrix = factor.R[:, self.used] / self.scale
        self.target = factor.z

    def unscale(self, u: FloatArray) -> FloatArray:
        """Return coefficients of all features.

        Parameters
        ----------
        u : ndarray of shape (n_used,)
            Coefficients of the scaled columns.

        Returns
        -------
        ndarray of shape (n_features,)
            0 for features that never occur.
        """
        coef = np.zeros(self.n_features)
        coef[self.used] = u / self.scale
        return coef


class RankRevealingSolver(SystemSolver):
    """Base of solvers that keep of the scaled design what is above a threshold.

    Parameters
    ----------
    rcond : float, optional
        Pivots or singular values below this part of the largest count as zero. None means the rounding error of the
        form: ``n_features ε``, and the root of that for the Gram form.
    scale_columns : bool, default=True
        Whether columns are scaled to unit norm.
    """

    def __init__(self, rcond: float | None = None, scale_columns: bool = True) -> None:
        self.rcond = rcond
        self.scale_columns = scale_columns

    @property
    def path_parameter(self) -> str:
        """Name of the parameter that `solve_path` varies."""
        return "rcond"

    def path_values(self, form: str, n_features: int) -> tuple[float, ...]:
        """Return the thresholds that are tried by default."""
        return RCONDS[form]

    def solve_path(self, system: CompressedSystem, values: Sequence[float | None]) -> list[Solution]:
        """Return one solution for each threshold, from one factorization.

        Parameters
        ----------
        system : CompressedSystem
            Rows and targets, folded.
        values : sequence of float or None
            Thresholds rcond.

        Returns
        -------
        list of Solution
            In the order of `values`.
        """
        thresholds = [_threshold(value, system) for value in values]
        factor = ScaledFactor(system, self.scale_columns)
        if not len(factor.used):
            return with_residuals([Solution(np.zeros(system.n_features), 0, 1.0, 0.0) for _ in values], system)
        return with_residuals(self._solve_factor(factor, thresholds), system)

    @abstractmethod
    def _solve_factor(self, factor: ScaledFactor, thresholds: list[Threshold]) -> list[Solution]:
        """Return one solution for each threshold; residual norms are left to be filled in."""


def _threshold(rcond: float | None, system: CompressedSystem) -> Threshold:
    """Return a threshold; None is the rounding error of the form, which may have squared the condition number."""
    if rcond is None:
        rounding = max(system.n_features, 1) * float(np.finfo(float).eps)
        return Threshold(rounding if system.keeps_condition else float(np.sqrt(rounding)), False)
    if not 0.0 <= rcond < 1.0:
        raise SettingsError(f"rcond is {rcond}; it must be 0 or more and less than 1, or None for rounding error")
    return Threshold(float(rcond), True)
