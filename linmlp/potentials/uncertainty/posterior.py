r"""The posterior of the coefficients of a ridge fit, read off its compressed system.

With a Gaussian prior whose precision is the penalty of the ridge, the coefficients have the covariance

.. math:: \Sigma = s^2 (G + \alpha S \Gamma^2 S)^{-1}

with G the Gram matrix of the weighted rows, S the diagonal of column norms and :math:`\Gamma` the prior of `Ridge`
(C. M. Bishop, "Pattern Recognition and Machine Learning", Springer 2006, section 3.3). It is kept as the Cholesky
factor of the matrix on scaled columns and never inverted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import scipy.linalg

from linmlp.exceptions import SettingsError
from linmlp.system import CompressedSystem
from linmlp.system.packing import pack, packed_length, unpack_upper
from linmlp.system.threads import one_blas_thread
from linmlp.units import FloatArray, IntArray

SAFE_RCOND = 1e-13
"""Reciprocal condition number below which a Cholesky factor of the Gram matrix has lost the smallest directions."""


@dataclass(frozen=True)
class Posterior:
    """Covariance of coefficients as a factor: ``Σ = s² D⁻¹ (U Uᵀ)⁻¹ D⁻¹`` with D the scale of the columns.

    Parameters
    ----------
    lower : ndarray of shape (n_used, n_used)
        Lower triangular factor U of the penalized Gram matrix on scaled columns.
    scale : ndarray of shape (n_features,)
        Norms of the columns; features with 0 are in no row, or not used, and nothing is known of them.
    noise_variance : float
        s²: the weighted squared residual per degree of freedom of the fit.
    composition : ndarray of shape (n_elements, n_features)
        How reference energies follow the coefficients, ``e0 = constant − composition @ coef``; zeros if fixed. Each
        sample has the reference energies that fit its coefficients best.
    """

    lower: FloatArray
    scale: FloatArray
    noise_variance: float
    composition: FloatArray

    @classmethod
    def of(
        cls,
        system: CompressedSystem,
        alpha: float,
        composition: FloatArray | None = None,
        scale_columns: bool = True,
        prior: FloatArray | None = None,
    ) -> Posterior:
        """Return the posterior of the ridge fit to a system.

        Parameters
        ----------
        system : CompressedSystem
            Training problem, core rows included if there are any.
        alpha : float
            Ridge strength, above 0.
        composition : ndarray of shape (n_elements, n_features), optional
            ``matrix`` of the problem's `CompositionSolution`.
        scale_columns, prior
            As in `linmlp.solvers.Ridge`.

        Returns
        -------
        Posterior
            Factor, scale and noise.

        Raises
        ------
        SettingsError
            If alpha is not above 0 (directions without data would have no bounds), or no row constrains any feature.
        """
        if not (np.isfinite(alpha) and alpha > 0.0):
            raise SettingsError(f"alpha is {alpha}; the posterior needs a ridge strength above 0, such as 1e-8")
        with one_blas_thread():
            gram = system.to_gram()
            scale = np.sqrt(np.maximum(np.diagonal(gram.matrix), 0.0))
            used = np.flatnonzero(scale > 0.0).astype(np.int64)
            if not len(used):
                raise SettingsError("no row constrains any feature; give structures with labels of nonzero weight")
            norms = scale[used] if scale_columns else np.ones(len(used))
            gamma = np.ones(len(used)) if prior is None else np.asarray(prior, dtype=float)[used]
            lower = _factor(system, gram.matrix, used, norms, alpha * gamma**2)
            coef = np.zeros(len(scale))
            coef[used] = scipy.linalg.cho_solve((lower, True), gram.vector[used] / norms) / norms
            inverse, _ = scipy.linalg.lapack.dtrtri(lower, lower=1)
            effective = len(used) - alpha * float(np.sum((inverse * gamma) ** 2))
            variance = float(system.squared_residual(coef)) / max(system.n_rows - effective, 1.0)
        scale[used] = norms
        shape = (0, len(scale))
        return cls(lower, scale, variance, np.zeros(shape) if composition is None else np.asarray(composition))

    def spread(self, columns: IntArray, n_features: int) -> Posterior:
        """Return the posterior of a fit with some of the features, as one of all features.

        Parameters
        ----------
        columns : ndarray of int, shape (n_chosen,)
            Features that this one knows, ascending.
        n_features : int
            Number of all features.

        Returns
        -------
        Posterior
            Coefficients of features that are not among the columns are 0 and certain.
        """
        scale, composition = np.zeros(n_features), np.zeros((len(self.composition), n_features))
        scale[columns], composition[:, columns] = self.scale, self.composition
        return Posterior(self.lower, scale, self.noise_variance, composition)

    @property
    def n_features(self) -> int:
        """Number of features."""
        return len(self.scale)

    def sample(self, n_members: int, random_state: int = 0) -> FloatArray:
        """Return deviations of coefficients from their mean, drawn from the posterior.

        Parameters
        ----------
        n_members : int
            Number of samples.
        random_state : int
            Seed.

        Returns
        -------
        ndarray of shape (n_members, n_features)
            In eV; add the fitted coefficients to get a potential.
        """
        used = self._used
        normal = np.random.default_rng(random_state).normal(size=(len(used), n_members))
        deviations = np.zeros((n_members, self.n_features))
        solved = scipy.linalg.solve_triangular(self.lower.T, normal, lower=False)
        deviations[:, used] = np.sqrt(self.noise_variance) * solved.T / self.scale[used]
        return deviations

    def leverage(self, features: FloatArray) -> FloatArray:
        """Return ``bᵀ (G + penalty)⁻¹ b`` of feature vectors.

        Parameters
        ----------
        features : ndarray of shape (n, n_features)
            Rows b.

        Returns
        -------
        ndarray of shape (n,)
            0 or more.
        """
        used = self._used
        scaled = np.asarray(features)[:, used] / self.scale[used]
        whitened = scipy.linalg.solve_triangular(self.lower, scaled.T, lower=True, check_finite=False)
        return np.asarray(np.einsum("ij,ij->j", whitened, whitened))

    def energy_std(self, feature_sums: FloatArray, counts: FloatArray | None = None, noise: float = 0.0) -> FloatArray:
        """Return the standard deviation of total energies.

        Parameters
        ----------
        feature_sums : ndarray of shape (n_structures, n_features)
            Features summed over the atoms of each structure.
        counts : ndarray of shape (n_structures, n_elements), optional
            Atoms of each element, which takes into account that reference energies follow the coefficients.
        noise : float
            Standard deviation of the labels to be added in quadrature, eV.

        Returns
        -------
        ndarray of shape (n_structures,)
            In eV, as the posterior has it: not calibrated.
        """
        rows = np.atleast_2d(feature_sums)
        if counts is not None:
            rows = rows - np.atleast_2d(counts) @ self.composition
        return np.asarray(np.sqrt(self.noise_variance * self.leverage(rows) + noise**2))

    def to_state(self) -> dict[str, FloatArray]:
        """Return arrays, the factor as a packed triangle.

        Returns
        -------
        dict of str to ndarray
            For `from_state`.
        """
        packed = np.empty(packed_length(len(self.lower)))
        pack(self.lower.T, packed)
        return {
            "packed": packed,
            "scale": self.scale,
            "noise_variance": np.array([self.noise_variance]),
            "composition": self.composition,
        }

    @classmethod
    def from_state(cls, arrays: Mapping[str, FloatArray]) -> Posterior:
        """Return the posterior that `to_state` described.

        Parameters
        ----------
        arrays : mapping of str to ndarray
            From `to_state`.

        Returns
        -------
        Posterior
            The same numbers.
        """
        scale = np.asarray(arrays["scale"])
        lower = unpack_upper(arrays["packed"], int(np.count_nonzero(scale))).T
        return cls(lower, scale, float(arrays["noise_variance"][0]), np.asarray(arrays["composition"]))

    @property
    def _used(self) -> IntArray:
        """Features that some row constrains."""
        return np.flatnonzero(self.scale > 0.0).astype(np.int64)


def _factor(
    system: CompressedSystem, matrix: FloatArray, used: IntArray, norms: FloatArray, penalty: FloatArray
) -> FloatArray:
    """Return the lower factor of the matrix, by QR of the rows' factor where the Gram matrix is too coarse."""
    penalized = matrix[np.ix_(used, used)] / np.outer(norms, norms)
    one_norm = float(np.abs(penalized).sum(axis=0).max() + penalty.max())
    penalized.flat[:: len(penalized) + 1] += penalty
    try:
        lower: FloatArray = np.linalg.cholesky(penalized).astype(float, copy=False)
        rcond, _ = scipy.linalg.lapack.dpocon(lower.T, one_norm)
        if rcond > SAFE_RCOND:
            return lower
    except np.linalg.LinAlgError:
        pass
    rows = np.vstack([system.to_factor().R[:, used] / norms, np.diag(np.sqrt(penalty))])
    upper = scipy.linalg.qr(rows, mode="r", check_finite=False)[0][: len(used)]
    signs = np.where(np.diagonal(upper) < 0.0, -1.0, 1.0)
    return np.ascontiguousarray((signs[:, None] * upper).T)
