"""Calibrated intervals hold on new data of known scale."""

import numpy as np
import pytest
from scipy.stats import norm

from linmlp.exceptions import SettingsError
from linmlp.potentials.uncertainty.calibration import Calibration


def heteroscedastic(seed, n_structures=150, per_structure=30, power=0.5, magnitude_power=0.0):
    """Residuals of three components whose scale is a power of a raw std (and of a magnitude)."""
    rng = np.random.default_rng(seed)
    structure = np.repeat(np.arange(n_structures), per_structure)
    std = np.exp(rng.normal(size=n_structures))[structure] * np.exp(0.5 * rng.normal(size=len(structure)))
    magnitude = np.exp(rng.normal(size=len(structure)))
    scale = 0.01 * std**power * magnitude**magnitude_power
    return std, scale[:, None] * rng.normal(size=(len(std), 3)), structure, magnitude, scale


@pytest.mark.parametrize("level", [0.25, 0.68, 0.95, 0.97, 0.995])
def test_coverage_on_new_data_in_total_and_where_std_is_small_or_large(level):
    calibration = Calibration.fit(*heteroscedastic(0)[:3])
    std, residuals = heteroscedastic(1)[:2]
    inside = np.abs(residuals) <= calibration.half_width(std, level)[:, None]
    # 13500 values: a few tenths of a percent of luck; a third of them, a percent.
    assert abs(inside.mean() - level) < 0.02
    for part in np.array_split(np.argsort(std), 3):
        assert abs(inside[part].mean() - level) < 0.04


def test_half_width_is_that_of_the_known_scale():
    calibration = Calibration.fit(*heteroscedastic(0)[:3])
    std = np.exp(np.linspace(-1.5, 1.5, 7))
    expected = norm.ppf(0.5 + 0.5 * 0.68) * 0.01 * std**0.5
    np.testing.assert_allclose(calibration.half_width(std, 0.68), expected, rtol=0.1)


def test_magnitude_counts():
    std, residuals, structure, magnitude, _ = heteroscedastic(0, magnitude_power=-0.4)
    calibration = Calibration.fit(std, residuals, structure, magnitude)
    std, residuals, _, magnitude, _ = heteroscedastic(1, magnitude_power=-0.4)
    inside = np.abs(residuals) <= calibration.half_width(std, 0.68, magnitude)[:, None]
    slow, fast = np.array_split(np.argsort(magnitude), 2)
    assert abs(inside[slow].mean() - 0.68) < 0.04
    assert abs(inside[fast].mean() - 0.68) < 0.04
    with pytest.raises(SettingsError, match="depends on the magnitude"):
        calibration.half_width(std, 0.68)


def test_half_widths_grow_with_level_and_with_std_and_in_proportion_beyond_the_data():
    calibration = Calibration.fit(*heteroscedastic(0)[:3])
    std = np.geomspace(0.01, 100.0, 50)
    widths = np.array([calibration.half_width(std, level) for level in (0.05, 0.3, 0.68, 0.9, 0.95, 0.99, 0.999)])
    assert np.all(np.diff(widths, axis=0) > 0)
    assert np.all(np.diff(widths, axis=1) >= 0)
    far = np.array([1e3, 1e4])
    np.testing.assert_allclose(np.divide(*calibration.half_width(far, 0.68)[::-1]), 10.0)


def test_forces_that_symmetry_fixes_do_not_count():
    std, residuals, structure, _, _ = heteroscedastic(0)
    plain = Calibration.fit(std, residuals, structure)
    zeros = np.zeros(2000)
    padded = Calibration.fit(
        np.concatenate([std, 1e-14 + zeros]),
        np.concatenate([residuals, np.zeros((2000, 3))]),
        np.concatenate([structure, structure[:2000]]),
    )
    np.testing.assert_allclose(padded.half_width(std, 0.68), plain.half_width(std, 0.68))
    assert not padded.is_free(zeros).any()
    assert not padded.half_width(zeros + 1e-14, 0.95).any()


def test_few_structures_get_wider_intervals():
    """Ten structures of one value each: the correction for finite samples asks for the largest of all at 95 %."""
    rng = np.random.default_rng(0)
    residuals = rng.normal(size=10)
    calibration = Calibration.fit(np.ones(10), residuals, np.arange(10))
    assert calibration.half_width(np.ones(1), 0.95)[0] >= 0.999 * np.abs(residuals).max()


def test_state_gives_the_same_numbers():
    std, residuals, structure, magnitude, _ = heteroscedastic(2)
    calibration = Calibration.fit(std, residuals, structure, magnitude)
    again = Calibration.from_state(calibration.to_state())
    np.testing.assert_array_equal(again.half_width(std, 0.9, magnitude), calibration.half_width(std, 0.9, magnitude))


@pytest.mark.parametrize("level", [0.0, 1.0, 95, -0.1, np.nan])
def test_a_level_outside_0_and_1_is_refused(level):
    calibration = Calibration.fit(*heteroscedastic(0, 20)[:3])
    with pytest.raises(SettingsError, match="it must be between 0 and 1"):
        calibration.half_width(np.ones(2), level)


def test_data_that_cannot_calibrate_are_refused():
    with pytest.raises(SettingsError, match="no held-out residuals"):
        Calibration.fit(np.empty(0), np.empty((0, 3)), np.empty(0, dtype=int))
    with pytest.raises(SettingsError, match=r"of 2 structures .* needs 5 or more"):
        Calibration.fit(np.ones(40), np.ones(40), np.arange(40) % 2)
    with pytest.raises(SettingsError, match="needs 5 or more"):
        Calibration.fit(np.zeros(40), np.ones(40), np.arange(40))
    with pytest.raises(SettingsError, match="4 standard deviations and 3 residuals"):
        Calibration.fit(np.ones(4), np.ones(3), np.arange(4))
