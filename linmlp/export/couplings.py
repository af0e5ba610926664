r"""Invariants as sums over complex products of A: angular momenta in, coefficients per m-tuple out.

A *term* is a tuple of m, one per factor, with the coefficient of the product of the :math:`A_{l_t m_t}`. ML-PACE adds
real parts of products. Since :math:`A_{l,-m} = (-1)^m \bar A_{lm}` and the m of a term add up to zero, a term and its
negative have the same real part; so do two terms that differ by an exchange of m between equal channels. `fold` keeps
one of each, with the sum of the coefficients.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from linmlp.descriptors.ace.basis import Channel
from linmlp.descriptors.ace.coupling import clebsch_gordan

Terms: TypeAlias = dict[tuple[int, ...], float]

NEGLIGIBLE = 1e-14
"""Coefficients below this fraction of the largest are rounding of zeros."""


def couple(ls: Sequence[int], through: Sequence[int] = ()) -> Terms:
    r"""Return the terms of the invariant that couples angular momenta one after the other.

    Parameters
    ----------
    ls : sequence of int
        Angular momenta of the factors, at least two. The last factor enters as a conjugate.
    through : sequence of int, optional
        Angular momenta of the products of the first 2, 3, ... factors; that of all factors but the last is the last
        one's, so that up to order 3 none is free.

    Returns
    -------
    dict of tuple of int to float
        Coefficients, for order 3 those of
        :math:`\sum_{m_1 m_2} \langle l_1 m_1 l_2 m_2 | l_3 M \rangle A_{l_1 m_1} A_{l_2 m_2} \bar A_{l_3 M}`.
    """
    terms: Terms = {(m,): 1.0 for m in range(-ls[0], ls[0] + 1)}
    total = ls[0]
    targets = [*through, ls[-1]] if len(ls) > 2 else []
    for l, following in zip(ls[1:-1], targets, strict=True):
        longer: Terms = {}
        for ms, value in terms.items():
            for m in range(-l, l + 1):
                factor = clebsch_gordan(total, sum(ms), l, m, following, sum(ms) + m)
                if factor != 0.0:
                    longer[*ms, m] = value * factor
        terms, total = longer, following
    return {(*ms, -sum(ms)): (-1.0) ** sum(ms) * value for ms, value in terms.items() if abs(sum(ms)) <= ls[-1]}


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
