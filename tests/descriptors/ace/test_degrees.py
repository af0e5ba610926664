"""Degrees and orders as a user gives them."""

import pytest
from ase.build import bulk

from linmlp import ACE
from linmlp.descriptors.ace.basis import count_functions
from linmlp.descriptors.ace.degrees import MAX_FUNCTIONS, resolve_degrees
from linmlp.exceptions import SettingsError

STRUCTURES = [bulk("Si", cubic=True)]


def test_orders_that_are_not_there():
    for order in (0, 5, 2.5, "4"):
        with pytest.raises(SettingsError, match=f"order={order!r}; it must be 1, 2, 3 or 4"):
            ACE(order=order, max_degree=(3, 3)).fit(STRUCTURES)
    five = (14, 10, 8, 6, 5)
    expected = rf"would make {count_functions(1, five, 6)} functions of one element"
    with pytest.raises(SettingsError, match=expected):
        ACE(order=5, max_degree=five).fit(STRUCTURES)


@pytest.mark.parametrize("degrees", [(18, 15, 13), (18, 15, 13, 8, 5), (4, 3, 2, -1)])
def test_one_degree_for_each_order(degrees):
    with pytest.raises(SettingsError, match="order 4 needs 4 numbers >= 0"):
        ACE(order=4, max_degree=degrees).fit(STRUCTURES)


def test_too_many_functions_are_refused_before_they_are_listed():
    with pytest.raises(SettingsError, match=r"GB .* lower the degree 40 of order 4") as caught:
        resolve_degrees((40, 40, 10, 40), 4, 2, 6)
    assert f"at most {MAX_FUNCTIONS}" in str(caught.value)
    assert str(2 * count_functions(2, (40, 40, 10, 40), 6)) in str(caught.value)
    assert resolve_degrees((18, 15, 13, 8), 4, 1, 6) == (18, 15, 13, 8)
    assert resolve_degrees(3, 4, 1, 6) == (3, 3, 3, 3)
