"""A list of pairs that stays valid while atoms move a little."""

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from linmlp.exceptions import SettingsError
from linmlp.neighbors.pairs import Pairs, search
from linmlp.structures.cells import cell_volume, complete_cell
from linmlp.units import FloatArray, IntArray


class VerletList:
    r"""Pairs of a structure that changes from call to call, searched anew only when needed.

    The search goes out to ``cutoff + skin``. The list it gives stays complete up to the cutoff while

    .. math:: \|F^{-1}\|_2 \, (r_c + 2 u) \le r_c + s

    where :math:`F` is the deformation of the cell since the search, :math:`u` the longest displacement of an atom
    beyond that deformation, :math:`r_c` the cutoff and :math:`s` the skin. With a fixed cell this is the usual rule:
    no atom moved farther than half the skin. Other elements, another number of
    atoms or other periodic directions mean a new search.

    Parameters
    ----------
    cutoff : float
        Interactions end here, Å.
    skin : float, default=0.5
        Extra reach of the list, Å. With 0 every motion means a new search.

    Attributes
    ----------
    n_searches : int
        How often pairs were searched so far.

    Examples
    --------
    >>> from ase.build import bulk
    >>> atoms, neighbors = bulk("Cu", cubic=True), VerletList(cutoff=3.0, skin=0.4)
    >>> for _ in range(4):
    ...     pairs = neighbors.pairs(atoms)
    ...     atoms.positions[0, 0] += 0.09
    >>> neighbors.n_searches
    2
    """

    def __init__(self, cutoff: float, skin: float = 0.5) -> None:
        if not skin >= 0.0:
            raise SettingsError(f"the Verlet skin must be zero or a positive number of Å, not {skin!r}")
        self.cutoff = float(cutoff)
        self.skin = float(skin)
        self.n_searches = 0
        self._numbers: IntArray = np.empty(0, dtype=np.int64)
        self._pbc: NDArray[np.bool_] = np.zeros(3, dtype=bool)
        self._cell: FloatArray = np.zeros((3, 3))
        self._volume: float | None = None

    def pairs(self, atoms: Atoms) -> Pairs:
        """Return the pairs of a structure, complete up to the cutoff.

        Parameters
        ----------
        atoms : ase.Atoms
            Structure, usually the one of the call before with slightly moved atoms.

        Returns
        -------
        Pairs
            Present positions; the list may also hold pairs up to ``cutoff + skin`` and some beyond. Its arrays
            ``first``, ``j`` and ``shift`` are shared between calls: do not write to them.
        """
        positions = np.array(atoms.positions, dtype=float)
        cell = np.array(atoms.cell.array, dtype=float)
        if not self._is_valid(atoms, positions, cell):
            self._search(atoms, positions, cell)
        elif not np.array_equal(cell, self._cell):
            self._shift = self._cell_shift @ complete_cell(cell, self._pbc)
            self._cell, self._volume = cell, cell_volume(cell)
        return Pairs(self._numbers, positions, self._first, self._j, self._shift, self.cutoff, self._volume)

    def _search(self, atoms: Atoms, positions: FloatArray, cell: FloatArray) -> None:
        """Find the pairs and remember for what they were found."""
        self._numbers = np.array(atoms.numbers, dtype=np.int64)
        self._pbc = np.array(atoms.pbc, dtype=bool)
        self._first, self._j, self._cell_shift, self._searched_lattice = search(
            self._numbers, positions, cell, self._pbc, self.cutoff + self.skin
        )
        self._searched_cell, self._searched_positions = cell, positions
        self._shift = self._cell_shift @ self._searched_lattice
        self._cell, self._volume = cell, cell_volume(cell)
        self.n_searches += 1

    def _is_valid(self, atoms: Atoms, positions: FloatArray, cell: FloatArray) -> bool:
        """Return whether the list of the last search still holds every pair within the cutoff."""
        if self.n_searches == 0 or not np.array_equal(atoms.numbers, self._numbers):
            return False
        if not np.array_equal(atoms.pbc, self._pbc):
            return False
        expected, growth = self._searched_positions, 1.0
        if not np.array_equal(cell, self._searched_cell):
            deformation = np.linalg.solve(self._searched_lattice, complete_cell(cell, self._pbc))
            expected = expected @ deformation
            growth = 1.0 / float(np.linalg.svd(deformation, compute_uv=False)[-1])
        moved = positions - expected
        longest = np.sqrt(np.einsum("ax,ax->a", moved, moved).max(initial=0.0))
        # Written so that NaN positions are never valid.
        return bool(growth * (self.cutoff + 2.0 * longest) <= self.cutoff + self.skin)
