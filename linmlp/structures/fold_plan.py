"""Any cross-validation a scikit-learn user may give, as splits of structures and the blocks they are unions of."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.model_selection import LeaveOneGroupOut

from linmlp.exceptions import SettingsError
from linmlp.structures.label_set import LabelSet
from linmlp.structures.splits import assign_folds
from linmlp.units import IntArray

Split = tuple[IntArray, IntArray]

LEAVE_ONE_GROUP_OUT = "leave_one_group_out"
"""A name that `plan_folds` takes for a splitter."""


@dataclass(frozen=True)
class FoldPlan:
    """Splits of structures, and their common refinement.

    Parameters
    ----------
    splits : tuple of (train, test)
        Indices of the structures of each split, ascending.
    blocks : ndarray of shape (n_structures,), int64
        Block of each structure, from 0: structures that are on the same side of every split. Every train set and every
        test set is a union of blocks, so one compressed system per block serves all splits. Structures that are in no
        split have a block too.
    train_blocks, test_blocks : tuple of ndarray of int64
        Blocks of the train and test set of each split, ascending.
    """

    splits: tuple[Split, ...]
    blocks: IntArray
    train_blocks: tuple[IntArray, ...]
    test_blocks: tuple[IntArray, ...]

    @classmethod
    def of(cls, splits: Iterable[Split], n_structures: int) -> "FoldPlan":
        """Return the plan of some checked splits.

        Parameters
        ----------
        splits : iterable of (train, test)
            Indices.
        n_structures : int
            Number of structures.

        Returns
        -------
        FoldPlan
            Blocks are numbered in the order of the first split in which they are tested, then by the next ones.
        """
        ordered = tuple((np.unique(train), np.unique(test)) for train, test in splits)
        sides = np.zeros((n_structures, len(ordered)), dtype=np.int8)
        for k, (train, test) in enumerate(ordered):
            sides[train, k], sides[test, k] = 1, -1
        blocks = np.unique(sides, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)
        return cls(
            ordered,
            blocks,
            tuple(np.unique(blocks[train]) for train, _ in ordered),
            tuple(np.unique(blocks[test]) for _, test in ordered),
        )

    def __len__(self) -> int:
        """Return the number of splits."""
        return len(self.splits)

    @property
    def n_blocks(self) -> int:
        """Number of blocks: as many compressed systems does a cross-validation keep."""
        return int(self.blocks.max()) + 1

    @property
    def is_partition(self) -> bool:
        """Whether every structure is tested once and trained on in all other splits, so that blocks are folds."""
        tested = np.zeros(len(self.blocks), dtype=np.int64)
        for _, test in self.splits:
            tested[test] += 1
        whole = all(len(train) + len(test) == len(self.blocks) for train, test in self.splits)
        return whole and bool((tested == 1).all())


def plan_folds(
    cv: Any,
    config_types: LabelSet | Sequence[str],
    groups: Sequence[Any] | IntArray | None = None,
    random_state: int = 0,
) -> FoldPlan:
    """Return the splits that a `cv` means, and their blocks.

    Parameters
    ----------
    cv : int, splitter, iterable of (train, test), or str
        A number of folds (random within each ``config_type``; with `groups`, no group is divided), any object with
        scikit-learn's ``split(X, y, groups)``, pairs of index arrays (or masks), or "leave_one_group_out".
    config_types : LabelSet or sequence of str
        Group names of the structures; splitters that stratify get them as y.
    groups : sequence of shape (n_structures,), optional
        Structures of one group, such as a trajectory, stay together where the splitter respects groups.
    random_state : int, default=0
        Seed of the folds where `cv` is a number. A splitter object has its own.

    Returns
    -------
    FoldPlan
        Splits and blocks.

    Raises
    ------
    SettingsError
        If `cv` is not known, wants groups that were not given or more than there are, or gives a split that is empty,
        out of range, or has a structure on both sides.

    Examples
    --------
    >>> plan = plan_folds(2, ["bulk"] * 4)
    >>> plan.n_blocks, plan.is_partition
    (2, True)
    >>> plan_folds("leave_one_group_out", ["bulk"] * 4, groups=["a", "b", "b", "c"]).blocks.tolist()
    [0, 1, 1, 2]
    """
    names = config_types.config_types if isinstance(config_types, LabelSet) else [str(name) for name in config_types]
    codes = _group_codes(groups, len(names))
    splits = _checked(_splits(cv, names, codes, random_state), len(names))
    return FoldPlan.of(splits, len(names))


def assign_group_folds(groups: Sequence[Any] | IntArray, n_folds: int = 5, random_state: int = 0) -> IntArray:
    """Return a fold for every structure, with all structures of a group in one fold and folds of similar size.

    Parameters
    ----------
    groups : sequence of shape (n_structures,)
        Group of each structure.
    n_folds : int, default=5
        Number of folds.
    random_state : int, default=0
        Seed of the order among groups of equal size.

    Returns
    -------
    ndarray of shape (n_structures,), int64
        Folds from 0. Groups are dealt from the largest to the smallest, each to the smallest fold so far.

    Raises
    ------
    SettingsError
        If there are fewer than two folds or fewer groups than folds.
    """
    if n_folds < 2:
        raise SettingsError(f"cross-validation needs at least 2 folds, not {n_folds}")
    codes = np.unique(np.asarray([str(group) for group in groups]), return_inverse=True)[1].reshape(-1)
    sizes = np.bincount(codes)
    if len(sizes) < n_folds:
        raise SettingsError(
            f"{len(sizes)} groups cannot be split into {n_folds} folds; use fewer folds or finer groups"
        )
    shuffled = np.random.default_rng(random_state).permutation(len(sizes))
    fold_of_group = np.empty(len(sizes), dtype=np.int64)
    filled = np.zeros(n_folds, dtype=np.int64)
    for group in shuffled[np.argsort(-sizes[shuffled], kind="stable")]:
        fold_of_group[group] = filled.argmin()
        filled[fold_of_group[group]] += sizes[group]
    return fold_of_group[codes]


def _splits(cv: Any, names: Sequence[str], codes: IntArray | None, random_state: int) -> Iterable[tuple[Any, Any]]:
    """Return the splits that a `cv` means, unchecked."""
    if isinstance(cv, int | np.integer) and not isinstance(cv, bool):
        n_wanted = int(cv)
        if codes is None:
            folds = assign_folds(names, n_wanted, random_state)
        else:
            folds = assign_group_folds(codes, n_wanted, random_state)
        return [(np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)) for fold in range(n_wanted)]
    if isinstance(cv, str):
        if cv != LEAVE_ONE_GROUP_OUT:
            raise SettingsError(
                f"cv={cv!r} is not known; give a number of folds, a splitter or {LEAVE_ONE_GROUP_OUT!r}"
            )
        cv = LeaveOneGroupOut()
    if hasattr(cv, "split"):
        return _splits_of_splitter(cv, names, codes)
    if not isinstance(cv, Iterable):
        raise SettingsError(
            f"cv={cv!r} is no cross-validation; give a number of folds, a splitter or (train, test) pairs"
        )
    return _pairs(cv, len(names))


def _splits_of_splitter(cv: Any, names: Sequence[str], codes: IntArray | None) -> list[tuple[Any, Any]]:
    """Return the splits of a scikit-learn splitter; its complaints become ours, with what to do."""
    X = np.arange(len(names)).reshape(-1, 1)
    try:
        return list(cv.split(X, np.array(names), codes))
    except (ValueError, TypeError) as error:
        wants_groups = codes is None and "group" in str(error).lower()
        if wants_groups:
            advice = "give groups, for example structure_groups(structures, 'trajectory')"
        elif codes is not None:
            advice = (
                f"there are {len(names)} structures and {len(np.unique(codes))} groups; use fewer folds or other groups"
            )
        else:
            advice = f"there are {len(names)} structures of {len(set(names))} config_types; use fewer folds"
        raise SettingsError(f"cv={cv!r} cannot split the structures: {error}; {advice}") from error


def _pairs(cv: Iterable[Any], n_structures: int) -> list[tuple[Any, Any]]:
    """Return pairs of arrays; masks become indices."""
    pairs = []
    for k, pair in enumerate(cv):
        if not (isinstance(pair, tuple | list) and len(pair) == 2):
            raise SettingsError(f"entry {k} of cv is {pair!r}; each must be a pair of index arrays (train, test)")
        sides = []
        for side in pair:
            array = np.asarray(side)
            if array.dtype == bool:
                if array.shape != (n_structures,):
                    raise SettingsError(
                        f"split {k} of cv has a mask of shape {array.shape} for {n_structures} structures"
                    )
                array = np.flatnonzero(array)
            sides.append(array)
        pairs.append((sides[0], sides[1]))
    return pairs


def _checked(splits: Iterable[tuple[Any, Any]], n_structures: int) -> list[Split]:
    """Return splits as integer arrays, after checking each."""
    checked = []
    for k, (train, test) in enumerate(splits):
        sides = []
        for name, side in (("train", train), ("test", test)):
            array = np.asarray(side)
            if array.ndim != 1 or len(array) == 0:
                raise SettingsError(
                    f"the {name} set of split {k} has shape {array.shape}; it needs at least one structure"
                )
            if array.dtype.kind not in "iu":
                raise SettingsError(
                    f"the {name} set of split {k} holds {array.dtype} values; give whole-number indices"
                )
            bad = array[(array < 0) | (array >= n_structures)]
            if len(bad):
                raise SettingsError(
                    f"the {name} set of split {k} holds index {bad[0]}; {n_structures} structures are numbered 0 to "
                    f"{n_structures - 1}"
                )
            sides.append(array.astype(np.int64))
        both = np.intersect1d(sides[0], sides[1])
        if len(both):
            raise SettingsError(
                f"structure {both[0]} ({len(both)} in all) is in the train and in the test set of split {k}, which "
                "leaks what is tested into the fit; take it out of one"
            )
        checked.append((sides[0], sides[1]))
    if not checked:
        raise SettingsError("cv gives no split; it needs at least one (train, test) pair (a generator works only once)")
    return checked


def _group_codes(groups: Sequence[Any] | IntArray | None, n_structures: int) -> IntArray | None:
    """Return groups as whole numbers, or None."""
    if groups is None:
        return None
    if len(groups) != n_structures:
        raise SettingsError(f"groups has {len(groups)} entries for {n_structures} structures; give one per structure")
    return np.unique(np.asarray([str(g) for g in groups]), return_inverse=True)[1].reshape(-1).astype(np.int64)
