"""Sums over the features of atoms, which add: what leverage and novelty are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from linmlp.system.packing import pack, packed_length, unpack_symmetric
from linmlp.units import FloatArray, IntArray


class AtomStatistics:
    """Sums over the features of atoms, which add.

    Parameters
    ----------
    numbers : sequence of int
        Atomic numbers of the elements.
    n_features : int
        Number of features.
    """

    def __init__(self, numbers: Sequence[int], n_features: int) -> None:
        self.numbers = tuple(numbers)
        self.counts = np.zeros(len(self.numbers))
        self.sums = np.zeros((len(self.numbers), n_features))
        self.present = np.zeros((len(self.numbers), n_features), dtype=bool)
        self.gram = np.zeros((n_features, n_features))

    def add(self, features: FloatArray, numbers: IntArray) -> None:
        """Count the atoms of a structure in.

        Parameters
        ----------
        features : ndarray of shape (n_atoms, n_features)
            Features of every atom.
        numbers : ndarray of shape (n_atoms,)
            Their atomic numbers.
        """
        for e, number in enumerate(self.numbers):
            mine = features[numbers == number]
            self.counts[e] += len(mine)
            self.sums[e] += mine.sum(axis=0)
            self.present[e] |= np.any(mine != 0.0, axis=0)
        self.gram += features.T @ features

    def plus(self, *others: AtomStatistics) -> AtomStatistics:
        """Return the sum with others.

        Parameters
        ----------
        *others : AtomStatistics
            Of the same elements and features.

        Returns
        -------
        AtomStatistics
            A new object.
        """
        total = AtomStatistics(self.numbers, self.gram.shape[0])
        for part in (self, *others):
            total.counts += part.counts
            total.sums += part.sums
            total.present |= part.present
            total.gram += part.gram
        return total

    def to_state(self) -> dict[str, FloatArray]:
        """Return arrays for `from_state`, the Gram matrix as a packed triangle.

        Returns
        -------
        dict of str to ndarray
            By name.
        """
        packed = np.empty(packed_length(len(self.gram)))
        pack(self.gram, packed)
        present = self.present.astype(float)
        return {
            "numbers": np.array(self.numbers, dtype=np.int64),
            "counts": self.counts,
            "sums": self.sums,
            "present": present,
            "gram": packed,
        }

    @classmethod
    def from_state(cls, arrays: Mapping[str, FloatArray]) -> AtomStatistics:
        """Return the statistics that `to_state` described.

        Parameters
        ----------
        arrays : mapping of str to ndarray
            From `to_state`.

        Returns
        -------
        AtomStatistics
            The same numbers.
        """
        statistics = cls([int(number) for number in arrays["numbers"]], arrays["sums"].shape[1])
        statistics.counts, statistics.sums = np.array(arrays["counts"]), np.array(arrays["sums"])
        statistics.present = np.asarray(arrays["present"]) > 0.0
        statistics.gram = unpack_symmetric(arrays["gram"], statistics.sums.shape[1])
        return statistics

    def blocks(self) -> list[tuple[list[int], IntArray]]:
        """Return elements and the features they alone have; all of them in one block if they share any."""
        if np.any(self.present.sum(axis=0) > 1):
            return [(list(range(len(self.numbers))), np.flatnonzero(self.present.any(axis=0)))]
        owned = [([e], np.flatnonzero(self.present[e])) for e in range(len(self.numbers))]
        return [(elements, columns) for elements, columns in owned if len(columns)]


def moments(
    statistics: AtomStatistics, elements: list[int], columns: IntArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return moments of the features of a block of elements over its atoms.

    Parameters
    ----------
    statistics : AtomStatistics
        Sums over atoms.
    elements : list of int
        Elements of the block.
    columns : ndarray of int
        Its features.

    Returns
    -------
    gram : ndarray of shape (n_columns, n_columns)
        Mean of ``b bᵀ``.
    mean, std : ndarray of shape (n_columns,)
        Mean and standard deviation.
    """
    n_atoms = statistics.counts[elements].sum()
    gram = statistics.gram[np.ix_(columns, columns)] / n_atoms
    mean = statistics.sums[elements][:, columns].sum(axis=0) / n_atoms
    square = np.diagonal(gram)
    # A feature that is the same for all atoms is divided by (a part of) its size, not by the rounding of its spread.
    std = np.sqrt(np.maximum(square - mean**2, 1e-12 * square))
    return gram, mean, std
