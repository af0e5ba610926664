r"""Radial functions of other programs' files in the form that the loops evaluate: families in, power series out.

All families are :math:`h_k(r) = \tfrac12 (1 - T_k(x)) f` for k >= 1, and :math:`f` itself where a file uses it, with
t = r / cutoff and

============  ==========================================================  =================================
family        x                                                           f
============  ==========================================================  =================================
ChebExpCos    :math:`1 - 2 (e^{-\lambda t} - e^{-\lambda}) /              :math:`\cos^2(\pi t / 2)`
              (1 - e^{-\lambda})`
ChebPow       :math:`1 - 2 (1 - t)^\lambda`, integer :math:`\lambda`      1 below the cutoff
SBessel       :math:`-\cos \pi t`                                         :math:`\sin(\pi t) / (\pi t)`
============  ==========================================================  =================================

where f of ChebExpCos may have one more factor, :math:`\cos^2(\pi v / 2)` over the last `outer_width`, 0 <= v <= 1.
"""

from collections.abc import Sequence
from math import comb, factorial, pi
from typing import NamedTuple, TypeAlias

import numpy as np

from linmlp.descriptors.ace.radial import SCALING, envelope_polynomial, scaled_distance_polynomial
from linmlp.units import FloatArray

MAX_POWER = 12
"""Largest lambda of ChebPow, which is a polynomial of that degree."""


class RadialForm(NamedTuple):
    """Raw functions of one pair of elements: f first if `has_envelope`, then h_1, h_2, ...; distances in Å."""

    family: str
    cutoff: float
    scaling: float
    outer_width: float
    has_envelope: bool

    @classmethod
    def own(cls, cutoff: float, scaling: float = SCALING) -> "RadialForm":
        """Return the functions that ACE fits with."""
        return cls("ChebExpCos", cutoff, scaling, 0.0, False)

    @property
    def envelope_power(self) -> int:
        """How often the envelope stands in f."""
        return {"ChebExpCos": 2, "ChebPow": 0, "SBessel": 1}[self.family]

    def distance_series(self) -> FloatArray:
        """Return x as a power series in t."""
        if self.family == "ChebExpCos":
            return scaled_distance_polynomial(self.scaling)
        if self.family == "ChebPow":
            power = round(self.scaling)
            return np.array([-1.0, *(-2.0 * comb(power, k) * (-1) ** k for k in range(1, power + 1))])
        series = np.zeros(2 * len(_sine_cardinal()))
        series[::2] = [-((-1) ** k) * pi ** (2 * k) / factorial(2 * k) for k in range(len(series) // 2)]
        return series

    def envelope_series(self) -> FloatArray:
        """Return the envelope over 1 - t², with which it vanishes at the cutoff, as a power series in t²."""
        series = _sine_cardinal() if self.family == "SBessel" else envelope_polynomial()
        return -np.cumsum(series[:0:-1])[::-1]


Forms: TypeAlias = tuple[tuple[RadialForm, ...], ...]
"""By center and neighbor."""


def stack_series(series: Sequence[FloatArray]) -> FloatArray:
    """Return power series as rows of one array, (n_series, n_terms), filled up with zeros."""
    stacked = np.zeros((len(series), max(map(len, series))))
    for row, one in zip(stacked, series, strict=True):
        row[: len(one)] = one
    return stacked


def _sine_cardinal() -> FloatArray:
    """Return sin(pi t) / (pi t) as a power series in t²."""
    terms = [1.0]
    while abs(terms[-1]) > 1e-18:
        k = len(terms)
        terms.append(-terms[-1] * pi**2 / (2 * k * (2 * k + 1)))
    return np.array(terms)
