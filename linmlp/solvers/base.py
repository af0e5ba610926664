"""The contract of a solver: a compressed system in, a `Solution` out; rows in, a scikit-learn regressor out."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from linmlp.solvers.solution import Solution
from linmlp.system.compressed import CompressedSystem
from linmlp.system.row_system import RowSystem
from linmlp.system.threads import one_blas_thread
from linmlp.system.weights import check_row_weights, row_scale
from linmlp.units import FloatArray


class SystemSolver(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Base of all solvers: ``min_c ‖Xc − y‖²`` plus whatever the solver adds, without an intercept.

    A solver implements `solve_path`. It must not change the system, nor look at anything but the contract of
    `CompressedSystem`, so that it works on rows, Gram and QR forms alike.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        Coefficients.
    solution_ : Solution
        Coefficients, rank, condition number, residual norm and status.
    n_features_in_ : int
        Number of features.
    """

    coef_: FloatArray
    solution_: Solution
    n_features_in_: int

    @abstractmethod
    def solve_path(self, system: CompressedSystem, values: Sequence[float]) -> list[Solution]:
        """Return one solution for each value of the solver's strength, doing the common work once.

        Parameters
        ----------
        system : CompressedSystem
            Rows and targets, folded.
        values : sequence of float
            Values of the parameter that `path_parameter` names.

        Returns
        -------
        list of Solution
            In the order of `values`.
        """

    @property
    @abstractmethod
    def path_parameter(self) -> str | None:
        """Name of the parameter that `solve_path` varies, as `get_params` has it; None if there is none."""

    @abstractmethod
    def path_values(self, form: str, n_features: int) -> tuple[float, ...]:
        """Return the values of the path parameter that "auto" stands for in a cross-validation.

        Parameters
        ----------
        form : {"gram", "qr"}
            Form of the compressed systems.
        n_features : int
            Number of features.

        Returns
        -------
        tuple of float
            Ascending.
        """

    def solve(self, system: CompressedSystem) -> Solution:
        """Return the solution with the solver's own settings, without storing it.

        Parameters
        ----------
        system : CompressedSystem
            Rows and targets, folded.

        Returns
        -------
        Solution
            Coefficients and how far they can be trusted.
        """
        return self.solve_path(system, [self.get_params()[self.path_parameter]])[0]

    def fit_system(self, system: CompressedSystem) -> Self:
        """Fit to a compressed system.

        Parameters
        ----------
        system : CompressedSystem
            Rows and targets, folded, weights in.

        Returns
        -------
        self
            The fitted solver.
        """
        with one_blas_thread():
            self.solution_ = self._solve_and_remember(system)
        self.coef_ = self.solution_.coef
        self.n_features_in_ = system.n_features
        return self

    def _solve_and_remember(self, system: CompressedSystem) -> Solution:
        """Return the solution; a solver that learns more than that keeps it here."""
        return self.solve(system)

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
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        y = np.asarray(y, dtype=float)
        if sample_weight is None:
            return self.fit_system(RowSystem(X, y))
        weight = check_row_weights(sample_weight, len(y))
        present = weight > 0.0
        scale = row_scale(weight[present])
        X, y = X[present] * scale[:, None], y[present] * scale
        return self.fit_system(RowSystem(X, y, n_observations=float(weight.sum())))

    def predict(self, X: Any) -> FloatArray:
        """Return ``X @ coef_``.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Design matrix.

        Returns
        -------
        ndarray of shape (n_rows,)
            Predictions.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return np.asarray(X @ self.coef_)
