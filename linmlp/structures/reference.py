"""Reference energies: what a structure's energy is measured from, one number per element."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase.data import atomic_numbers, chemical_symbols

from linmlp.exceptions import InputError
from linmlp.units import FloatArray, IntArray


@dataclass(frozen=True)
class ReferenceEnergies:
    """Energies per atom that are subtracted before a fit and added after it.

    Parameters
    ----------
    source : str
        "isolated", "lstsq", "given" or "zero".
    elements : tuple of str
        Symbols.
    values : ndarray of shape (n_elements,)
        Energy of one atom of each element, eV.
    determined : bool
        False where the data leave some combination of the values open.
    notes : tuple of str
        What a user should know about the values.
    """

    source: str
    elements: tuple[str, ...]
    values: FloatArray
    determined: bool = True
    notes: tuple[str, ...] = ()

    def energy(self, numbers: IntArray) -> float:
        """Return the reference energy of a structure.

        Parameters
        ----------
        numbers : ndarray of shape (n_atoms,), int64
            Atomic numbers.

        Returns
        -------
        float
            Sum over the atoms, eV.
        """
        return float(_count(numbers, self.elements) @ self.values)

    def report(self) -> str:
        """Return values and source as text."""
        values = ", ".join(f"{element} {value:.6f}" for element, value in zip(self.elements, self.values, strict=True))
        return "\n".join([f"reference energies ({self.source}), eV: {values}", *(f"  {note}" for note in self.notes)])

    def to_state(self) -> dict[str, Any]:
        """Return what a model file keeps.

        Returns
        -------
        dict
            Can be written as JSON.
        """
        return {
            "source": self.source,
            "elements": list(self.elements),
            "values": self.values.tolist(),
            "determined": self.determined,
            "notes": list(self.notes),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> "ReferenceEnergies":
        """Return the reference energies of a stored state.

        Parameters
        ----------
        state : mapping
            As given by `to_state`.

        Returns
        -------
        ReferenceEnergies
            The same values.
        """
        values = np.array(state["values"], dtype=float)
        return cls(state["source"], tuple(state["elements"]), values, bool(state["determined"]), tuple(state["notes"]))


def composition_matrix(numbers_list: Iterable[IntArray], elements: Sequence[str]) -> FloatArray:
    """Return how many atoms of each element each structure has.

    Parameters
    ----------
    numbers_list : iterable of ndarray
        Atomic numbers of each structure.
    elements : sequence of str
        Symbols.

    Returns
    -------
    ndarray of shape (n_structures, n_elements)
        Counts.

    Raises
    ------
    InputError
        If a structure holds an element that is not listed.
    """
    rows = []
    for index, numbers in enumerate(numbers_list):
        try:
            rows.append(_count(numbers, elements))
        except InputError as error:
            raise InputError(f"structure {index} {error}") from None
    return np.array(rows).reshape(len(rows), len(elements))


def _count(numbers: IntArray, elements: Sequence[str]) -> FloatArray:
    """Return how many atoms of each element there are."""
    counts = np.bincount(numbers, minlength=119)
    row = counts[[atomic_numbers[symbol] for symbol in elements]]
    if row.sum() != len(numbers):
        unknown = sorted({chemical_symbols[number] for number in numbers} - set(elements))
        raise InputError(
            f"holds {', '.join(unknown)}, but the known elements are {', '.join(elements)}; "
            "remove the structure, or fit with this element"
        )
    return row.astype(float)
