r"""Elastic tensors: rotation, symmetry, moduli, stability.

Voigt strains are engineering ones: :math:`(E_{xx}, E_{yy}, E_{zz}, 2E_{yz}, 2E_{xz}, 2E_{xy})`. Inside, tensors are
turned into Mandel's form, :math:`M_{ij} = d_i d_j C_{ij}` with d = 1 for the first three components and √2 for the
others, in which rotations are orthogonal 6x6 matrices and eigenvalues mean something.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from linmlp.evaluation.mechanics.differences import as_dict
from linmlp.exceptions import SettingsError
from linmlp.units import VOIGT, FloatArray, matrix_from_voigt, voigt_from_matrix

MANDEL: FloatArray = np.sqrt([1.0, 1.0, 1.0, 2.0, 2.0, 2.0])
"""Factors between Voigt's and Mandel's form of a stress; engineering strains are divided by them."""

NAMES = tuple(f"C{i + 1}{j + 1}" for i in range(6) for j in range(i, 6))
"""Names of the upper triangle, row by row."""


@dataclass(frozen=True)
class Moduli:
    """Averages over directions, as of a polycrystal.

    Parameters
    ----------
    bulk_voigt, bulk_reuss, bulk_modulus : float
        Upper bound, lower bound and their mean (Hill), GPa.
    shear_voigt, shear_reuss, shear_modulus : float
        The same of the shear modulus, GPa.
    young_modulus : float
        From Hill's means, GPa.
    poisson_ratio : float
        From Hill's means.
    anisotropy : float
        Universal index of Ranganathan and Ostoja-Starzewski, Phys. Rev. Lett. 101, 055504 (2008); 0 if isotropic.
    """

    bulk_voigt: float
    bulk_reuss: float
    bulk_modulus: float
    shear_voigt: float
    shear_reuss: float
    shear_modulus: float
    young_modulus: float
    poisson_ratio: float
    anisotropy: float


@dataclass(frozen=True)
class ElasticTensor:
    """Stiffness of a crystal.

    Parameters
    ----------
    matrix : ndarray of shape (6, 6)
        Symmetric; stress by engineering strain in Voigt order xx, yy, zz, yz, xz, xy, GPa.
    """

    matrix: FloatArray

    def __post_init__(self) -> None:
        matrix = np.asarray(self.matrix, dtype=float)
        if matrix.shape != (6, 6) or not np.isfinite(matrix).all():
            raise SettingsError(f"an elastic tensor is 6 x 6 finite numbers, not {matrix.shape}")
        object.__setattr__(self, "matrix", (matrix + matrix.T) / 2.0)

    @property
    def mandel(self) -> FloatArray:
        """In Mandel's form, shape (6, 6), GPa."""
        return self.matrix * np.outer(MANDEL, MANDEL)

    @property
    def constants(self) -> dict[str, float]:
        """Entries of the upper triangle by name, GPa."""
        return dict(zip(NAMES, map(float, self.matrix[np.triu_indices(6)]), strict=True))

    @property
    def eigenvalues(self) -> FloatArray:
        """Of Mandel's form: stiffness against six modes of strain, ascending, shape (6,), GPa; of a cubic one 2 C44."""
        return np.asarray(np.linalg.eigvalsh(self.mandel))

    @property
    def is_stable(self) -> bool:
        """Whether every strain costs energy (Born)."""
        return bool(self.eigenvalues[0] > 0.0)

    @property
    def softest(self) -> FloatArray:
        """The strain that costs least, engineering Voigt components, largest entry 1, shape (6,)."""
        mode = np.linalg.eigh(self.mandel)[1][:, 0] * MANDEL
        return np.asarray(mode / mode[np.argmax(np.abs(mode))])

    def rotated(self, rotation: FloatArray) -> ElasticTensor:
        """Return the tensor of the rotated crystal.

        Parameters
        ----------
        rotation : ndarray of shape (3, 3)
            Orthogonal; x goes to ``rotation @ x``.

        Returns
        -------
        ElasticTensor
            In the same axes.
        """
        q = mandel_rotation(rotation)
        return ElasticTensor(q @ self.mandel @ q.T / np.outer(MANDEL, MANDEL))

    def symmetrized(self, rotations: FloatArray) -> ElasticTensor:
        """Return the mean over the operations of a point group.

        Parameters
        ----------
        rotations : ndarray of shape (n_rotations, 3, 3)
            All of them.

        Returns
        -------
        ElasticTensor
            The closest one with that symmetry.
        """
        return ElasticTensor(np.mean([self.rotated(rotation).matrix for rotation in rotations], axis=0))

    def young_modulus(self, directions: FloatArray) -> FloatArray:
        """Return Young's modulus along some directions.

        Parameters
        ----------
        directions : ndarray of shape (n, 3)
            Of any length.

        Returns
        -------
        ndarray of shape (n,)
            GPa.

        Raises
        ------
        SettingsError
            If the tensor is not stable: it has none.
        """
        if not self.is_stable:
            raise SettingsError(
                f"an unstable tensor (least stiffness {self.eigenvalues[0]:.2f} GPa) has no Young's modulus"
            )
        n = np.asarray(directions, dtype=float)
        n = n / np.linalg.norm(n, axis=1, keepdims=True)
        pull = voigt_from_matrix(n[:, :, None] * n[:, None, :])
        return np.asarray(1.0 / np.einsum("ni,ij,nj->n", pull, np.linalg.inv(self.matrix), pull))

    def moduli(self) -> Moduli:
        """Return averages after Voigt, Reuss and Hill.

        Returns
        -------
        Moduli
            Reuss's means are NaN for a tensor that is not stable.
        """
        c, s = self.matrix, np.full((6, 6), np.nan)
        if self.is_stable:
            s = np.linalg.inv(self.matrix)
        diagonal, off = np.trace(c[:3, :3]), c[0, 1] + c[1, 2] + c[0, 2]
        bulk_voigt = (diagonal + 2.0 * off) / 9.0
        shear_voigt = (diagonal - off + 3.0 * np.trace(c[3:, 3:])) / 15.0
        diagonal, off = np.trace(s[:3, :3]), s[0, 1] + s[1, 2] + s[0, 2]
        bulk_reuss = 1.0 / (diagonal + 2.0 * off)
        shear_reuss = 15.0 / (4.0 * (diagonal - off) + 3.0 * np.trace(s[3:, 3:]))
        bulk, shear = (bulk_voigt + bulk_reuss) / 2.0, (shear_voigt + shear_reuss) / 2.0
        young = 9.0 * bulk * shear / (3.0 * bulk + shear)
        poisson = (3.0 * bulk - 2.0 * shear) / (2.0 * (3.0 * bulk + shear))
        anisotropy = 5.0 * shear_voigt / shear_reuss + bulk_voigt / bulk_reuss - 6.0
        numbers = (bulk_voigt, bulk_reuss, bulk, shear_voigt, shear_reuss, shear, young, poisson, anisotropy)
        return Moduli(*map(float, numbers))

    def __str__(self) -> str:
        return "\n".join("".join(f"{value:9.2f}" for value in row) for row in np.round(self.matrix, 2) + 0.0)

    def to_dict(self) -> dict[str, Any]:
        """Return the matrix (GPa) and what follows from it.

        Returns
        -------
        dict
            Plain JSON types.
        """
        return as_dict(
            {
                "matrix": self.matrix,
                "moduli": self.moduli(),
                "eigenvalues": self.eigenvalues,
                "is_stable": self.is_stable,
            }
        )


def mandel_rotation(rotation: FloatArray) -> FloatArray:
    """Return the orthogonal matrix that rotates symmetric tensors in Mandel's form.

    Parameters
    ----------
    rotation : ndarray of shape (3, 3)
        Orthogonal.

    Returns
    -------
    ndarray of shape (6, 6)
        Acts on columns.
    """
    units = matrix_from_voigt(np.eye(6) / MANDEL)
    return np.asarray((voigt_from_matrix(rotation @ units @ np.transpose(rotation)) * MANDEL).T)


def wallace_tensor(tensor: ElasticTensor, stress: FloatArray) -> ElasticTensor:
    r"""Return the stress-strain coefficients under a stress, symmetrized, whose positive definiteness is stability.

    .. math:: B_{ijkl} = C_{ijkl} + \tfrac12(\sigma_{ik}\delta_{jl} + \sigma_{jk}\delta_{il} + \sigma_{il}\delta_{jk}
        + \sigma_{jl}\delta_{ik} - 2\sigma_{ij}\delta_{kl})

    Parameters
    ----------
    tensor : ElasticTensor
        Second derivatives of the energy by Green strain, GPa.
    stress : ndarray of shape (6,)
        Cauchy stress, GPa.

    Returns
    -------
    ElasticTensor
        Symmetrized over the pairs ij and kl.
    """
    sigma, delta = matrix_from_voigt(stress), np.eye(3)
    extra = np.zeros((6, 6))
    for p, (i, j) in enumerate(VOIGT):
        for q, (k, l) in enumerate(VOIGT):
            extra[p, q] = 0.5 * (
                sigma[i, k] * delta[j, l]
                + sigma[j, k] * delta[i, l]
                + sigma[i, l] * delta[j, k]
                + sigma[j, l] * delta[i, k]
                - sigma[i, j] * delta[k, l]
                - sigma[k, l] * delta[i, j]
            )
    return ElasticTensor(tensor.matrix + extra)
