r"""Representative environments of one element, and the whitened kernel values of others to them.

The kernel is :math:`k(p, q) = \kappa^\zeta` with

.. math:: \kappa = \frac{p \cdot q + o^2}{\sqrt{(p \cdot p + o^2)(q \cdot q + o^2)}} ,

where o is 0 for descriptors in which the atom itself stands (SOAP), and else a constant that keeps a lone atom, whose
features are all 0, from having no direction. With the kernel matrix of the representatives :math:`K = U \Lambda U^T`,

.. math:: \varphi(p) = \Lambda^{-1/2} U^T [k(p) - k(\text{lone atom})]

are features in which the squared norm of the coefficients is that of the function in the space of the kernel, so that
ridge regression on them is kernel regression restricted to the representatives: subset of regressors, Nyström [1]_.

References
----------
.. [1] C. K. I. Williams, M. Seeger, NIPS 13 (2001); V. L. Deringer et al., Chem. Rev. 121, 10073 (2021).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.linalg
from scipy.linalg.lapack import dpstrf

from linmlp.units import FloatArray, IntArray

SMALLEST_EIGENVALUE = 1e-10
"""Eigenvalues of the kernel matrix below this part of the largest are dropped: that is how well they are known."""

SMALLEST_RESIDUAL = 0.01
"""Representatives whose kernel functions are combinations of the others but for a squared norm below this part of the
smallest eigenvalue are left out: no direction is lost by that."""


@dataclass(frozen=True, eq=False)
class Representatives:
    """Environments of one element.

    Attributes
    ----------
    vectors : ndarray of shape (n_sparse, n_functions)
        Features over their length sqrt(p.p + o²).
    constants : ndarray of shape (n_sparse,)
        o over the same length.
    offset : float
        o.
    zeta : float
        Exponent.
    whitening : ndarray of shape (n_sparse, n_kept)
        U Λ^{-1/2}.
    lone : ndarray of shape (n_functions,)
        Features of a lone atom.
    """

    vectors: FloatArray
    constants: FloatArray
    offset: float
    zeta: float
    whitening: FloatArray
    lone: FloatArray

    @property
    def n_kept(self) -> int:
        """Number of features."""
        return int(self.whitening.shape[1])

    @cached_property
    def lone_values(self) -> FloatArray:
        """Kernel values (n_sparse,) of a lone atom."""
        return np.asarray(self.powers(self.cosines(self.lone[None])[0])[0][0])

    def lengths(self, features: FloatArray) -> FloatArray:
        """Return sqrt(p.p + o²), (n,)."""
        return np.asarray(np.sqrt(np.einsum("if,if->i", features, features) + self.offset**2))

    def cosines(self, features: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return κ (n, n_sparse) and the lengths (n,) of features (n, n_functions)."""
        lengths = self.lengths(features)
        dots = features @ self.vectors.T + self.offset * self.constants
        return np.asarray(dots / lengths[:, None]), lengths

    def powers(self, cosines: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return κ^ζ and its derivative with respect to κ."""
        if not float(self.zeta).is_integer():  # powers of negative numbers there are none
            cosines = np.maximum(cosines, 0.0)
        lower = cosines ** (self.zeta - 1.0)
        return lower * cosines, self.zeta * lower

    def values(self, features: FloatArray) -> FloatArray:
        """Return the whitened kernel values (n, n_kept) of features (n, n_functions)."""
        cosines, _ = self.cosines(features)
        return np.asarray((self.powers(cosines)[0] - self.lone_values) @ self.whitening)

    def pull_back(self, features: FloatArray, d_energy_d_values: FloatArray) -> FloatArray:
        """Return the derivatives with respect to the features (n, n_functions).

        Parameters
        ----------
        features : ndarray of shape (n, n_functions)
            Of environments.
        d_energy_d_values : ndarray of shape (n, n_kept)
            Derivatives with respect to the whitened kernel values.

        Returns
        -------
        ndarray of shape (n, n_functions)
            Derivatives with respect to the features.
        """
        cosines, lengths = self.cosines(features)
        slopes = self.powers(cosines)[1] * (d_energy_d_values @ self.whitening.T) / lengths[:, None]
        along = np.einsum("is,is->i", slopes, cosines) / lengths
        return np.asarray(slopes @ self.vectors - along[:, None] * features)


def make_representatives(
    features: FloatArray, lone: FloatArray, offset: float, zeta: float
) -> tuple[Representatives, int]:
    """Return representatives without those that the others stand for, and how many fewer features there are.

    The kernel matrix is reduced by its pivoted Cholesky factor, then whitened by its eigenvalues: a representative
    whose kernel function is a combination of those of the others costs as much as any and adds nothing.

    Parameters
    ----------
    features : ndarray of shape (n_sparse, n_functions)
        Of environments.
    lone : ndarray of shape (n_functions,)
        Of a lone atom.
    offset : float
        Constant beside the features.
    zeta : float
        Exponent.

    Returns
    -------
    representatives : Representatives
        With their whitening.
    n_dropped : int
        Environments that were left out and directions that rounding would fill.
    """
    lengths = np.sqrt(np.einsum("if,if->i", features, features) + offset**2)
    vectors, constants = features / lengths[:, None], offset / lengths
    bare = Representatives(vectors, constants, offset, zeta, np.eye(len(features)), lone)
    matrix = bare.powers(bare.cosines(features)[0])[0]
    matrix = 0.5 * (matrix + matrix.T)
    own = _independent(matrix)
    values, directions = np.linalg.eigh(matrix[np.ix_(own, own)])
    order = np.flatnonzero(values > SMALLEST_EIGENVALUE * values[-1])[::-1]
    whitening = np.ascontiguousarray(directions[:, order] / np.sqrt(values[order]))
    made = Representatives(vectors[own], constants[own], offset, zeta, whitening, lone)
    return made, len(features) - made.n_kept


def _independent(matrix: FloatArray) -> IntArray:
    """Return, in order, the rows of a kernel matrix that are no combination of the others to the digits known."""
    last = len(matrix) - 1
    (largest,) = scipy.linalg.eigvalsh(matrix, subset_by_index=(last, last))
    _, pivots, rank, _ = dpstrf(matrix, tol=SMALLEST_RESIDUAL * SMALLEST_EIGENVALUE * largest)
    return np.sort(pivots[:rank] - 1)
