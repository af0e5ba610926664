r"""Mean-square displacements over time windows that overlap.

For windows of :math:`\tau` in runs of length :math:`T`, of :math:`n` particles,

.. math:: \mathrm{MSD}(\tau) = \langle |r(t + \tau) - r(t)|^2 \rangle_{t, \text{particles}}

"""

from collections.abc import Sequence

import numpy as np

from linmlp.evaluation.md.statistics import mean_with_error
from linmlp.units import FloatArray, IntArray

LONGEST_LAG = 0.25
"""Part of a run that the longest window may have; longer ones have few samples."""


class Displacements:
    """Squared displacements of particles in one run or several runs of the same kind.

    Parameters
    ----------
    runs : sequence of ndarray of shape (n_frames, n_particles, 3)
        Continuous positions, Å, or charge times position, e Å; frames at the same time steps in all runs.
    """

    def __init__(self, runs: Sequence[FloatArray]) -> None:
        self.runs = list(runs)
        self._means: dict[int, float] = {}

    @property
    def dimensions(self) -> int:
        """Number of Cartesian directions."""
        return int(self.runs[0].shape[2])

    @property
    def shortest(self) -> int:
        """Steps of the shortest run."""
        return min(len(run) for run in self.runs) - 1

    def mean(self, lag: int) -> float:
        """Return the mean-square displacement.

        Parameters
        ----------
        lag : int
            Length of the window in steps.

        Returns
        -------
        float
            Å² (or e² Å²), averaged over particles, windows and runs.
        """
        if lag not in self._means:
            total, count = 0.0, 0
            for run in self.runs:
                step = run[lag:] - run[:-lag]
                total += float(np.einsum("tix,tix->", step, step))
                count += step.shape[0] * step.shape[1]
            self._means[lag] = total / count
        return self._means[lag]

    def means(self, lags: IntArray) -> FloatArray:
        """Return mean-square displacements.

        Parameters
        ----------
        lags : ndarray of shape (n_lags,)
            Lengths of windows in steps.

        Returns
        -------
        ndarray of shape (n_lags,)
            Å² (or e² Å²).
        """
        return np.array([self.mean(int(lag)) for lag in lags])

    def standard_error(self, lag: int) -> float:
        """Return the standard error of a mean-square displacement as its scatter over time tells it.

        Blocks of time hold what independent normal particles do not have: atoms that hop rarely, neighbors that move
        together, a temperature that fluctuates slowly.

        Parameters
        ----------
        lag : int
            Length of the window in steps.

        Returns
        -------
        float
            Å², of the mean over runs, which are independent; rather too large than too small.
        """
        series = [np.mean(np.sum((run[lag:] - run[:-lag]) ** 2, axis=2), axis=1) for run in self.runs]
        lengths = np.array([len(values) for values in series])
        errors = np.array([mean_with_error(values).error for values in series])
        return float(np.sqrt(np.sum((lengths * errors) ** 2)) / lengths.sum())


def choose_lags(first: int, last: int, most: int = 16) -> IntArray:
    """Return lengths of windows, evenly spaced on a logarithmic scale.

    Parameters
    ----------
    first, last : int
        Shortest and longest, steps.
    most : int, default=16
        Largest number of them.

    Returns
    -------
    ndarray of shape (n_lags,)
        Increasing.
    """
    return np.unique(np.round(np.geomspace(first, last, most)).astype(np.int64))
