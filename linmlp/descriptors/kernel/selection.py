"""Which environments represent the others: unit vectors of environments in, indices out."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np

from linmlp.exceptions import SettingsError
from linmlp.units import FloatArray, IntArray

Selection = Literal["fps", "cur", "random"]

SAME = 1e-12
"""Environments whose kernel distance, squared, is below this are the same."""


def select_environments(
    units: FloatArray,
    n: int,
    method: Selection,
    zeta: float,
    rng: np.random.Generator,
    groups: Sequence[str] = (),
    per_group: Mapping[str, int] | None = None,
) -> IntArray:
    """Return the indices of environments that represent the others.

    Parameters
    ----------
    units : ndarray of shape (n_environments, n_functions)
        Features of unit length.
    n : int
        How many are wanted.
    method : {"fps", "cur", "random"}
        Farthest points in the distance of the kernel, largest leverages, or at random.
    zeta : float
        Exponent of the kernel.
    rng : numpy.random.Generator
        For the first point, and for "random".
    groups : sequence of str
        Group of every environment, where `per_group` is given.
    per_group : dict of str to int, optional
        How many are taken from a group before the rest is taken from all.

    Returns
    -------
    ndarray of int
        At most `n`, in the order in which they were taken; fewer if no more are different.

    Raises
    ------
    SettingsError
        If more are wanted from groups than in all.
    """
    per_group = dict(per_group or {})
    if sum(per_group.values()) > n:
        raise SettingsError(f"per_group wants {sum(per_group.values())} environments, n_sparse is {n}; raise n_sparse")
    take = {"fps": _farthest, "cur": _largest_leverages, "random": _at_random}[method]
    chosen = np.empty(0, dtype=np.int64)
    names = np.array(groups, dtype=object)
    for group, count in per_group.items():
        members = np.flatnonzero(names == group)
        chosen = np.concatenate([chosen, take(units, members, chosen, count, zeta, rng)])
    rest = np.setdiff1d(np.arange(len(units)), chosen)
    return np.concatenate([chosen, take(units, rest, chosen, n - len(chosen), zeta, rng)])


Take = Callable[[FloatArray, IntArray, IntArray, int, float, np.random.Generator], IntArray]


def distances_from(units: FloatArray, index: int, zeta: float) -> FloatArray:
    r"""Return the squared distances :math:`2 - 2 (p \cdot q)^\zeta` of all environments from one."""
    return np.asarray(2.0 - 2.0 * np.maximum(units @ units[index], 0.0) ** zeta)


def _farthest(
    units: FloatArray, members: IntArray, chosen: IntArray, n: int, zeta: float, rng: np.random.Generator
) -> IntArray:
    """Return members, each as far as can be from those before it and those chosen already."""
    if not len(members) or n < 1:
        return np.empty(0, dtype=np.int64)
    own = units[members]
    nearest = np.full(len(members), np.inf)
    for index in chosen:
        nearest = np.minimum(nearest, 2.0 - 2.0 * np.maximum(own @ units[index], 0.0) ** zeta)
    found: list[int] = []
    while len(found) < min(n, len(members)):
        place = int(rng.integers(len(members))) if np.isinf(nearest[0]) else int(np.argmax(nearest))
        if nearest[place] < SAME:
            break
        found.append(place)
        nearest = np.minimum(nearest, distances_from(own, place, zeta))
    return members[np.array(found, dtype=np.int64)]


def _largest_leverages(
    units: FloatArray, members: IntArray, chosen: IntArray, n: int, zeta: float, rng: np.random.Generator
) -> IntArray:
    """Return different members of largest leverage in the features, as the CUR decomposition takes them."""
    if not len(members) or n < 1:
        return np.empty(0, dtype=np.int64)
    left, values, _ = np.linalg.svd(units[members], full_matrices=False)
    rank = int(np.sum(values > 1e-8 * values[0]))
    order = members[np.argsort(-np.sum(left[:, :rank] ** 2, axis=1), kind="stable")]
    return _different(units, order, chosen, n, zeta)


def _at_random(
    units: FloatArray, members: IntArray, chosen: IntArray, n: int, zeta: float, rng: np.random.Generator
) -> IntArray:
    """Return different members in any order."""
    return _different(units, rng.permutation(members), chosen, n, zeta)


def _different(units: FloatArray, order: IntArray, chosen: IntArray, n: int, zeta: float) -> IntArray:
    """Return the first members of a list that differ from those before them."""
    nearest = np.full(len(units), np.inf)
    for index in chosen:
        nearest = np.minimum(nearest, distances_from(units, index, zeta))
    found: list[int] = []
    for index in order:
        if len(found) == n:
            break
        if nearest[index] >= SAME:
            found.append(int(index))
            nearest = np.minimum(nearest, distances_from(units, index, zeta))
    return np.array(found, dtype=np.int64)
