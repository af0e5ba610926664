"""Orthogonal matching pursuit against refitting after every choice."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from linmlp.solvers import OrthogonalMatchingPursuit
from tests.naive.selection import matching_pursuit
from tests.solvers import checks
from tests.solvers.problems import FORMS, UNSCALED, unscaled_problem

ALPHA = 1e-4


@parametrize_with_checks([OrthogonalMatchingPursuit()])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("shape", UNSCALED)
def test_every_size_is_the_one_found_by_refitting(form, shape):
    checks.check_sizes(OrthogonalMatchingPursuit(alpha=ALPHA), matching_pursuit, form, shape)


def test_order_of_choice():
    X, y = unscaled_problem("tall")
    assert OrthogonalMatchingPursuit(6, ALPHA).fit(X, y).order_.tolist() == matching_pursuit(X, y, 6, ALPHA)


def test_weights_are_repetitions_and_empty_columns_stay_zero():
    checks.check_weights_are_repetitions(OrthogonalMatchingPursuit(4), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("size", [0, 10, 2.5, "all"])
def test_bad_sizes(size):
    checks.check_bad_size(OrthogonalMatchingPursuit(size))
