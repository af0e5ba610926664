"""A sample of structures for choices that need not see all of them."""

from collections.abc import Sequence

import numpy as np


def sample_structures(groups: Sequence[str], n_atoms: Sequence[int], most_atoms: int, random_state: int) -> list[int]:
    """Return indices of a random sample of structures, spread over groups, of some number of atoms.

    Parameters
    ----------
    groups : sequence of str
        Group of each structure.
    n_atoms : sequence of int
        Atoms of each structure.
    most_atoms : int
        The sample ends when it holds this many atoms.
    random_state : int
        Seed.

    Returns
    -------
    list of int
        Ascending.
    """
    rng = np.random.default_rng(random_state)
    names = np.array(groups)
    place = np.empty(len(names))
    for name in np.unique(names):
        members = np.flatnonzero(names == name)
        place[rng.permutation(members)] = (np.arange(len(members)) + rng.random()) / len(members)
    order = np.argsort(place, kind="stable")
    kept = np.cumsum(np.asarray(n_atoms)[order]) <= most_atoms
    kept[: min(40, len(order))] = True
    return sorted(int(i) for i in order[kept])
