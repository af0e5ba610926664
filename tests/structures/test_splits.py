import numpy as np
import pytest

from linmlp.exceptions import SettingsError
from linmlp.structures.splits import assign_folds, kfold_indices

GROUPS = ["bulk"] * 23 + ["slab"] * 7 + ["rare"] * 2 + ["melt"] * 13 + ["lone"]


@pytest.mark.parametrize("n_folds", [2, 3, 5, 10])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_groups_and_sizes_are_even(n_folds, seed):
    folds = assign_folds(GROUPS, n_folds, seed)
    assert np.ptp(np.bincount(folds, minlength=n_folds)) <= 1
    for group in set(GROUPS):
        members = [fold for fold, name in zip(folds, GROUPS, strict=True) if name == group]
        assert np.ptp(np.bincount(members, minlength=n_folds)) <= 1


def test_small_groups_do_not_gather_in_one_fold():
    folds = assign_folds([f"group {k}" for k in range(20)], n_folds=5)
    assert np.bincount(folds).tolist() == [4] * 5


def test_seeds():
    np.testing.assert_array_equal(assign_folds(GROUPS, 5, 3), assign_folds(GROUPS, 5, 3))
    assert (assign_folds(GROUPS, 5, 3) != assign_folds(GROUPS, 5, 4)).any()


def test_members_are_drawn_at_random():
    folds = np.array([assign_folds(["a"] * 20, 2, seed) for seed in range(400)])
    together = (folds[:, 0] == folds[:, 1]).mean()
    assert together == pytest.approx(9 / 19, abs=4 * np.sqrt(0.25 / 400))


def test_train_and_test_make_up_the_whole():
    seen = []
    for train, test in kfold_indices(GROUPS, 4, 1):
        np.testing.assert_array_equal(np.sort(np.concatenate([train, test])), np.arange(len(GROUPS)))
        seen += test.tolist()
    assert sorted(seen) == list(range(len(GROUPS)))


def test_bad_numbers():
    with pytest.raises(SettingsError, match="at least 2 folds, not 1"):
        assign_folds(GROUPS, 1)
    with pytest.raises(SettingsError, match="3 structures cannot be split into 5 folds"):
        assign_folds(["a"] * 3, 5)
