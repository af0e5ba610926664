r"""What remains of a function when a channel is taken out: functions in, rests and their numbers out.

A rest of order 4 is a coupled pair times the mate of the channel that was taken out, coupled to the l of that channel,

.. math:: \partial B / \partial A_{a,m} = \overline{q_m}, \qquad q = (-1)^{L - l_a} \sqrt{\tfrac{2L + 1}{2 l_a + 1}}
          \, [Q_{cd,L} \otimes A_b]_{l_a} \times \{1 \text{ or } (-1)^{l_a + l_b - L}\},

the sign if it is the second of its pair. As a key it is ``(c, d, b, (COUPLED, sign, L))``.
"""

from collections import Counter
from math import factorial, prod, sqrt
from typing import TypeAlias

from linmlp.descriptors.ace.basis import COUPLED, Channel, Couple, Function, channel_key, couples_of
from linmlp.descriptors.ace.row_layout import Rest

Entry: TypeAlias = tuple[Channel, tuple[int, Rest]]
"""A channel and what remains without it: its l, and the rest."""


def entries_of(function: Function) -> Counter[Entry]:
    """Return the channels of a function with what remains without them, and how many factors each stands for.

    The pair term has none.
    """
    pairs = couples_of(function)
    if not pairs:
        return Counter((c, (c[2], _others(function, c))) for c in sorted(function) if len(function) > 1)
    entries: Counter[Entry] = Counter()
    for (a, b, l), (c, d, _) in (pairs, pairs[::-1]):
        entries[a, (a[2], (c, d, b, (COUPLED, 1, l)))] += 1
        entries[b, (b[2], (c, d, a, (COUPLED, (-1) ** (a[2] + b[2] - l), l)))] += 1
    return entries


def _others(function: Function, channel: Channel) -> Rest:
    rest = list(function)
    rest.remove(channel)
    return tuple(sorted(rest, key=channel_key))


def pair_of(rest: Rest) -> tuple[Channel, Couple, int]:
    """Return mate, coupled pair and sign of a rest of order 4."""
    c, d, mate, (_, sign, l) = rest
    return mate, (c, d, l), sign


def energy_entry(entries: Counter[Entry]) -> Entry:
    """Return the entry from which the function is computed, the first of the channel of largest l."""
    return max(entries, key=lambda entry: channel_key(entry[0]))


def kappa(function: Function) -> float:
    """Return the factor of all entries of a function."""
    if pairs := couples_of(function):
        return 2.0 ** (sum(a == b for a, b, _ in pairs) + (pairs[0] == pairs[1]))
    repeats = prod(factorial(p) for p in Counter(function).values())
    if len(function) < 3:
        return float(repeats)
    a, b, c = (channel[2] for channel in sorted(function, key=channel_key))
    return float((-1) ** (a - b) * sqrt(2 * c + 1) * repeats)
