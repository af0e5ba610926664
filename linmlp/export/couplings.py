r"""Invariants as sums over complex products of A: functions in, coefficients per m-tuple out.

A *term* is a tuple of m, one per factor, with the coefficient of the product of the :math:`A_{l_t m_t}`. ML-PACE adds
real parts of products. Since :math:`A_{l,-m} = (-1)^m \bar A_{lm}` and the m of a term add up to zero, a term and its
negative have the same real part; so do two terms that differ by an exchange of m between equal channels. `fold` keeps
one of each, with the sum of the coefficients.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from linmlp.descriptors.ace.basis import Channel, Function
from linmlp.descriptors.ace.expansion import expand_function

Terms: TypeAlias = dict[tuple[int, ...], float]

NEGLIGIBLE = 1e-14
"""Coefficients below this fraction of the largest are rounding of zeros."""


def terms_of(function: Function) -> tuple[tuple[Channel, ...], Terms]:
    """Return the channels of a function and its terms, the m in the order of the channels."""
    elements, ns, ls, ms, coefficients = expand_function(function)
    channels = tuple(zip(elements, ns, ls, strict=True))
    return channels, {tuple(term): value for term, value in zip(ms.tolist(), coefficients.tolist(), strict=True)}


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
