"""Couplings of the design rows: how densities make what remains of a function when a channel is taken out."""

from math import sqrt
from typing import Any, NamedTuple

import numpy as np

from linmlp.descriptors.ace.basis import Channel, Couple, Function, channel_key, couples_of
from linmlp.descriptors.ace.coupling import clebsch_gordan
from linmlp.descriptors.ace.row_layout import QUAD, Rest, integers
from linmlp.descriptors.ace.row_rests import energy_entry, entries_of, kappa, pair_of
from linmlp.units import IntArray


class Rests:
    """Rests and their places: grouped by L, those that energies need first, in quads."""

    def __init__(self, functions: tuple[Function, ...], max_l: int) -> None:
        needed: dict[tuple[int, Rest], bool] = {}
        for function in functions:
            entries = entries_of(function)
            for entry in entries:
                needed[entry[1]] = needed.get(entry[1], False) or entry == energy_entry(entries)
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


class Densities(NamedTuple):
    """Places of the densities A_{c,m} (m = 0..l), of the sums of the pair term, coupled pairs, and the constant 1."""

    place: dict[Channel, int]
    pair: IntArray
    coupled: dict[Couple, int]
    one: int


class Factor(NamedTuple):
    """A density or a coupled pair X: place, angular momentum, and p in X_{-m} = p (-1)^m conj(X_m)."""

    place: int
    l: int
    parity: int


def number_densities(
    channels: list[Channel], n_elements: int, n_pair: int, functions: tuple[Function, ...] = ()
) -> Densities:
    """Return the places of all densities."""
    place, n = {}, 0
    for channel in channels:
        place[channel] = n
        n += channel[2] + 1
    pair = n + np.arange(n_elements * n_pair, dtype=np.int64).reshape(n_elements, n_pair)
    coupled, n = {}, n + pair.size
    for couple in sorted({couple for function in functions for couple in couples_of(function)}):
        coupled[couple] = n
        n += couple[2] + 1
    return Densities(place, pair, coupled, n)


def couplings(rests: Rests, densities: Densities) -> dict[str, Any]:
    """Return the terms of every component (q, M) of Q, and then of every coupled pair."""
    first, terms = [0], list[tuple[int, int, float, int]]()
    slots, needed = list[tuple[int, int]](), list[int]()
    for key, is_needed in zip(rests.keys, rests.needed, strict=True):
        big_l, rest = key
        slot = rests.slot(key)
        for big_m in range(big_l + 1):
            terms += _rest_terms(big_l, big_m, rest, densities)
            if is_needed:
                needed.append(len(slots))
            first.append(len(terms))
            real = slot + QUAD * max(2 * big_m - 1, 0)
            slots.append((real, slot + QUAD * 2 * big_m if big_m else rests.n_slots))
    n_components = len(slots)
    for (a, b, big_l), place in densities.coupled.items():
        one, other = _density(a, densities), _density(b, densities)
        for big_m in range(big_l + 1):
            terms += _coupled_terms(one, other, big_l, big_m, 0.5 if a == b else 1.0)
            first.append(len(terms))
            slots.append((2 * (place + big_m), 2 * (place + big_m) + 1))
    return {
        "term_first": integers(first),
        "term_densities": integers([term[:2] for term in terms]).reshape(-1),
        "term_factors": np.array([(x, sign * x) for _, _, x, sign in terms], dtype=float).reshape(-1),
        "component_slots": integers(slots).reshape(-1),
        "energy_components": integers(needed),
        "all_components": np.arange(n_components),
        "coupled_components": np.arange(n_components, len(slots)),
    }


def _density(channel: Channel, densities: Densities) -> Factor:
    return Factor(densities.place[channel], channel[2], 1)


def _rest_terms(big_l: int, big_m: int, rest: Rest, densities: Densities) -> list[tuple[int, int, float, int]]:
    """Return (place a, place b, factor, -1 if a is conjugated) of w_M Q_{q,M}."""
    weight = 1.0 if big_m == 0 else 2.0
    if len(rest) == 1:
        return [(densities.one, densities.place[rest[0]] + big_m, weight, 1)]
    if len(rest) == 2:
        a, b = rest
        weight *= (0.5 if a == b else 1.0) * (-1) ** (a[2] - b[2]) / sqrt(2 * big_l + 1)
        return _coupled_terms(_density(a, densities), _density(b, densities), big_l, big_m, weight)
    mate, couple, sign = pair_of(rest)
    (_, _, la), (_, _, lb), l = couple
    weight *= sign * (-1) ** (l - big_l) * sqrt((2 * l + 1) / (2 * big_l + 1))
    pair = Factor(densities.coupled[couple], l, (-1) ** (la + lb - l))
    return _coupled_terms(pair, _density(mate, densities), big_l, big_m, weight)


def _coupled_terms(a: Factor, b: Factor, big_l: int, big_m: int, scale: float) -> list[tuple[int, int, float, int]]:
    """Return the same of scale * sum_m <l_a m l_b M-m | L M> a_m b_{M-m}."""
    terms: dict[tuple[int, int, int], float] = {}
    for m1 in range(-a.l, a.l + 1):
        m2 = big_m - m1
        coupling = clebsch_gordan(a.l, m1, b.l, m2, big_l, big_m) if abs(m2) <= b.l else 0.0
        if coupling == 0.0:
            continue
        # not both are negative, since M >= 0
        first, second = a.place + abs(m1), b.place + abs(m2)
        flip = (a.parity * (-1) ** m1 if m1 < 0 else 1) * (b.parity * (-1) ** m2 if m2 < 0 else 1)
        term = (second, first, -1) if m2 < 0 else (first, second, -1 if m1 < 0 else 1)
        if a == b and term[2] == 1:
            term = (min(first, second), max(first, second), 1)
        terms[term] = terms.get(term, 0.0) + scale * flip * coupling
    return [(first, second, factor, sign) for (first, second, sign), factor in terms.items() if factor != 0.0]


def energies(functions: tuple[Function, ...], rests: Rests, densities: Densities) -> dict[str, Any]:
    """Return how a function follows from what remains when its channel of largest l is taken out."""
    rows = []
    for function in functions:
        if len(function) == 1:
            ((element, n, _),) = function
            rows.append((-1, int(densities.pair[element, n]), 0, 1.0))
        else:
            entries = entries_of(function)
            last, rest = energy_entry(entries)
            factor = kappa(function) / entries[last, rest]
            rows.append((rests.slot(rest), densities.place[last], last[2], factor))
    slots, places, ls, factors = zip(*rows, strict=True)
    return {
        "energy_slot": integers(slots),
        "energy_density": integers(places),
        "energy_l": integers(ls),
        "energy_factor": np.array(factors),
    }
