r"""Preconditioning by a sample of rows: coefficients :math:`c = D^{-1} L^{-T} v` in which the loss is nearly round.

D holds the norms of the columns, and :math:`L L^T` is the Gram matrix of a sample of scaled rows plus alpha.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg

from linmlp.system.row_source import RowSource
from linmlp.units import FloatArray


@dataclass(frozen=True)
class Preconditioner:
    """The map from preconditioned coefficients to coefficients.

    Parameters
    ----------
    scale : ndarray of shape (n_features,)
        D; 1 for columns that are zero.
    lower : ndarray of shape (n_features, n_features) or None
        L; None is the unit matrix.
    n_used : int
        Columns that are not zero.
    """

    scale: FloatArray
    lower: FloatArray | None
    n_used: int

    @classmethod
    def of(
        cls, rows: RowSource, alpha: float, sample_rows: float, random_state: int, factorize: bool = True
    ) -> Preconditioner:
        """Return the preconditioner of a source, after one pass over its rows.

        Parameters
        ----------
        rows : RowSource
            Weighted rows.
        alpha : float
            Ridge strength on scaled columns.
        sample_rows : float
            Rows of the sample in units of the features.
        random_state : int
            Seed of the sample.
        factorize : bool, default=True
            Whether to use the sample, or to scale columns alone.

        Returns
        -------
        Preconditioner
            Takes n_features² numbers if it uses the sample.
        """
        survey = rows.survey(int(np.ceil(sample_rows * rows.n_features)), random_state)
        scale = np.where(survey.column_norms > 0.0, survey.column_norms, 1.0)
        lower = None
        if factorize:
            sample = survey.sample / scale
            gram = sample.T @ sample
            gram.flat[:: len(scale) + 1] += alpha + np.finfo(float).eps * len(scale)
            lower = scipy.linalg.cholesky(gram, lower=True, check_finite=False)
        return cls(scale, lower, int(np.count_nonzero(survey.column_norms)))

    def to_scaled(self, v: FloatArray) -> FloatArray:
        """Return the coefficients on scaled columns, ``L⁻ᵀ v``.

        Parameters
        ----------
        v : ndarray of shape (n_features,)
            Preconditioned coefficients.

        Returns
        -------
        ndarray of shape (n_features,)
            Scaled coefficients ``D c``.
        """
        if self.lower is None:
            return v
        return np.asarray(scipy.linalg.solve_triangular(self.lower, v, lower=True, trans="T", check_finite=False))

    def pull_gradient(self, gradient: FloatArray) -> FloatArray:
        """Return ``L⁻¹ g``: the gradient with respect to preconditioned coefficients.

        Parameters
        ----------
        gradient : ndarray of shape (n_features,)
            Gradient with respect to the scaled coefficients.

        Returns
        -------
        ndarray of shape (n_features,)
            The same slope in other coordinates.
        """
        if self.lower is None:
            return gradient
        return np.asarray(scipy.linalg.solve_triangular(self.lower, gradient, lower=True, check_finite=False))
