"""Functions as sums of products of densities, against the formulas of the functions."""

import numpy as np
import pytest

from linmlp.descriptors.ace.basis import enumerate_functions, order_of
from linmlp.descriptors.ace.expansion import expand_function
from tests.naive import ace as naive
from tests.naive.ace import random_densities


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_products_of_densities_give_the_functions(order):
    functions = [f for f in enumerate_functions(2, (2, 3, 3, 4), 3) if order_of(f) == order]
    channels = sorted({(e, n, l) for e in range(2) for n in range(5) for l in range(5)})
    densities = dict(
        zip(channels, random_densities([l for _, _, l in channels], np.random.default_rng(0)), strict=True)
    )
    for function in functions:
        elements, ns, ls, ms, coefficients = expand_function(function)
        assert ms.shape == (len(coefficients), order)
        assert np.all(ms.sum(axis=1) == 0)
        own = list(zip(elements, ns, ls, strict=True))
        total = coefficients @ np.prod([densities[c][c[2] + ms[:, k]] for k, c in enumerate(own)], axis=0)
        if order == 1:  # the twin makes the pair term of radial functions
            expected = densities[function[0]][0].real
        else:
            expected = naive.invariant(function, lambda c, m: densities[c][c[2] + m])
        np.testing.assert_allclose(total, expected, atol=1e-12)


def test_factors_in_another_order_are_the_same_function():
    a, b, c = (0, 1, 2), (0, 0, 1), (0, 3, 1)
    one, other = expand_function((a, b, c)), expand_function((c, a, b))
    assert one[:3] == other[:3]
    np.testing.assert_array_equal(one.coefficients, other.coefficients)
