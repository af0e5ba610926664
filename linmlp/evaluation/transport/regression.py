"""The slope of mean-square displacements and how well it is known, by kinisi."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from linmlp.evaluation.md.statistics import Estimate
from linmlp.evaluation.transport.covariance import WindowCovariance
from linmlp.evaluation.transport.displacements import LONGEST_LAG, Displacements, choose_lags
from linmlp.exceptions import InputError
from linmlp.units import FloatArray, IntArray

N_WALKERS, N_BURN, N_SAMPLES, THINNING = 32, 200, 500, 10
"""Of the Markov chain; its own error is some per cent of the standard error that it finds."""

FIRST_OFFSET = 1e-20
"""Where kinisi starts the offset, whatever the data: in units in which they are of this size its chain needs no time to
find their scale."""

ROUNDS = 3
"""The covariance needs the line and the line the covariance; they settle within this many rounds."""


@dataclass(frozen=True)
class Line:
    """The linear part of a mean-square displacement.

    Parameters
    ----------
    lags : ndarray of shape (n_lags,)
        Windows, steps.
    means, errors : ndarray of shape (n_lags,)
        Mean-square displacements and standard errors, Å² (or e² Å²).
    slopes, offsets : ndarray of shape (n_samples,)
        Samples of the posterior, per step; slopes are not negative.
    """

    lags: IntArray
    means: FloatArray
    errors: FloatArray
    slopes: FloatArray
    offsets: FloatArray

    @property
    def slope(self) -> Estimate:
        """Mean and standard deviation of the slope."""
        return Estimate(float(np.mean(self.slopes)), float(np.std(self.slopes, ddof=1)))


def fit_line(displacements: Displacements, start: int, normal: bool, random_state: int = 0) -> Line:
    """Return the slope of mean-square displacements beyond a window.

    Generalized least squares with the covariance of `WindowCovariance`, sampled by the Markov chain of kinisi [1]_,
    with slopes that are not negative.

    Parameters
    ----------
    displacements : Displacements
        Of one kind of particles.
    start : int
        Shortest window, steps.
    normal : bool
        Whether this is one particle whose displacements are normal; otherwise what its scatter over time has beyond
        independent normal particles adds to the covariance, as an error of the slope that all windows have in common.
    random_state : int, default=0
        Seed; numpy's global state is left as it was.

    Returns
    -------
    Line
        Samples of slope and offset.

    References
    ----------
    .. [1] A. R. McCluskey, S. W. Coles and B. J. Morgan, "Accurate estimation of diffusion coefficients and their
       uncertainties from computer simulation", J. Chem. Theory Comput. 21, 79 (2025).
    """
    lags = choose_lags(start, max(int(LONGEST_LAG * displacements.shortest), start + 2))
    means = displacements.means(lags)
    if not means.max() > 0.0:
        zeros = np.zeros(2)
        return Line(lags, means, np.zeros(len(lags)), zeros, zeros)
    scale = float(means.max()) / FIRST_OFFSET
    covariance = _covariance(displacements, lags, means / scale)
    if not normal:
        covariance = covariance + _common(displacements.standard_error(start) / scale, covariance, lags)
    slopes, offsets = _sample(lags, means / scale, covariance, random_state)
    return Line(lags, means, scale * np.sqrt(np.diag(covariance)), scale * slopes, scale * offsets)


def least_squares(lags: IntArray, means: FloatArray, covariance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the line of generalized least squares.

    Parameters
    ----------
    lags, means : ndarray of shape (n_lags,)
        Windows and mean-square displacements.
    covariance : ndarray of shape (n_lags, n_lags)
        Of the means.

    Returns
    -------
    line : ndarray of shape (2,)
        Slope and offset.
    covariance : ndarray of shape (2, 2)
        Of the line.
    """
    X = np.column_stack([lags, np.ones(len(lags))])
    weighted = np.linalg.pinv(covariance, rcond=1e-12, hermitian=True) @ X
    of_line = np.linalg.inv(X.T @ weighted)
    return of_line @ (weighted.T @ means), of_line


def _covariance(displacements: Displacements, lags: IntArray, means: FloatArray) -> FloatArray:
    """Return the covariance of the means, of the line that it gives."""
    line = np.polyfit(lags, means, 1)
    lengths = [len(run) - 1 for run in displacements.runs]
    n_particles, dimensions = displacements.runs[0].shape[1:]
    floor = 1e-3 * means[-1] / lags[-1]  # a slope of zero or less would leave nothing to vary
    of_windows = WindowCovariance(lags, lengths, n_particles, dimensions)
    for _ in range(ROUNDS):
        covariance = of_windows.of_line(max(line[0], floor), line[1])
        line, _ = least_squares(lags, means, covariance)
    return covariance


def _common(error: float, covariance: FloatArray, lags: IntArray) -> FloatArray:
    """Return the covariance of an error of the slope that makes up the error of the first mean."""
    missing = max(error**2 - float(covariance[0, 0]), 0.0)
    return np.asarray(missing * np.outer(lags, lags) / float(lags[0]) ** 2, dtype=float)


def _sample(lags: IntArray, means: FloatArray, covariance: FloatArray, seed: int) -> tuple[FloatArray, FloatArray]:
    """Return samples of slope and offset."""
    sc, base = _import_kinisi()

    class Regression(base):  # type: ignore[misc, valid-type]
        """The regression of kinisi with the covariance of windows that overlap."""

        def compute_covariance_matrix(self) -> Any:
            return sc.array(dims=["time_interval1", "time_interval2"], values=covariance, unit=self.dg["da"].unit ** 2)

    windows = sc.array(dims=["time interval"], values=lags.astype(float), unit="ps")
    values = sc.array(dims=["time interval"], values=means, variances=np.diag(covariance).copy(), unit="angstrom^2")
    data = sc.DataGroup({"da": sc.DataArray(values, coords={"time interval": windows})})
    state = np.random.get_state()  # noqa: NPY002 - kinisi seeds the global generator
    try:
        regression = Regression(data)
        regression.bayesian_regression(
            start_dt=windows[0],
            n_samples=N_SAMPLES,
            n_walkers=N_WALKERS,
            n_burn=N_BURN,
            n_thin=THINNING,
            progress=False,
            random_state=np.random.RandomState(seed),
        )
    finally:
        np.random.set_state(state)  # noqa: NPY002
    return np.array(regression.gradient.values), np.array(regression.intercept.values)


def _import_kinisi() -> tuple[Any, Any]:
    """Return scipp and the regression class of kinisi."""
    try:
        import scipp
        from kinisi.diffusion import Diffusion
    except ImportError as error:
        raise InputError(
            f"error bars of diffusion coefficients need kinisi ({error}); pip install linmlp[transport]"
        ) from error
    return scipp, Diffusion
