r"""Preconditioning by a sample of rows: coefficients :math:`c = D^{-1} L^{-T} v` in which the loss is nearly round.

D holds the norms of the columns, and :math:`L L^T` is the Gram matrix of a sample of scaled rows plus alpha. A first
sample is drawn from all rows alike. It misses rows that are alone with what they say. By it the leverage of every row,
:math:`\ell = \|L^{-1}D^{-1}x\|^2`, is estimated, with which the second sample is drawn: rows of high leverage are all
in it, and the eigenvalues of the loss come to lie around 1 whatever the rows are [1]_.

References
----------
.. [1] M. B. Cohen, Y. T. Lee, C. Musco, C. Musco, R. Peng and A. Sidford, "Uniform sampling for matrix approximation",
   ITCS (2015).
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
        """Return the preconditioner of a source, after two passes over its rows (one without a sample).

        Parameters
        ----------
        rows : RowSource
            Weighted rows.
        alpha : float
            Ridge strength on scaled columns.
        sample_rows : float
            Rows of the first sample in units of the features, and of the second one in units of the summed leverage.
        random_state : int
            Seed of the sample.
        factorize : bool, default=True
            Whether to use the sample, or to scale columns alone.

        Returns
        -------
        Preconditioner
            Takes n_features² numbers if it uses the sample.
        """
        survey = rows.survey(int(np.ceil(sample_rows * rows.n_features)) if factorize else 0, random_state)
        scale = np.where(survey.column_norms > 0.0, survey.column_norms, 1.0)
        n_used = int(np.count_nonzero(survey.column_norms))
        if not factorize:
            return cls(scale, None, n_used)
        first = cls(scale, _factorize(survey.gram, scale, alpha), n_used)

        def probability(X: FloatArray) -> FloatArray:
            leverage = np.sum(first.pull_gradient((X / scale).T) ** 2, axis=0)
            # A row of the sample stands for many and hides its own leverage: this is what it has without itself.
            leverage /= np.maximum(1.0 - survey.weight * leverage, np.finfo(float).eps)
            return np.asarray(np.minimum(sample_rows * leverage, 1.0))

        gram = rows.weighted_sample(probability, random_state)
        return cls(scale, _factorize(gram, scale, alpha), n_used)

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
        gradient : ndarray of shape (n_features,) or (n_features, n)
            Gradient with respect to the scaled coefficients.

        Returns
        -------
        ndarray of the same shape
            The same slope in other coordinates.
        """
        if self.lower is None:
            return gradient
        return np.asarray(scipy.linalg.solve_triangular(self.lower, gradient, lower=True, check_finite=False))


def _factorize(gram: FloatArray, scale: FloatArray, alpha: float) -> FloatArray:
    """Return the Cholesky factor of a Gram matrix on scaled columns plus alpha; the matrix is overwritten."""
    gram /= scale
    gram /= scale[:, None]
    gram.flat[:: len(scale) + 1] += alpha + np.finfo(float).eps * len(scale)
    return np.asarray(scipy.linalg.cholesky(gram, lower=True, overwrite_a=True, check_finite=False))
