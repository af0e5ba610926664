"""Errors of correlated series against what is known of autoregressive noise."""

import numpy as np
import pytest

from linmlp.evaluation.md import inefficiency, mean_with_error, slope_with_error
from linmlp.exceptions import SettingsError


def noise(n, correlation, seed):
    """Autoregressive noise of variance 1, whose inefficiency is (1 + c)/(1 - c)."""
    rng = np.random.default_rng(seed)
    values = np.empty(n)
    values[0] = rng.normal()
    kicks = np.sqrt(1 - correlation**2) * rng.normal(size=n)
    for k in range(1, n):
        values[k] = correlation * values[k - 1] + kicks[k]
    return values


@pytest.mark.parametrize("correlation", [0.0, 0.9])
def test_errors_are_the_scatter_over_many_series(correlation):
    series = [noise(4000, correlation, seed) for seed in range(60)]
    times = np.arange(4000.0)
    means = [mean_with_error(values) for values in series]
    slopes = [slope_with_error(times, values + 0.01 * times) for values in series]
    for estimates, truth in ((means, 0.0), (slopes, 0.01)):
        scatter = np.std([e.value for e in estimates])
        stated = np.mean([e.error for e in estimates])
        # The largest block variance is taken, so that what is stated is rather too large.
        assert 0.85 * scatter < stated < 1.8 * scatter
        assert np.mean([abs(e.value - truth) < 2 * e.error for e in estimates]) > 0.9


def test_inefficiency_of_known_noise():
    assert inefficiency(noise(100_000, 0.8, 1)) == pytest.approx(9.0, rel=0.5)
    assert inefficiency(np.ones(100)) == 1.0


def test_too_few_values():
    with pytest.raises(SettingsError, match="two or more"):
        mean_with_error(np.ones(1))
    with pytest.raises(SettingsError, match="three or more"):
        slope_with_error(np.ones(5), np.ones(5))
