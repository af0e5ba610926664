"""Which ACE functions there are: degrees in, lists of channels and functions out.

A *channel* is ``(element, n, l)``: the element index of the neighbors it sums over, the radial degree ``n`` (from 0)
and the angular momentum ``l``. A *function* of order ``k`` is a sorted tuple of ``k`` channels. Every element has the
same functions around it. With

    A_{enlm} = sum over neighbors j of element e of  R_n(r_j) Y_lm(r_j),    Y_00 = 1,

the invariants are (sums over all m from -l to l; factors sorted by ``channel_key``)

    order 1   B = sum_j R_n(r_j)                                     the pair term, channels (e, n, 0)
    order 2   B = sum_m A_{1,lm} conj(A_{2,lm})
    order 3   B = sum_{m1 m2} <l1 m1 l2 m2 | l3 m1+m2> A_{1,m1} A_{2,m2} conj(A_{3,m1+m2})

For orders up to 3 there is exactly one invariant per multiset of channels with an even sum of ``l`` that meets the
triangle condition, so nothing is linearly dependent [1]_.

References
----------
.. [1] R. Drautz, Phys. Rev. B 99, 014104 (2019); G. Dusson et al., J. Comput. Phys. 454, 110946 (2022).
"""

from collections.abc import Iterator
from functools import cache
from itertools import combinations_with_replacement
from typing import TypeAlias

Channel: TypeAlias = tuple[int, int, int]
Function: TypeAlias = tuple[Channel, ...]

MAX_ORDER = 3

ANY = -1
"""Element of a channel that sums over neighbors of all elements; the rows know it, ACE has none."""


def has_neighbors(channel: Channel, element: int) -> bool:
    """Return whether neighbors of an element are in the sum of a channel."""
    return channel[0] in (element, ANY)


def channel_key(channel: Channel) -> tuple[int, int, int]:
    """Return the key that sorts the factors of a function: l, then n, then element."""
    element, n, l = channel
    return l, n, element


def degree(function: Function) -> int:
    """Return the total degree of a function, the sum of n + l over its channels."""
    return sum(n + l for _, n, l in function)


def enumerate_functions(n_elements: int, max_degree: tuple[int, ...], max_l: int) -> list[Function]:
    """Return all functions up to a total degree per order, by order, then degree.

    Parameters
    ----------
    n_elements : int
        Number of elements that neighbors may have.
    max_degree : tuple of int
        Largest total degree sum(n + l) of orders 1, 2, ...; its length is the order.
    max_l : int
        Largest angular momentum.

    Returns
    -------
    list of Function
        Sorted by order, degree and channels.
    """
    functions: list[Function] = []
    for order, limit in enumerate(max_degree, start=1):
        of_order = sorted(_of_order(order, n_elements, limit, max_l), key=lambda f: (degree(f), [*map(channel_key, f)]))
        functions.extend(of_order)
    return functions


def count_functions(n_elements: int, max_degree: tuple[int, ...], max_l: int) -> int:
    """Return the number of functions around one element."""
    return sum(_count(order, n_elements, limit, max_l) for order, limit in enumerate(max_degree, start=1))


@cache
def _count(order: int, n_elements: int, limit: int, max_l: int) -> int:
    return sum(1 for _ in _of_order(order, n_elements, limit, max_l))


def _of_order(order: int, n_elements: int, limit: int, max_l: int) -> Iterator[Function]:
    if order == 1:
        yield from (((e, n, 0),) for e in range(n_elements) for n in range(limit + 1))
        return
    channels = [(e, n, l) for l in range(max_l + 1) for n in range(limit - l + 1) for e in range(n_elements)]
    if order == 2:
        for a, b in combinations_with_replacement(channels, 2):
            if a[2] == b[2] and degree((a, b)) <= limit:
                yield a, b
        return
    for i, a in enumerate(channels):
        for j in range(i, len(channels)):
            b = channels[j]
            if degree((a, b)) > limit:
                continue
            for c in channels[j:]:
                if c[2] > a[2] + b[2]:
                    break
                if degree((a, b, c)) <= limit and (a[2] + b[2] + c[2]) % 2 == 0:
                    yield a, b, c


TOTAL_FUNCTIONS = {1: 750, 2: 1500, 3: 2250}
"""Functions in all that the default degrees aim at, per number of elements; 3000 for four or more."""


def default_degrees(n_elements: int, order: int, max_l: int) -> tuple[int, ...]:
    """Return the default degrees per order, which fall with the number of elements.

    One element has (16, 14, 11): 750 functions. At fixed degree the count would grow as elements**order, so orders 2
    and 3 are lowered until all elements have no more functions than `TOTAL_FUNCTIONS` allows (3000 for four
    or more). The pair term keeps its size.

    Parameters
    ----------
    n_elements : int
        Number of elements.
    order : int
        Correlation order, 1 to 3.
    max_l : int
        Largest angular momentum.

    Returns
    -------
    tuple of int
        One degree per order.
    """
    limit = TOTAL_FUNCTIONS.get(n_elements, 3000)
    if n_elements == 1:
        return (16, 14, 11)[:order]
    for third in range(10, -1, -1):
        for second in range(third + 3, third - 1, -1):
            degrees = (16, second, third)[:order]
            if n_elements * count_functions(n_elements, degrees, max_l) <= limit:
                return degrees
    return degrees
