"""Which points no other beats, and which one to take, on made-up points."""

import pytest

from linmlp.evaluation.front import WORTH, Point, pareto, recommend
from linmlp.exceptions import SettingsError


def point(name, score, cost):
    return Point(name, 10, 1.0, 0.1, score, cost, {})


SMALL = point("small", -2.0, 1.0)
SLOW = point("slow", -1.5, 2.0)
MIDDLE = point("middle", -3.0, 3.0)
NEARLY = point("nearly", -3.96, 5.0)
LARGE = point("large", -4.0, 9.0)
POINTS = [LARGE, SLOW, MIDDLE, SMALL, NEARLY]


def test_no_point_of_the_front_is_beaten():
    assert pareto(POINTS) == (SMALL, MIDDLE, NEARLY, LARGE)
    assert pareto([SLOW]) == (SLOW,)


def test_of_equal_costs_or_scores_one_stays():
    assert pareto([point("a", -1.0, 1.0), point("b", -2.0, 1.0)])[0].name == "b"
    assert [p.name for p in pareto([point("dear", -1.0, 2.0), point("cheap", -1.0, 1.0)])] == ["cheap"]


def test_the_cheapest_that_is_as_good_as_the_best():
    assert recommend(POINTS) is NEARLY
    assert recommend([LARGE, point("not quite", LARGE.score + 1.01 * WORTH, 1.0)]) is LARGE
    assert recommend([LARGE, point("just", LARGE.score + 0.99 * WORTH, 1.0)]).name == "just"


@pytest.mark.parametrize(("budget", "best"), [(1.0, SMALL), (2.9, SMALL), (3.0, MIDDLE), (100.0, LARGE)])
def test_the_best_within_a_budget(budget, best):
    assert recommend(POINTS, budget) is best


def test_budgets_that_nothing_meets():
    with pytest.raises(SettingsError, match=r"takes 0.5 µs .*; the fastest found \(small\) takes 1: raise the budget"):
        recommend(POINTS, 0.5)
    for budget in (0.0, -1.0, float("nan"), "3"):
        with pytest.raises(SettingsError, match="give µs per atom and step, a positive number"):
            recommend(POINTS, budget)
