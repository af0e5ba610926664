"""Small questions about unit cells: volume, and vectors for directions without periodicity."""

import numpy as np
from numpy.typing import NDArray

from linmlp.exceptions import StructureError
from linmlp.units import FloatArray, IntArray

FLAT = 1e-10
"""Below this ratio of volume to the product of the vectors' lengths the vectors count as dependent."""


def cell_volume(cell: FloatArray) -> float | None:
    """Return the volume of a cell, or None where its vectors do not span space.

    Parameters
    ----------
    cell : ndarray of shape (3, 3)
        Cell vectors as rows, Å.

    Returns
    -------
    float or None
        Volume in Å³; None where a vector is zero or the three are linearly dependent.
    """
    (ax, ay, az), (bx, by, bz), (cx, cy, cz) = cell.tolist()
    volume = abs(ax * (by * cz - bz * cy) + ay * (bz * cx - bx * cz) + az * (bx * cy - by * cx))
    lengths = np.sqrt((ax * ax + ay * ay + az * az) * (bx * bx + by * by + bz * bz) * (cx * cx + cy * cy + cz * cz))
    return float(volume) if volume > FLAT * lengths else None


def complete_cell(cell: FloatArray, pbc: NDArray[np.bool_]) -> FloatArray:
    """Return a cell of full rank: vectors along non-periodic axes become unit normals of the others.

    Whatever the given cell holds along a non-periodic axis (zeros, a copy of another vector) has no
    meaning for distances, so it is replaced.

    Parameters
    ----------
    cell : ndarray of shape (3, 3)
        Cell vectors as rows, Å.
    pbc : ndarray of shape (3,), bool
        Which axes are periodic.

    Returns
    -------
    ndarray of shape (3, 3)
        Periodic vectors unchanged, the others of length 1 Å and orthogonal to all periodic ones.

    Raises
    ------
    StructureError
        If the periodic vectors are zero or linearly dependent.
    """
    periodic = np.flatnonzero(pbc)
    check_periodic_vectors(cell, periodic)
    if len(periodic) == 3:
        return np.array(cell, dtype=float)
    if len(periodic) == 0:
        return np.eye(3)
    complete = np.zeros((3, 3))
    complete[periodic] = cell[periodic]
    free = [axis for axis in range(3) if axis not in periodic]
    if len(periodic) == 1:
        along = cell[periodic[0]]
        complete[free[0]] = _unit_normal(along, np.eye(3)[np.argmin(np.abs(along))])
    others = [axis for axis in range(3) if axis != free[-1]]
    complete[free[-1]] = _unit_normal(complete[others[0]], complete[others[1]])
    return complete


def check_periodic_vectors(cell: FloatArray, periodic: IntArray) -> None:
    """Raise where the cell vectors of the periodic axes are zero or linearly dependent.

    Parameters
    ----------
    cell : ndarray of shape (3, 3)
        Cell vectors as rows, Å.
    periodic : ndarray of int
        Periodic axes, 0 to 2.
    """
    if len(periodic) == 0 or cell_volume(cell) is not None:
        return  # the usual case, without the cost of small arrays
    vectors = cell[periodic]
    lengths = np.sqrt(np.einsum("ax,ax->a", vectors, vectors))
    for axis, length in zip(periodic, lengths, strict=True):
        if not length > 0.0:
            raise StructureError(
                f"periodic along axis {axis}, but that cell vector is zero; "
                f"set the cell vector or switch pbc[{axis}] off"
            )
    if len(periodic) == 2:
        independent = np.linalg.norm(np.cross(vectors[0], vectors[1])) > FLAT * lengths.prod()
    else:
        independent = len(periodic) < 2 or cell_volume(cell) is not None
    if not independent:
        raise StructureError(
            f"the cell vectors of the periodic axes {periodic.tolist()} are linearly dependent "
            f"({vectors.tolist()} Å); correct the cell or switch one of these pbc off"
        )


def _unit_normal(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return the unit vector along a x b."""
    normal = np.cross(a, b)
    return np.asarray(normal / np.linalg.norm(normal))
