"""Atoms with what is around them as molecules: periodic images become atoms, which dscribe can differentiate.

dscribe has no analytic derivatives for periodic cells and no stresses. An atom's features depend on the vectors to its
neighbors alone, though, so that the derivatives of a molecule made of an atom and its neighbors give the forces and
stresses of any cell.
"""

import copy
from typing import Any, NamedTuple

import numpy as np
from ase import Atoms
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from linmlp.neighbors import Pairs
from linmlp.units import FloatArray, IntArray


class Environment(NamedTuple):
    """An atom and its neighbors.

    Attributes
    ----------
    j : ndarray of int, shape (n_neighbors,)
        Neighbors, an atom once for each of its images.
    vectors : ndarray of shape (n_neighbors, 3)
        From the atom to them, Å.
    molecule : ase.Atoms
        The atom first, then its neighbors.
    """

    j: IntArray
    vectors: FloatArray
    molecule: Atoms


def environment(pairs: Pairs, i: int, cutoff: float) -> Environment:
    """Return an atom of a structure with its neighbors.

    Parameters
    ----------
    pairs : Pairs
        Pairs within the cutoff at least.
    i : int
        The atom.
    cutoff : float
        Largest distance, Å.

    Returns
    -------
    Environment
        Of the atom.
    """
    own = slice(pairs.first[i], pairs.first[i + 1])
    j = pairs.j[own]
    vectors = pairs.positions[j] - pairs.positions[i] + pairs.shift[own]
    near = np.einsum("kx,kx->k", vectors, vectors) <= cutoff**2
    j, vectors = j[near], vectors[near]
    molecule = Atoms(numbers=[pairs.numbers[i], *pairs.numbers[j]], positions=np.vstack([np.zeros((1, 3)), vectors]))
    return Environment(j, vectors, molecule)


def cluster(pairs: Pairs, cutoff: float) -> Atoms:
    """Return the atoms of a structure, first and in order, and all images within the cutoff of any of them.

    Atoms that no chain of pairs links stand farther apart than the cutoff, since the pairs of several structures may be
    in one list.

    Parameters
    ----------
    pairs : Pairs
        Pairs within the cutoff at least.
    cutoff : float
        Largest distance, Å.

    Returns
    -------
    ase.Atoms
        Without a cell.
    """
    images = np.flatnonzero(np.any(pairs.shift != 0.0, axis=1) & (pairs.distances <= cutoff))
    of = np.unique(np.column_stack([pairs.j[images], pairs.shift[images]]), axis=0)
    j = of[:, 0].astype(np.int64)
    part = _linked(pairs)
    positions = np.concatenate([pairs.positions, pairs.positions[j] + of[:, 1:]])
    return Atoms(
        numbers=np.concatenate([pairs.numbers, pairs.numbers[j]]),
        positions=_apart(positions, np.concatenate([part, part[j]]), 2.0 * cutoff),
    )


def _linked(pairs: Pairs) -> IntArray:
    """Return the number of the part of each atom; pairs link the atoms of a part."""
    n = len(pairs.numbers)
    links = coo_array((np.ones(len(pairs.j)), (pairs.i, pairs.j)), shape=(n, n))
    return np.asarray(connected_components(links, directed=False)[1], dtype=np.int64)


def _apart(positions: FloatArray, part: IntArray, gap: float) -> FloatArray:
    """Return the positions with one part beside the other along x."""
    n_parts = int(part.max(initial=-1)) + 1
    lowest, highest = np.full(n_parts, np.inf), np.full(n_parts, -np.inf)
    np.minimum.at(lowest, part, positions[:, 0])
    np.maximum.at(highest, part, positions[:, 0])
    starts = np.concatenate([[0.0], np.cumsum(highest - lowest + gap)[:-1]])
    return positions + np.outer((starts - lowest)[part], [1.0, 0.0, 0.0])


def features_of(made: Any, molecule: Atoms, n_centers: int) -> FloatArray:
    """Return the features (n_centers, n_functions) of the first atoms of a molecule."""
    # An object keeps notes on the structure at hand, and structures may be evaluated in several threads.
    return np.asarray(copy.copy(made).create(molecule, centers=list(range(n_centers))), dtype=float)


def gradients_of(made: Any, around: Environment, method: str) -> tuple[FloatArray, FloatArray]:
    """Return the features of an atom and their derivatives with respect to the vectors to its neighbors.

    Parameters
    ----------
    made : object
        Of dscribe, not periodic.
    around : Environment
        The atom and its neighbors.
    method : {"analytical", "numerical"}
        As dscribe has it: central differences with a step of 1e-4 Å.

    Returns
    -------
    features : ndarray of shape (n_functions,)
        Dimensionless.
    gradients : ndarray of shape (n_neighbors, 3, n_functions)
        In 1/Å.
    """
    if not len(around.j):
        features = features_of(made, around.molecule, 1)[0]
        return features, np.zeros((0, 3, len(features)))
    neighbors = list(range(1, 1 + len(around.j)))
    found, features = copy.copy(made).derivatives(
        around.molecule, centers=[0], include=neighbors, method=method, attach=True
    )
    return np.asarray(features[0], dtype=float), np.asarray(found[0], dtype=float)
