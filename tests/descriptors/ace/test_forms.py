"""Power series of radial forms against the formulas that they stand for."""

import numpy as np
import pytest
from numpy.polynomial import polynomial

from linmlp.descriptors.ace.forms import RadialForm, stack_series

T = np.linspace(0.0, 1.0, 201)
FORMULAS = {
    "own": (RadialForm.own(5.0), lambda t: _exponential(t, 0.01), lambda t: np.cos(np.pi * t / 2)),
    "ChebExpCos": (
        RadialForm("ChebExpCos", 5.0, 5.25, 0.1, True),
        lambda t: _exponential(t, 5.25),
        lambda t: np.cos(np.pi * t / 2),
    ),
    "ChebPow": (
        RadialForm("ChebPow", 5.0, 7.0, 0.0, False),
        lambda t: 1 - 2 * (1 - t) ** 7,
        lambda t: np.cos(np.pi * t / 2),
    ),
    "SBessel": (RadialForm("SBessel", 5.0, 1.0, 0.0, False), lambda t: -np.cos(np.pi * t), np.sinc),
}


def _exponential(t, scaling):
    return 1 - 2 * (np.exp(-scaling * t) - np.exp(-scaling)) / -np.expm1(-scaling)


@pytest.mark.parametrize("name", FORMULAS)
def test_series(name):
    form, distance, envelope = FORMULAS[name]
    np.testing.assert_allclose(polynomial.polyval(T, form.distance_series()), distance(T), atol=2e-13)
    found = (1 - T**2) * polynomial.polyval(T**2, form.envelope_series())
    np.testing.assert_allclose(found, envelope(T), atol=1e-15)
    assert found[-1] == 0


def test_powers_of_the_envelope():
    assert [form.envelope_power for form, *_ in FORMULAS.values()] == [2, 2, 0, 1]


def test_stacked_series_are_the_same_polynomials():
    series = [np.array([1.0, 2.0]), np.array([3.0, 0.0, 4.0])]
    np.testing.assert_array_equal(stack_series(series), [[1, 2, 0], [3, 0, 4]])
