"""Novelty of structures: how far their mean features are from those of training structures.

The distance is relative to the distances of these from their own neighbors, as in the local outlier factor (M. M.
Breunig et al., Proc. ACM SIGMOD 2000, 93), and Euclidean in the leading principal components of atomic features,
whitened, element by element.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg
import scipy.spatial

from linmlp.exceptions import SettingsError
from linmlp.potentials.uncertainty.atom_statistics import AtomStatistics, moments
from linmlp.units import FloatArray

N_COMPONENTS = 10
"""Principal components of each element's atomic features in which structures are compared."""

N_NEIGHBORS = 3
LOCAL_FLOOR = 0.3
"""Neighbors closer together than this part of the median count as that far apart: data with repeats are no islands."""

MAX_REFERENCES = 2000
"""Training structures that are kept to compare with."""


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


def _principal_components(statistics: AtomStatistics) -> tuple[FloatArray, FloatArray]:
    """Return the projection (n_features, n_components) on whitened components, and the mean of each element on it."""
    projections, shifts = [], []
    for elements, columns in statistics.blocks():
        gram, mean, std = moments(statistics, elements, columns)
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
