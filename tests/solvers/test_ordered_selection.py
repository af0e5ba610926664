"""Ridge on the first features of an order against refitting each size."""

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from linmlp.exceptions import SettingsError
from linmlp.solvers import OrderedSelection, Status
from tests.solvers import checks
from tests.solvers.problems import FORMS, UNSCALED, unscaled_problem

ALPHA = 1e-4
ORDER = [4, 0, 8, 2, 1, 3, 7, 6, 5]


@parametrize_with_checks([OrderedSelection()])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("shape", UNSCALED)
@pytest.mark.parametrize("order", [None, ORDER])
def test_every_size_is_the_ridge_on_the_first_features(form, shape, order):
    def first(X, y, size, alpha):
        return (list(range(X.shape[1])) if order is None else order)[:size]

    checks.check_sizes(OrderedSelection(order, alpha=ALPHA), first, form, shape)


@pytest.mark.parametrize("form", FORMS)
def test_features_that_depend_on_those_before_are_left_out(form):
    checks.check_dependent_columns_are_left_out(OrderedSelection(ORDER, 9, 0.0))
    X, y = unscaled_problem("singular")
    path = OrderedSelection(ORDER, alpha=0.0).solve_path(FORMS[form](X, y), [3, 6, 9])
    assert [solution.rank for solution in path] == [3, 6, 6]
    assert [set(np.flatnonzero(solution.coef)) for solution in path] == [set(ORDER[:n]) for n in (3, 6, 6)]
    assert path[2].status is Status.RANK_DEFICIENT
    assert path[1].status is not Status.RANK_DEFICIENT


def test_condition_number_of_a_leading_block():
    X, y = unscaled_problem("tall")
    unit = X / np.linalg.norm(X, axis=0)
    solution = OrderedSelection(ORDER, 3, alpha=0.0).fit(X, y).solution_
    values = np.linalg.svd(unit[:, ORDER[:3]], compute_uv=False)
    assert 0.3 < solution.condition_number / (values[0] / values[-1]) ** 2 < 30.0


def test_weights_are_repetitions_and_empty_columns_stay_zero():
    checks.check_weights_are_repetitions(OrderedSelection(ORDER, 6), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("size", [0, 10, 2.5, "all"])
def test_bad_sizes(size):
    checks.check_bad_size(OrderedSelection(ORDER, size))


@pytest.mark.parametrize("order", [ORDER[:8], [*ORDER[:8], 4], [[1, 2]]])
def test_bad_orders(order):
    with pytest.raises(SettingsError, match="is no order of the 9 features; give each of 0 to 8 once"):
        OrderedSelection(order).fit(*unscaled_problem("tall"))
