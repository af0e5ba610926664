r"""Means and slopes of correlated time series, with errors that count independent samples.

The statistical inefficiency g is the number of steps per independent sample. From averages over blocks of b steps it is
:math:`g = b\,\mathrm{var}(\text{block means})/\mathrm{var}(\text{values})` once b is longer than the correlation [1]_;
the largest value over the block lengths is taken, so that errors are rather too large than too small.

References
----------
.. [1] H. Flyvbjerg and H. G. Petersen, "Error estimates on averages of correlated data", J. Chem. Phys. 91, 461 (1989).
"""

from typing import NamedTuple

import numpy as np

from linmlp.exceptions import SettingsError
from linmlp.units import FloatArray

LEAST_BLOCKS = 8
"""Variances of fewer block means say nothing."""


class Estimate(NamedTuple):
    """A number and its standard error."""

    value: float
    error: float


def inefficiency(values: FloatArray) -> float:
    """Return the number of samples per independent one.

    Parameters
    ----------
    values : ndarray of shape (n_samples,)
        Time series at equal steps.

    Returns
    -------
    float
        1 or more.
    """
    variance = float(np.var(values))
    largest, length = 1.0, 2
    while variance > 0.0 and len(values) // length >= LEAST_BLOCKS:
        n_blocks = len(values) // length
        means = values[: n_blocks * length].reshape(n_blocks, length).mean(axis=1)
        largest = max(largest, length * float(np.var(means, ddof=1)) / variance)
        length *= 2
    return largest


def mean_with_error(values: FloatArray) -> Estimate:
    """Return the mean of a correlated time series.

    Parameters
    ----------
    values : ndarray of shape (n_samples,)
        Time series at equal steps.

    Returns
    -------
    Estimate
        Mean and standard error.

    Raises
    ------
    SettingsError
        If there are fewer than two values.
    """
    if len(values) < 2:
        raise SettingsError(f"{len(values)} values have no standard error; give two or more")
    variance = float(np.var(values, ddof=1))
    return Estimate(float(np.mean(values)), float(np.sqrt(variance * inefficiency(values) / len(values))))


def slope_with_error(times: FloatArray, values: FloatArray) -> Estimate:
    """Return the slope of a line through a correlated time series.

    Parameters
    ----------
    times : ndarray of shape (n_samples,)
        Equal steps.
    values : ndarray of shape (n_samples,)
        Values.

    Returns
    -------
    Estimate
        Slope and standard error; residuals of the line tell how many samples are independent.

    Raises
    ------
    SettingsError
        If there are fewer than three values, or times are all the same.
    """
    centered = times - np.mean(times)
    spread = float(centered @ centered)
    if len(values) < 3 or not spread > 0.0:
        raise SettingsError(f"{len(values)} values over {np.ptp(times):g}; a slope with an error needs three or more")
    slope = float(centered @ values) / spread
    residual = values - np.mean(values) - slope * centered
    variance = float(residual @ residual) / (len(values) - 2)
    return Estimate(slope, float(np.sqrt(variance * inefficiency(residual) / spread)))
