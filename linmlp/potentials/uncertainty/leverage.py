r"""Leverage of atoms: :math:`b^T (\sum_k b_k b_k^T / n)^{-1} b` with the training atoms of their element.

It is large where an atom has features that no combination of training atoms has.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg

from linmlp.potentials.uncertainty.atom_statistics import AtomStatistics, moments
from linmlp.system.threads import one_blas_thread
from linmlp.units import FloatArray, IntArray

RIDGE = 1e-5
"""Added to the diagonal of the Gram matrix of standardized atomic features, relative to its mean."""


@dataclass(frozen=True, eq=False)
class AtomLeverage:
    """Leverage of atoms among the training atoms of their element.

    Parameters
    ----------
    lower : ndarray of shape (n_features, n_features)
        Lower triangular factor of the Gram matrix, on scaled columns.
    scale : ndarray of shape (n_features,)
        Divides the features; infinite for those that no training atom has.
    """

    lower: FloatArray
    scale: FloatArray

    @classmethod
    def of(cls, statistics: AtomStatistics) -> AtomLeverage:
        """Return the leverage among the atoms of some statistics.

        Parameters
        ----------
        statistics : AtomStatistics
            Of training atoms.

        Returns
        -------
        AtomLeverage
            Factor and scale.
        """
        n = len(statistics.gram)
        lower, scale = np.eye(n), np.full(n, np.inf)
        for elements, columns in statistics.blocks():
            gram, _, std = moments(statistics, elements, columns)
            gram /= np.outer(std, std)
            gram.flat[:: len(gram) + 1] += RIDGE * np.trace(gram) / len(gram)
            lower[np.ix_(columns, columns)] = np.linalg.cholesky(gram)
            scale[columns] = std
        return cls(lower, scale)

    def __call__(self, features: FloatArray) -> FloatArray:
        """Return the leverages (n_atoms,) of atoms with features (n_atoms, n_features)."""
        scaled = (features / self.scale).T
        whitened = scipy.linalg.solve_triangular(self.lower, scaled, lower=True, check_finite=False)
        return np.asarray(np.einsum("ij,ij->j", whitened, whitened))

    def triangle(self, columns: IntArray) -> FloatArray:
        """Return W, lower triangular, such that the leverage is ``|W b|²`` for features b that are 0 elsewhere.

        Parameters
        ----------
        columns : ndarray of int, shape (n_columns,)
            Features of one element, ascending.

        Returns
        -------
        ndarray of shape (n_columns, n_columns)
            Columns of features that no training atom has are 0.
        """
        with one_blas_thread():
            others = np.setdiff1d(np.arange(len(self.scale)), columns, assume_unique=True)
            if not (self.lower[np.ix_(others, columns)].any() or self.lower[np.ix_(columns, others)].any()):
                inverse, _ = scipy.linalg.lapack.dtrtri(self.lower[np.ix_(columns, columns)], lower=1)
                return np.asarray(inverse / self.scale[columns])
            # Elements share features: the rows of the others count, too.
            inverse, _ = scipy.linalg.lapack.dtrtri(self.lower, lower=1)
            whole = (inverse[:, columns] / self.scale[columns])[:, ::-1]
            upper: FloatArray = np.linalg.qr(whole, mode="r")  # type: ignore[assignment]
            return upper[::-1, ::-1]
