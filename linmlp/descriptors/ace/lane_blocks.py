"""Which atoms are treated together: lists of pairs in, blocks of central atoms out."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from linmlp.units import IntArray

WINDOW = 4096
"""Atoms that are sorted together; neighbors in memory stay near each other in larger systems."""


class Blocks(NamedTuple):
    """Blocks of atoms of one element, one atom per lane."""

    element: IntArray  # (n_blocks,) element index of the central atoms
    atoms: IntArray  # (n_blocks, lanes) atom of each lane, -1 for none
    slots: IntArray  # (n_blocks, n_elements) neighbors that the list holds for any lane, rounded up to even numbers
    segments: IntArray  # (n_atoms * n_elements + 1,) pairs of atom i with neighbors of e start at i * n_elements + e


def make_blocks(
    first: IntArray, j: IntArray, near: NDArray[np.bool_], kinds: IntArray, n_elements: int, lanes: int
) -> Blocks:
    """Return blocks of atoms with the same element and similar numbers of neighbors of each element.

    Parameters
    ----------
    first : ndarray of shape (n_atoms + 1,)
        Pairs of atom i are ``first[i]:first[i + 1]``, sorted by the element of the neighbor.
    j : ndarray of shape (n_pairs,)
        Neighbors.
    near : ndarray of shape (n_pairs,), bool
        Pairs that are within the cutoff at the moment: atoms are sorted by their numbers.
    kinds : ndarray of shape (n_atoms,)
        Element indices.
    n_elements : int
        Number of elements.
    lanes : int
        Atoms per block.

    Returns
    -------
    Blocks
        Every atom is in one block.
    """
    n_atoms = len(kinds)
    centers = np.repeat(np.arange(n_atoms), np.diff(first))
    segment = centers * n_elements + kinds[j]
    counts = np.bincount(segment, minlength=n_atoms * n_elements)
    segments = np.zeros(n_atoms * n_elements + 1, dtype=np.int64)
    np.cumsum(counts, out=segments[1:])
    counts = counts.reshape(n_atoms, n_elements)
    near_counts = np.bincount(segment[near], minlength=n_atoms * n_elements).reshape(n_atoms, n_elements)
    elements: list[int] = []
    groups: list[IntArray] = []
    for element in range(n_elements):
        of_element = np.flatnonzero(kinds == element)
        for start in range(0, len(of_element), WINDOW):
            new = _split(of_element[start : start + WINDOW], near_counts, lanes)
            groups.extend(new)
            elements.extend([element] * len(new))
    atoms = np.full((len(groups), lanes), -1, dtype=np.int64)
    for block, group in zip(atoms, groups, strict=True):
        block[: len(group)] = group
    slots = np.array([counts[group].max(axis=0) for group in groups], dtype=np.int64).reshape(-1, n_elements)
    return Blocks(np.array(elements, dtype=np.int64), atoms, slots + slots % 2, segments)


def _split(atoms: IntArray, counts: IntArray, lanes: int) -> list[IntArray]:
    """Halve atoms along the element whose counts spread most, until they fit a block."""
    if len(atoms) <= lanes:
        return [atoms]
    own = counts[atoms]
    widest = int(np.argmax(own.max(axis=0) - own.min(axis=0)))
    order = atoms[np.argsort(own[:, widest], kind="stable")]
    if counts.shape[1] == 1:
        return [order[start : start + lanes] for start in range(0, len(order), lanes)]
    half = -(-len(order) // (2 * lanes)) * lanes
    return _split(order[:half], counts, lanes) + _split(order[half:], counts, lanes)
