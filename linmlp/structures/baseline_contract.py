"""What every baseline takes in and gives out, and the elements and distances it is set up from."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers, chemical_symbols

from linmlp.exceptions import InputError, SettingsError
from linmlp.units import FloatArray, IntArray


class PairData(Protocol):
    """What a baseline needs of `linmlp.neighbors.Pairs`."""

    @property
    def numbers(self) -> IntArray:
        """Atomic numbers, shape (n_atoms,)."""

    @property
    def positions(self) -> FloatArray:
        """Positions, shape (n_atoms, 3), Å."""

    @property
    def first(self) -> IntArray:
        """Start of each center's pairs, shape (n_atoms + 1,)."""

    @property
    def j(self) -> IntArray:
        """Second atom of each pair, shape (n_pairs,)."""

    @property
    def shift(self) -> FloatArray:
        """Translation of the second atom, shape (n_pairs, 3), Å."""

    @property
    def volume(self) -> float | None:
        """Volume of the cell, Å³."""

    @property
    def i(self) -> IntArray:
        """First atom of each pair, shape (n_pairs,)."""

    @property
    def distances(self) -> FloatArray:
        """Distances, shape (n_pairs,), Å."""


@dataclass(frozen=True)
class BaselineResult:
    """Energy, forces and strain gradient of one structure.

    Parameters
    ----------
    energies : ndarray of shape (n_atoms,)
        Energy of each atom, eV.
    forces : ndarray of shape (n_atoms, 3)
        Forces, eV/Å.
    strain_gradient : ndarray of shape (6,)
        dE/dstrain, Voigt, eV; volume times stress.
    atom_strain_gradient : ndarray of shape (n_atoms, 6)
        Share of each atom in it, eV.
    is_per_atom : bool, default=True
        False where only the sums over atoms have a meaning (the total was spread evenly).
    """

    energies: FloatArray
    forces: FloatArray
    strain_gradient: FloatArray
    atom_strain_gradient: FloatArray
    is_per_atom: bool = True


@runtime_checkable
class Baseline(Protocol):
    """What can be subtracted before a fit: anything with a cutoff, results and a state."""

    @property
    def cutoff(self) -> float:
        """Pairs must be complete up to this distance, Å."""

    def compute(self, pairs: PairData, atoms: Atoms | None = None) -> BaselineResult:
        """Return energies, forces and strain gradient of a structure."""

    def to_state(self) -> dict[str, Any]:
        """Return what a model file keeps; can be written as JSON."""

    def report(self) -> str:
        """Return its settings as text."""


def element_lookup(elements: Iterable[str]) -> IntArray:
    """Return an array that gives the place of an element by its atomic number, -1 for elements not listed.

    Parameters
    ----------
    elements : iterable of str
        Symbols.

    Returns
    -------
    ndarray of shape (119,), int64
        Index into `elements`.
    """
    lookup = np.full(119, -1, dtype=np.int64)
    for index, symbol in enumerate(elements):
        if symbol not in atomic_numbers or atomic_numbers[symbol] < 1:
            raise SettingsError(f"{symbol!r} is not an element; wanted are symbols such as 'Si'")
        lookup[atomic_numbers[symbol]] = index
    return lookup


def find_elements(numbers: IntArray, lookup: IntArray, what: str) -> IntArray:
    """Return the place of each atom's element, after checking that all are known.

    Parameters
    ----------
    numbers : ndarray of shape (n_atoms,), int64
        Atomic numbers.
    lookup : ndarray of shape (119,), int64
        As made by `element_lookup`.
    what : str
        Who asks, for the message.

    Returns
    -------
    ndarray of shape (n_atoms,), int64
        Indices of elements.
    """
    places = lookup[numbers]
    if places.size and places.min() < 0:
        unknown = sorted({chemical_symbols[number] for number in numbers[places < 0]})
        raise InputError(
            f"{what} does not know the element {', '.join(unknown)}; remove the structure or add the element"
        )
    return places


def closest_approaches(pairs_of_structures: Iterable[PairData], elements: Iterable[str]) -> FloatArray:
    """Return the smallest distance seen for every pair of elements.

    Parameters
    ----------
    pairs_of_structures : iterable of Pairs
        Pairs of the structures, one object each.
    elements : iterable of str
        Symbols.

    Returns
    -------
    ndarray of shape (n_elements, n_elements)
        Symmetric, Å; infinite where a pair of elements was never seen within the cutoff of the pairs.
    """
    symbols = tuple(elements)
    lookup = element_lookup(symbols)
    closest = np.full(len(symbols) ** 2, np.inf)
    for pairs in pairs_of_structures:
        places = find_elements(pairs.numbers, lookup, "the list of elements")
        np.minimum.at(closest, places[pairs.i] * len(symbols) + places[pairs.j], pairs.distances)
    matrix = closest.reshape(len(symbols), len(symbols))
    return np.asarray(np.minimum(matrix, matrix.T))
