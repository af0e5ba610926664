r"""How mean-square displacements over different windows of the same runs vary together.

For a particle whose displacements are normal with :math:`\langle [x(t + \tau) - x(t)]^2 \rangle = \gamma(\tau)` in
each of d directions, the displacements over windows of :math:`\tau` and :math:`\tau'` that begin :math:`k` steps apart
have the covariance

.. math:: c(k) = \tfrac12 [\gamma(\tau + k) + \gamma(\tau' - k) - \gamma(k) - \gamma(\tau' - \tau - k)]

and their squares :math:`2 d\, c(k)^2` (Isserlis). Means over all :math:`K` and :math:`K'` windows of :math:`n`
particles thus have :math:`\frac{2d}{n K K'} \sum_k w(k)\, c(k)^2` with :math:`w(k)` the number of pairs of windows that
are k apart. For diffusion alone this is the result of Qian, Sheetz and Elson [1]_.

References
----------
.. [1] H. Qian, M. P. Sheetz and E. L. Elson, "Single particle tracking", Biophys. J. 60, 910 (1991).
"""

from collections.abc import Sequence

import numpy as np

from linmlp.units import FloatArray, IntArray

FORGOTTEN = 0.25
"""Correlation time of the bounded part of the motion, in units of the time from which on displacements are linear."""


class WindowCovariance:
    r"""Covariance of mean-square displacements of :math:`s \tau + o (1 - e^{-\tau/\tau_b})` for any s and o.

    Parameters
    ----------
    lags : ndarray of shape (n_lags,)
        Windows :math:`\tau`, steps, increasing; the bounded part forgets within `FORGOTTEN` of the first.
    lengths : sequence of int
        Steps of each run.
    n_particles : int
        Particles of each run.
    dimensions : int, default=3
        Number of Cartesian directions d.
    """

    def __init__(self, lags: IntArray, lengths: Sequence[int], n_particles: int, dimensions: int = 3) -> None:
        self._parts = np.zeros((3, len(lags), len(lags)))
        memory = FORGOTTEN * float(lags[0])
        windows = [sum(length + 1 - int(lag) for length in lengths) for lag in lags]
        for a, short in enumerate(lags):
            for b, long in enumerate(lags[a:], a):
                found = np.sum([_sums(int(short), int(long), length, memory) for length in lengths], axis=0)
                found *= 2.0 / (dimensions * n_particles * windows[a] * windows[b])
                self._parts[:, a, b] = self._parts[:, b, a] = found

    def of_line(self, slope: float, offset: float) -> FloatArray:
        """Return the covariance.

        Parameters
        ----------
        slope : float
            s, Å² per step; not negative.
        offset : float
            o, Å²; below zero it counts as zero.

        Returns
        -------
        ndarray of shape (n_lags, n_lags)
            Å⁴.
        """
        offset = max(offset, 0.0)
        return np.asarray(np.tensordot([slope**2, slope * offset, offset**2], self._parts, 1))


def _sums(short: int, long: int, length: int, memory: float) -> FloatArray:
    """Return sums of c(k)² over all pairs of windows in a run, for s², s o and o²; shape (3,)."""
    n_short, n_long = length + 1 - short, length + 1 - long
    # k is the start of the short window minus that of the long one; far apart they have nothing in common.
    k = np.arange(max(1 - n_long, -2 * short), min(n_short, long + 2 * short), dtype=float)
    count = np.minimum(np.minimum(n_short, n_long), np.minimum(n_long + k, n_short - k))
    steps = np.abs([k - long, k + short, k, k + short - long])
    signs = np.array([0.5, 0.5, -0.5, -0.5])
    free, bounded = signs @ steps, signs @ (1.0 - np.exp(-steps / memory))
    return np.array([count @ free**2, 2.0 * (count @ (free * bounded)), count @ bounded**2])
