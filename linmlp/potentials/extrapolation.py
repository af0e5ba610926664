r"""Grades of extrapolation: how far atoms and structures are from those a potential was fitted to.

A grade of 1 is the edge of what held-out training structures show; above it a potential extrapolates. Two distances
are used, because neither sees everything:

- an atom's *leverage*, :math:`b^T (\sum_k b_k b_k^T / n)^{-1} b` with the training atoms of its element: an atom with
  features that no combination of training atoms has;
- a structure's *novelty*: the distance of its mean features from the nearest training structures, relative to the
  distances of these from their own neighbors, as in the local outlier factor (M. M. Breunig et al., Proc. ACM SIGMOD
  2000, 93). A strained crystal is far from all others though each of its atoms could be one of a hot crystal.

The distance is Euclidean in the leading principal components of atomic features, whitened, element by element.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg
import scipy.spatial

from linmlp.exceptions import SettingsError
from linmlp.system.packing import pack, packed_length, unpack_upper
from linmlp.system.threads import one_blas_thread
from linmlp.units import FloatArray, IntArray

RIDGE = 1e-5
"""Added to the diagonal of the Gram matrix of standardized atomic features, relative to its mean."""

N_COMPONENTS = 10
"""Principal components of each element's atomic features in which structures are compared."""

N_NEIGHBORS = 3
LOCAL_FLOOR = 0.3
"""Neighbors closer together than this part of the median count as that far apart: data with repeats are no islands."""

EDGE_QUANTILE = 0.95
"""Part of the held-out structures whose grades are below 1, for each of the two distances."""

MAX_REFERENCES = 2000
"""Training structures that are kept to compare with."""


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

    def blocks(self) -> list[tuple[list[int], IntArray]]:
        """Return elements and the features they alone have; all of them in one block if they share any."""
        if np.any(self.present.sum(axis=0) > 1):
            return [(list(range(len(self.numbers))), np.flatnonzero(self.present.any(axis=0)))]
        owned = [([e], np.flatnonzero(self.present[e])) for e in range(len(self.numbers))]
        return [(elements, columns) for elements, columns in owned if len(columns)]


@dataclass(frozen=True)
class AtomLeverage:
    """Leverage of atoms among the training atoms of their element.

    Parameters
    ----------
    lower : ndarray of shape (n_features, n_features)
        Lower triangular factor of the Gram matrix, on scaled columns.
    scale : ndarray of shape (n_features,)
        Divides the features; infinite for those that no training atom has.
    """

    lower: FloatArray
    scale: FloatArray

    @classmethod
    def of(cls, statistics: AtomStatistics) -> AtomLeverage:
        """Return the leverage among the atoms of some statistics.

        Parameters
        ----------
        statistics : AtomStatistics
            Of training atoms.

        Returns
        -------
        AtomLeverage
            Factor and scale.
        """
        n = len(statistics.gram)
        lower, scale = np.eye(n), np.full(n, np.inf)
        for elements, columns in statistics.blocks():
            gram, _, std = _moments(statistics, elements, columns)
            gram /= np.outer(std, std)
            gram.flat[:: len(gram) + 1] += RIDGE * np.trace(gram) / len(gram)
            lower[np.ix_(columns, columns)] = np.linalg.cholesky(gram)
            scale[columns] = std
        return cls(lower, scale)

    def __call__(self, features: FloatArray) -> FloatArray:
        """Return the leverages (n_atoms,) of atoms with features (n_atoms, n_features)."""
        scaled = (features / self.scale).T
        whitened = scipy.linalg.solve_triangular(self.lower, scaled, lower=True, check_finite=False)
        return np.asarray(np.einsum("ij,ij->j", whitened, whitened))


@dataclass(frozen=True)
class Novelty:
    """Distance of structures from training structures, relative to the distances among these.

    Parameters
    ----------
    projection : ndarray of shape (n_features, n_components)
        From features summed over the atoms of a structure to whitened principal components.
    shift : ndarray of shape (n_elements, n_components)
        Subtracted for every atom of an element.
    references : ndarray of shape (n_references, n_components)
        Training structures.
    spacing : ndarray of shape (n_references,)
        Mean distance of each from its nearest neighbors, not below a part of the median.
    """

    projection: FloatArray
    shift: FloatArray
    references: FloatArray
    spacing: FloatArray

    @classmethod
    def of(cls, statistics: AtomStatistics, sums: FloatArray, counts: FloatArray, random_state: int = 0) -> Novelty:
        """Return the novelty with respect to training structures.

        Parameters
        ----------
        statistics : AtomStatistics
            Of their atoms.
        sums : ndarray of shape (n_structures, n_features)
            Features summed over the atoms of each structure.
        counts : ndarray of shape (n_structures, n_elements)
            Number of atoms of each element.
        random_state : int
            Seed for a sample of at most `MAX_REFERENCES` structures.

        Returns
        -------
        Novelty
            What is needed to score other structures.

        Raises
        ------
        SettingsError
            If there are fewer than two structures.
        """
        if len(sums) < 2:
            raise SettingsError(f"{len(sums)} training structures; distances between structures need two or more")
        projection, shift = _principal_components(statistics)
        if len(sums) > MAX_REFERENCES:
            kept = np.sort(np.random.default_rng(random_state).permutation(len(sums))[:MAX_REFERENCES])
            sums, counts = sums[kept], counts[kept]
        points = (sums @ projection - counts @ shift) / counts.sum(axis=1, keepdims=True)
        distances = _distances(points, points)
        np.fill_diagonal(distances, np.inf)
        spacing = np.sort(distances, axis=1)[:, : min(N_NEIGHBORS, len(points) - 1)].mean(axis=1)
        # Where most structures are listed twice the median is 0; whitened units then tell what is close.
        floor = max(LOCAL_FLOOR * float(np.median(spacing)), 1e-6)
        return cls(projection, shift, points, np.maximum(spacing, floor))

    def __call__(self, sums: FloatArray, counts: FloatArray) -> FloatArray:
        """Return the novelty (n_structures,) from sums of features and numbers of atoms of each element."""
        points = (sums @ self.projection - counts @ self.shift) / counts.sum(axis=1, keepdims=True)
        distances = _distances(points, self.references)
        nearest = np.argsort(distances, axis=1, kind="stable")[:, : min(N_NEIGHBORS, len(self.references) - 1)]
        near = np.take_along_axis(distances, nearest, axis=1).mean(axis=1)
        return np.asarray(near / self.spacing[nearest].mean(axis=1))


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

    def atoms(self, features: FloatArray) -> FloatArray:
        """Return the grades of atoms.

        Parameters
        ----------
        features : ndarray of shape (n_atoms, n_features)
            Features of every atom.

        Returns
        -------
        ndarray of shape (n_atoms,)
            Square root of the leverage relative to its edge.
        """
        return np.sqrt(self.leverage(features) / self.leverage_edge)

    def structure(self, features: FloatArray, numbers: IntArray) -> float:
        """Return the grade of a structure.

        Parameters
        ----------
        features : ndarray of shape (n_atoms, n_features)
            Features of every atom.
        numbers : ndarray of shape (n_atoms,)
            Atomic numbers.

        Returns
        -------
        float
            The larger one of the structure's novelty relative to its edge, and the largest grade of its atoms.
        """
        counts = np.array([[np.count_nonzero(numbers == number) for number in self.numbers]], dtype=float)
        novelty = float(self.novelty(features.sum(axis=0)[None, :], counts)[0])
        return max(novelty / self.novelty_edge, float(self.atoms(features).max(initial=0.0)))

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
        total = self._statistics[0].plus(*self._statistics[1:])
        edges = [max(float(np.quantile(v, EDGE_QUANTILE)), np.finfo(float).tiny) for v in (leverage, novelty)]
        with one_blas_thread():
            return Grade(
                total.numbers, AtomLeverage.of(total), Novelty.of(total, self._sums, self._counts), edges[0], edges[1]
            )


def _moments(
    statistics: AtomStatistics, elements: list[int], columns: IntArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the mean of ``b bᵀ``, the mean and the standard deviation of a block's features over its atoms."""
    n_atoms = statistics.counts[elements].sum()
    gram = statistics.gram[np.ix_(columns, columns)] / n_atoms
    mean = statistics.sums[elements][:, columns].sum(axis=0) / n_atoms
    square = np.diagonal(gram)
    # A feature that is the same for all atoms is divided by (a part of) its size, not by the rounding of its spread.
    std = np.sqrt(np.maximum(square - mean**2, 1e-12 * square))
    return gram, mean, std


def _principal_components(statistics: AtomStatistics) -> tuple[FloatArray, FloatArray]:
    """Return the projection (n_features, n_components) on whitened components, and the mean of each element on it."""
    projections, shifts = [], []
    for elements, columns in statistics.blocks():
        gram, mean, std = _moments(statistics, elements, columns)
        covariance = (gram - np.outer(mean, mean)) / np.outer(std, std)
        n_kept = min(N_COMPONENTS, len(columns))
        size = len(columns) - 1
        values, vectors = scipy.linalg.eigh(covariance, subset_by_index=(size + 1 - n_kept, size))
        kept = values > 1e-10 * values[-1]
        part = np.zeros((len(statistics.gram), int(kept.sum())))
        part[columns] = vectors[:, kept] / np.sqrt(values[kept]) / std[:, None]
        shift = np.zeros((len(statistics.numbers), part.shape[1]))
        shift[elements] = mean @ part[columns]
        projections.append(part)
        shifts.append(shift)
    return np.hstack(projections), np.hstack(shifts)


def _distances(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return Euclidean distances (n_a, n_b)."""
    return np.asarray(scipy.spatial.distance.cdist(a, b))
