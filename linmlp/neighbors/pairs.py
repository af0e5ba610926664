"""Pairs of atoms within a cutoff, all periodic images included."""

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from vesin import NeighborList

from linmlp.exceptions import SettingsError, StructureError
from linmlp.neighbors.extents import fit_to_bins
from linmlp.structures.cells import cell_volume, complete_cell
from linmlp.units import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Pairs:
    """All ordered pairs of atoms of one structure, grouped by their first atom.

    Every pair stands in the list twice, as (i, j) and as (j, i); an atom and its own periodic images are pairs
    too. Within one center i the pairs are sorted by the atomic number of j, then j, then the cell shift.

    Parameters
    ----------
    numbers : ndarray of shape (n_atoms,), int64
        Atomic numbers.
    positions : ndarray of shape (n_atoms, 3)
        Positions, Å.
    first : ndarray of shape (n_atoms + 1,), int64
        The pairs of center i are ``first[i]:first[i + 1]``.
    j : ndarray of shape (n_pairs,), int64
        Second atom of each pair.
    shift : ndarray of shape (n_pairs, 3)
        Translation of the second atom, Å (``S @ cell``), so that the pair vector is
        ``positions[j] - positions[i] + shift``.
    cutoff : float
        Interactions end here, Å. A list made with a Verlet skin also holds pairs that are farther apart.
    volume : float or None
        Volume of the cell, Å³; None where the cell vectors do not span space.
    """

    numbers: IntArray
    positions: FloatArray
    first: IntArray
    j: IntArray
    shift: FloatArray
    cutoff: float
    volume: float | None

    @property
    def i(self) -> IntArray:
        """First atom of each pair, shape (n_pairs,)."""
        return np.repeat(np.arange(len(self.numbers)), np.diff(self.first))

    @property
    def vectors(self) -> FloatArray:
        """Vectors from the first to the second atom, shape (n_pairs, 3), Å."""
        return np.asarray(self.positions[self.j] - self.positions[self.i] + self.shift)

    @property
    def distances(self) -> FloatArray:
        """Distances between the two atoms, shape (n_pairs,), Å."""
        vectors = self.vectors
        return np.asarray(np.sqrt(np.einsum("px,px->p", vectors, vectors)))

    def __len__(self) -> int:
        """Return the number of pairs, each counted in both directions."""
        return len(self.j)


def find_pairs(atoms: Atoms, cutoff: float) -> Pairs:
    """Return all pairs of atoms closer than a cutoff.

    Any cell will do: smaller than the cutoff, periodic in some directions only, with zero or dependent vectors along
    the others, atoms inside or outside of it.

    Parameters
    ----------
    atoms : ase.Atoms
        Structure.
    cutoff : float
        Largest distance, Å.

    Returns
    -------
    Pairs
        Sorted full list.

    Raises
    ------
    StructureError
        If positions or cell are not finite, or the structure is periodic along a zero or dependent cell vector.
    SettingsError
        If the cutoff is not a positive number.

    Examples
    --------
    >>> from ase.build import bulk
    >>> pairs = find_pairs(bulk("Cu", a=3.6), cutoff=3.0)
    >>> len(pairs), pairs.first.tolist()
    (12, [0, 12])
    """
    numbers = np.array(atoms.numbers, dtype=np.int64)
    positions = np.array(atoms.positions, dtype=float)
    cell = np.asarray(atoms.cell.array, dtype=float)
    first, j, cell_shift, lattice = search(numbers, positions, cell, atoms.pbc, cutoff)
    return Pairs(numbers, positions, first, j, cell_shift @ lattice, float(cutoff), cell_volume(cell))


def search(
    numbers: IntArray, positions: FloatArray, cell: FloatArray, pbc: NDArray[np.bool_], cutoff: float
) -> tuple[IntArray, IntArray, FloatArray, FloatArray]:
    """Return the sorted pairs of a structure with their shifts counted in cell vectors.

    Parameters
    ----------
    numbers : ndarray of shape (n_atoms,), int64
        Atomic numbers.
    positions : ndarray of shape (n_atoms, 3)
        Positions, Å.
    cell : ndarray of shape (3, 3)
        Cell vectors as rows, Å.
    pbc : ndarray of shape (3,), bool
        Which axes are periodic.
    cutoff : float
        Largest distance, Å.

    Returns
    -------
    first : ndarray of shape (n_atoms + 1,), int64
        The pairs of center i are ``first[i]:first[i + 1]``.
    j : ndarray of shape (n_pairs,), int64
        Second atom of each pair.
    cell_shift : ndarray of shape (n_pairs, 3)
        How many cell vectors the second atom is moved (whole numbers).
    lattice : ndarray of shape (3, 3)
        The cell, with unit normals along non-periodic axes, Å.
    """
    pairs, cell_shift, lattice = search_unsorted(positions, cell, pbc, cutoff)
    i, j = pairs[:, 0], pairs[:, 1]
    first = np.zeros(len(numbers) + 1, dtype=np.int64)
    np.cumsum(np.bincount(i, minlength=len(numbers)), out=first[1:])
    order = sorting_order(i, j, cell_shift, numbers)
    return first, j[order], cell_shift[order].astype(float), lattice


def search_unsorted(
    positions: FloatArray, cell: FloatArray, pbc: NDArray[np.bool_], cutoff: float
) -> tuple[IntArray, IntArray, FloatArray]:
    """Return the pairs of a structure in any order.

    Parameters
    ----------
    positions : ndarray of shape (n_atoms, 3)
        Positions, Å.
    cell : ndarray of shape (3, 3)
        Cell vectors as rows, Å.
    pbc : ndarray of shape (3,), bool
        Which axes are periodic.
    cutoff : float
        Largest distance, Å.

    Returns
    -------
    pairs : ndarray of shape (n_pairs, 2), int64
        First and second atom.
    cell_shift : ndarray of shape (n_pairs, 3), int64
        How many cell vectors the second atom is moved.
    lattice : ndarray of shape (3, 3)
        The cell, with unit normals along non-periodic axes, Å.
    """
    if not (np.isfinite(cutoff) and cutoff > 0.0):
        raise SettingsError(f"the cutoff must be a positive number of Å, not {cutoff!r}")
    if not (np.isfinite(positions).all() and np.isfinite(cell).all()):
        raise StructureError("positions and cell must be finite numbers, but some are NaN or infinite")
    lattice = complete_cell(cell, pbc)
    packed, reach = fit_to_bins(positions, lattice, pbc, cutoff)
    # One thread: the map over structures and the evaluation have their own. The arrays found live in `neighbors`.
    neighbors = NeighborList(cutoff=reach, full_list=True, n_threads=1)
    found = neighbors.compute(packed, lattice, pbc, "PSd", copy=False)
    if reach > cutoff:
        found = [array[found[2] <= cutoff] for array in found]
    pairs, cell_shift = (array.astype(np.int64) for array in found[:2])
    return pairs, cell_shift, lattice


def sorting_order(i: IntArray, j: IntArray, cell_shift: IntArray, numbers: IntArray) -> IntArray:
    """Return the order of pairs by (i, numbers[j], j, cell_shift).

    Parameters
    ----------
    i, j : ndarray of shape (n_pairs,), int64
        First and second atom.
    cell_shift : ndarray of shape (n_pairs, 3), int64
        How many cell vectors the second atom is moved.
    numbers : ndarray of shape (n_atoms,), int64
        Atomic numbers.

    Returns
    -------
    ndarray of shape (n_pairs,), int64
        Places of the pairs in the sorted list.
    """
    rank = np.empty(len(numbers), dtype=np.int64)
    rank[np.argsort(numbers, kind="stable")] = np.arange(len(numbers))
    if len(i) == 0:
        return np.zeros(0, dtype=np.int64)
    low = cell_shift.min(axis=0)
    span = cell_shift.max(axis=0) - low + 1
    if len(numbers) ** 2 * int(span[0]) * int(span[1]) * int(span[2]) >= 2**62:
        return np.lexsort((*cell_shift.T[::-1], rank[j], i)).astype(np.int64)
    key = i * len(numbers) + rank[j]  # one integer per pair sorts four times faster than several columns
    for axis in range(3):
        key = key * span[axis] + (cell_shift[:, axis] - low[axis])
    return np.argsort(key).astype(np.int64)
