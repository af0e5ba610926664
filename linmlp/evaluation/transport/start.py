"""From where on mean-square displacements grow linearly."""

from collections.abc import Sequence

import numpy as np

from linmlp.evaluation.transport.covariance import WindowCovariance
from linmlp.evaluation.transport.displacements import Displacements, choose_lags

LATEST = 16
"""Part of the shortest run (one in so many) at which the search ends."""

TOLERANCE = 0.03
"""Relative difference of slopes over windows that double, up to which they count as the same."""

STANDARD_ERRORS = 3.0
"""Slopes may differ by this many standard errors."""

MARGIN = 2
"""The start is so many times the window from which on slopes agree, as what is left decays with time."""


def find_start(tracers: Sequence[Displacements]) -> tuple[int, bool]:
    r"""Return from where on mean-square displacements grow linearly.

    With slopes over windows that double, :math:`s(\tau) = [\mathrm{MSD}(2\tau) - \mathrm{MSD}(\tau)]/\tau`, this is
    `MARGIN` times the shortest :math:`\tau` from which on :math:`s(\tau)` and :math:`s(2\tau)` agree within
    `STANDARD_ERRORS` or `TOLERANCE`, for all tracers. A constant, as vibrations add, does not matter.

    Parameters
    ----------
    tracers : sequence of Displacements
        One per element.

    Returns
    -------
    start : int
        Steps; at most a sixteenth of the run.
    found : bool
        Whether it is linear from there on.
    """
    last = max(tracers[0].shortest // LATEST, 1)
    candidates = choose_lags(1, last, most=16)
    fine = np.array([all(_is_linear(tracer, int(lag)) for tracer in tracers) for lag in candidates])
    # The longest windows have few samples and may differ by chance: what counts is where agreement begins and lasts.
    lasting = np.array([np.mean(fine[k:]) >= 0.8 and fine[k] for k in range(len(fine))])
    if not lasting.any():
        return last, False
    return min(MARGIN * int(candidates[np.argmax(lasting)]), last), True


def _is_linear(tracer: Displacements, lag: int) -> bool:
    """Return whether slopes beyond a window and beyond twice of it agree."""
    lags = np.array([lag, 2 * lag, 4 * lag])
    values = tracer.means(lags)
    near, far = (values[1] - values[0]) / lag, (values[2] - values[1]) / (2 * lag)
    n_particles, dimensions = tracer.runs[0].shape[1:]
    slope = max(far, 1e-3 * values[2] / lags[2])
    lengths = [len(run) - 1 for run in tracer.runs]
    covariance = WindowCovariance(lags, lengths, n_particles, dimensions).of_line(slope, values[0] - slope * lag)
    weights = np.array([-1.0, 1.5, -0.5]) / lag  # of near - far
    error = np.sqrt(max(float(weights @ covariance @ weights), 0.0))
    return bool(abs(near - far) <= max(STANDARD_ERRORS * error, TOLERANCE * abs(far)))
