"""Features and derivatives of single centers."""

from typing import NamedTuple

from linmlp.units import FloatArray, IntArray


class CenterRows(NamedTuple):
    """Features of some centers of one element, and their derivatives.

    Attributes
    ----------
    features : ndarray of shape (n_centers, n_functions)
        Those of the element alone.
    slots : ndarray of int, shape (n_centers + 1,)
        Center c depends on ``atoms[slots[c]:slots[c + 1]]``.
    atoms : ndarray of int, shape (n_slots,)
        Atoms, each once per center.
    d_positions : ndarray of shape (3 n_slots, n_functions)
        Derivatives with respect to the positions of these atoms, 1/Å, row 3 slot + axis.
    d_strain : ndarray of shape (6 n_centers, n_functions)
        Derivatives with respect to the strain (Voigt).
    """

    features: FloatArray
    slots: IntArray
    atoms: IntArray
    d_positions: FloatArray
    d_strain: FloatArray
