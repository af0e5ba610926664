"""Splits of any cross-validation, and the blocks they are unions of."""

import numpy as np
import pytest
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    PredefinedSplit,
    RepeatedKFold,
    ShuffleSplit,
    StratifiedKFold,
    TimeSeriesSplit,
)

from linmlp.exceptions import SettingsError
from linmlp.structures import assign_folds, assign_group_folds, plan_folds

NAMES = ["bulk", "slab", "bulk"] * 8
GROUPS = np.arange(24) // 4
SPLITTERS = {
    "KFold": (KFold(4), True),
    "StratifiedKFold": (StratifiedKFold(3), True),
    "GroupKFold": (GroupKFold(3), True),
    "LeaveOneGroupOut": (LeaveOneGroupOut(), True),
    "PredefinedSplit": (PredefinedSplit(GROUPS), True),
    "ShuffleSplit": (ShuffleSplit(3, test_size=0.25, random_state=0), False),
    "RepeatedKFold": (RepeatedKFold(n_splits=3, n_repeats=2, random_state=0), False),
    "TimeSeriesSplit": (TimeSeriesSplit(3), False),
}


@pytest.mark.parametrize("name", SPLITTERS)
def test_blocks_are_the_common_refinement(name):
    cv, is_partition = SPLITTERS[name]
    plan = plan_folds(cv, NAMES, GROUPS if "Group" in name else None)
    wanted = list(cv.split(np.arange(24), NAMES, GROUPS if "Group" in name else None))
    assert len(plan) == len(wanted)
    assert plan.is_partition == is_partition
    for k, (train, test) in enumerate(wanted):
        for blocks, side in ((plan.train_blocks[k], train), (plan.test_blocks[k], test)):
            np.testing.assert_array_equal(np.flatnonzero(np.isin(plan.blocks, blocks)), np.sort(side))
        assert not set(plan.train_blocks[k]) & set(plan.test_blocks[k])
    # no finer than needed: two blocks are on different sides of some split
    sides = {
        block: tuple(block in plan.train_blocks[k] or -(block in plan.test_blocks[k]) for k in range(len(plan)))
        for block in range(plan.n_blocks)
    }
    assert len(set(sides.values())) == plan.n_blocks


def test_a_number_is_random_within_config_types_and_whole_groups():
    plan = plan_folds(4, NAMES, random_state=3)
    folds = assign_folds(NAMES, 4, 3)
    for train, test in plan.splits:
        assert len({folds[i] for i in test}) == 1
        assert len(train) + len(test) == 24
    grouped = plan_folds(3, NAMES, GROUPS)
    for train, test in grouped.splits:
        assert not set(GROUPS[train]) & set(GROUPS[test])


@pytest.mark.parametrize("seed", range(5))
def test_folds_of_groups_are_of_similar_size(seed):
    rng = np.random.default_rng(seed)
    groups = rng.integers(12, size=100)
    folds = assign_group_folds(groups, 4, seed)
    for group in np.unique(groups):
        assert len(set(folds[groups == group])) == 1
    sizes = np.bincount(folds, minlength=4)
    assert sizes.max() - sizes.min() <= np.bincount(groups).max()
    np.testing.assert_array_equal(folds, assign_group_folds(groups, 4, seed))


def test_pairs_and_masks():
    mask = np.arange(24) < 6
    plan = plan_folds([(~mask, mask), ([0, 1, 2], [20])], NAMES)
    np.testing.assert_array_equal(plan.splits[0][1], np.arange(6))
    np.testing.assert_array_equal(plan.splits[1][0], [0, 1, 2])
    assert plan.n_blocks == 4


@pytest.mark.parametrize(
    ("cv", "groups", "message"),
    [
        (7, GROUPS, "6 groups cannot be split into 7 folds"),
        (30, None, "24 structures cannot be split into 30 folds"),
        (1, None, "at least 2 folds"),
        (GroupKFold(3), None, "give groups"),
        (GroupKFold(9), GROUPS, "6 groups; use fewer folds"),
        ("leave_one_out", None, "is not known"),
        ("leave_one_group_out", None, "give groups"),
        (5.0, None, "is no cross-validation"),
        ([], None, "cv gives no split"),
        ([(np.arange(5), [])], None, "at least one structure"),
        ([([0, 1], [24])], None, "holds index 24"),
        ([([0, 1], [0.5])], None, "whole-number"),
        ([([0, 1], [1, 2])], None, "structure 1 .* in the train and in the test set of split 0"),
        ([([0, 1], [2], [3])], None, "pair of index arrays"),
        ([(np.ones(3, bool), np.ones(3, bool))], None, "mask of shape"),
        (3, GROUPS[:5], "groups has 5 entries for 24"),
    ],
)
def test_bad_cross_validations_are_told(cv, groups, message):
    with pytest.raises(SettingsError, match=message):
        plan_folds(cv, NAMES, groups)
