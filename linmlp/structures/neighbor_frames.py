"""Structures that are nearly the same: frames that follow each other in a trajectory, and duplicates."""

from collections.abc import Callable, Sequence

import numpy as np
from ase import Atoms
from scipy.spatial import cKDTree

from linmlp.structures.cells import complete_cell
from linmlp.units import FloatArray, IntArray

DUPLICATE = 1e-3
"""Structures whose atoms differ by less than this (Å, root mean square) are one structure: files hold about four
decimals, and no calculation tells them apart."""

RELATED = 0.5
"""Two frames are related if they differ by less than this part of what structures of their composition usually differ
by. Displacements u of frames with correlation ρ differ by √(2 (1 − ρ)) |u|, so half of that at ρ = 0 means ρ > 0.75."""

COORDINATES = 8
"""Principal coordinates in which candidates are searched; search trees lose their advantage beyond about ten."""

CHUNK = 4096
"""Pairs that are compared at a time."""


def related_pairs(structures: Sequence[Atoms]) -> IntArray:
    r"""Return the pairs of structures that are nearly the same: duplicates anywhere, and frames that follow each other.

    Only structures with the same atomic numbers in the same order and the same periodicity are compared. Their
    distance is the root of :math:`\sum_a |\Delta r_a|^2 / n_{atoms} + \|\Delta h\|^2`: displacements at fixed
    fractional coordinates, to the nearest image and without a common translation, and the change of the cell vectors
    h. Two structures are related if it is below 0.001 Å (duplicates), or if they stand side by side in the list and it
    is below half of the median distance between random structures of that kind, where there are at least three.

    Parameters
    ----------
    structures : sequence of ase.Atoms
        Structures; the frames of a trajectory in their order.

    Returns
    -------
    ndarray of shape (n_pairs, 2), int64
        Pairs (i, j) with i < j, ascending.

    Notes
    -----
    Coordinates that bound the distance from below are reduced to their principal components, in which a search tree
    finds the candidates for duplicates; only these are compared in full.

    Examples
    --------
    >>> from ase.build import bulk
    >>> copper = bulk("Cu", cubic=True)
    >>> related_pairs([copper, bulk("Al"), copper.copy()]).tolist()
    [[0, 2]]
    """
    return _collect(structures, _Family.related)


def duplicate_pairs(structures: Sequence[Atoms]) -> IntArray:
    """Return the pairs of structures that are one structure: the duplicates among `related_pairs`.

    Parameters
    ----------
    structures : sequence of ase.Atoms
        Structures.

    Returns
    -------
    ndarray of shape (n_pairs, 2), int64
        Pairs (i, j) with i < j, ascending.
    """
    return _collect(structures, _Family.duplicates)


def _collect(structures: Sequence[Atoms], find: "Callable[[_Family], IntArray]") -> IntArray:
    """Return the pairs found among the structures with the same atoms and periodicity."""
    families: dict[tuple[bytes, bytes], list[int]] = {}
    for index, atoms in enumerate(structures):
        families.setdefault((atoms.numbers.tobytes(), atoms.pbc.tobytes()), []).append(index)
    found = [np.empty((0, 2), dtype=np.int64)]
    for members in families.values():
        if len(members) > 1:
            places = np.array(members)
            found.append(places[find(_Family([structures[i] for i in members], places))])
    pairs = np.unique(np.concatenate(found), axis=0)
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


class _Family:
    """Structures with the same atoms and periodicity, and their places in the list."""

    def __init__(self, structures: Sequence[Atoms], places: IntArray) -> None:
        self.places = places
        self.pbc = np.asarray(structures[0].pbc)
        self.cells = np.array([complete_cell(np.asarray(a.cell.array, dtype=float), a.pbc) for a in structures])
        positions = np.array([atoms.positions for atoms in structures])
        self.fractional = positions @ np.linalg.inv(self.cells)

    def related(self) -> IntArray:
        """Return the related pairs, (n_pairs, 2)."""
        n = len(self.cells)
        equal = self.duplicates()
        if n < 3:
            return equal
        others = (np.arange(n) + np.random.default_rng(0).integers(1, n, size=n)) % n
        usual = float(np.median(self.distances(np.stack([np.arange(n), others], axis=1))))
        follows = np.flatnonzero(np.diff(self.places) == 1)
        frames = np.stack([follows, follows + 1], axis=1)
        return np.concatenate([equal, frames[self.distances(frames) < RELATED * usual]])

    def duplicates(self) -> IntArray:
        """Return the pairs that are one structure, (n_pairs, 2)."""
        equal = cKDTree(self._coordinates()).query_pairs(DUPLICATE, output_type="ndarray").astype(np.int64)
        equal = np.sort(equal, axis=1)
        return np.asarray(equal[self.distances(equal) < DUPLICATE])

    def distances(self, pairs: IntArray) -> FloatArray:
        """Return the distances of pairs, (n_pairs,), Å."""
        parts = [self._distances(pairs[k : k + CHUNK]) for k in range(0, len(pairs), CHUNK)]
        return np.concatenate([np.empty(0), *parts])

    def _distances(self, pairs: IntArray) -> FloatArray:
        one, other = pairs.T
        difference = self._nearest(self.fractional[other] - self.fractional[one])
        # The translation: that of the first atom brings all near zero, then the mean is exact.
        difference = self._nearest(difference - difference[:, :1])
        difference -= difference.mean(axis=1, keepdims=True)
        moved = difference @ (0.5 * (self.cells[one] + self.cells[other]))
        strain = (self.cells[other] - self.cells[one])[:, self.pbc]
        squares = np.einsum("pax,pax->p", moved, moved) / moved.shape[1] + np.einsum("pkx,pkx->p", strain, strain)
        return np.asarray(np.sqrt(squares))

    def _nearest(self, difference: FloatArray) -> FloatArray:
        """Return fractional differences to the nearest image along periodic axes."""
        return np.asarray(difference - np.where(self.pbc, np.round(difference), 0.0))

    def _coordinates(self) -> FloatArray:
        """Return a few coordinates per structure whose distance never exceeds that of the structures.

        Atoms are taken relative to the next one, which no translation changes, on a circle along periodic axes, which
        no wrapping changes. A chord is shorter than its arc, heights of the cell times fractional differences are
        shorter than displacements, of which there are three components, and a difference of two displacements has at
        most four times the mean square: hence the factor 1 / (2 √3).
        """
        heights = 1.0 / np.linalg.norm(np.linalg.inv(self.cells), axis=1).max(axis=0)
        relative = np.roll(self.fractional, -1, axis=1) - self.fractional
        angles = 2.0 * np.pi * relative[..., self.pbc]
        around = np.stack([np.cos(angles), np.sin(angles)]) * heights[self.pbc] / (2.0 * np.pi)
        n, n_atoms = relative.shape[:2]
        straight = relative[..., ~self.pbc].reshape(n, -1)
        columns = np.concatenate([*around.reshape(2, n, -1), straight], axis=1) / (2.0 * np.sqrt(3.0 * n_atoms))
        columns = np.concatenate([columns, self.cells[:, self.pbc].reshape(n, -1) / np.sqrt(2.0)], axis=1)
        columns /= np.sqrt(2.0)  # positions and cells each take at most half of the squared distance
        columns -= columns.mean(axis=0)
        _, directions = np.linalg.eigh(columns.T @ columns)
        return np.asarray(columns @ directions[:, -COORDINATES:])
