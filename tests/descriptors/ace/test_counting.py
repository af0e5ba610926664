"""Numbers of functions from characters, against lists and known values."""

import itertools

import pytest

from linmlp.descriptors.ace.basis import count_functions, enumerate_functions
from linmlp.descriptors.ace.counting import count_invariants
from linmlp.descriptors.ace.presets import default_degrees


@pytest.mark.parametrize("n_elements", [1, 2, 3])
def test_numbers_are_the_lengths_of_the_lists(n_elements):
    for degree, max_l in itertools.product((0, 1, 3, 5), (0, 1, 3)):
        degrees = (degree,) * (4 if n_elements < 3 else 3)
        for order in range(1, len(degrees) + 1):
            assert count_functions(n_elements, degrees[:order], max_l) == len(
                enumerate_functions(n_elements, degrees[:order], max_l)
            )


def test_the_pool_for_selection():
    """290 functions of order 4 beside those of orders 1 to 3; no function is listed twice."""
    functions = enumerate_functions(1, (18, 15, 13, 8), 6)
    assert len(functions) == len(set(functions)) == count_functions(1, (18, 15, 13, 8), 6)
    assert len(functions) - count_functions(1, (18, 15, 13), 6) == count_invariants(4, 1, 8, 6)


@pytest.mark.parametrize(("order", "degree", "partitions"), [(1, 9, 1), (2, 9, 5), (3, 4, 4), (5, 10, 30), (7, 7, 15)])
def test_without_angles_functions_are_partitions_of_the_degree(order, degree, partitions):
    """Partitions of a number into at most so many parts, from tables."""
    assert count_invariants(order, 1, degree, 0) - count_invariants(order, 1, degree - 1, 0) == partitions


def test_default_degrees_of_order_four():
    assert default_degrees(1, 4, 6) == (16, 14, 11, 8)
    assert default_degrees(1, 3, 6) == (16, 14, 11)
    for n_elements in (2, 3, 4, 5):
        degrees = default_degrees(n_elements, 4, 6)
        assert len(degrees) == 4
        assert n_elements * count_functions(n_elements, degrees, 6) <= 3000
