"""Backward selection against refitting every candidate."""

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from linmlp.exceptions import SettingsError
from linmlp.solvers import BackwardSelection
from tests.naive.selection import backward_selection, forward_selection
from tests.solvers import checks
from tests.solvers.problems import FORMS, UNSCALED, unscaled_problem

ALPHA = 1e-4


@parametrize_with_checks([BackwardSelection()])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("shape", UNSCALED)
def test_every_size_is_the_one_found_by_refitting(form, shape):
    checks.check_sizes(BackwardSelection(alpha=ALPHA), backward_selection, form, shape)


def test_long_paths_of_nearly_dependent_columns_stay_least_squares():
    checks.check_long_path(BackwardSelection(70))


def test_dependent_columns_are_left_out_without_a_ridge():
    checks.check_dependent_columns_are_left_out(BackwardSelection(9, 0.0))


def test_from_the_best_of_a_forward_selection():
    X, y = unscaled_problem("tall")
    forward = sorted(forward_selection(X, y, 6, ALPHA))
    started = np.flatnonzero(BackwardSelection(3, ALPHA, start=6).fit(X, y).coef_)
    best = np.array(forward)[backward_selection(X[:, forward], y, 3, ALPHA)]
    assert started.tolist() == best.tolist()
    with pytest.raises(SettingsError, match="start is 2, but 3"):
        BackwardSelection(3, start=2).fit(X, y)


def test_weights_are_repetitions_and_empty_columns_stay_zero():
    checks.check_weights_are_repetitions(BackwardSelection(4), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("size", [0, 10, 2.5, "all"])
def test_bad_sizes(size):
    checks.check_bad_size(BackwardSelection(size))
