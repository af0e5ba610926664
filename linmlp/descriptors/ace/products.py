r"""From functions and coefficients to the flat lists that the energy and force loops read.

All quantities are real *columns*. A channel (element, n, l) has 2l + 1 of them: the m = 0 value, then real and
imaginary part for m = 1 to l; negative m follow from :math:`A_{l,-m} = (-1)^m \bar A_{lm}`. A column is one vector of
lanes, and offsets are counted in doubles. There are two sets of channels for every central element:

*raw*: sums of :math:`g_k Q_{lm} e_m`, one for each raw radial function (`linmlp.descriptors.ace.radial`), grouped as
(element, l, k, column);
*used*: the channels that occur in functions with a coefficient, grouped as (element, l, n, column), which are

.. math:: A_{enlm} = F_{lm} \sum_k C_{nk} A^{raw}_{eklm}, \qquad F_{lm} = (-1)^m \sqrt{(2l+1) (l-m)! / (l+m)!}.
"""

from collections import defaultdict
from functools import cache
from math import factorial, sqrt
from typing import NamedTuple

import numpy as np

from linmlp.descriptors.ace.basis import Channel, Function, channel_key
from linmlp.descriptors.ace.coupling import clebsch_gordan
from linmlp.descriptors.ace.parameters import AceParameters
from linmlp.units import FloatArray, IntArray

MIN_RAW = 4
"""Raw functions are accumulated four at a time, so at least four are made where any is used."""

REAL, PAIRED, HALF, FULL = range(4)
"""Kinds of products A_a A_b by which factors are real: both; none, but m = 0 of the product; the first; none."""


class Combinations(NamedTuple):
    """Linear combinations of channels, for all columns of a channel at once: a sparse matrix by rows."""

    first_row: IntArray  # (n_elements + 1,) rows of each central element
    target: IntArray  # (n_rows,) offset of the first column
    l: IntArray  # (n_rows,)
    first_term: IntArray  # (n_rows + 1,)
    source: IntArray  # (n_terms,) offset of the first column
    coefficient: FloatArray  # (n_terms,)


class Products(NamedTuple):
    """Products A_a A_b (or conj(A_a) A_b) and what each is multiplied with: sum over c of coefficient * conj(A_c)."""

    first_run: IntArray  # (n_elements + 1,) runs of products with the same first factor, for each central element
    a: IntArray  # (n_runs,) offset of the first factor
    sign: FloatArray  # (n_runs,) -1 where the first factor is conjugated
    first_product: IntArray  # (n_runs + 1,)
    b: IntArray  # (n_products,) offset of the second factor
    first_term: IntArray  # (n_products + 1,)
    c: IntArray  # (n_terms,) offset of the third factor
    coefficient: FloatArray  # (n_terms,)


class PairTerm(NamedTuple):
    """The pair term as a sum over raw channels with l = 0."""

    first: IntArray  # (n_elements + 1,)
    channel: IntArray  # (n_terms,) offset
    coefficient: FloatArray  # (n_terms,)


class Plan(NamedTuple):
    """What to compute for each central element."""

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
    half: Products
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
    centers = [
        _CenterPlan(parameters, z, column, lanes)
        for z, column in enumerate(np.asarray(coefficients, dtype=float).reshape(n_elements, -1))
    ]
    n_raw = np.array([center.n_raw for center in centers])
    kinds = [_join_products([center.products[kind] for center in centers], lanes) for kind in range(4)]
    return Plan(
        n_raw,
        n_raw.max(axis=2),
        np.max((n_raw > 0) * np.arange(1, n_raw.shape[2] + 1), axis=2),
        np.array([center.raw_start for center in centers]) * lanes,
        np.array([center.raw_size for center in centers], dtype=np.int64) * lanes,
        np.array([center.used_size for center in centers], dtype=np.int64) * lanes,
        _join_combinations([center.to_used() for center in centers], lanes),
        _join_combinations([center.order_two() for center in centers], lanes),
        _join_combinations([center.to_raw() for center in centers], lanes),
        _join_pairs([center.pair_terms() for center in centers], lanes),
        *kinds,
    )


class _CenterPlan:
    """Channels and products of one central element, offsets in columns."""

    def __init__(self, parameters: AceParameters, z: int, coefficients: FloatArray, lanes: int) -> None:
        self.map = parameters.radial_map[z]
        n_elements, n_l = self.map.shape[:2]
        active = [(f, float(c)) for f, c in zip(parameters.functions, coefficients, strict=True) if c != 0.0]
        channels = {channel for f, _ in active if len(f) > 1 for channel in f}
        self.used = sorted(channels, key=lambda channel: (channel[0], channel[2], channel[1]))
        self.pair = np.zeros((n_elements, parameters.pair_map.shape[-1]))
        self.symmetric: dict[Channel, dict[Channel, float]] = {channel: {} for channel in self.used}
        self.products: list[_ProductTable] = [defaultdict(lambda: defaultdict(float)) for _ in range(4)]
        self._number_channels()
        for function, coefficient in active:
            if len(function) == 1:
                self.pair[function[0][0]] += coefficient * parameters.pair_map[z, function[0][0], function[0][1]]
            elif len(function) == 2:
                self._add_order_two(function, coefficient)
            else:
                self._add_order_three(function, coefficient)
        self._number_raw(n_elements, n_l)

    def _number_channels(self) -> None:
        self.start: dict[Channel, int] = {}
        size = 0
        for channel in self.used:
            self.start[channel] = size
            size += 2 * channel[2] + 1
        self.used_size = size

    def _number_raw(self, n_elements: int, n_l: int) -> None:
        needed: IntArray = np.zeros((n_elements, n_l), dtype=np.int64)
        for e, n, l in self.used:
            needed[e, l] = max(int(needed[e, l]), _n_leading(self.map[e, l, n]))
        for e in range(n_elements):
            needed[e, 0] = max(int(needed[e, 0]), _n_leading(self.pair[e]))
        self.n_raw = np.where(needed > 0, np.maximum(needed, MIN_RAW), 0)
        sizes = (self.n_raw * (2 * np.arange(n_l) + 1)).ravel()
        self.raw_start = (np.cumsum(sizes) - sizes).reshape(n_elements, n_l)
        self.raw_size = int(sizes.sum())

    def _add_order_two(self, function: Function, coefficient: float) -> None:
        """Add to the symmetric matrix whose product with A is the gradient, up to the weights of columns."""
        a, b = function
        self.symmetric[a][b] = self.symmetric[a].get(b, 0.0) + coefficient
        self.symmetric[b][a] = self.symmetric[b].get(a, 0.0) + coefficient

    def _add_order_three(self, function: Function, coefficient: float) -> None:
        """Add the products of a function whose third factor has the largest l, which gives the fewest products."""
        a, b, c = sorted(function, key=channel_key)
        for kind, sign, swapped, column_a, column_b, column_c, coupling in _coupled_columns(a[2], b[2], c[2]):
            first, second = self.start[a] + column_a, self.start[b] + column_b
            if swapped or (kind != HALF and sign > 0 and first > second):
                first, second = second, first
            self.products[kind][sign, first, second][self.start[c] + column_c] += coefficient * coupling

    def to_used(self) -> "_Rows":
        """Rows of the radial map."""
        return [
            (
                self.start[e, n, l],
                l,
                [(self._raw(e, l, k), float(value)) for k, value in enumerate(self.map[e, l, n]) if value != 0.0],
            )
            for e, n, l in self.used
        ]

    def to_raw(self) -> "_Rows":
        """Columns of the radial map."""
        entries: dict[tuple[int, int, int], list[tuple[int, float]]] = {}
        for e, l in np.argwhere(self.n_raw > 0).tolist():
            for k in range(self.n_raw[e, l]):
                entries[e, l, k] = []
        for e, n, l in self.used:
            for k in np.flatnonzero(self.map[e, l, n]).tolist():
                entries[e, l, k].append((self.start[e, n, l], float(self.map[e, l, n, k])))
        return [(self._raw(e, l, k), l, terms) for (e, l, k), terms in entries.items()]

    def order_two(self) -> "_Rows":
        """Rows of the symmetric matrix of order 2."""
        return [
            (self.start[a], a[2], [(self.start[b], value) for b, value in sorted(row.items(), key=_by_start)])
            for a, row in self.symmetric.items()
        ]

    def pair_terms(self) -> list[tuple[int, float]]:
        """Raw channels of the pair term."""
        return [(self._raw(e, 0, k), float(self.pair[e, k])) for e, k in np.argwhere(self.pair != 0.0).tolist()]

    def _raw(self, e: int, l: int, k: int) -> int:
        return int(self.raw_start[e, l]) + k * (2 * l + 1)


_Rows = list[tuple[int, int, list[tuple[int, float]]]]
_ProductTable = defaultdict[tuple[int, int, int], defaultdict[int, float]]


def _by_start(item: tuple[Channel, float]) -> tuple[int, int, int]:
    return item[0]


def _n_leading(row: FloatArray) -> int:
    """Return the number of entries up to the last that is not zero."""
    nonzero = np.flatnonzero(row)
    return int(nonzero[-1]) + 1 if len(nonzero) else 0


@cache
def _coupled_columns(l1: int, l2: int, l3: int) -> list[tuple[int, int, bool, int, int, int, float]]:
    """Return how three channels couple: (kind, sign, factors swapped, column of a, of b, of c, coefficient)."""
    couplings = []
    for m3 in range(l3 + 1):
        for m1 in range(-l1, l1 + 1):
            m2 = m3 - m1
            coupling = clebsch_gordan(l1, m1, l2, m2, l3, m3)
            if abs(coupling) < 1e-13:
                continue
            coupling *= (1.0 if m3 == 0 else 2.0) * (-1.0) ** min(m1, m2, 0)
            swapped = m2 < 0 or (m2 == 0 and m1 != 0)
            if m3 == 0:
                kind, sign, swapped = (REAL if m1 == 0 else PAIRED), 1, False
            elif m1 == 0 or m2 == 0:
                kind, sign = HALF, 1
            else:
                kind, sign = FULL, -1 if min(m1, m2) < 0 else 1
            couplings.append((kind, sign, swapped, _column(m1), _column(m2), _column(m3), coupling))
    return couplings


def _column(m: int) -> int:
    return max(2 * abs(m) - 1, 0)


def _starts(counts: list[int]) -> IntArray:
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]).astype(np.int64)


def _join_combinations(centers: list[_Rows], lanes: int) -> Combinations:
    rows = [row for center in centers for row in center]
    terms = [term for row in rows for term in row[2]]
    return Combinations(
        _starts([len(center) for center in centers]),
        np.array([row[0] * lanes for row in rows], dtype=np.int64),
        np.array([row[1] for row in rows], dtype=np.int64),
        _starts([len(row[2]) for row in rows]),
        np.array([term[0] * lanes for term in terms], dtype=np.int64),
        np.array([term[1] for term in terms]),
    )


def _join_pairs(centers: list[list[tuple[int, float]]], lanes: int) -> PairTerm:
    terms = [term for center in centers for term in center]
    return PairTerm(
        _starts([len(center) for center in centers]),
        np.array([term[0] * lanes for term in terms], dtype=np.int64),
        np.array([term[1] for term in terms]),
    )


def _join_products(centers: list[_ProductTable], lanes: int) -> Products:
    runs: list[tuple[int, int]] = []
    runs_of_center, products_of_run, terms_of_product = [], [], []
    b, c, coefficient = [], [], []
    for table in centers:
        before = len(runs)
        last = None
        for sign, first, second in sorted(table):
            if (sign, first) != last:
                last = (sign, first)
                runs.append(last)
                products_of_run.append(0)
            products_of_run[-1] += 1
            terms = table[sign, first, second]
            b.append(second)
            terms_of_product.append(len(terms))
            for third in sorted(terms):
                c.append(third)
                coefficient.append(terms[third])
        runs_of_center.append(len(runs) - before)
    return Products(
        _starts(runs_of_center),
        np.array([first * lanes for _, first in runs], dtype=np.int64),
        np.array([float(sign) for sign, _ in runs]),
        _starts(products_of_run),
        np.array(b, dtype=np.int64) * lanes,
        _starts(terms_of_product),
        np.array(c, dtype=np.int64) * lanes,
        np.array(coefficient, dtype=float),
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
