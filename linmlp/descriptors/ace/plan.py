r"""From coefficients to the flat lists that the energy and force loops read.

All quantities are real *columns*. A channel (element, n, l) has 2l + 1 of them: the m = 0 value, then real and
imaginary part for m = 1 to l; negative m follow from :math:`A_{l,-m} = (-1)^m \bar A_{lm}`. A column is one vector of
lanes, and offsets are counted in doubles. There are two sets of channels for every central element:

*raw*: sums of :math:`g_k Q_{lm} e_m`, one for each raw radial function (`linmlp.descriptors.ace.radial`), grouped as
(element, l, k, column);
*used*: the channels that occur in functions with a coefficient, grouped as (element, l, n, column), which are

.. math:: A_{enlm} = F_{lm} \sum_k C_{nk} A^{raw}_{eklm}, \qquad F_{lm} = (-1)^m \sqrt{(2l+1) (l-m)! / (l+m)!}.
"""

from math import factorial, sqrt
from typing import NamedTuple

import numpy as np

from linmlp.descriptors.ace.basis import Channel, Function
from linmlp.descriptors.ace.combinations import Combinations, Row, join_rows
from linmlp.descriptors.ace.parameters import AceParameters
from linmlp.descriptors.ace.products import (
    FULL,
    PAIRED,
    REAL,
    Products,
    choose_products,
    expand_monomials,
    join_products,
)
from linmlp.units import FloatArray, IntArray

MIN_RAW = 4
"""Raw functions are accumulated four at a time, so at least four are made where any is used."""


class PairTerm(NamedTuple):
    """The pair term as a sum over raw channels with l = 0."""

    first: IntArray  # (n_elements + 1,)
    channel: IntArray  # (n_terms,) offset
    coefficient: FloatArray  # (n_terms,)


class Plan(NamedTuple):
    """What to compute for each central element; arrays end with a spare channel."""

    n_raw: IntArray  # (n_elements, n_elements, max_l + 1) raw functions of center, neighbor and l
    n_radial: IntArray  # (n_elements, n_elements) the most of any l
    n_l: IntArray  # (n_elements, n_elements) how many l are needed, from 0
    raw_start: IntArray  # (n_elements, n_elements, max_l + 1) offset of their first column
    raw_size: IntArray  # (n_elements,) doubles
    used_size: IntArray  # (n_elements,) doubles
    to_used: Combinations
    order_two: Combinations
    to_raw: Combinations
    pair: PairTerm
    real: Products
    paired: Products
    full: Products


def make_plan(parameters: AceParameters, coefficients: FloatArray, lanes: int) -> Plan:
    """Return the plan for given coefficients.

    Parameters
    ----------
    parameters : AceParameters
        Functions and radial functions.
    coefficients : ndarray of shape (n_features,)
        Energy = features @ coefficients, eV.
    lanes : int
        Atoms per vector; all offsets are multiples of it.

    Returns
    -------
    Plan
        Flat lists; functions without a coefficient leave no trace in them.
    """
    n_elements = len(parameters.numbers)
    rows = np.asarray(coefficients, dtype=float).reshape(n_elements, -1)
    centers = [_Center(parameters, z, row) for z, row in enumerate(rows)]
    raw_sizes, used_sizes = [center.raw_size for center in centers], [center.used_size for center in centers]
    n_raw = np.array([center.n_raw for center in centers])
    kinds = (
        join_products([choose_products(center.monomials[kind], kind) for center in centers], used_sizes, kind, lanes)
        for kind in (REAL, PAIRED, FULL)
    )
    return Plan(
        n_raw,
        n_raw.max(axis=2),
        np.max((n_raw > 0) * np.arange(1, n_raw.shape[2] + 1), axis=2),
        np.array([center.raw_start for center in centers]) * lanes,
        np.array(raw_sizes, dtype=np.int64) * lanes,
        np.array(used_sizes, dtype=np.int64) * lanes,
        join_rows([center.to_used() for center in centers], used_sizes, lanes),
        join_rows([center.order_two() for center in centers], used_sizes, lanes),
        join_rows([center.to_raw() for center in centers], raw_sizes, lanes),
        _join_pairs([center.pair_terms() for center in centers], lanes),
        *kinds,
    )


class _Center:
    """Channels and products of one central element, offsets in columns."""

    def __init__(self, parameters: AceParameters, z: int, coefficients: FloatArray) -> None:
        self.map = parameters.radial_map[z]
        active = [(f, float(c)) for f, c in zip(parameters.functions, coefficients, strict=True) if c != 0.0]
        channels = {channel for f, _ in active if len(f) > 1 for channel in f}
        self.used = sorted(channels, key=lambda channel: (channel[0], channel[2], channel[1]))
        self.start, self.used_size = _number_columns(self.used)
        self.pair = np.zeros((self.map.shape[0], parameters.pair_map.shape[-1]))
        self.symmetric: dict[Channel, dict[Channel, float]] = {channel: {} for channel in self.used}
        for function, coefficient in active:
            if len(function) == 1:
                self.pair[function[0][0]] += coefficient * parameters.pair_map[z, function[0][0], function[0][1]]
            elif len(function) == 2:
                self._add_order_two(function, coefficient)
        self.monomials = expand_monomials([(f, c) for f, c in active if len(f) == 3], self.start)
        self._number_raw()

    def _add_order_two(self, function: Function, coefficient: float) -> None:
        """Add to the symmetric matrix whose product with A is the gradient, up to the weights of columns."""
        a, b = function
        self.symmetric[a][b] = self.symmetric[a].get(b, 0.0) + coefficient
        self.symmetric[b][a] = self.symmetric[b].get(a, 0.0) + coefficient

    def _number_raw(self) -> None:
        """Find how many raw functions are needed, and number their columns."""
        n_elements, n_l = self.map.shape[:2]
        needed: IntArray = np.zeros((n_elements, n_l), dtype=np.int64)
        for e, n, l in self.used:
            needed[e, l] = max(int(needed[e, l]), _n_leading(self.map[e, l, n]))
        for e in range(n_elements):
            needed[e, 0] = max(int(needed[e, 0]), _n_leading(self.pair[e]))
        self.n_raw = np.where(needed > 0, np.maximum(needed, MIN_RAW), 0)
        sizes = (self.n_raw * (2 * np.arange(n_l) + 1)).ravel()
        self.raw_start = (np.cumsum(sizes) - sizes).reshape(n_elements, n_l)
        self.raw_size = int(sizes.sum())

    def to_used(self) -> list[Row]:
        """Rows of the radial map."""
        return [((e, l), l, self.start[e, n, l], self._raw_coefficients(e, n, l)) for e, n, l in self.used]

    def to_raw(self) -> list[Row]:
        """Columns of the radial map."""
        entries: dict[int, Row] = {}
        for e, l in np.argwhere(self.n_raw > 0).tolist():
            for k in range(self.n_raw[e, l]):
                entries[self._raw(e, l, k)] = ((e, l), l, self._raw(e, l, k), {})
        for e, n, l in self.used:
            for source, value in self._raw_coefficients(e, n, l).items():
                entries[source][3][self.start[e, n, l]] = value
        return list(entries.values())

    def order_two(self) -> list[Row]:
        """Rows of the symmetric matrix of order 2."""
        return [
            ((a[2], a[0]), a[2], self.start[a], {self.start[b]: value for b, value in row.items()})
            for a, row in self.symmetric.items()
        ]

    def pair_terms(self) -> list[tuple[int, float]]:
        """Raw channels of the pair term."""
        return [(self._raw(e, 0, k), float(self.pair[e, k])) for e, k in np.argwhere(self.pair != 0.0).tolist()]

    def _raw_coefficients(self, e: int, n: int, l: int) -> dict[int, float]:
        return {self._raw(e, l, k): float(value) for k, value in enumerate(self.map[e, l, n]) if value != 0.0}

    def _raw(self, e: int, l: int, k: int) -> int:
        return int(self.raw_start[e, l]) + k * (2 * l + 1)


def _number_columns(channels: list[Channel]) -> tuple[dict[Channel, int], int]:
    """Return the first column of each channel, and the number of columns."""
    start, size = {}, 0
    for channel in channels:
        start[channel] = size
        size += 2 * channel[2] + 1
    return start, size


def _n_leading(row: FloatArray) -> int:
    """Return the number of entries up to the last that is not zero."""
    nonzero = np.flatnonzero(row)
    return int(nonzero[-1]) + 1 if len(nonzero) else 0


def _join_pairs(centers: list[list[tuple[int, float]]], lanes: int) -> PairTerm:
    terms = [term for center in centers for term in center]
    first = np.concatenate([[0], np.cumsum([len(center) for center in centers])])
    return PairTerm(
        first.astype(np.int64),
        np.array([term[0] for term in terms], dtype=np.int64) * lanes,
        np.array([term[1] for term in terms], dtype=float),
    )


def column_norms(max_l: int) -> FloatArray:
    """Return F_lm for every column, ordered by l: column 0 of l stands at l²."""
    return np.array(
        [
            (-1) ** m * sqrt((2 * l + 1) * factorial(l - m) / factorial(l + m))
            for l in range(max_l + 1)
            for m in _projections(l)
        ]
    )


def column_weights(max_l: int) -> FloatArray:
    """Return how often a column counts in a sum over all m: 1 for m = 0, 2 for others."""
    return np.array([1.0 if m == 0 else 2.0 for l in range(max_l + 1) for m in _projections(l)])


def _projections(l: int) -> list[int]:
    return [0, *(m for m in range(1, l + 1) for _ in range(2))]
