"""Guards for the library that searches pairs: it must not meet boxes of more bins than it can count.

vesin sorts atoms into bins as wide as the cutoff and, beyond 1e5 bins, shrinks their number along each axis.
In long thin boxes (two fragments that drift apart in vacuum, a huge thin sheet) one of these numbers reaches zero and
the process dies of a division by zero. Here such boxes are made harmless before the search.
"""

import numpy as np
from numpy.typing import NDArray

from linmlp.exceptions import StructureError
from linmlp.units import FloatArray

MAX_BINS = 1e5
"""The number of bins from which vesin starts to shrink."""

MAX_REACH = 20.0
"""Search at most this many cutoffs far to keep the number of bins down."""


def fit_to_bins(
    positions: FloatArray, lattice: FloatArray, pbc: NDArray[np.bool_], cutoff: float
) -> tuple[FloatArray, float]:
    """Return positions and a search radius that give the pairs within the cutoff, in a box that vesin can bin.

    Parameters
    ----------
    positions : ndarray of shape (n_atoms, 3)
        Positions, Å.
    lattice : ndarray of shape (3, 3)
        Cell of full rank with unit normals along non-periodic axes, Å.
    pbc : ndarray of shape (3,), bool
        Which axes are periodic.
    cutoff : float
        Largest distance, Å.

    Returns
    -------
    positions : ndarray of shape (n_atoms, 3)
        The same, or with wide empty gaps along non-periodic axes closed to two cutoffs: distances below the cutoff
        are unchanged, no others fall below it.
    reach : float
        Radius to search with, Å; if larger than the cutoff, pairs beyond the cutoff have to be dropped.

    Raises
    ------
    StructureError
        If a periodic cell is so long and thin that even this does not help.
    """
    if _count_bins(_extents(positions, lattice, pbc), cutoff) <= MAX_BINS:
        return positions, cutoff
    positions = _close_gaps(positions, lattice, pbc, cutoff)
    extents = _extents(positions, lattice, pbc)
    reach = cutoff
    while _count_bins(extents, reach) > MAX_BINS:
        reach *= 1.2
    if reach > MAX_REACH * cutoff:
        raise StructureError(
            f"the structure extends over {np.round(extents, 1).tolist()} Å along its axes, too long and thin to search "
            f"pairs within {cutoff:g} Å; make the cell shorter, or switch pbc off along axes that hold mostly vacuum"
        )
    return positions, reach


def _extents(positions: FloatArray, lattice: FloatArray, pbc: NDArray[np.bool_]) -> FloatArray:
    """Return the height of the cell along periodic axes, the spread of the atoms along the others."""
    inverse = np.linalg.inv(lattice)
    heights: FloatArray = 1.0 / np.sqrt(np.einsum("xk,xk->k", inverse, inverse))
    if pbc.all() or len(positions) == 0:
        return heights
    return np.asarray(np.where(pbc, heights, np.ptp(positions @ inverse, axis=0)))


def _count_bins(extents: FloatArray, width: float) -> float:
    """Return the number of bins of a box."""
    return float(np.prod(np.maximum(1.0, extents / width)))


def _close_gaps(positions: FloatArray, lattice: FloatArray, pbc: NDArray[np.bool_], cutoff: float) -> FloatArray:
    """Shorten empty stretches along non-periodic axes to two cutoffs."""
    positions = positions.copy()
    for axis in np.flatnonzero(~pbc):
        normal = lattice[axis]
        height = positions @ normal
        order = np.argsort(height)
        gaps = np.diff(height[order])
        surplus = np.concatenate(([0.0], np.cumsum(np.maximum(gaps - 2.0 * cutoff, 0.0))))
        positions[order] -= surplus[:, None] * normal
    return positions
