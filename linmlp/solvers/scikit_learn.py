"""scikit-learn's regressors on compressed systems, where that is exact; the others are refused by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from sklearn import linear_model
from sklearn.base import clone

from linmlp.exceptions import SettingsError
from linmlp.solvers.base import SystemSolver
from linmlp.solvers.ridge import ALPHAS
from linmlp.solvers.scaled_gram import size_grid
from linmlp.solvers.solution import Solution, with_residuals
from linmlp.system.compressed import CompressedSystem
from linmlp.system.weights import check_row_weights


@dataclass(frozen=True)
class _Kind:
    """What has to be known of a regressor: its strength, and whether its loss is a mean over rows."""

    parameter: str | None
    mean_loss: bool = False


_EXACT = {
    linear_model.LinearRegression: _Kind(None),
    linear_model.Ridge: _Kind("alpha"),
    linear_model.Lasso: _Kind("alpha", mean_loss=True),
    linear_model.ElasticNet: _Kind("alpha", mean_loss=True),
    linear_model.LassoLars: _Kind("alpha", mean_loss=True),
    linear_model.Lars: _Kind("n_nonzero_coefs"),
    linear_model.OrthogonalMatchingPursuit: _Kind("n_nonzero_coefs"),
}

_CV = "it splits the rows of the triangular factor, which are not rows of the data"
_COUNT = "it needs the number of rows and their residuals"
_REFUSED = {
    "RidgeCV": (_CV, "Ridge, whose alpha a cross-validation over structures chooses"),
    "LassoCV": (_CV, "Lasso, whose path a cross-validation over structures follows"),
    "LassoLarsCV": (_CV, "Lasso, whose path a cross-validation over structures follows"),
    "ElasticNetCV": (_CV, "Lasso with its alpha, whose path a cross-validation over structures follows"),
    "LarsCV": (_CV, "ForwardSelection, whose path a cross-validation over structures follows"),
    "OrthogonalMatchingPursuitCV": (_CV, "OrthogonalMatchingPursuit, whose path a cross-validation follows"),
    "LassoLarsIC": (_COUNT, "Lasso, whose path a cross-validation over structures follows"),
    "BayesianRidge": (_COUNT, "Ridge, whose alpha a cross-validation over structures chooses"),
    "ARDRegression": (_COUNT, "ForwardSelection or Lasso"),
    "HuberRegressor": ("its loss is not the squared residual", "Ridge, and weights on structures"),
    "SGDRegressor": ("it goes through rows one by one", "Ridge, Lasso or ForwardSelection"),
}
_OTHERWISE = ("it is not known to depend on squared residuals alone", "Ridge, Lasso or ForwardSelection")


class ScikitLearnSolver(SystemSolver):
    """A scikit-learn regressor on ``‖Rc − z‖² + ρ²``, exactly as on the rows themselves.

    Parameters
    ----------
    regressor : estimator
        `LinearRegression`, `Ridge`, `Lasso`, `ElasticNet`, `LassoLars`, `Lars` or `OrthogonalMatchingPursuit` of
        `sklearn.linear_model`, with ``fit_intercept=False``. It is cloned, and its columns are not scaled.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        Coefficients.
    regressor_ : estimator
        The regressor, fitted to the triangular factor.
    solution_ : Solution
        Coefficients, number of those that are not 0, condition number (NaN: not known), residual norm and status.
    n_features_in_ : int
        Number of features.

    Raises
    ------
    SettingsError
        In `fit`, for regressors and settings that a triangular factor cannot serve.

    Notes
    -----
    `Lasso`, `ElasticNet` and `LassoLars` minimize ``‖y − Xw‖²/(2n) + alpha P(w)``: their alpha counts the mean over the
    n rows of the system that are not absent, and is multiplied by n / n_R for the n_R rows of R. Sample weights
    in `fit` are scaled to the mean 1 for them, as scikit-learn does.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from linmlp.solvers import ScikitLearnSolver
    >>> solver = ScikitLearnSolver(LinearRegression(fit_intercept=False))
    >>> solver.fit([[1.0, 0.0], [0.0, 2.0], [1.0, 2.0]], [1.0, 4.0, 5.0]).coef_.round(6)
    array([1., 2.])
    """

    regressor_: Any

    def __init__(self, regressor: Any) -> None:
        self.regressor = regressor

    @property
    def path_parameter(self) -> str | None:
        """Name of the regressor's parameter that `solve_path` varies, as `set_params` has it; None if there is none."""
        parameter = self._check().parameter
        return None if parameter is None else f"regressor__{parameter}"

    def path_values(self, form: str, n_features: int) -> tuple[float, ...]:
        """Return the strengths, or numbers of features, that are tried by default."""
        return ALPHAS[form] if self._path_name() == "alpha" else size_grid(n_features)

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to rows.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Design matrix.
        y : array-like of shape (n_rows,)
            Targets.
        sample_weight : array-like of shape (n_rows,), optional
            Weights on squared residuals; 2 means listed twice, 0 means absent.

        Returns
        -------
        self
            The fitted solver.
        """
        if sample_weight is not None and self._check().mean_loss:
            weight = check_row_weights(sample_weight, len(y))
            sample_weight = weight * (np.count_nonzero(weight) / max(float(weight.sum()), np.finfo(float).tiny))
        return super().fit(X, y, sample_weight)

    def solve(self, system: CompressedSystem) -> Solution:
        """Return the solution with the regressor's own settings, and remember the regressor."""
        self.regressor_ = self._fit_factor(system, {})
        return _to_solutions([self.regressor_], system)[0]

    def solve_path(self, system: CompressedSystem, values: Sequence[float]) -> list[Solution]:
        """Return one solution for each value of the regressor's strength.

        Parameters
        ----------
        system : CompressedSystem
            Rows and targets, folded.
        values : sequence of float
            Values of alpha or of n_nonzero_coefs.

        Returns
        -------
        list of Solution
            In the order of `values`.
        """
        name = self._path_name()
        whole = name == "n_nonzero_coefs"
        fitted = [self._fit_factor(system, {name: int(value) if whole else value}) for value in values]
        return _to_solutions(fitted, system)

    def _path_name(self) -> str:
        """Return the regressor's parameter that is varied, or raise where there is none."""
        parameter = self._check().parameter
        if parameter is None:
            raise SettingsError(f"{_name(self.regressor)} has no strength to vary; use Ridge or ForwardSelection")
        return parameter

    def _fit_factor(self, system: CompressedSystem, settings: dict[str, Any]) -> Any:
        """Return a clone fitted to the triangular factor."""
        kind = self._check()
        regressor = clone(self.regressor).set_params(**settings)
        factor = system.to_factor()
        if kind.mean_loss:
            regressor.set_params(alpha=regressor.alpha * system.n_rows / len(factor.z))
        return regressor.fit(factor.R, factor.z)

    def _check(self) -> _Kind:
        """Return what is known of the regressor, or raise."""
        name = _name(self.regressor)
        kind = _EXACT.get(type(self.regressor))  # subclasses may do anything
        if kind is None:
            reason, instead = _REFUSED.get(name, _OTHERWISE)
            raise SettingsError(
                f"{name} cannot be fitted to a compressed system: {reason}; use linmlp.solvers.{instead}"
            )
        if self.regressor.fit_intercept:
            raise SettingsError(
                f"{name} has fit_intercept=True, but rows that were folded cannot be centered; give "
                "fit_intercept=False (reference energies take the place of an intercept)"
            )
        if getattr(self.regressor, "tol", None) is not None and isinstance(
            self.regressor, linear_model.OrthogonalMatchingPursuit
        ):
            raise SettingsError(
                f"{name} has tol={self.regressor.tol}, a bound on the residual, part of which the factor does not "
                "show; give n_nonzero_coefs"
            )
        return kind


def _name(regressor: Any) -> str:
    return type(regressor).__name__


def _to_solutions(fitted: Sequence[Any], system: CompressedSystem) -> list[Solution]:
    """Return the solutions of fitted regressors."""
    coefs = [np.array(regressor.coef_, dtype=float).reshape(-1) for regressor in fitted]
    return with_residuals([Solution(coef, int(np.count_nonzero(coef)), np.nan, 0.0) for coef in coefs], system)
