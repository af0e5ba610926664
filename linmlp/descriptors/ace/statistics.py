"""What ACE learns about distances: structures in, histograms, nearest neighbors and closest approaches out."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from linmlp.neighbors import Pairs
from linmlp.units import FloatArray, IntArray

BIN_WIDTH = 0.005
"""Width of a histogram bin in Å: far below any feature of a radial function."""


@dataclass(frozen=True)
class DistanceStatistics:
    """Pair distances of a set of structures.

    Attributes
    ----------
    counts : ndarray of shape (n_elements, n_elements, n_bins)
        Number of pairs (center element, neighbor element) per bin of `BIN_WIDTH` Å.
    nearest : ndarray of shape (n_atoms_with_neighbors,)
        Distance of every atom to its nearest neighbor in Å.
    closest : ndarray of shape (n_elements, n_elements)
        Closest approach per pair of elements in Å; infinite where there is no such pair.
    """

    counts: IntArray
    nearest: FloatArray
    closest: FloatArray

    @property
    def bin_centers(self) -> FloatArray:
        """Distances at the middle of the bins, in Å."""
        return np.asarray((np.arange(self.counts.shape[-1]) + 0.5) * BIN_WIDTH, dtype=np.float64)

    @property
    def n_pairs(self) -> int:
        """Number of pairs that were counted."""
        return int(self.counts.sum())


def measure_distances(all_pairs: Iterable[Pairs], numbers: tuple[int, ...], cutoff: float) -> DistanceStatistics:
    """Return the distance statistics of structures.

    Parameters
    ----------
    all_pairs : iterable of Pairs
        One per structure.
    numbers : tuple of int
        Atomic numbers of the elements, ascending.
    cutoff : float
        Largest distance in Å.

    Returns
    -------
    DistanceStatistics
        Counts, nearest neighbors, closest approaches.
    """
    n_elements, n_bins = len(numbers), int(np.ceil(cutoff / BIN_WIDTH))
    counts = np.zeros(n_elements * n_elements * n_bins, dtype=np.int64)
    closest = np.full(n_elements * n_elements, np.inf)
    nearest = []
    for pairs in all_pairs:
        distances = pairs.distances
        if not len(distances):
            continue
        kinds = np.searchsorted(numbers, pairs.numbers)
        kind_of_pair = kinds[pairs.i] * n_elements + kinds[pairs.j]
        bins = np.minimum((distances / BIN_WIDTH).astype(np.int64), n_bins - 1)
        counts += np.bincount(kind_of_pair * n_bins + bins, minlength=len(counts))
        np.minimum.at(closest, kind_of_pair, distances)
        occupied = np.flatnonzero(np.diff(pairs.first))
        nearest.append(np.minimum.reduceat(distances, pairs.first[occupied]))
    return DistanceStatistics(
        counts.reshape(n_elements, n_elements, n_bins),
        np.concatenate(nearest) if nearest else np.empty(0),
        np.minimum(closest.reshape(n_elements, n_elements), closest.reshape(n_elements, n_elements).T),
    )
