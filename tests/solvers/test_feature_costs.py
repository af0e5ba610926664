"""Costs of features that share parts, and selection by them, against the same from scratch in every step."""

import copy

import numpy as np
import pytest
from sklearn.base import clone

from linmlp.exceptions import SettingsError
from linmlp.solvers import FeatureCosts, ForwardSelection
from linmlp.solvers.feature_costs import Spending
from tests.naive.selection import cost, forward_selection, forward_selection_by_cost
from tests.solvers.problems import FORMS, unscaled_problem

ALPHA = 1e-4


def random_costs(n_features=9, n_parts=6, seed=0):
    """Return costs of features with up to four parts each, some without any."""
    rng = np.random.default_rng(seed)
    parts = [rng.choice(n_parts, size=rng.integers(0, 5), replace=False) for _ in range(n_features)]
    first = np.cumsum([0, *map(len, parts)])
    return FeatureCosts(rng.uniform(1, 3, n_features), rng.uniform(0, 40, n_parts), first, np.concatenate(parts))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("power", [0.3, 1.0, 2.0])
@pytest.mark.parametrize("seed", range(3))
def test_every_choice_is_the_one_found_from_scratch(form, power, seed):
    X, y = unscaled_problem("tall")
    costs = random_costs(seed=seed)
    for size in (1, 4, 9):
        solver = ForwardSelection(size, ALPHA, costs, power).fit_system(FORMS[form](X, y))
        assert np.flatnonzero(solver.coef_).tolist() == sorted(
            forward_selection_by_cost(X, y, size, ALPHA, costs, power)
        )
    order = ForwardSelection(9, ALPHA, costs, power).fit(X, y).order_.tolist()
    assert order == forward_selection_by_cost(X, y, 9, ALPHA, costs, power)


def test_costs_matter_and_may_be_left_out():
    X, y = unscaled_problem("tall")
    plain = forward_selection(X, y, 5, ALPHA)
    costs = random_costs()
    assert ForwardSelection(5, ALPHA, costs, 0.0).fit(X, y).order_.tolist() == plain
    equal = FeatureCosts(np.full(9, 7.0), np.zeros(0), np.zeros(10, dtype=int), np.zeros(0, dtype=int))
    assert ForwardSelection(5, ALPHA, equal, 1.0).fit(X, y).order_.tolist() == plain
    assert ForwardSelection(5, ALPHA, costs, 2.0).fit(X, y).order_.tolist() != plain


def test_columns_of_zeros_are_no_obstacle():
    X, y = unscaled_problem("tall")
    costs = random_costs()
    X[:, 2] = 0.0
    kept = np.delete(np.arange(9), 2)
    part = np.concatenate([costs.part[costs.first[j] : costs.first[j + 1]] for j in kept])
    first = np.r_[0, np.cumsum(np.diff(costs.first)[kept])]
    others = FeatureCosts(costs.own[kept], costs.parts, first, part)
    found = ForwardSelection(6, ALPHA, costs, 1.0).fit(X, y).order_
    assert found.tolist() == kept[ForwardSelection(6, ALPHA, others, 1.0).fit(X[:, kept], y).order_].tolist()


def test_marginal_costs_are_differences_of_totals():
    costs = random_costs(40, 15, seed=3)
    used = np.arange(2, 40)
    spending = Spending(costs, used)
    chosen = []
    for position in np.random.default_rng(0).permutation(38)[:20]:
        expected = [cost(costs, [*chosen, j]) - cost(costs, chosen) for j in used if j not in chosen]
        np.testing.assert_allclose(spending.marginal[~np.isin(used, chosen)], expected, rtol=1e-12)
        spending.choose(position)
        chosen.append(used[position])
        assert costs.total(chosen) == pytest.approx(cost(costs, chosen), rel=1e-12)
    assert costs.total(np.isin(np.arange(40), chosen)) == pytest.approx(costs.total(chosen))


def test_estimators_with_costs_are_cloned_and_printed():
    costs = random_costs()
    solver = ForwardSelection(3, costs=costs)
    assert clone(solver).costs is copy.deepcopy(costs) is costs
    assert "costs=FeatureCosts(9 features, 6 parts)" in repr(solver)
    with pytest.raises(ValueError, match="read-only"):
        costs.own[0] = 1.0


def test_costs_that_do_not_fit():
    X, y = unscaled_problem("tall")
    with pytest.raises(SettingsError, match=r"costs=FeatureCosts\(4 features, 6 parts\); give .* of the 9 features"):
        ForwardSelection(3, costs=random_costs(4)).fit(X, y)
    with pytest.raises(SettingsError, match="costs='cheap'; give FeatureCosts of the 9 features, or None"):
        ForwardSelection(3, costs="cheap").fit(X, y)
    for power in (-1.0, "1", np.inf):
        with pytest.raises(SettingsError, match=r"cost_power=.*give a number, 0 or more"):
            ForwardSelection(3, costs=random_costs(), cost_power=power).fit(X, y)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (([0.0], [], [0, 0], []), "own ones more than 0"),
        (([1.0], [-1.0], [0, 1], [0]), "those of parts 0 or more"),
        (([np.nan], [], [0, 0], []), "costs must be finite"),
        (([1.0], [1.0], [0, 2], [0]), "does not cut 1 parts into 1"),
        (([1.0], [1.0], [0, 1], [1]), "numbers from 0 to 0"),
        (([1.0, 1.0, 1.0], [1.0], [0, 1, 0, 1], [0]), "the features in order"),
    ],
)
def test_costs_that_mean_nothing(arguments, told):
    with pytest.raises(SettingsError, match=told):
        FeatureCosts(*map(np.array, arguments))
