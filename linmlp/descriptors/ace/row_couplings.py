"""Couplings of the design rows: what remains of a function when a channel is taken out, and how densities make it."""

from collections import Counter
from math import factorial, prod, sqrt
from typing import Any, NamedTuple

import numpy as np

from linmlp.descriptors.ace.basis import Channel, Function, channel_key
from linmlp.descriptors.ace.coupling import clebsch_gordan
from linmlp.descriptors.ace.row_layout import QUAD, Rest, integers
from linmlp.units import IntArray


class Rests:
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


def kappa(function: Function) -> float:
    """Return the factor of all entries of a function."""
    repeats = prod(factorial(p) for p in Counter(function).values())
    if len(function) < 3:
        return float(repeats)
    a, b, c = (channel[2] for channel in sorted(function, key=channel_key))
    return float((-1) ** (a - b) * sqrt(2 * c + 1) * repeats)


class Densities(NamedTuple):
    """Places of the densities A_{c,m} (m = 0..l), of the sums of the pair term, and of the constant 1."""

    place: dict[Channel, int]
    pair: IntArray
    one: int


def number_densities(channels: list[Channel], n_elements: int, n_pair: int) -> Densities:
    """Return the places of all densities."""
    place, n = {}, 0
    for channel in channels:
        place[channel] = n
        n += channel[2] + 1
    pair = n + np.arange(n_elements * n_pair, dtype=np.int64).reshape(n_elements, n_pair)
    return Densities(place, pair, n + pair.size)


def couplings(rests: Rests, densities: Densities) -> dict[str, Any]:
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
        "term_first": integers(first),
        "term_densities": integers(pairs).reshape(-1),
        "term_factors": np.array(factors, dtype=float).reshape(-1),
        "component_slots": integers(slots).reshape(-1),
        "energy_components": integers(needed),
        "all_components": np.arange(len(slots)),
    }


def _terms(big_l: int, big_m: int, rest: Rest, densities: Densities) -> list[tuple[int, int, float, int]]:
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


def energies(functions: tuple[Function, ...], rests: Rests, densities: Densities) -> dict[str, Any]:
    """Return how a function follows from the rest of its channel of largest l."""
    rows = []
    for function in functions:
        if len(function) == 1:
            ((element, n, _),) = function
            rows.append((-1, int(densities.pair[element, n]), 0, 1.0))
        else:
            last = max(function, key=channel_key)
            slot = rests.slot(rest_of(function, last))
            rows.append((slot, densities.place[last], last[2], kappa(function) / function.count(last)))
    slots, places, ls, factors = zip(*rows, strict=True)
    return {
        "energy_slot": integers(slots),
        "energy_density": integers(places),
        "energy_l": integers(ls),
        "energy_factor": np.array(factors),
    }
