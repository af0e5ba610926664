r"""What the rows loops read: functions in, flat arrays of channels, couplings and entries out.

A function of order k is B = <product of k densities>. Its derivative with respect to the density of one of its channels
c, coupled from the other k - 1, is the same for every function that leaves the same rest: with

.. math:: Q_{q,M}, \quad q = (\text{rest}, L), \qquad
          \partial B_v / \partial A_{c,LM} = \kappa_v \overline{w_M Q_{q,M}}, \qquad w_0 = 1, \; w_{M>0} = 2,

the rest of order 2 is :math:`Q = A_b`, that of order 3 is :math:`A_a A_b` coupled with 3j symbols, which do not care
which of the three channels is taken out. A channel that occurs p times comes with :math:`A^p / p!`, so that every entry
of a function has the same factor :math:`\kappa_v`, which is applied once, when all neighbors are done. So

.. math:: \partial B_v/\partial r_j = \kappa_v \sum_{(q, n) \in v}
          R'_n X^{(0)}_q \hat u + R_n (X^{(1)}_q \hat\theta + X^{(2)}_q \hat\varphi),
          \quad X_q = \mathrm{Re} \sum_M \overline{w_M Q_{qM}} \{Y_{LM}, \nabla Y_{LM}\}.

Inside the loops the functions are sorted so that four in a row have entries for the same elements; columns are put
into the order of the user at the end.
"""

from collections import Counter
from math import factorial, prod, sqrt
from typing import Any, NamedTuple

import numpy as np

from linmlp.descriptors.ace.basis import Channel, Function, channel_key
from linmlp.descriptors.ace.coupling import clebsch_gordan
from linmlp.descriptors.ace.parameters import AceParameters
from linmlp.descriptors.ace.radial import envelope_polynomial, scaled_distance_polynomial
from linmlp.descriptors.simd import REGISTER_LANES
from linmlp.units import FloatArray, IntArray

GROUP = 4
"""Functions that are combined, transposed and added to the rows together."""

QUAD = 4
"""Rests q of the same L that are contracted together."""

WIDTH = REGISTER_LANES
"""Neighbors in a block, and centers that share the couplings: four, or eight with AVX-512."""

Rest = tuple[Channel, ...]


class RowPlan(NamedTuple):
    """Arrays for the compiled loops; places and offsets count numbers of one lane.

    Radial rows are the used radial functions, then those of the pair term, then one row of zeros. X has two places more
    than there are rests: zeros, and the constant of the pair term.
    """

    max_l: int
    n_functions: int
    n_groups: int  # of GROUP functions, around one element
    n_radial: int  # radial rows of orders 2 and 3
    n_pair: int  # radial rows of the pair term
    n_raw: int  # raw radial functions
    n_rests: int  # rests q, padded to quads
    n_slots: int  # numbers in all Q
    n_densities: int  # complex densities, then sums of the pair term, then the constant 1
    cutoff: float
    distance_series: FloatArray  # x(t), powers of t = r / cutoff
    envelope_series: FloatArray  # cos(pi t / 2), powers of t²
    inner: FloatArray  # (n_elements, n_elements, 2) the inner switch is the smoothstep of a r + b
    radial_map: FloatArray  # (n_elements, n_elements, n_radial + n_pair, n_raw), flat
    map_end: IntArray  # (n_radial + n_pair,) raw functions from here on are not in the map
    legendre: FloatArray  # ((max_l + 1) (max_l + 2) / 2, 3) two factors of the recursion, norm
    channel_first: IntArray  # (n_elements, max_l + 2) channels of an element and l
    channel_row: IntArray  # (n_channels,) radial row
    channel_density: IntArray  # (n_channels,) place of A_{c, m=0}; m = 0..l follow
    pair_density: IntArray  # (n_elements, n_pair) place of the sums of the pair term
    term_first: IntArray  # (n_components + 1,) terms of a component (q, M)
    term_densities: IntArray  # (n_terms * 2,) places of the densities that are multiplied
    term_factors: FloatArray  # (n_terms * 2,) of the real and the imaginary part of the first density
    component_slots: IntArray  # (n_components * 2,) where real and imaginary part of Q go
    energy_components: IntArray  # components that energies need
    all_components: IntArray  # all components
    quad_first: IntArray  # (max_l + 2,) quads of rests of an L
    quad_slot: IntArray  # (n_quads,) place of its Q: (2 L + 1, QUAD)
    energy_slot: IntArray  # (n_functions,) place of Q of the function's rest, step QUAD; -1 for the pair term
    energy_density: IntArray  # (n_functions,) place of A of the channel that was taken out
    energy_l: IntArray  # (n_functions,)
    energy_factor: FloatArray  # (n_functions,)
    group_first: IntArray  # (n_elements, 5) groups with pair term only, then 1, 2, 3 entries per function
    group_column: IntArray  # (n_lists,) first column of the group
    entry_first: IntArray  # (n_lists,) first number in entries
    entries: IntArray  # place of X and of the radial row, in turns; GROUP functions with as many entries each
    n_channel_slots: int  # numbers in all adjoints
    channel_quad_first: IntArray  # (n_elements, max_l + 2) quads of channels of an element and l
    channel_quad_slot: IntArray  # (n_quads,) place of its adjoints: (2 l + 1, QUAD)
    channel_quad_row: IntArray  # (n_quads * QUAD,) place of the radial row
    adjoint_first: IntArray  # (n_functions + 1,) entries of a function
    adjoint_entries: IntArray  # (n_entries * 3,) place of Q (-1: pair term), place of the adjoint, l
    order: IntArray  # (n_functions,) column of every function inside the loops
    factor: FloatArray  # (n_functions,) kappa


class RowCounts(NamedTuple):
    """Work per neighbor without padding."""

    rest_l: tuple[int, ...]  # L of every rest
    n_entries: tuple[int, ...]  # per element of the neighbor
    n_functions: tuple[int, ...]  # functions with entries, per element of the neighbor


class _Rests:
    """Rests and their places: grouped by L, those that energies need first, in quads."""

    def __init__(self, functions: tuple[Function, ...], max_l: int) -> None:
        needed: dict[tuple[int, Rest], bool] = {}
        for function in functions:
            for channel in set(function):
                if len(function) > 1:
                    key = rest_of(function, channel)
                    needed[key] = needed.get(key, False) or channel == max(function, key=channel_key)
        self.keys = sorted(needed, key=lambda q: (q[0], not needed[q], len(q[1]), [*map(channel_key, q[1])]))
        self.needed = [needed[key] for key in self.keys]
        self.place: dict[tuple[int, Rest], int] = {}
        self.first_slot: list[int] = []
        self.quad_first, self.quad_slot, n_slots = [0], list[int](), 0
        for l in range(max_l + 1):
            of_l = [key for key in self.keys if key[0] == l]
            for k, key in enumerate(of_l):
                if k % QUAD == 0:
                    self.quad_slot.append(n_slots)
                    n_slots += QUAD * (2 * l + 1)
                self.place[key] = QUAD * (len(self.quad_slot) - 1) + k % QUAD
                self.first_slot.append(self.quad_slot[-1] + k % QUAD)
            self.quad_first.append(len(self.quad_slot))
        self.n_slots = n_slots
        self.n_rests = QUAD * len(self.quad_slot)

    def slot(self, key: tuple[int, Rest]) -> int:
        """Return the place of the first number of Q."""
        place = self.place[key]
        return self.quad_slot[place // QUAD] + place % QUAD


def rest_of(function: Function, channel: Channel) -> tuple[int, Rest]:
    """Return (L, sorted other channels): what remains when a channel is taken out."""
    rest = list(function)
    rest.remove(channel)
    return channel[2], tuple(sorted(rest, key=channel_key))


def _kappa(function: Function) -> float:
    """Return the factor of all entries of a function."""
    repeats = prod(factorial(p) for p in Counter(function).values())
    if len(function) < 3:
        return float(repeats)
    a, b, c = (channel[2] for channel in sorted(function, key=channel_key))
    return float((-1) ** (a - b) * sqrt(2 * c + 1) * repeats)


def make_row_plan(parameters: AceParameters) -> tuple[RowPlan, RowCounts]:
    """Return the arrays of the loops and the amount of work in them.

    Parameters
    ----------
    parameters : AceParameters
        Functions and radial functions.

    Returns
    -------
    plan : RowPlan
        Arrays for the loops.
    counts : RowCounts
        Work per neighbor.
    """
    functions = parameters.functions
    n_elements = len(parameters.numbers)
    many = [f for f in functions if len(f) > 1]
    channels = sorted({c for f in many for c in f}, key=lambda c: (c[0], c[2], c[1]))
    max_l = max((l for _, _, l in channels), default=0)
    rests = _Rests(functions, max_l)
    radial = _radial(parameters, channels)
    densities = _densities(parameters, channels)
    order, groups, counts = _groups(functions, n_elements, rests, radial)
    plan = RowPlan(
        max_l=max_l,
        n_functions=len(functions),
        n_groups=-(-len(functions) // GROUP),
        n_radial=radial.n_radial,
        n_pair=radial.n_pair,
        n_raw=radial.map.shape[-1],
        n_rests=rests.n_rests,
        n_slots=rests.n_slots,
        n_densities=densities.one + 1,
        cutoff=float(parameters.cutoff),
        distance_series=scaled_distance_polynomial(parameters.scaling),
        envelope_series=envelope_polynomial(),
        inner=_inner(parameters),
        radial_map=radial.map.reshape(-1),
        map_end=radial.end,
        legendre=_legendre(max_l),
        channel_first=_channel_first(channels, n_elements, max_l),
        channel_row=_integers([radial.rows[n, l] for _, n, l in channels]),
        channel_density=_integers([densities.place[c] for c in channels]),
        pair_density=densities.pair,
        **_couplings(rests, densities),
        quad_first=_integers(rests.quad_first),
        quad_slot=_integers(rests.quad_slot),
        **_energies(functions, rests, densities),
        **groups,
        **_adjoints(functions, n_elements, max_l, channels, rests, radial),
        order=order,
        factor=np.array([_kappa(f) for f in functions]),
    )
    return plan, counts


class _Radial(NamedTuple):
    rows: dict[tuple[int, int], int]
    """(n, l) to radial row."""
    n_radial: int
    n_pair: int
    map: FloatArray
    end: IntArray


def _radial(parameters: AceParameters, channels: list[Channel]) -> _Radial:
    """Return the radial rows: one per n where the map is the same for all l, else one per (n, l)."""
    used = parameters.radial_map
    pair = parameters.pair_map
    pairs = sorted({(n, l) for _, n, l in channels})
    if np.all(used == used[:, :, :1]):
        rows = {(n, l): n for n, l in pairs}
        chosen = [(n, 0) for n in range(max((n for n, _ in pairs), default=-1) + 1)]
    else:
        rows = {nl: k for k, nl in enumerate(pairs)}
        chosen = pairs
    n_pair, n_elements = pair.shape[2], len(parameters.numbers)
    n_raw = max(used.shape[-1] if chosen else 0, pair.shape[-1], 1)
    table = np.zeros((n_elements, n_elements, len(chosen) + n_pair, n_raw))
    for k, (n, l) in enumerate(chosen):
        table[:, :, k, : used.shape[-1]] = used[:, :, l, n]
    table[:, :, len(chosen) :, : pair.shape[-1]] = pair
    present = np.any(table != 0, axis=(0, 1))
    end = np.where(present.any(axis=-1), n_raw - np.argmax(present[:, ::-1], axis=-1), 0)
    return _Radial(rows, len(chosen), n_pair, table, _integers(end))


class _Densities(NamedTuple):
    place: dict[Channel, int]
    pair: IntArray
    one: int


def _densities(parameters: AceParameters, channels: list[Channel]) -> _Densities:
    place, n = {}, 0
    for channel in channels:
        place[channel] = n
        n += channel[2] + 1
    n_elements, n_pair = len(parameters.numbers), parameters.pair_map.shape[2]
    pair = n + np.arange(n_elements * n_pair, dtype=np.int64).reshape(n_elements, n_pair)
    return _Densities(place, pair, n + pair.size)


def _inner(parameters: AceParameters) -> FloatArray:
    width = parameters.inner_width
    slope = np.where(width > 0, 1 / np.where(width > 0, width, 1.0), 0.0)
    return np.ascontiguousarray(np.stack([slope, 1 - slope * parameters.inner], axis=-1))


def _legendre(max_l: int) -> FloatArray:
    """Return per (l, m) the factors of (l-m) Q_l^m = (2l-1) z Q_{l-1}^m - (l+m-1) Q_{l-2}^m, and the norm of Y_lm."""
    return np.array(
        [
            (
                (2 * l - 1) / max(l - m, 1),
                (l + m - 1) / max(l - m, 1),
                (-1) ** m * sqrt((2 * l + 1) * factorial(l - m) / factorial(l + m)),
            )
            for l in range(max_l + 1)
            for m in range(l + 1)
        ]
    )


def _channel_first(channels: list[Channel], n_elements: int, max_l: int) -> IntArray:
    keys = [(e, l) for e, _, l in channels]
    first = [[sum(key < (e, l) for key in keys) for l in range(max_l + 2)] for e in range(n_elements)]
    return _integers(first)


def _couplings(rests: _Rests, densities: _Densities) -> dict[str, Any]:
    """Return the terms of every component (q, M) of Q."""
    first, pairs, factors = [0], list[tuple[int, int]](), list[tuple[float, float]]()
    slots, needed = list[tuple[int, int]](), list[int]()
    for key, is_needed in zip(rests.keys, rests.needed, strict=True):
        big_l, rest = key
        slot = rests.slot(key)
        for big_m in range(big_l + 1):
            for a, b, factor, sign in _terms(big_l, big_m, rest, densities):
                pairs.append((a, b))
                factors.append((factor, sign * factor))
            if is_needed:
                needed.append(len(slots))
            first.append(len(pairs))
            real = slot + QUAD * max(2 * big_m - 1, 0)
            slots.append((real, slot + QUAD * 2 * big_m if big_m else rests.n_slots))
    return {
        "term_first": _integers(first),
        "term_densities": _integers(pairs).reshape(-1),
        "term_factors": np.array(factors, dtype=float).reshape(-1),
        "component_slots": _integers(slots).reshape(-1),
        "energy_components": _integers(needed),
        "all_components": np.arange(len(slots)),
    }


def _terms(big_l: int, big_m: int, rest: Rest, densities: _Densities) -> list[tuple[int, int, float, int]]:
    """Return (place a, place b, factor, -1 if a is conjugated) of w_M Q_{q,M}."""
    weight = 1.0 if big_m == 0 else 2.0
    if len(rest) == 1:
        return [(densities.one, densities.place[rest[0]] + big_m, weight, 1)]
    a, b = rest
    l1, l2 = a[2], b[2]
    if a == b:
        weight /= 2
    scale = weight * (-1) ** (l1 - l2) / sqrt(2 * big_l + 1)
    terms: dict[tuple[int, int, int], float] = {}
    for m1 in range(-l1, l1 + 1):
        m2 = big_m - m1
        coupling = clebsch_gordan(l1, m1, l2, m2, big_l, big_m) if abs(m2) <= l2 else 0.0
        if coupling == 0.0:
            continue
        # A_{-m} = (-1)^m conj(A_m); not both are negative, since M >= 0
        first, second = densities.place[a] + abs(m1), densities.place[b] + abs(m2)
        flip = (-1) ** (max(-m1, 0) + max(-m2, 0))
        term = (second, first, -1) if m2 < 0 else (first, second, -1 if m1 < 0 else 1)
        if a == b and term[2] == 1:
            term = (min(first, second), max(first, second), 1)
        terms[term] = terms.get(term, 0.0) + scale * flip * coupling
    return [(first, second, factor, sign) for (first, second, sign), factor in terms.items() if factor != 0.0]


def _energies(functions: tuple[Function, ...], rests: _Rests, densities: _Densities) -> dict[str, Any]:
    """Return how a function follows from the rest of its channel of largest l."""
    rows = []
    for function in functions:
        if len(function) == 1:
            ((element, n, _),) = function
            rows.append((-1, int(densities.pair[element, n]), 0, 1.0))
        else:
            last = max(function, key=channel_key)
            slot = rests.slot(rest_of(function, last))
            rows.append((slot, densities.place[last], last[2], _kappa(function) / function.count(last)))
    slots, places, ls, factors = zip(*rows, strict=True)
    return {
        "energy_slot": _integers(slots),
        "energy_density": _integers(places),
        "energy_l": _integers(ls),
        "energy_factor": np.array(factors),
    }


def _adjoints(
    functions: tuple[Function, ...],
    n_elements: int,
    max_l: int,
    channels: list[Channel],
    rests: _Rests,
    radial: _Radial,
) -> dict[str, Any]:
    """Return the quads of channels, and which Q of a function belongs to the adjoint of which channel."""
    quad_first, slots, rows, place, n_slots = [], list[int](), list[int](), dict[Channel, int](), 0
    for element in range(n_elements):
        first = [len(slots)]
        for l in range(max_l + 1):
            for k, channel in enumerate(c for c in channels if c[0] == element and c[2] == l):
                if k % QUAD == 0:
                    slots.append(n_slots)
                    rows.extend([2 * WIDTH * (radial.n_radial + radial.n_pair)] * QUAD)
                    n_slots += QUAD * (2 * l + 1)
                place[channel] = slots[-1] + k % QUAD
                rows[QUAD * (len(slots) - 1) + k % QUAD] = 2 * WIDTH * radial.rows[channel[1], l]
            first.append(len(slots))
        quad_first.append(first)
    entries, entry_first = list[tuple[int, int, int]](), [0]
    for function in functions:
        if len(function) == 1:
            ((element, n, _),) = function
            entries.append((-1, element * radial.n_pair + n, 0))
        else:
            entries.extend((rests.slot(rest_of(function, c)), place[c], c[2]) for c in sorted(set(function)))
        entry_first.append(len(entries))
    return {
        "n_channel_slots": n_slots,
        "channel_quad_first": _integers(quad_first),
        "channel_quad_slot": _integers(slots),
        "channel_quad_row": _integers(rows),
        "adjoint_first": _integers(entry_first),
        "adjoint_entries": _integers(entries).reshape(-1),
    }


def _groups(
    functions: tuple[Function, ...], n_elements: int, rests: _Rests, radial: _Radial
) -> tuple[IntArray, dict[str, Any], RowCounts]:
    """Return the inner order, the lists of groups per element of the neighbor, and counts."""

    def composition(v: int) -> tuple[bool, tuple[int, ...], int]:
        distinct = Counter(e for e, _, _ in set(functions[v]))
        return len(functions[v]) > 1, tuple(-distinct[e] for e in range(n_elements)), v

    inside = sorted(range(len(functions)), key=composition)
    order = np.empty(len(functions), dtype=np.int64)
    order[inside] = np.arange(len(functions))
    nothing = (3 * WIDTH * rests.n_rests, 2 * WIDTH * (radial.n_radial + radial.n_pair))

    def entries_of(v: int, element: int) -> list[tuple[int, int]]:
        function = functions[v]
        of_element = [c for c in sorted(set(function)) if c[0] == element]
        if len(function) == 1:
            return [(3 * WIDTH * (rests.n_rests + 1), 2 * WIDTH * (radial.n_radial + n)) for _, n, _ in of_element]
        return [
            (3 * WIDTH * rests.place[rest_of(function, c)], 2 * WIDTH * radial.rows[c[1], c[2]]) for c in of_element
        ]

    group_first, columns, entry_first, entries = [], list[int](), list[int](), list[int]()
    n_entries, n_active = [], []
    for element in range(n_elements):
        lists: list[list[tuple[int, list[list[tuple[int, int]]]]]] = [[], [], [], []]
        own = [entries_of(v, element) for v in inside]
        n_entries.append(sum(len(e) for e, v in zip(own, inside, strict=True) if len(functions[v]) > 1))
        n_active.append(sum(1 for e in own if e))
        for start in range(0, len(inside), GROUP):
            members = own[start : start + GROUP] + [[]] * max(0, start + GROUP - len(inside))
            kind = max(map(len, members))
            only_pair = all(len(functions[v]) == 1 for v in inside[start : start + GROUP])
            if kind:
                lists[0 if only_pair else kind].append((start, members))
        first = [len(columns)]
        for kind, of_kind in enumerate(lists):
            for start, members in of_kind:
                columns.append(start)
                entry_first.append(len(entries))
                for member in members:
                    padded = member + [nothing] * (max(kind, 1) - len(member))
                    entries.extend(number for entry in padded for number in entry)
            first.append(len(columns))
        group_first.append(first)
    arrays = {
        "group_first": _integers(group_first),
        "group_column": _integers(columns),
        "entry_first": _integers(entry_first),
        "entries": _integers(entries),
    }
    counts = RowCounts(tuple(key[0] for key in rests.keys), tuple(n_entries), tuple(n_active))
    return order, arrays, counts


def _integers(values: object) -> IntArray:
    return np.ascontiguousarray(np.asarray(values, dtype=np.int64))
