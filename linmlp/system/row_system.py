"""Rows kept as they are, while they are fewer than the features."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from linmlp.system.compressed import CompressedSystem, Factor, Gram
from linmlp.system.weights import row_scale_from_weight
from linmlp.units import FloatArray, IntArray


class RowSystem(CompressedSystem):
    """The rows themselves.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        Rows of the design matrix, already scaled; kept, not copied.
    y : ndarray of shape (n_rows,)
        Targets, already scaled.
    grows_into : {"gram", "qr"}, default="gram"
        Form to be compressed to when the rows become more than the features.
    n_rows : int, optional
        Number of rows that are not absent; all of them by default.
    n_observations : float, optional
        Sum of how often each row was listed; `n_rows` by default.
    """

    form = "rows"

    def __init__(
        self,
        X: FloatArray,
        y: FloatArray,
        grows_into: str = "gram",
        n_rows: int | None = None,
        n_observations: float | None = None,
    ) -> None:
        self.X = X
        self.y = y
        self.grows_into = grows_into
        self.n_features = X.shape[1]
        self.n_rows = len(y) if n_rows is None else n_rows
        self._n_observations = n_observations

    @property
    def y_squared(self) -> float:
        """Squared norm of the targets."""
        return float(self.y @ self.y)

    @property
    def keeps_condition(self) -> bool:
        """Rows do not square the condition number."""
        return True

    @property
    def nbytes(self) -> int:
        """Bytes of the rows."""
        return self.X.nbytes + self.y.nbytes

    def scaled(self, weight: float) -> RowSystem:
        """Return the rows times the square root of `weight`."""
        scale = row_scale_from_weight(weight)
        return RowSystem(scale * self.X, scale * self.y, self.grows_into, self.n_rows, self._n_observations)

    def subset(self, columns: IntArray | Sequence[int]) -> RowSystem:
        """Return the rows of some features."""
        return RowSystem(self.X[:, np.asarray(columns)], self.y, self.grows_into, self.n_rows, self._n_observations)

    def to_state(self) -> dict[str, FloatArray]:
        """Return the rows, the targets and the form."""
        return {
            "form": np.array("rows"),
            "X": self.X,
            "y": self.y,
            "n_rows": np.array(self.n_rows),
            "grows_into": np.array(self.grows_into),
        }

    def _squared_residual(self, coef: FloatArray) -> FloatArray:
        residual = coef @ self.X.T - self.y
        return np.asarray(np.einsum("ij,ij->i", residual, residual))

    def _normal_residual(self, coef: FloatArray) -> FloatArray:
        return (self.y - coef @ self.X.T) @ self.X

    def _compute_gram(self) -> Gram:
        # numpy hands the product of a view and its own transpose to BLAS dsyrk, without the GIL and without a copy
        # even where the row stride is padded.
        return Gram(self.X.T @ self.X, self.X.T @ self.y, self.y_squared)

    def _compute_factor(self) -> Factor:
        n = self.n_features
        rows = np.column_stack([self.X, self.y])
        if len(rows) <= n:
            rows = np.vstack([rows, np.zeros((n + 1 - len(rows), n + 1))])
        triangle = np.asarray(np.linalg.qr(rows, mode="r"))
        return Factor(triangle[:n, :n], triangle[:n, n], float(triangle[n, n] ** 2))
