"""Atomic numbers in, places in the list of known elements out."""

import numpy as np

from linmlp.exceptions import StructureError
from linmlp.units import IntArray


def element_indices(known_numbers: tuple[int, ...], numbers: IntArray) -> IntArray:
    """Return the element index of every atom.

    Parameters
    ----------
    known_numbers : tuple of int
        Atomic numbers, ascending.
    numbers : ndarray of shape (n_atoms,)
        Atomic numbers of the atoms.

    Returns
    -------
    ndarray of shape (n_atoms,)
        Positions in `known_numbers`.

    Raises
    ------
    StructureError
        If an element is not known.
    """
    known = np.asarray(known_numbers)
    indices = np.minimum(np.searchsorted(known, numbers), len(known) - 1)
    strangers = known[indices] != numbers
    if np.any(strangers):
        from ase.data import chemical_symbols

        seen = sorted({chemical_symbols[z] for z in np.asarray(numbers)[strangers]})
        mine = ", ".join(chemical_symbols[z] for z in known_numbers)
        raise StructureError(
            f"the structure holds {', '.join(seen)}, which the model does not know (it knows {mine}); "
            "fit it on structures that hold all elements it shall be used for"
        )
    return np.asarray(indices, dtype=np.int64)
