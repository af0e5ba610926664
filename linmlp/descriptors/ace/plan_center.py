"""Channels, rows and products of one central element: its functions in, offsets in columns out."""

from functools import cached_property
from typing import TypeVar

import numpy as np

from linmlp.descriptors.ace.basis import (
    COUPLED,
    MIXED,
    Channel,
    Couple,
    Function,
    couples_of,
    degree,
    factors,
    is_mixed,
    order_of,
)
from linmlp.descriptors.ace.combinations import Row
from linmlp.descriptors.ace.coupling import real_coupling
from linmlp.descriptors.ace.parameters import AceParameters
from linmlp.descriptors.ace.products import Monomial, Product, expand_monomials
from linmlp.descriptors.ace.shares import Share
from linmlp.units import FloatArray, IntArray

Key = TypeVar("Key")

MIN_RAW = 4
"""Raw functions are accumulated four at a time, so at least four are made where any is used."""


class Center:
    """What the functions around one central element need.

    Parameters
    ----------
    parameters : AceParameters
        Functions and radial functions.
    z : int
        Central element.
    functions : list of (int, Function)
        Features that are not left out, and their functions.

    Attributes
    ----------
    used : list of Channel
        Channels of orders 2 and higher.
    couples : list of Couple
        Coupled pairs of order 4.
    start, couple_start : dict
        First column of each used channel, and of each coupled pair.
    used_size, raw_size : int
        Number of columns, those of coupled pairs among the used ones, mixed ones among the raw ones.
    coupled_start : int
        First column of coupled pairs.
    n_raw, raw_start : ndarray of shape (n_elements, max_l + 1)
        Number of raw functions of each neighbor and l, and the first column. Where elements are mixed, all neighbors
        have as many; the mixed columns follow, (channel, l, k, column) like those of one element.
    mixed_start, mixed_size : int
        First mixed column, and columns of one channel; as many of one element. Size 0 where nothing is mixed.
    """

    def __init__(self, parameters: AceParameters, z: int, functions: list[tuple[int, Function]]) -> None:
        self.map, self.pair_map = parameters.radial_map[z], parameters.pair_map[z]
        self.n_channels = parameters.n_channels or 0
        self._of_order = [[(k, f) for k, f in functions if order_of(f) == order] for order in (1, 2, 3, 4)]
        channels = {channel for _, f in functions if order_of(f) > 1 for channel in factors(f)}
        self.used = sorted(channels, key=lambda channel: (channel[0], channel[2], channel[1]))
        self.start, self.coupled_start = _number_columns({channel: channel[2] for channel in self.used}, 0)
        couples = {couple for _, f in self._of_order[3] for couple in couples_of(f)}
        # Pairs of like degree have like partners, so that blocks of rows of the matrix have few zeros.
        self.couples = sorted(couples, key=lambda couple: (couple[2], degree(couple[:2]), couple))
        momenta = {couple: couple[2] for couple in self.couples}
        self.couple_start, self.used_size = _number_columns(momenta, self.coupled_start)
        self._number_raw()

    def _number_raw(self) -> None:
        """Find how many raw functions are needed, and number their columns."""
        n_elements, n_l = self.map.shape[:2]
        needed: IntArray = np.zeros((n_elements, n_l), dtype=np.int64)
        for channel in self.used:
            l, row = channel[2], self._map_row(channel)
            of_channel = slice(None) if is_mixed(channel) else channel[0]
            needed[of_channel, l] = np.maximum(needed[of_channel, l], _n_leading(row))
        for _, ((e, n, _),) in self._of_order[0]:
            needed[e, 0] = max(int(needed[e, 0]), _n_leading(self.pair_map[e, n]))
        is_mixing = any(map(is_mixed, self.used))
        if is_mixing:
            needed[:] = needed.max(axis=0)
        self.n_raw = np.where(needed > 0, np.maximum(needed, MIN_RAW), 0)
        sizes = (self.n_raw * (2 * np.arange(n_l) + 1)).ravel()
        self.raw_start = (np.cumsum(sizes) - sizes).reshape(n_elements, n_l)
        self.mixed_start = int(sizes.sum())
        self.mixed_size = self.mixed_start // n_elements if is_mixing else 0
        self.raw_size = self.mixed_start + self.n_channels * self.mixed_size

    def to_used(self) -> list[Row[float]]:
        """Rows of the radial map."""
        return [((c[0], c[2]), c[2], self.start[c], self._raw_coefficients(c)) for c in self.used]

    def to_raw(self) -> list[Row[float]]:
        """Columns of the radial map; those of elements that are mixed follow from the mixed ones."""
        entries: dict[int, Row[float]] = {}
        for e, l in np.argwhere(self.n_raw > 0).tolist():
            mixed = range(MIXED, MIXED + self.n_channels) if e == 0 else ()
            for density in mixed if self.mixed_size else (e,):
                for k in range(self.n_raw[e, l]):
                    entries[self._raw(density, l, k)] = ((density, l), l, self._raw(density, l, k), {})
        for channel in self.used:
            for source, value in self._raw_coefficients(channel).items():
                entries[source][3][self.start[channel]] = value
        return list(entries.values())

    def order_two(self) -> list[Row[Share]]:
        """Rows of the symmetric matrix whose product with A is the gradient, up to the weights of columns."""
        symmetric: dict[Channel, dict[int, Share]] = {channel: {} for channel in self.used}
        for feature, (a, b) in self._of_order[1]:
            for row, column in ((a, b), (b, a)):
                share = symmetric[row].setdefault(self.start[column], {})
                share[feature] = share.get(feature, 0.0) + 1.0
        return [((a[2], a[0]), a[2], self.start[a], row) for a, row in symmetric.items()] + self._order_four()

    def _order_four(self) -> list[Row[Share]]:
        """Rows of the same matrix for coupled pairs."""
        symmetric: dict[Couple, dict[int, Share]] = {couple: {} for couple in self.couples}
        for feature, f in self._of_order[3]:
            a, b = couples_of(f)
            for row, column in ((a, b), (b, a)):
                share = symmetric[row].setdefault(self.couple_start[column], {})
                share[feature] = share.get(feature, 0.0) + 1.0
        return [((a[2], COUPLED), a[2], self.couple_start[a], row) for a, row in symmetric.items()]

    def couplings(self) -> dict[Product, dict[int, float]]:
        """Products of two columns, and their factors in the columns of coupled pairs."""
        products: dict[Product, dict[int, float]] = {}
        for (a, b, momentum), start in self.couple_start.items():
            table = real_coupling(a[2], b[2], momentum)
            for first, second, target in np.argwhere(table != 0.0).tolist():
                one, other = sorted((self.start[a] + first, self.start[b] + second))
                targets = products.setdefault((1.0, one, other), {})
                targets[start + target] = targets.get(start + target, 0.0) + float(table[first, second, target])
        return products

    def squares(self) -> list[tuple[int, int, int, int]]:
        """Features of orders 2 and 4: (feature, first columns of the two factors or coupled pairs, l)."""
        of_channels = [(feature, self.start[a], self.start[b], a[2]) for feature, (a, b) in self._of_order[1]]
        of_couples = []
        for feature, f in self._of_order[3]:
            a, b = couples_of(f)
            of_couples.append((feature, self.couple_start[a], self.couple_start[b], a[2]))
        return of_channels + of_couples

    def pair_terms(self) -> dict[int, Share]:
        """Raw channels of the pair term."""
        terms: dict[int, Share] = {}
        for feature, ((e, n, _),) in self._of_order[0]:
            for k in np.flatnonzero(self.pair_map[e, n]).tolist():
                share = terms.setdefault(self._raw(e, 0, k), {})
                share[feature] = share.get(feature, 0.0) + float(self.pair_map[e, n, k])
        return terms

    @cached_property
    def monomials(self) -> tuple[dict[Monomial, Share], ...]:
        """Order 3, for each kind."""
        return expand_monomials(self._of_order[2], self.start)

    def _map_row(self, channel: Channel) -> FloatArray:
        """Return the raw functions in a channel; where elements are mixed, they are the same for all neighbors."""
        density, n, l = channel
        row: FloatArray = self.map[0 if is_mixed(channel) else density, l, n]
        return row

    def _raw_coefficients(self, channel: Channel) -> dict[int, float]:
        density, _, l = channel
        return {self._raw(density, l, k): float(v) for k, v in enumerate(self._map_row(channel)) if v != 0.0}

    def _raw(self, density: int, l: int, k: int) -> int:
        """Return the first column of a raw function, of the neighbors of an element or mixed."""
        column = k * (2 * l + 1)
        if density < MIXED:
            return int(self.raw_start[density, l]) + column
        return self.mixed_start + (density - MIXED) * self.mixed_size + int(self.raw_start[0, l]) + column


def _number_columns(momenta: dict[Key, int], first: int) -> tuple[dict[Key, int], int]:
    """Return the first column of each channel of angular momentum l or coupled pair, and the column after the last."""
    start = {}
    for key, l in momenta.items():
        start[key] = first
        first += 2 * l + 1
    return start, first


def _n_leading(row: FloatArray) -> int:
    """Return the number of entries up to the last that is not zero."""
    nonzero = np.flatnonzero(row)
    return int(nonzero[-1]) + 1 if len(nonzero) else 0
