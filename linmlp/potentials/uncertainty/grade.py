"""Grades of extrapolation: how far atoms and structures are from those a potential was fitted to.

A grade of 1 is the edge of what held-out training structures show; above it a potential extrapolates. Two distances
are used, because neither sees everything:

- an atom's *leverage* (`linmlp.potentials.uncertainty.leverage`): an atom with features that no combination of training
  atoms has;
- a structure's *novelty* (`linmlp.potentials.uncertainty.novelty`): the distance of its mean features from the nearest
  training structures. A strained crystal is far from all others though each of its atoms could be one of a hot crystal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from linmlp.potentials.uncertainty.atom_statistics import AtomStatistics
from linmlp.potentials.uncertainty.leverage import AtomLeverage
from linmlp.potentials.uncertainty.novelty import Novelty
from linmlp.system.packing import pack, packed_length, unpack_upper
from linmlp.system.threads import one_blas_thread
from linmlp.units import FloatArray, IntArray

EDGE_QUANTILE = 0.95
"""Part of the held-out structures whose grades are below 1, for each of the two distances."""


@dataclass(frozen=True)
class Grade:
    """Extrapolation grades; 1 is the edge of what held-out training structures show.

    Parameters
    ----------
    numbers : tuple of int
        Atomic numbers of the elements.
    leverage : AtomLeverage
        Of atoms.
    novelty : Novelty
        Of structures.
    leverage_edge, novelty_edge : float
        What 95 % of the held-out structures stay below (the largest leverage of their atoms).
    """

    numbers: tuple[int, ...]
    leverage: AtomLeverage
    novelty: Novelty
    leverage_edge: float
    novelty_edge: float

    @classmethod
    def fit(cls, statistics: Sequence[AtomStatistics], sums: FloatArray, counts: FloatArray, folds: IntArray) -> Scorer:
        """Return what scores held-out structures fold by fold and then gives the grade.

        Parameters
        ----------
        statistics : sequence of AtomStatistics
            Of the atoms of each fold.
        sums : ndarray of shape (n_structures, n_features)
            Features summed over the atoms of each structure.
        counts : ndarray of shape (n_structures, n_elements)
            Number of atoms of each element.
        folds : ndarray of shape (n_structures,)
            Position of each structure's fold in `statistics`.

        Returns
        -------
        Scorer
            Call `held_out` for every fold, `add` for every structure of it, then `grade`.
        """
        return Scorer(list(statistics), sums, counts, folds)

    def atoms(self, leverages: FloatArray) -> FloatArray:
        """Return the grades of atoms.

        Parameters
        ----------
        leverages : ndarray of shape (n_atoms,)
            ``leverage`` of the features of every atom.

        Returns
        -------
        ndarray of shape (n_atoms,)
            Square root of the leverage relative to its edge.
        """
        return np.asarray(np.sqrt(leverages / self.leverage_edge))

    def structure(self, leverages: FloatArray, feature_sums: FloatArray, counts: FloatArray) -> float:
        """Return the grade of a structure.

        Parameters
        ----------
        leverages : ndarray of shape (n_atoms,)
            ``leverage`` of the features of every atom.
        feature_sums : ndarray of shape (n_features,)
            Features summed over its atoms.
        counts : ndarray of shape (n_elements,)
            Number of atoms of each element.

        Returns
        -------
        float
            The larger one of the structure's novelty relative to its edge, and the largest grade of its atoms.
        """
        novelty = float(self.novelty(feature_sums[None, :], counts[None, :])[0])
        return max(novelty / self.novelty_edge, float(self.atoms(leverages).max(initial=0.0)))

    def with_training(self, statistics: AtomStatistics, sums: FloatArray, counts: FloatArray) -> Grade:
        """Return the grade with respect to other training structures, with the same edges.

        Parameters
        ----------
        statistics : AtomStatistics
            Of all their atoms.
        sums : ndarray of shape (n_structures, n_features)
            Features summed over the atoms of each structure.
        counts : ndarray of shape (n_structures, n_elements)
            Number of atoms of each element.

        Returns
        -------
        Grade
            Edges stay those of the structures that were held out.
        """
        with one_blas_thread():
            leverage, novelty = AtomLeverage.of(statistics), Novelty.of(statistics, sums, counts)
        return Grade(self.numbers, leverage, novelty, self.leverage_edge, self.novelty_edge)

    def to_state(self) -> dict[str, FloatArray]:
        """Return arrays for `from_state`, the factor as a packed triangle.

        Returns
        -------
        dict of str to ndarray
            By name.
        """
        packed = np.empty(packed_length(len(self.leverage.lower)))
        pack(self.leverage.lower.T, packed)
        return {
            "numbers": np.array(self.numbers, dtype=np.int64),
            "packed": packed,
            "scale": self.leverage.scale,
            **{name: getattr(self.novelty, name) for name in Novelty.__dataclass_fields__},
            "edges": np.array([self.leverage_edge, self.novelty_edge]),
        }

    @classmethod
    def from_state(cls, arrays: Mapping[str, FloatArray]) -> Grade:
        """Return the grade that `to_state` described.

        Parameters
        ----------
        arrays : mapping of str to ndarray
            From `to_state`.

        Returns
        -------
        Grade
            The same numbers.
        """
        scale = np.asarray(arrays["scale"])
        lower = unpack_upper(arrays["packed"], len(scale)).T
        novelty = Novelty(**{name: np.asarray(arrays[name]) for name in Novelty.__dataclass_fields__})
        edges = arrays["edges"]
        numbers = tuple(int(number) for number in arrays["numbers"])
        return cls(numbers, AtomLeverage(lower, scale), novelty, float(edges[0]), float(edges[1]))


class Scorer:
    """Distances of held-out structures from those of the other folds, which set the edges of a `Grade`.

    Parameters
    ----------
    statistics : list of AtomStatistics
        Of the atoms of each fold.
    sums, counts, folds : ndarray
        As in `Grade.fit`.
    """

    def __init__(self, statistics: list[AtomStatistics], sums: FloatArray, counts: FloatArray, folds: IntArray) -> None:
        self._statistics, self._sums, self._counts, self._folds = statistics, sums, counts, folds

    def held_out(self, fold: int) -> tuple[AtomLeverage, FloatArray]:
        """Return the leverage among the atoms of the other folds, and the novelty of this fold's structures.

        Parameters
        ----------
        fold : int
            Position of the fold.

        Returns
        -------
        leverage : AtomLeverage
            For the features of the held-out atoms.
        novelty : ndarray of shape (n_held_out,)
            In the order of the structures.
        """
        first, *rest = [part for k, part in enumerate(self._statistics) if k != fold]
        others, apart = first.plus(*rest), self._folds == fold
        with one_blas_thread():
            leverage = AtomLeverage.of(others)
            novelty = Novelty.of(others, self._sums[~apart], self._counts[~apart])
            return leverage, novelty(self._sums[apart], self._counts[apart])

    @property
    def statistics(self) -> AtomStatistics:
        """Of the atoms of all folds."""
        return self._statistics[0].plus(*self._statistics[1:])

    def grade(self, leverage: FloatArray, novelty: FloatArray) -> Grade:
        """Return the grade, from the distances of all held-out structures.

        Parameters
        ----------
        leverage : ndarray of shape (n_structures,)
            The largest leverage of the atoms of each.
        novelty : ndarray of shape (n_structures,)
            Novelty of each.

        Returns
        -------
        Grade
            With respect to all structures.
        """
        total = self.statistics
        edges = [max(float(np.quantile(v, EDGE_QUANTILE)), np.finfo(float).tiny) for v in (leverage, novelty)]
        with one_blas_thread():
            score, distance = AtomLeverage.of(total), Novelty.of(total, self._sums, self._counts)
        return Grade(total.numbers, score, distance, edges[0], edges[1])
