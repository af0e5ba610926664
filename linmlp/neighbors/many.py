"""Pairs of many structures in one list, so that small structures are evaluated together."""

from collections.abc import Sequence

import numpy as np
from ase import Atoms

from linmlp.neighbors.pairs import Pairs, search_unsorted, sorting_order
from linmlp.structures.cells import cell_volume
from linmlp.units import IntArray


def find_pairs_of_all(structures: Sequence[Atoms], cutoff: float) -> tuple[Pairs, IntArray, list[float | None]]:
    """Return the pairs of several structures, one structure after another.

    Parameters
    ----------
    structures : sequence of ase.Atoms
        At least one.
    cutoff : float
        Largest distance, Å.

    Returns
    -------
    pairs : Pairs
        As if the structures were one, in which atoms of different structures are no pairs; without volume.
    bounds : ndarray of shape (n_structures + 1,), int64
        Atoms of structure k are ``bounds[k]:bounds[k + 1]``.
    volumes : list of float or None
        Volume of each cell, Å³.

    Raises
    ------
    StructureError, SettingsError
        As for `find_pairs`.

    Examples
    --------
    >>> from ase.build import bulk
    >>> pairs, bounds, _ = find_pairs_of_all([bulk("Cu", a=3.6), bulk("Cu", a=3.6, cubic=True)], cutoff=3.0)
    >>> len(pairs), bounds.tolist()
    (60, [0, 1, 5])
    """
    numbers = np.concatenate([atoms.numbers for atoms in structures]).astype(np.int64)
    positions = np.concatenate([np.asarray(atoms.positions, dtype=float) for atoms in structures])
    bounds = np.cumsum([0, *(len(atoms) for atoms in structures)]).astype(np.int64)
    cells = [np.asarray(atoms.cell.array, dtype=float) for atoms in structures]
    parts = [
        search_unsorted(positions[start:stop], cell, atoms.pbc, cutoff)
        for atoms, cell, start, stop in zip(structures, cells, bounds[:-1], bounds[1:], strict=True)
    ]
    pairs = np.concatenate([found + start for (found, _, _), start in zip(parts, bounds[:-1], strict=True)])
    cell_shift = np.concatenate([shift for _, shift, _ in parts])
    shift = np.concatenate([shift.astype(float) @ lattice for _, shift, lattice in parts])
    i, j = pairs[:, 0], pairs[:, 1]
    first = np.zeros(len(numbers) + 1, dtype=np.int64)
    np.cumsum(np.bincount(i, minlength=len(numbers)), out=first[1:])
    order = sorting_order(i, j, cell_shift, numbers)
    merged = Pairs(numbers, positions, first, j[order], shift[order], float(cutoff), None)
    return merged, bounds, [cell_volume(cell) for cell in cells]
