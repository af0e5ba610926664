"""The scale of residuals, where it is known."""

import numpy as np
import pytest

from linmlp.potentials.uncertainty.error_scale import fit_scale, log_scale_at


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_a_power_of_the_standard_deviation_is_found(power):
    rng = np.random.default_rng(0)
    x = rng.normal(size=20000)
    squared = (0.02 * np.exp(power * x) * rng.normal(size=len(x))) ** 2
    knots, values, term = fit_scale(x, squared, None)
    at = np.linspace(-1.5, 1.5, 7)
    # 20000 squares know a logarithm to about a percent.
    np.testing.assert_allclose(log_scale_at(at, None, knots, values, term), np.log(0.02) + power * at, atol=0.05)


def test_beyond_the_knots_it_follows_the_standard_deviation():
    rng = np.random.default_rng(1)
    x = rng.normal(size=2000)
    knots, values, term = fit_scale(x, rng.normal(size=len(x)) ** 2, None)
    far = knots[-1] + np.array([1.0, 3.0])
    np.testing.assert_allclose(np.diff(log_scale_at(far, None, knots, values, term)), 2.0)


def test_magnitude_is_clipped_to_what_was_seen():
    rng = np.random.default_rng(2)
    x, magnitude = rng.normal(size=5000), np.exp(rng.normal(size=5000))
    squared = (magnitude**-0.5 * rng.normal(size=len(x))) ** 2
    knots, values, term = fit_scale(x, squared, magnitude)
    scale = log_scale_at(np.zeros(4), np.array([0.5, 2.0, 1e6, 1e9]), knots, values, term)
    assert scale[0] > scale[1] > scale[2]
    assert scale[2] == scale[3]
