"""What the loops of ACE need to know: one immutable record, made by `ACE.fit` or read from a model file."""

from dataclasses import dataclass

import numpy as np

from linmlp.descriptors.ace.basis import Function
from linmlp.exceptions import StructureError
from linmlp.units import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class AceParameters:
    """Elements, functions and radial functions.

    Every element has the same `functions` around it; feature ``z * len(functions) + v`` is function v around element z.

    Attributes
    ----------
    numbers : tuple of int
        Atomic numbers, ascending; element indices point here.
    cutoff : float
        Cutoff radius in Å.
    scaling : float
        Exponent lambda of the scaled distance.
    functions : tuple of Function
        Tuples of channels (element, n, l).
    radial_map : ndarray of shape (n_elements, n_elements, max_l + 1, n_radial, n_raw)
        Raw to used radial functions of orders 2 and 3: R_nl = sum_k radial_map[center, neighbor, l, n, k] g_k.
    pair_map : ndarray of shape (n_elements, n_elements, n_pair, n_pair)
        The same for the pair term.
    inner, inner_width : ndarray of shape (n_elements, n_elements)
        Inner switch of every raw function in Å; width 0 means none.
    """

    numbers: tuple[int, ...]
    cutoff: float
    scaling: float
    functions: tuple[Function, ...]
    radial_map: FloatArray
    pair_map: FloatArray
    inner: FloatArray
    inner_width: FloatArray

    @property
    def n_features(self) -> int:
        """Number of features, over all central elements."""
        return len(self.numbers) * len(self.functions)

    def element_indices(self, numbers: IntArray) -> IntArray:
        """Return the element index of every atom; StructureError for an element that is not known.

        Parameters
        ----------
        numbers : ndarray of shape (n_atoms,)
            Atomic numbers.

        Returns
        -------
        ndarray of shape (n_atoms,)
            Positions in `self.numbers`.
        """
        return element_indices(self.numbers, numbers)


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
