"""The QR form: the packed triangular factor of ``[X y]``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.linalg

from linmlp.system.compressed import CompressedSystem, Factor, Gram
from linmlp.system.packing import pack, packed_length, unpack_upper
from linmlp.system.weights import row_scale_from_weight
from linmlp.units import FloatArray, IntArray

PANEL = 64
"""Columns that LAPACK dtpqrt eliminates at a time."""


class QRSystem(CompressedSystem):
    """Triangular factor of rows that are no longer there.

    Parameters
    ----------
    packed : ndarray of shape ((n_features + 1)(n_features + 2) / 2,)
        Packed triangle of ``[[R, z], [0, ρ]]``.
    n_features : int
        Number of columns of X.
    n_rows : int
        Number of rows that are not absent.
    """

    form = grows_into = "qr"

    def __init__(self, packed: FloatArray, n_features: int, n_rows: int) -> None:
        self.packed = packed
        self.n_features = n_features
        self.n_rows = n_rows

    @classmethod
    def from_rows(cls, X: FloatArray, y: FloatArray, n_rows: int | None = None) -> QRSystem:
        """Return the QR form of scaled rows.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_features)
            Rows; one copy of them is made (fold long designs block by block).
        y : ndarray of shape (n_rows,)
            Targets.
        n_rows : int, optional
            Number of rows that are not absent; all of them by default.

        Returns
        -------
        QRSystem
            The compressed rows.
        """
        n = X.shape[1] + 1
        rows = np.zeros((max(len(y), n), n))
        rows[: len(y), :-1] = X
        rows[: len(y), -1] = y
        return cls.from_triangle(np.asarray(np.linalg.qr(rows, mode="r")), len(y) if n_rows is None else n_rows)

    @classmethod
    def from_triangle(cls, triangle: FloatArray, n_rows: int) -> QRSystem:
        """Return the system that has this factor.

        Parameters
        ----------
        triangle : ndarray of shape (n_features + 1, n_features + 1)
            Upper triangular ``[[R, z], [0, ρ]]``.
        n_rows : int
            Number of rows that are not absent.

        Returns
        -------
        QRSystem
            The packed system.
        """
        packed = np.empty(packed_length(len(triangle)))
        pack(triangle, packed)
        return cls(packed, len(triangle) - 1, n_rows)

    @property
    def triangle(self) -> FloatArray:
        """The factor ``[[R, z], [0, ρ]]``, (n_features + 1, n_features + 1) in Fortran order; a copy."""
        return unpack_upper(self.packed, self.n_features + 1)

    @property
    def y_squared(self) -> float:
        """Squared norm of the targets."""
        last = self.packed[packed_length(self.n_features) :]
        return float(last @ last)

    @property
    def keeps_condition(self) -> bool:
        """The QR form does not square the condition number."""
        return True

    @property
    def nbytes(self) -> int:
        """Bytes of the packed triangle."""
        return self.packed.nbytes

    def scaled(self, weight: float) -> QRSystem:
        """Return the factor times the square root of `weight`."""
        return QRSystem(row_scale_from_weight(weight) * self.packed, self.n_features, self.n_rows)

    def subset(self, columns: IntArray | Sequence[int]) -> QRSystem:
        """Return the factor of some columns, made triangular again."""
        chosen = np.append(np.asarray(columns), self.n_features)
        return self.from_triangle(np.asarray(np.linalg.qr(self.triangle[:, chosen], mode="r")), self.n_rows)

    def absorb(self, others: Sequence[QRSystem]) -> QRSystem:
        """Return the system of the rows of this one and the others.

        Parameters
        ----------
        others : sequence of QRSystem
            Systems with the same features, taken in the order given.

        Returns
        -------
        QRSystem
            One system.
        """
        triangle = self.triangle
        n = len(triangle)
        for other in others:
            triangle = scipy.linalg.lapack.dtpqrt(
                n, min(PANEL, n), triangle, other.triangle, overwrite_a=True, overwrite_b=True
            )[0]
        return self.from_triangle(triangle, self.n_rows + sum(other.n_rows for other in others))

    def absorb_rows(self, X: FloatArray, y: FloatArray, n_rows: int) -> QRSystem:
        """Return the system with rows folded in that are fewer than the features.

        Parameters
        ----------
        X : ndarray of shape (n, n_features)
            Scaled rows.
        y : ndarray of shape (n,)
            Scaled targets.
        n_rows : int
            Number of rows that are not absent.

        Returns
        -------
        QRSystem
            One system.
        """
        rows = np.empty((len(y), self.n_features + 1), order="F")
        rows[:, :-1] = X
        rows[:, -1] = y
        triangle = scipy.linalg.lapack.dtpqrt(
            0, min(PANEL, self.n_features + 1), self.triangle, rows, overwrite_a=True, overwrite_b=True
        )[0]
        return self.from_triangle(triangle, self.n_rows + n_rows)

    def to_state(self) -> dict[str, FloatArray]:
        """Return the packed factor and the form."""
        return {"form": np.array("qr"), "packed": self.packed, "n_rows": np.array(self.n_rows)}

    def _squared_residual(self, coef: FloatArray) -> FloatArray:
        R, z, rho_squared = self.to_factor()
        residual = coef @ R.T - z
        return np.asarray(np.einsum("ij,ij->i", residual, residual) + rho_squared)

    def _normal_residual(self, coef: FloatArray) -> FloatArray:
        R, z, _ = self.to_factor()
        return (z - coef @ R.T) @ R

    def _compute_gram(self) -> Gram:
        R, z, _ = self.to_factor()
        return Gram(R.T @ R, z @ R, self.y_squared)

    def _compute_factor(self) -> Factor:
        triangle = self.triangle
        return Factor(triangle[:-1, :-1], triangle[:-1, -1], float(triangle[-1, -1] ** 2))
