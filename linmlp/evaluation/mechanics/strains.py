r"""Crystals under a given strain, and the stress that goes with it.

Strain is Green's, :math:`E = (F^\mathsf{T} F - 1)/2` with F the deformation gradient, and the stress that goes with it
the second of Piola and Kirchhoff, :math:`S = \det F\; F^{-1} \sigma F^{-\mathsf{T}}`: the derivative of the energy per
volume of the reference with respect to E. Neither depends on rotations of the deformed crystal [1]_.

References
----------
.. [1] D. C. Wallace, "Thermodynamics of Crystals", Wiley (1972), chapter 1.
"""

from __future__ import annotations

import numpy as np
from ase import Atoms

from linmlp.units import FloatArray, matrix_from_voigt, voigt_from_matrix

ENGINEERING: FloatArray = np.array([1.0, 1.0, 1.0, 2.0, 2.0, 2.0])
"""Engineering strains in units of tensor components."""


def deformation(strain: FloatArray) -> FloatArray:
    """Return the symmetric deformation gradient that has a given Green strain.

    Parameters
    ----------
    strain : ndarray of shape (6,)
        Engineering Voigt components.

    Returns
    -------
    ndarray of shape (3, 3)
        The root of 1 + 2E.
    """
    values, vectors = np.linalg.eigh(np.eye(3) + 2.0 * matrix_from_voigt(np.asarray(strain) / ENGINEERING))
    return np.asarray((vectors * np.sqrt(values)) @ vectors.T)


def deform(atoms: Atoms, gradient: FloatArray) -> Atoms:
    """Return a deformed copy with the same calculator; atoms keep their fractional positions.

    Parameters
    ----------
    atoms : ase.Atoms
        Crystal.
    gradient : ndarray of shape (3, 3)
        Deformation gradient.

    Returns
    -------
    ase.Atoms
        Cell vectors a (rows) have become ``gradient @ a``.
    """
    copy = atoms.copy()
    copy.set_cell(atoms.cell.array @ gradient.T, scale_atoms=True)
    copy.calc = atoms.calc
    return copy


def green_strain(gradient: FloatArray) -> FloatArray:
    """Return the Green strain of a deformation.

    Parameters
    ----------
    gradient : ndarray of shape (3, 3)
        Deformation gradient.

    Returns
    -------
    ndarray of shape (6,)
        Engineering Voigt components.
    """
    return voigt_from_matrix((gradient.T @ gradient - np.eye(3)) / 2.0) * ENGINEERING


def piola_stress(gradient: FloatArray, stress: FloatArray) -> FloatArray:
    """Return the second Piola-Kirchhoff stress.

    Parameters
    ----------
    gradient : ndarray of shape (3, 3)
        Deformation gradient.
    stress : ndarray of shape (6,)
        Cauchy stress, Voigt components, any unit.

    Returns
    -------
    ndarray of shape (6,)
        Voigt components in the same unit.
    """
    inverse = np.linalg.inv(gradient)
    return voigt_from_matrix(np.linalg.det(gradient) * inverse @ matrix_from_voigt(stress) @ inverse.T)
