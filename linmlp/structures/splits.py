"""Folds of structures for cross-validation."""

from collections.abc import Iterator, Sequence

import numpy as np

from linmlp.exceptions import SettingsError
from linmlp.units import IntArray


def assign_folds(groups: Sequence[str], n_folds: int = 5, random_state: int = 0) -> IntArray:
    """Return a fold for every structure: random within groups, every group spread evenly.

    Parameters
    ----------
    groups : sequence of str
        Group (config_type) of each structure.
    n_folds : int, default=5
        Number of folds.
    random_state : int, default=0
        Seed; the same seed gives the same folds.

    Returns
    -------
    ndarray of shape (n_structures,), int64
        Folds from 0. The counts of one group differ by at most one between folds, and so do the sizes of the folds:
        dealing goes on with the next fold from group to group, so that groups smaller than the number of folds spread
        too.

    Raises
    ------
    SettingsError
        If there are fewer than two folds or fewer structures than folds.

    Examples
    --------
    >>> folds = assign_folds(["bulk"] * 6 + ["slab"] * 2, n_folds=2)
    >>> np.bincount(folds[:6]).tolist(), np.bincount(folds[6:]).tolist()
    ([3, 3], [1, 1])
    """
    if n_folds < 2:
        raise SettingsError(f"cross-validation needs at least 2 folds, not {n_folds}")
    if len(groups) < n_folds:
        raise SettingsError(f"{len(groups)} structures cannot be split into {n_folds} folds; use fewer folds")
    rng = np.random.default_rng(random_state)
    names = np.array([str(group) for group in groups])
    order = np.concatenate([rng.permutation(np.flatnonzero(names == name)) for name in np.unique(names)])
    folds = np.empty(len(groups), dtype=np.int64)
    folds[order] = rng.permutation(n_folds)[np.arange(len(groups)) % n_folds]
    return folds


def kfold_indices(
    groups: Sequence[str], n_folds: int = 5, random_state: int = 0
) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield the structures to train on and to test on, fold by fold.

    Parameters
    ----------
    groups : sequence of str
        Group (config_type) of each structure.
    n_folds : int, default=5
        Number of folds.
    random_state : int, default=0
        Seed.

    Yields
    ------
    train, test : ndarray of int64
        Indices of structures, growing.
    """
    folds = assign_folds(groups, n_folds, random_state)
    for fold in range(n_folds):
        yield np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
