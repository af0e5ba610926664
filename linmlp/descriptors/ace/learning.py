"""What ACE learns from structures: distances in, radial functions out."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from ase import Atoms
from ase.data import covalent_radii

from linmlp.descriptors.ace.basis import enumerate_functions
from linmlp.descriptors.ace.parameters import AceParameters
from linmlp.descriptors.ace.radial import SCALING, orthonormal_map
from linmlp.descriptors.ace.statistics import DistanceStatistics, measure_distances
from linmlp.exceptions import SettingsError
from linmlp.neighbors import Pairs, find_pairs
from linmlp.units import FloatArray

FLAT_WEIGHT = 0.05
"""Weight of the uniform distances beside the observed ones when radial functions are made orthonormal."""

FLAT_START = 0.5
"""Where the uniform distances start, as a fraction of the closest approach: functions stay tame inside the core."""

INNER, INNER_WIDTH = 0.85, 0.35
"""The inner switch, as fractions of the closest approach of a pair; rounded to the bins of ML-PACE's tables."""

UNSEEN_CLOSEST = 0.6
"""Closest approach of a pair of elements that was never seen, as a fraction of the sum of its covalent radii."""

SEARCH_RADIUS = 6.0
"""How far nearest neighbors are looked for, Å."""


def learn_parameters(
    distances: DistanceStatistics,
    numbers: tuple[int, ...],
    cutoff: float,
    max_degree: tuple[int, ...],
    max_l: int,
    mixing: FloatArray | None = None,
) -> AceParameters:
    """Return the functions of ACE for distances that were observed.

    Parameters
    ----------
    distances : DistanceStatistics
        Of the training structures.
    numbers : tuple of int
        Atomic numbers of the elements, ascending.
    cutoff : float
        Cutoff radius in Å.
    max_degree : tuple of int
        Largest total degree per order.
    max_l : int
        Largest angular momentum.
    mixing : ndarray of shape (n_elements, n_channels, n_elements) or None, default=None
        How densities are mixed; None for those of the elements.

    Returns
    -------
    AceParameters
        Radial functions are orthonormal under the distances; where elements are mixed, under those of all neighbors.
    """
    n_elements = len(numbers)
    n_pair, n_radial = _count_radial(max_degree)
    closest = _assume_unseen(distances.closest, numbers)
    counts, tame = distances.counts, closest
    if mixing is not None:  # all neighbors of a center have the same functions
        counts = np.repeat(counts.sum(axis=1, keepdims=True), n_elements, axis=1)
        tame = np.repeat(closest.min(axis=1, keepdims=True), n_elements, axis=1)
    pair_map = np.empty((n_elements, n_elements, n_pair, n_pair))
    radial_map = np.empty((n_elements, n_elements, max_l + 1, n_radial, n_radial))
    for z in range(n_elements):
        for e in range(n_elements):
            size = max(n_pair, n_radial)
            full = _radial_map(distances, counts[z, e], tame[z, e], size, cutoff)
            pair_map[z, e] = full[:n_pair, :n_pair]
            radial_map[z, e] = full[:n_radial, :n_radial]
    return AceParameters(
        numbers=numbers,
        cutoff=cutoff,
        scaling=SCALING,
        functions=tuple(
            enumerate_functions(n_elements, max_degree, max_l, None if mixing is None else mixing.shape[1])
        ),
        radial_map=radial_map,
        pair_map=pair_map,
        inner=np.round(INNER * closest, 3),
        inner_width=np.round(INNER_WIDTH * closest, 3),
        mixing=mixing,
    )


def limit_parameters(parameters: AceParameters, max_degree: tuple[int, ...], max_l: int) -> AceParameters:
    """Return the parameters of the functions up to lower degrees.

    Parameters
    ----------
    parameters : AceParameters
        Of more functions.
    max_degree : tuple of int
        Largest total degree per order.
    max_l : int
        Largest angular momentum, the same.

    Returns
    -------
    AceParameters
        What `learn_parameters` gives for these degrees: radial functions are made orthonormal in order of their degree.
    """
    n_pair, n_radial = _count_radial(max_degree)
    n_channels = None if parameters.mixing is None else parameters.mixing.shape[1]
    return replace(
        parameters,
        functions=tuple(enumerate_functions(len(parameters.numbers), max_degree, max_l, n_channels)),
        radial_map=np.ascontiguousarray(parameters.radial_map[..., :n_radial, :n_radial]),
        pair_map=np.ascontiguousarray(parameters.pair_map[..., :n_pair, :n_pair]),
    )


def _count_radial(max_degree: tuple[int, ...]) -> tuple[int, int]:
    """Return the numbers of radial functions of the pair term and of orders 2 and higher."""
    return max_degree[0] + 1, max([1, *(degree + 1 for degree in max_degree[1:])])


def _radial_map(
    distances: DistanceStatistics, counts: Any, closest: float, n_functions: int, cutoff: float
) -> FloatArray:
    """Return the map to functions that are orthonormal under the observed distances and some uniform ones."""
    if counts.sum() == 0:
        counts = distances.counts.sum((0, 1))
    seen = np.flatnonzero(counts)
    flat = np.linspace(min(FLAT_START * closest, 0.5 * cutoff), cutoff, 400, endpoint=False)
    points = np.concatenate([distances.bin_centers[seen], flat])
    weights = np.concatenate([counts[seen] / counts.sum(), np.full(len(flat), FLAT_WEIGHT / len(flat))])
    return orthonormal_map(points, weights, n_functions, cutoff)


def _assume_unseen(closest: FloatArray, numbers: tuple[int, ...]) -> FloatArray:
    radii = covalent_radii[list(numbers)]
    return np.where(np.isfinite(closest), closest, UNSEEN_CLOSEST * (radii[:, None] + radii))


def nearest_neighbor_distance(structures: Sequence[Atoms], numbers: tuple[int, ...]) -> float:
    """Return the median distance of atoms from their nearest neighbor.

    Parameters
    ----------
    structures : sequence of ase.Atoms
        Structures.
    numbers : tuple of int
        Atomic numbers of the elements.

    Returns
    -------
    float
        In Å.

    Raises
    ------
    SettingsError
        If no two atoms are near each other.
    """
    nearest = measure_distances(all_pairs(structures, SEARCH_RADIUS), numbers, SEARCH_RADIUS).nearest
    if not len(nearest):
        raise SettingsError(
            f"no two atoms are within {SEARCH_RADIUS:g} Å in any structure, so that no cutoff can be chosen; "
            "give a cutoff in Å"
        )
    return float(np.median(nearest))


def all_pairs(structures: Sequence[Atoms], cutoff: float) -> Iterator[Pairs]:
    """Return the pairs within a cutoff (Å) of each structure, one after the other."""
    return (find_pairs(structure, cutoff) for structure in structures)


def atomic_numbers_of(structures: Sequence[Atoms]) -> tuple[int, ...]:
    """Return the atomic numbers of the elements in some structures, ascending."""
    return tuple(sorted({int(z) for structure in structures for z in np.unique(structure.numbers)}))
