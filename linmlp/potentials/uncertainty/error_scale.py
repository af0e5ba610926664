"""The scale of residuals as a function of a raw standard deviation and the magnitude of the prediction.

``log E[r²]`` is a smooth function of log std plus a term in the magnitude, fitted by gamma regression with a
logarithmic link (P. McCullagh and J. A. Nelder, "Generalized Linear Models", 1989, chapter 8).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from linmlp.units import FloatArray

MAGNITUDE_FLOOR = 0.1
"""Magnitudes far below this part of their root mean square count as equal: ``log √(m² + floor²)``."""

MAX_KNOTS, SAMPLES_PER_KNOT = 6, 100
EDGE = 0.005
"""Part of the held-out samples beyond the outermost knots on either side."""

SMOOTHING, SHRINKAGE, MAX_STEPS = 1e-2, 1e-3, 100


def log_scale_at(
    x: FloatArray, magnitude: FloatArray | None, knots: FloatArray, values: FloatArray, term: FloatArray
) -> FloatArray:
    """Return the logarithm of the scale of residuals, with slope 1 in log std beyond the knots.

    Parameters
    ----------
    x : ndarray of shape (n_samples,)
        Logarithms of raw standard deviations.
    magnitude : ndarray of shape (n_samples,) or None
        Magnitude of the prediction.
    knots, values, term : ndarray
        From `fit_scale`.

    Returns
    -------
    ndarray of shape (n_samples,)
        Linear between the knots.
    """
    inside = np.clip(x, knots[0], knots[-1])
    scale = np.interp(inside, knots, values) + (x - inside)
    if magnitude is not None and term[0] != 0.0:
        scale = scale + term[0] * _standardize(magnitude, term)
    return np.asarray(scale)


def _standardize(magnitude: FloatArray, term: FloatArray) -> FloatArray:
    """Return the standardized log magnitude, clipped to the range that was seen."""
    _, center, width, floor, limit = term
    return np.asarray(np.clip((np.log(np.hypot(magnitude, floor)) - center) / width, -limit, limit))


def fit_scale(
    x: FloatArray, squared: FloatArray, magnitude: FloatArray | None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the scale that residuals ask for.

    Parameters
    ----------
    x : ndarray of shape (n_samples,)
        Logarithms of raw standard deviations.
    squared : ndarray of shape (n_samples,)
        Squared residuals, averaged over components.
    magnitude : ndarray of shape (n_samples,) or None
        Magnitude of the prediction.

    Returns
    -------
    knots : ndarray of shape (n_knots,)
        Places in x.
    values : ndarray of shape (n_knots,)
        Logarithm of the scale there.
    term : ndarray of shape (5,)
        See `linmlp.potentials.uncertainty.calibration.Calibration`.
    """
    n_knots = int(np.clip(len(x) // SAMPLES_PER_KNOT, 2, MAX_KNOTS))
    knots = np.unique(np.quantile(x, np.linspace(EDGE, 1.0 - EDGE, n_knots)))
    if len(knots) < 2:
        knots = knots[0] + np.array([-1e-6, 1e-6])
    inside = np.clip(x, knots[0], knots[-1])
    columns = np.array([np.interp(inside, knots, unit) for unit in np.eye(len(knots))]).T
    offset = 2.0 * (x - inside)
    term = np.array([0.0, 0.0, 1.0, 1.0, 3.0])
    curvature = _second_differences(knots)
    penalty = SMOOTHING * curvature.T @ curvature
    if magnitude is not None:
        floor = MAGNITUDE_FLOOR * float(np.sqrt(np.mean(magnitude**2)))
        logs = np.log(np.hypot(magnitude, max(floor, np.finfo(float).tiny)))
        term[1:4] = logs.mean(), max(logs.std(), 1e-12), max(floor, np.finfo(float).tiny)
        columns = np.column_stack([columns, _standardize(magnitude, term)])
        penalty = np.pad(penalty, (0, 1))
        penalty[-1, -1] = SHRINKAGE
    # As in the text books eta is the logarithm of the mean square, twice that of the scale.
    eta = _gamma_regression(columns, np.maximum(squared, np.finfo(float).tiny), offset, penalty)
    if magnitude is not None:
        term[0] = 0.5 * eta[-1]
    return knots, 0.5 * eta[: len(knots)], term


def _second_differences(knots: FloatArray) -> FloatArray:
    """Return changes of slope at the inner knots as rows, (n_knots − 2, n_knots)."""
    steps = np.diff(knots)
    slopes = (np.eye(len(knots))[1:] - np.eye(len(knots))[:-1]) / steps[:, None]
    return np.asarray(np.diff(slopes, axis=0))


def _gamma_regression(X: FloatArray, squared: FloatArray, offset: FloatArray, penalty: FloatArray) -> FloatArray:
    """Return b that minimizes the mean of ``squared·exp(−η) + η``, η = Xb + offset, plus ``½ bᵀ penalty b``."""

    def objective(b: Any) -> float:
        eta = X @ b + offset
        with np.errstate(over="ignore"):
            return float(np.mean(squared * np.exp(-eta) + eta) + 0.5 * b @ penalty @ b)

    start = np.full(len(X), np.log(np.mean(squared))) - offset
    b: FloatArray = np.linalg.lstsq(X, start, rcond=None)[0].astype(float, copy=False)
    value = objective(b)
    for _ in range(MAX_STEPS):
        ratio = squared * np.exp(-(X @ b + offset))
        gradient = X.T @ (1.0 - ratio) / len(X) + penalty @ b
        # Bounded weights keep the step finite where the first guess is far off; the line search does the rest.
        hessian = (X * np.clip(ratio, 0.3, 5.0)[:, None]).T @ X / len(X) + penalty
        hessian.flat[:: len(b) + 1] += 1e-9
        step, size = np.linalg.solve(hessian, gradient), 1.0
        while objective(b - size * step) > value and size > 1e-6:
            size *= 0.5
        new = objective(b - size * step)
        if not new < value - 1e-10:
            break
        b, value = b - size * step, new
    return b
