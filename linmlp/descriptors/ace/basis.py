"""Which ACE functions there are: degrees in, lists of channels and functions out.

A *channel* is ``(element, n, l)``: the element index of the neighbors it sums over, the radial degree ``n`` (from 0)
and the angular momentum ``l``. A *function* of order ``k`` is a sorted tuple of ``k`` channels. Every element has the
same functions around it. With

    A_{enlm} = sum over neighbors j of element e of  R_n(r_j) Y_lm(r_j),    Y_00 = 1,

the invariants are (sums over all m from -l to l; factors sorted by ``channel_key``)

    order 1   B = sum_j R_n(r_j)                                     the pair term, channels (e, n, 0)
    order 2   B = sum_m A_{1,lm} conj(A_{2,lm})
    order 3   B = sum_{m1 m2} <l1 m1 l2 m2 | l3 m1+m2> A_{1,m1} A_{2,m2} conj(A_{3,m1+m2})
    order 4   B = sum_M Q_{12,LM} conj(Q_{34,LM}),   Q_{ab,LM} = sum_m <la m lb M-m | L M> A_{a,m} A_{b,M-m}

Densities may be mixed over elements: the channels of orders 2 and higher are then ``(MIXED + c, n, l)`` with

    A_{cnlm} = sum_e W_ce A_{enlm},    c from 0 to n_channels - 1,

while the pair term keeps its elements. Their number does not depend on that of the elements.

For orders up to 3 there is exactly one invariant per multiset of channels with an even sum of ``l`` that meets the
triangle condition, so nothing is linearly dependent [1]_. Order 4 has one for every intermediate L of an independent
set (`linmlp.descriptors.ace.intermediates`); its functions end with the entry ``(COUPLED, 0, L)``, which is no channel.

References
----------
.. [1] R. Drautz, Phys. Rev. B 99, 014104 (2019); G. Dusson et al., J. Comput. Phys. 454, 110946 (2022).
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations_with_replacement
from typing import TypeAlias

from linmlp.descriptors.ace.counting import count_invariants
from linmlp.descriptors.ace.intermediates import intermediate_momenta

Channel: TypeAlias = tuple[int, int, int]
Function: TypeAlias = tuple[Channel, ...]
Couple: TypeAlias = tuple[Channel, Channel, int]
"""Two channels and the angular momentum L to which they are coupled."""

MAX_ORDER = 4

ANY = -1
"""Element of a channel that sums over neighbors of all elements; the rows know it, ACE has none."""

MIXED = 1000
"""First number of channels that are mixed over elements, beyond all indices of elements."""

COUPLED = -2
"""First number of the last entry of a function of order 4, whose third is the angular momentum of the pairs."""


def factors(function: Function) -> tuple[Channel, ...]:
    """Return the channels of a function; of order 4 the first two make a pair, and the others."""
    return function[:MAX_ORDER]


def order_of(function: Function) -> int:
    """Return the correlation order of a function."""
    return len(factors(function))


def intermediate(function: Function) -> int:
    """Return the angular momentum of the pairs of a function of order 4; 0 for others."""
    return function[MAX_ORDER][2] if len(function) > MAX_ORDER else 0


def has_neighbors(channel: Channel, element: int) -> bool:
    """Return whether neighbors of an element are in the sum of a channel."""
    return channel[0] in (element, ANY) or is_mixed(channel)


def is_mixed(channel: Channel) -> bool:
    """Return whether a channel is mixed over elements."""
    return channel[0] >= MIXED


def channel_key(channel: Channel) -> tuple[int, int, int]:
    """Return the key that sorts the factors of a function: l, then n, then element."""
    element, n, l = channel
    return l, n, element


def couples_of(function: Function) -> list[Couple]:
    """Return the coupled pairs of a function; only order 4 has some, two."""
    if order_of(function) < MAX_ORDER:
        return []
    a, b, c, d = factors(function)
    return [(a, b, intermediate(function)), (c, d, intermediate(function))]


def function_name(function: Function, elements: tuple[str, ...]) -> str:
    """Return the name of a function, with symbols of elements, or c0, c1, ... where they are mixed."""
    symbols = ".".join(f"c{c[0] - MIXED}" if is_mixed(c) else elements[c[0]] for c in factors(function))
    ns, ls = (",".join(str(channel[k]) for channel in factors(function)) for k in (1, 2))
    if len(function) == 1:
        return f"{symbols} n={ns}"
    pairs = f" L={intermediate(function)}" if order_of(function) == MAX_ORDER else ""
    return f"{symbols} n={ns} l={ls}{pairs}"


def degree(function: Function) -> int:
    """Return the total degree of a function, the sum of n + l over its channels."""
    return sum(n + l for _, n, l in factors(function))


def enumerate_functions(
    n_elements: int, max_degree: tuple[int, ...], max_l: int, n_channels: int | None = None
) -> list[Function]:
    """Return all functions up to a total degree per order, by order, then degree.

    Parameters
    ----------
    n_elements : int
        Number of elements that neighbors may have.
    max_degree : tuple of int
        Largest total degree sum(n + l) of orders 1, 2, ...; its length is the order.
    max_l : int
        Largest angular momentum.
    n_channels : int or None, default=None
        Densities that elements are mixed to, for orders 2 and higher; None for those of the elements.

    Returns
    -------
    list of Function
        Sorted by order, degree and channels.
    """
    return list(_enumerate(n_elements, max_degree, max_l, n_channels))


@lru_cache(maxsize=8)
def _enumerate(
    n_elements: int, max_degree: tuple[int, ...], max_l: int, n_channels: int | None
) -> tuple[Function, ...]:
    densities = range(n_elements) if n_channels is None else range(MIXED, MIXED + n_channels)
    functions: list[Function] = []
    for order, limit in enumerate(max_degree, start=1):
        of_order = _of_order(order, range(n_elements) if order == 1 else densities, limit, max_l)
        functions.extend(sorted(of_order, key=lambda f: (degree(f), [*map(channel_key, f)])))
    return tuple(functions)


def count_functions(n_elements: int, max_degree: tuple[int, ...], max_l: int, n_channels: int | None = None) -> int:
    """Return the number of functions around one element, without a list of them."""
    return sum(count_by_order(n_elements, max_degree, max_l, n_channels))


def count_by_order(
    n_elements: int, max_degree: tuple[int, ...], max_l: int, n_channels: int | None = None
) -> list[int]:
    """Return the number of functions of every order around one element."""
    n_densities = n_elements if n_channels is None else n_channels
    return [
        count_invariants(order, n_elements if order == 1 else n_densities, limit, max_l)
        for order, limit in enumerate(max_degree, start=1)
    ]


def _of_order(order: int, densities: range, limit: int, max_l: int) -> Iterator[Function]:
    if order == 1:
        yield from (((e, n, 0),) for e in densities for n in range(limit + 1))
        return
    channels = [(e, n, l) for l in range(max_l + 1) for n in range(limit - l + 1) for e in densities]
    if order == 2:
        for a, b in combinations_with_replacement(channels, 2):
            if a[2] == b[2] and degree((a, b)) <= limit:
                yield a, b
        return
    for function in _multisets(channels, order, limit):
        ls = tuple(l for _, _, l in function)
        if sum(ls) % 2 == 1:
            continue
        if order == 3 and ls[2] <= ls[0] + ls[1]:
            yield function
        elif order == 4:
            momenta = intermediate_momenta(ls, tuple(function.index(channel) for channel in function))
            yield from ((*function, (COUPLED, 0, momentum)) for momentum in momenta)


def _multisets(channels: list[Channel], size: int, limit: int, first: int = 0) -> Iterator[Function]:
    """Return multisets of channels up to a total degree."""
    if size == 0:
        yield ()
        return
    for k in range(first, len(channels)):
        left = limit - degree((channels[k],))
        if left >= 0:
            yield from ((channels[k], *others) for others in _multisets(channels, size - 1, left, k))
