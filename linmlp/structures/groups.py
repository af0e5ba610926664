"""Groups of structures that belong together in cross-validation, and leaks between groups or across splits."""

import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from linmlp.exceptions import LinmlpWarning, SettingsError
from linmlp.structures.checks import as_structure_list, config_type, describe
from linmlp.structures.neighbor_frames import related_pairs
from linmlp.units import IntArray

GroupBy = str | Callable[[Atoms], Any] | Sequence[Any]

SHOWN = 3
"""Leaks that a warning names; all are returned."""


@dataclass(frozen=True)
class Leak:
    """Two structures that are nearly the same, on two sides.

    Parameters
    ----------
    i, j : int
        Structures, i < j.
    sides : tuple of str
        The two groups, or "train" and "test" in the order of i and j.
    split : int or None
        Split in which that is so; None for groups.
    """

    i: int
    j: int
    sides: tuple[str, str]
    split: int | None = None


def structure_groups(structures: Iterable[Atoms], group_by: GroupBy = "trajectory") -> IntArray:
    """Return a group for every structure, by a key, a rule, or by content.

    Parameters
    ----------
    structures : iterable of ase.Atoms
        Structures.
    group_by : str, callable or sequence, default="trajectory"
        "config_type"; a key of ``info`` that all structures have; a function of one structure; or one value per
        structure. "trajectory", where no structure has such a key, finds trajectories by content: structures that are
        nearly the same (duplicates, and frames that follow each other, see `related_pairs`) are linked, and what is
        linked directly or in a chain is one group. A series of small strains of one cell is a group as well.

    Returns
    -------
    ndarray of shape (n_structures,), int64
        Groups from 0, in the order of their first structure. With "config_type", keys, functions and values,
        duplicates may be in different groups; `check_leaks` finds them.

    Raises
    ------
    SettingsError
        If a structure lacks the key, or the number of values is wrong.

    Examples
    --------
    >>> from ase.build import bulk
    >>> frames = [bulk("Cu", a=3.6), bulk("Al", a=4.0), bulk("Cu", a=3.6)]
    >>> structure_groups(frames).tolist()
    [0, 1, 0]
    """
    collected = as_structure_list(structures)
    if callable(group_by):
        values: list[Any] = [group_by(atoms) for atoms in collected]
    elif isinstance(group_by, str):
        if group_by == "trajectory" and not any("trajectory" in atoms.info for atoms in collected):
            return _linked(len(collected), related_pairs(collected))
        values = _by_key(collected, group_by)
    else:
        values = list(group_by)
        if len(values) != len(collected):
            raise SettingsError(
                f"group_by has {len(values)} values for {len(collected)} structures; give one per structure"
            )
    return _numbered([str(value) for value in values])


def check_leaks(
    structures: Iterable[Atoms],
    groups: Sequence[Any] | IntArray | None = None,
    splits: Iterable[tuple[IntArray, IntArray]] | None = None,
    warn: bool = True,
) -> list[Leak]:
    """Return structures that are nearly the same but in different groups, or on both sides of a split.

    Parameters
    ----------
    structures : iterable of ase.Atoms
        Structures.
    groups : sequence of shape (n_structures,), optional
        Groups that are claimed to be independent.
    splits : iterable of (train, test), optional
        Indices, such as the `splits` of a `FoldPlan`.
    warn : bool, default=True
        Whether to warn if there are any.

    Returns
    -------
    list of Leak
        Empty if there is none.

    Warns
    -----
    LinmlpWarning
        Names the first leaks and what to do.

    Raises
    ------
    SettingsError
        If neither or both of `groups` and `splits` are given, or the number of groups is wrong.
    """
    collected = as_structure_list(structures)
    if (groups is None) == (splits is None):
        raise SettingsError("check_leaks takes either groups or splits; give one of them")
    pairs = related_pairs(collected)
    if groups is not None:
        if len(groups) != len(collected):
            raise SettingsError(f"groups has {len(groups)} entries for {len(collected)} structures; give one each")
        names = [str(group) for group in groups]
        leaks = [Leak(i, j, (names[i], names[j])) for i, j in pairs.tolist() if names[i] != names[j]]
    else:
        leaks = [leak for k, split in enumerate(splits or ()) for leak in _across(k, split, pairs, len(collected))]
    if leaks and warn:
        warnings.warn(_message(leaks, collected), LinmlpWarning, stacklevel=2)
    return leaks


def _by_key(structures: Sequence[Atoms], key: str) -> list[Any]:
    """Return an entry of ``info`` of every structure."""
    if key == "config_type":
        return [config_type(atoms) for atoms in structures]
    missing = [index for index, atoms in enumerate(structures) if key not in atoms.info]
    if missing:
        raise SettingsError(
            f"{describe(missing[0], structures[missing[0]])} has no info[{key!r}] ({len(missing)} of {len(structures)} "
            'lack it); set it, or group by "config_type", a function or a list'
        )
    return [atoms.info[key] for atoms in structures]


def _linked(n_structures: int, pairs: IntArray) -> IntArray:
    """Return the connected parts of the graph of pairs."""
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n_structures, n_structures))
    return _numbered(connected_components(graph, directed=False)[1])


def _numbered(values: Sequence[Any] | IntArray) -> IntArray:
    """Return whole numbers for values, in the order of their first occurrence."""
    _, first, codes = np.unique(np.asarray(values), return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[codes.reshape(-1)]


def _across(k: int, split: tuple[IntArray, IntArray], pairs: IntArray, n_structures: int) -> list[Leak]:
    """Return the pairs that one split cuts."""
    side = np.zeros(n_structures, dtype=np.int64)
    side[split[0]], side[split[1]] = 1, -1
    cut = pairs[side[pairs[:, 0]] * side[pairs[:, 1]] < 0]
    return [Leak(i, j, ("train", "test") if side[i] > 0 else ("test", "train"), k) for i, j in cut.tolist()]


def _message(leaks: Sequence[Leak], structures: Sequence[Atoms]) -> str:
    """Return the text of the warning."""
    parts = []
    for leak in leaks[:SHOWN]:
        where = "groups {!r} and {!r}".format(*leak.sides)
        if leak.split is not None:
            where = "{} and {} of split {}".format(*leak.sides, leak.split)
        parts.append(f"{describe(leak.i, structures[leak.i])} and structure {leak.j} in {where}")
    more = f" and {len(leaks) - SHOWN} more pairs" if len(leaks) > SHOWN else ""
    return (
        f"nearly the same structures are kept apart as if they were independent: {'; '.join(parts)}{more}. Errors of "
        'cross-validation come out too small; group by structure_groups(structures, "trajectory")'
    )
