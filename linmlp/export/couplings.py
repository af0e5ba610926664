r"""Invariants as sums over complex products of A: angular momenta in, coefficients per m-tuple out.

A *term* is a tuple of m, one per factor, with the coefficient of the product of the :math:`A_{l_t m_t}`. ML-PACE adds
real parts of products. Since :math:`A_{l,-m} = (-1)^m \bar A_{lm}` and the m of a term add up to zero, a term and its
negative have the same real part; so do two terms that differ by an exchange of m between equal channels. `fold` keeps
one of each, with the sum of the coefficients.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import TypeAlias

from linmlp.descriptors.ace.basis import Channel, Function
from linmlp.descriptors.ace.coupling import clebsch_gordan

Terms: TypeAlias = dict[tuple[int, ...], float]

NEGLIGIBLE = 1e-14
"""Coefficients below this fraction of the largest are rounding of zeros."""


def channels_of(function: Function) -> tuple[Channel, ...]:
    """Return the channels of a function; after four of them, one of order 4 says to what its pairs are coupled."""
    return function[:4]


def terms_of(function: Function) -> Terms:
    """Return the terms of a function, the m in the order of its channels."""
    coupled = [momentum for _, _, momentum in function[4:]]
    return couple([l for _, _, l in channels_of(function)], *coupled)


def couple(ls: Sequence[int], momentum: int = 0) -> Terms:
    r"""Return the terms of the invariant of some angular momenta.

    Parameters
    ----------
    ls : sequence of int
        Angular momenta of two, three or four factors.
    momentum : int, default=0
        Angular momentum L of the two pairs of four factors.

    Returns
    -------
    dict of tuple of int to float
        Coefficients of

        .. math:: \sum_m A_{1,m} \bar A_{2,m}, \qquad
            \sum_M Q_{12,l_3M} \bar A_{3,M}, \qquad \sum_M Q_{12,LM} \bar Q_{34,LM}, \qquad
            Q_{ab,LM} = \sum_m \langle l_a m\, l_b\, M{-}m | L M \rangle A_{a,m} A_{b,M-m},

        with conjugates written as :math:`(-1)^m A_{l,-m}`.
    """
    if len(ls) == 2:
        left, right = _one(ls[0]), _one(ls[1])
    elif len(ls) == 3:
        left, right = _pair(ls[0], ls[1], ls[2]), _one(ls[2])
    else:
        left, right = _pair(ls[0], ls[1], momentum), _pair(ls[2], ls[3], momentum)
    return {
        (*ms, *(-m for m in conjugate)): (-1.0) ** sum(ms) * value * other
        for ms, value in left.items()
        for conjugate, other in right.items()
        if sum(ms) == sum(conjugate)
    }


def _one(l: int) -> Terms:
    return {(m,): 1.0 for m in range(-l, l + 1)}


def _pair(l1: int, l2: int, momentum: int) -> Terms:
    """Return the terms of Q, for all M."""
    every = product(range(-l1, l1 + 1), range(-l2, l2 + 1))
    terms = {(m1, m2): clebsch_gordan(l1, m1, l2, m2, momentum, m1 + m2) for m1, m2 in every}
    return {ms: value for ms, value in terms.items() if value != 0.0}


def fold(channels: Sequence[Channel], terms: Mapping[tuple[int, ...], float]) -> tuple[tuple[Channel, ...], Terms]:
    """Return the channels in the order of element, n and l, and one of all terms with the same real part.

    Parameters
    ----------
    channels : sequence of Channel
        Factors.
    terms : mapping of tuple of int to float
        Coefficients; the m in the order of `channels`.

    Returns
    -------
    channels : tuple of Channel
        Sorted.
    terms : dict of tuple of int to float
        Sorted; without those that vanish.
    """
    folded: Terms = {}
    for ms, value in terms.items():
        key = max(_sorted_projections(channels, ms), _sorted_projections(channels, [-m for m in ms]))
        folded[key] = folded.get(key, 0.0) + value
    limit = NEGLIGIBLE * max(map(abs, terms.values()), default=0.0)
    kept = {ms: value for ms, value in sorted(folded.items()) if abs(value) > limit}
    return tuple(sorted(channels)), kept


def add_terms(parts: Iterable[tuple[float, Mapping[tuple[int, ...], float]]]) -> Terms:
    """Return a linear combination of terms.

    Parameters
    ----------
    parts : iterable of (float, mapping)
        Factors and terms.

    Returns
    -------
    dict of tuple of int to float
        Their sum.
    """
    total: Terms = {}
    for factor, terms in parts:
        for ms, value in terms.items():
            total[ms] = total.get(ms, 0.0) + factor * value
    return total


def _sorted_projections(channels: Sequence[Channel], ms: Sequence[int]) -> tuple[int, ...]:
    return tuple(m for _, m in sorted(zip(channels, ms, strict=True)))
