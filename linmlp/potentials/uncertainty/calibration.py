r"""From raw standard deviations to intervals that hold on structures that were not fitted to.

The posterior of a linear potential ranks errors well, but its scale is that of random noise, while most of the error
comes from what the functions cannot describe. Held-out residuals tell the scale, in two steps:

1. a model of the scale (`linmlp.potentials.uncertainty.error_scale`): ``log E[r²]`` as a smooth function of log std,
   plus a term in the magnitude of the prediction (for forces: surface atoms at rest err more than their std says, fast
   atoms in a solid less);
2. in bins of that scale, quantiles of the residuals with the correction for finite samples of split conformal
   prediction (J. Lei et al., J. Am. Stat. Assoc. 113, 1094, 2018), in which *structures* are the samples; the
   quantiles are made monotone in the scale.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtri
from sklearn.isotonic import IsotonicRegression

from linmlp.exceptions import SettingsError
from linmlp.potentials.uncertainty.error_scale import fit_scale, log_scale_at
from linmlp.units import FloatArray, IntArray

LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.68, 0.76, 0.84, 0.9, 0.95, 0.98, 0.99)
"""Levels whose quantiles are kept; others are interpolated, in the quantile of a normal distribution."""

SYMMETRY = 3e-4
"""A standard deviation below this part of the median is rounding: symmetry fixes the force, in potential and label.

The forces of a committee are evaluated in single precision, whose rounding stays well below.
"""

MAX_BINS, SAMPLES_PER_BIN, STRUCTURES_PER_BIN = 20, 50, 5
MIN_STRUCTURES = 5


@dataclass(frozen=True)
class Calibration:
    """Map from a raw standard deviation to half-widths of intervals.

    Beyond the range of the held-out standard deviations, half-widths grow and shrink in proportion to them.

    Parameters
    ----------
    knots : ndarray of shape (n_knots,)
        Logarithms of raw standard deviations.
    log_scale : ndarray of shape (n_knots,)
        Logarithm of the scale of the residuals there; linear in between.
    magnitude : ndarray of shape (5,)
        Coefficient of the log magnitude, its center and scale, the floor of magnitudes, and the clipping range of the
        standardized value.
    centers : ndarray of shape (n_bins,)
        Medians of the log scale in bins of held-out samples.
    table : ndarray of shape (n_levels, n_bins)
        Logarithm of the half-width at `LEVELS` there.
    floor : float
        Standard deviations below this are zero by symmetry.
    constant : ndarray of shape (n_levels,)
        Half-width at `LEVELS` of intervals that are equally wide everywhere, to compare with; NaN if not known.
    """

    knots: FloatArray
    log_scale: FloatArray
    magnitude: FloatArray
    centers: FloatArray
    table: FloatArray
    floor: float
    constant: FloatArray

    @classmethod
    def fit(
        cls, std: FloatArray, residuals: FloatArray, structure: IntArray, magnitude: FloatArray | None = None
    ) -> Calibration:
        """Return the calibration that held-out residuals ask for.

        Parameters
        ----------
        std : ndarray of shape (n_samples,)
            Raw standard deviations, of models that did not see these samples.
        residuals : ndarray of shape (n_samples,) or (n_samples, n_components)
            Predictions of the same models minus labels; the components share the standard deviation.
        structure : ndarray of shape (n_samples,)
            Structure that each sample belongs to.
        magnitude : ndarray of shape (n_samples,), optional
            Magnitude of the prediction.

        Returns
        -------
        Calibration
            `half_width` gives intervals.

        Raises
        ------
        SettingsError
            If there are no held-out residuals, too few structures, or all standard deviations vanish.
        """
        std, residuals = np.asarray(std, dtype=float), np.abs(np.asarray(residuals, dtype=float))
        if not len(std):
            raise SettingsError("there are no held-out residuals to calibrate with; fit with folds and labels")
        if len(residuals) != len(std) or not (np.isfinite(std).all() and np.isfinite(residuals).all()):
            raise SettingsError(
                f"{len(std)} standard deviations and {len(residuals)} residuals; give as many, all finite"
            )
        residuals = residuals.reshape(len(residuals), -1)
        floor = SYMMETRY * float(np.median(std[std > 0.0])) if np.any(std > 0.0) else np.inf
        used = std > floor
        n_structures = len(np.unique(np.asarray(structure)[used]))
        if n_structures < MIN_STRUCTURES:
            raise SettingsError(
                f"held-out residuals of {n_structures} structures whose standard deviation does not vanish; "
                f"calibration needs {MIN_STRUCTURES} or more"
            )
        sizes = None if magnitude is None else np.asarray(magnitude, dtype=float)[used]
        knots, log_scale, term = fit_scale(np.log(std[used]), np.mean(residuals[used] ** 2, axis=1), sizes)
        scale = log_scale_at(np.log(std[used]), sizes, knots, log_scale, term)
        centers, table = _fit_quantiles(scale, residuals[used], np.asarray(structure)[used], n_structures)
        return cls(knots, log_scale, term, centers, table, floor, np.quantile(residuals[used], LEVELS))

    def half_width(self, std: FloatArray, level: float, magnitude: FloatArray | None = None) -> FloatArray:
        """Return half-widths of intervals around predictions.

        Parameters
        ----------
        std : ndarray of shape (n_samples,)
            Raw standard deviations.
        level : float
            Probability that the label is inside, between 0 and 1.
        magnitude : ndarray of shape (n_samples,), optional
            Magnitude of the prediction; needed if the calibration was fitted with it.

        Returns
        -------
        ndarray of shape (n_samples,)
            In the unit of the residuals; 0 for a standard deviation that is 0 by symmetry.

        Raises
        ------
        SettingsError
            If the level is not between 0 and 1, or the magnitude is missing.
        """
        check_level(level)
        if magnitude is None and self.magnitude[0] != 0.0:
            raise SettingsError("this calibration depends on the magnitude of the prediction; give magnitude=")
        std = np.asarray(std, dtype=float)
        free = self.is_free(std)
        x = np.log(np.where(free, std, 1.0))
        scale = log_scale_at(x, magnitude, self.knots, self.log_scale, self.magnitude)
        return np.where(free, _at_level(np.exp(self._log_quantiles(scale)), level), 0.0)

    def constant_half_width(self, level: float) -> float:
        """Return the half-width of intervals that are equally wide everywhere.

        Parameters
        ----------
        level : float
            Probability that the label is inside, between 0 and 1.

        Returns
        -------
        float
            From the same held-out residuals; NaN if not known.
        """
        check_level(level)
        return float(_at_level(self.constant[:, None], level)[0])

    def is_free(self, std: FloatArray) -> Any:
        """Return which samples have a standard deviation that symmetry does not fix to zero.

        Parameters
        ----------
        std : ndarray of shape (n_samples,)
            Raw standard deviations.

        Returns
        -------
        ndarray of shape (n_samples,), bool
            Those whose intervals mean something.
        """
        return np.asarray(std) > self.floor

    def to_state(self) -> dict[str, FloatArray]:
        """Return arrays for `from_state`.

        Returns
        -------
        dict of str to ndarray
            By name.
        """
        names = ("knots", "log_scale", "magnitude", "centers", "table", "constant")
        return {**{name: getattr(self, name) for name in names}, "floor": np.array([self.floor])}

    @classmethod
    def from_state(cls, arrays: Mapping[str, FloatArray]) -> Calibration:
        """Return the calibration that `to_state` described.

        Parameters
        ----------
        arrays : mapping of str to ndarray
            From `to_state`.

        Returns
        -------
        Calibration
            The same numbers.
        """
        unknown = {"constant": np.full(len(LEVELS), np.nan)}  # files of before do not have it
        return cls(**{**unknown, **arrays, "floor": float(arrays["floor"][0])})  # type: ignore[arg-type]

    def _log_quantiles(self, scale: FloatArray) -> FloatArray:
        """Return log half-widths (n_levels, n_samples); beyond the outer bins they follow the scale."""
        beyond = scale - np.clip(scale, self.centers[0], self.centers[-1])
        return np.array([np.interp(scale, self.centers, row) + beyond for row in self.table])


def _at_level(widths: FloatArray, level: float) -> FloatArray:
    """Return half-widths (n_samples,) at any level from those at `LEVELS`, (n_levels, n_samples)."""
    widths = np.vstack([np.zeros(widths.shape[1]), widths])
    at = ndtri(0.5 + 0.5 * np.array([0.0, *LEVELS]))
    wanted = float(ndtri(0.5 + 0.5 * level))
    if wanted > at[-1]:
        return np.asarray(widths[-1] * wanted / at[-1])
    upper = min(int(np.searchsorted(at, wanted)), len(at) - 1)
    part = (wanted - at[upper - 1]) / (at[upper] - at[upper - 1])
    return np.asarray((1.0 - part) * widths[upper - 1] + part * widths[upper])


def check_level(level: float) -> None:
    """Raise unless a level is between 0 and 1.

    Parameters
    ----------
    level : float
        Probability.

    Raises
    ------
    SettingsError
        If it is 0, 1, a percentage, or not a number.
    """
    if not 0.0 < level < 1.0:
        raise SettingsError(f"level={level!r}; it must be between 0 and 1, such as 0.68 or 0.95")


def _fit_quantiles(
    scale: FloatArray, residuals: FloatArray, structure: IntArray, n_structures: int
) -> tuple[FloatArray, FloatArray]:
    """Return bin centers and log quantiles (n_levels, n_bins) that do not fall with the scale."""
    n_bins = int(np.clip(min(len(scale) // SAMPLES_PER_BIN, n_structures // STRUCTURES_PER_BIN), 1, MAX_BINS))
    order = np.argsort(scale, kind="stable")
    centers, table, sizes = [], [], []
    for members in np.array_split(order, n_bins):
        in_bin = len(np.unique(structure[members]))
        levels = np.minimum(np.array(LEVELS) * (1.0 + 1.0 / in_bin), 1.0)
        centers.append(np.median(scale[members]))
        table.append(np.quantile(residuals[members], levels))
        sizes.append(len(members))
    logs = np.log(np.maximum(np.array(table).T, np.finfo(float).tiny))
    rising = IsotonicRegression()
    places = np.arange(n_bins)
    return np.array(centers), np.array([rising.fit_transform(places, row, sample_weight=sizes) for row in logs])
