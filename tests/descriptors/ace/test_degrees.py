"""Degrees and orders as a user gives them."""

import pytest
from ase.build import bulk

from linmlp import ACE
from linmlp.descriptors.ace.basis import count_functions
from linmlp.descriptors.ace.degrees import MAX_FUNCTIONS, resolve_degrees
from linmlp.exceptions import SettingsError, StructureError

STRUCTURES = [bulk("Si", cubic=True)]


def test_orders_that_are_not_there():
    for order in (0, 5, 2.5, "4"):
        with pytest.raises(SettingsError, match=f"order={order!r}; it must be 1, 2, 3 or 4"):
            ACE(order=order, max_degree=(3, 3)).fit(STRUCTURES)
    five = (14, 10, 8, 6, 5)
    expected = rf"would make {count_functions(1, five, 6)} functions of one element"
    with pytest.raises(SettingsError, match=expected):
        ACE(order=5, max_degree=five).fit(STRUCTURES)


@pytest.mark.parametrize(("max_degree", "memory"), [((18, 15, 13, 12, 14), "1.2 GB"), (30, "288301 GB")])
def test_order_five_says_how_large_it_would_be(max_degree, memory):
    degrees = (max_degree,) * 5 if isinstance(max_degree, int) else max_degree
    n_functions = count_functions(1, degrees, 6)
    assert memory == f"{4e-9 * n_functions**2:.{0 if n_functions > 50_000 else 1}f} GB"
    told = f"would make {n_functions} functions of one element, whose folded rows would take {memory}"
    with pytest.raises(SettingsError, match=told):
        ACE(order=5, max_degree=max_degree).fit(STRUCTURES)


def test_presets_that_are_not_there():
    with pytest.raises(SettingsError, match="there is no preset 'huge'; give one of fast, balanced, accurate"):
        ACE.preset("huge")
    with pytest.raises(SettingsError, match=r"max_degree='huge'; it must be .* a preset: \"fast\", \"balanced\""):
        ACE(max_degree="huge").fit(STRUCTURES)


def test_elements_that_were_not_fitted():
    descriptor = ACE(4.0, order=2, max_degree=3).fit(STRUCTURES)
    for call in (descriptor.transform, descriptor.function_costs):
        with pytest.raises(StructureError, match=r"holds Cu, which the model does not know \(it knows Si\)"):
            call([bulk("Cu")])


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
