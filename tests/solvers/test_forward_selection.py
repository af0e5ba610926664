"""Forward selection against refitting every candidate."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from linmlp.solvers import ForwardSelection
from tests.naive.selection import forward_selection
from tests.solvers import checks
from tests.solvers.problems import FORMS, UNSCALED, unscaled_problem

ALPHA = 1e-4


@parametrize_with_checks([ForwardSelection()])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("shape", UNSCALED)
def test_every_size_is_the_one_found_by_refitting(form, shape):
    checks.check_sizes(ForwardSelection(alpha=ALPHA), forward_selection, form, shape)


def test_order_of_choice():
    X, y = unscaled_problem("tall")
    assert ForwardSelection(6, ALPHA).fit(X, y).order_.tolist() == forward_selection(X, y, 6, ALPHA)


def test_long_paths_of_nearly_dependent_columns_stay_least_squares():
    checks.check_long_path(ForwardSelection(70))


def test_dependent_columns_are_left_out_without_a_ridge():
    checks.check_dependent_columns_are_left_out(ForwardSelection(9, 0.0))


def test_weights_are_repetitions_and_empty_columns_stay_zero():
    checks.check_weights_are_repetitions(ForwardSelection(4), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("size", [0, 10, 2.5, "all"])
def test_bad_sizes(size):
    checks.check_bad_size(ForwardSelection(size))
