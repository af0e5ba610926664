"""The Gram form: the packed triangle of ``[X y]ᵀ[X y]``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.linalg

from linmlp.system.compressed import CompressedSystem, Factor, Gram
from linmlp.system.packing import pack, packed_length, unpack_symmetric
from linmlp.units import FloatArray, IntArray

RESIDUAL_FLOOR = 1e-10
"""Below this part of ``yᵀy`` a residual read off the Gram form has lost its digits."""


class GramSystem(CompressedSystem):
    """Normal equations of rows that are no longer there.

    Parameters
    ----------
    packed : ndarray of shape ((n_features + 1)(n_features + 2) / 2,)
        Packed upper triangle of ``[X y]ᵀ[X y]``.
    n_features : int
        Number of columns of X.
    n_rows : int
        Number of rows that are not absent.
    """

    form = grows_into = "gram"

    def __init__(self, packed: FloatArray, n_features: int, n_rows: int) -> None:
        self.packed = packed
        self.n_features = n_features
        self.n_rows = n_rows

    @classmethod
    def from_rows(cls, X: FloatArray, y: FloatArray, n_rows: int | None = None) -> GramSystem:
        """Return the Gram form of scaled rows.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_features)
            Rows; a padded row stride is fine and nothing of their size is allocated.
        y : ndarray of shape (n_rows,)
            Targets.
        n_rows : int, optional
            Number of rows that are not absent; all of them by default.

        Returns
        -------
        GramSystem
            The compressed rows.
        """
        return cls.from_gram(Gram(X.T @ X, X.T @ y, float(y @ y)), len(y) if n_rows is None else n_rows)

    @classmethod
    def from_gram(cls, gram: Gram, n_rows: int) -> GramSystem:
        """Return the system that has these normal equations.

        Parameters
        ----------
        gram : Gram
            Full matrix, vector and ``yᵀy``.
        n_rows : int
            Number of rows that are not absent.

        Returns
        -------
        GramSystem
            The packed system.
        """
        n = len(gram.vector)
        packed = np.empty(packed_length(n + 1))
        pack(gram.matrix.T, packed[: packed_length(n)])
        packed[packed_length(n) : -1] = gram.vector
        packed[-1] = gram.y_squared
        return cls(packed, n, n_rows)

    @property
    def vector(self) -> FloatArray:
        """``Xᵀy``, a view of shape (n_features,)."""
        return self.packed[packed_length(self.n_features) : -1]

    @property
    def y_squared(self) -> float:
        """Squared norm of the targets."""
        return float(self.packed[-1])

    @property
    def keeps_condition(self) -> bool:
        """The Gram form squares the condition number."""
        return False

    @property
    def nbytes(self) -> int:
        """Bytes of the packed triangle."""
        return self.packed.nbytes

    @property
    def residual_floor(self) -> float:
        """``1e-10 yᵀy``: below, a squared residual has lost its digits."""
        return RESIDUAL_FLOOR * self.y_squared

    def scaled(self, weight: float) -> GramSystem:
        """Return the triangle times `weight`."""
        return GramSystem(weight * self.packed, self.n_features, self.n_rows)

    def subset(self, columns: IntArray | Sequence[int]) -> GramSystem:
        """Return rows and columns of the triangle."""
        columns = np.asarray(columns)
        matrix, vector, y_squared = self.to_gram()
        return self.from_gram(Gram(matrix[np.ix_(columns, columns)], vector[columns], y_squared), self.n_rows)

    def to_state(self) -> dict[str, FloatArray]:
        """Return the packed triangle and the form."""
        return {"form": np.array("gram"), "packed": self.packed, "n_rows": np.array(self.n_rows)}

    def _squared_residual(self, coef: FloatArray) -> FloatArray:
        # yᵀy − cᵀXᵀy − cᵀXᵀ(y − Xc): the last term vanishes at the minimum, so that one cancellation is left.
        squared = self.y_squared - coef @ self.vector - np.einsum("ij,ij->i", coef, self._normal_residual(coef))
        return np.asarray(np.maximum(squared, 0.0))

    def _normal_residual(self, coef: FloatArray) -> FloatArray:
        return self.vector - coef @ self.to_gram().matrix

    def _compute_gram(self) -> Gram:
        n = self.n_features
        return Gram(unpack_symmetric(self.packed[: packed_length(n)], n), self.vector, self.y_squared)

    def _compute_factor(self) -> Factor:
        matrix, vector, y_squared = self.to_gram()
        scale = np.sqrt(np.diagonal(matrix))
        safe = np.where(scale > 0, scale, 1.0)
        scaled = matrix / np.outer(safe, safe)
        try:
            R = scipy.linalg.cholesky(scaled)
            rcond, _ = scipy.linalg.lapack.dpocon(R, np.abs(scaled).sum(axis=0).max())
        except np.linalg.LinAlgError:
            rcond = 0.0
        if rcond > 100 * len(scaled) * np.finfo(float).eps:
            z = scipy.linalg.solve_triangular(R, vector / safe, trans="T")
        else:
            R, z = _factor_of_singular(scaled, vector / safe)
        return Factor(R * safe, z, max(y_squared - float(z @ z), 0.0))


def add_grams(systems: Sequence[GramSystem], weights: Sequence[float]) -> GramSystem:
    """Return the weighted sum of Gram systems.

    Parameters
    ----------
    systems : sequence of GramSystem
        Systems with the same features, at least one.
    weights : sequence of float
        Factors on their squared residuals.

    Returns
    -------
    GramSystem
        One system.
    """
    packed = weights[0] * systems[0].packed
    term = np.empty_like(packed)
    for system, weight in zip(systems[1:], weights[1:], strict=True):
        packed += np.multiply(system.packed, weight, out=term)
    return GramSystem(packed, systems[0].n_features, sum(system.n_rows for system in systems))


def _factor_of_singular(matrix: FloatArray, vector: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return R and z from the eigenvectors whose eigenvalues are above the rounding of the matrix."""
    values, vectors = np.linalg.eigh(matrix)
    kept = values > 10 * len(values) * np.finfo(float).eps * values[-1]
    root = np.sqrt(np.where(kept, values, 0.0))
    z = np.where(kept, vectors.T @ vector, 0.0) / np.where(kept, root, 1.0)
    Q, R = np.linalg.qr(root[:, None] * vectors.T)
    return R, Q.T @ z
