"""Units, stress sign and Voigt order: the only home of such numbers.

Energies are in eV, lengths in Å, forces in eV/Å. Stress is in eV/Å³ and positive under tension, as in ASE:
``stress = (dE/dstrain) / volume``; ``virial = -volume * stress``.
"""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

EV_PER_A3_IN_GPA = 160.2176634
"""GPa per eV/Å³: the elementary charge of the 2019 SI times 1e21."""

COULOMB_EV_A = 14.399645478425668
"""e²/(4 pi epsilon_0) in eV Å (CODATA 2018)."""

A2_PER_PS_IN_CM2_PER_S = 1e-4
"""cm²/s per Å²/ps."""

E2_PER_EV_A_PS_IN_S_PER_CM = 16.02176634
"""S/cm per e²/(eV Å ps): the elementary charge of the 2019 SI times 1e20."""

EV_PS_PER_A3_IN_MPA_S = 160.2176634
"""mPa s per eV ps/Å³."""

VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))
"""Tensor indices of the six Voigt components, in ASE's order."""

VOIGT_MULTIPLICITY: FloatArray = np.array([1.0, 1.0, 1.0, 2.0, 2.0, 2.0])
"""How often a Voigt component stands in the 3x3 tensor (the weights of the Frobenius norm)."""

_ROWS, _COLUMNS = (np.array(axis) for axis in zip(*VOIGT, strict=True))


def voigt_from_matrix(tensor: FloatArray) -> FloatArray:
    """Return the Voigt components of symmetric tensors.

    Parameters
    ----------
    tensor : ndarray of shape (..., 3, 3)
        Symmetric tensors; the two triangles are averaged.

    Returns
    -------
    ndarray of shape (..., 6)
        Components xx, yy, zz, yz, xz, xy.
    """
    tensor = np.asarray(tensor, dtype=float)
    return np.asarray(0.5 * (tensor[..., _ROWS, _COLUMNS] + tensor[..., _COLUMNS, _ROWS]))


def matrix_from_voigt(voigt: FloatArray) -> FloatArray:
    """Return the symmetric tensors that have the given Voigt components.

    Parameters
    ----------
    voigt : ndarray of shape (..., 6)
        Components xx, yy, zz, yz, xz, xy.

    Returns
    -------
    ndarray of shape (..., 3, 3)
        Symmetric tensors.
    """
    voigt = np.asarray(voigt, dtype=float)
    tensor = np.empty((*voigt.shape[:-1], 3, 3))
    tensor[..., _ROWS, _COLUMNS] = voigt
    tensor[..., _COLUMNS, _ROWS] = voigt
    return tensor
