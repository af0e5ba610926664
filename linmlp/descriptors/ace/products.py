r"""Order 3 as products of two factors times a third: functions in, flat lists for the loops out.

With :math:`A_{l,-m} = (-1)^m \bar A_{lm}` every invariant of order 3 is a sum of monomials
:math:`\mathrm{Re}\, A_x A_y \bar A_z` with :math:`m_x + m_y = m_z`, none negative. Any two factors may be multiplied
first: :math:`P = A_x A_y` or :math:`P = \bar A_x A_z`. Which two is chosen so that few products are needed: always the
pair that the most monomials left over have in common. Products with nearly the same third factors then form groups,
whose sums over third factors are done together.
"""

import heapq
from collections import defaultdict
from functools import cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from linmlp.descriptors.ace.basis import Channel, Function, channel_key
from linmlp.descriptors.ace.combinations import Value
from linmlp.descriptors.ace.coupling import clebsch_gordan
from linmlp.descriptors.ace.shares import Share
from linmlp.units import FloatArray, IntArray

Factor: TypeAlias = tuple[int, int]
"""(m, first column)."""

Monomial: TypeAlias = tuple[Factor, Factor, Factor]
"""By increasing m; the last factor is conjugated."""

Product: TypeAlias = tuple[float, int, int]
"""(sign, columns of two factors); the first factor is conjugated where the sign is -1."""

Thirds: TypeAlias = dict[int, Share]
"""Share by column."""

REAL, PAIRED, FULL = range(3)
"""Kinds of monomials: all m = 0; two equal m and one m = 0; no m = 0."""

GROUP_SIZES = (4, 4, 2)
"""Products of a group for each kind: what fits into 16 registers."""


class Products(NamedTuple):
    """Groups of products and of their third factors; offsets of columns in doubles."""

    first_group: IntArray  # (n_elements + 1,) groups of each central element
    a: IntArray  # (n_groups * size,) first factor
    b: IntArray  # (n_groups * size,) second factor
    sign: FloatArray  # (n_groups * size,) -1 where the first factor is conjugated
    first_term: IntArray  # (n_groups + 1,)
    c: IntArray  # (n_terms,) third factor
    coefficient: FloatArray  # (n_terms * size,)


def expand_monomials(
    functions: list[tuple[int, Function]], start: dict[Channel, int]
) -> tuple[dict[Monomial, Share], ...]:
    """Return functions of order 3 as monomials of each kind.

    Parameters
    ----------
    functions : list of (int, Function)
        Features and their functions of order 3.
    start : dict
        First column of each channel.

    Returns
    -------
    tuple of dict
        For each kind the monomials, and how often they occur in each feature.
    """
    kinds: tuple[dict[Monomial, Share], ...] = ({}, {}, {})
    for feature, function in functions:
        a, b, c = sorted(function, key=channel_key)
        columns = start[a], start[b], start[c]
        for m, coupling in _couplings(a[2], b[2], c[2]):
            x, y, z = sorted((m[k], columns[k] + max(2 * m[k] - 1, 0)) for k in range(3))
            of_kind = kinds[REAL if z[0] == 0 else PAIRED if x[0] == 0 else FULL]
            share = of_kind.setdefault((x, y, z), {})
            share[feature] = share.get(feature, 0.0) + coupling
    return kinds


@cache
def _couplings(l1: int, l2: int, l3: int) -> list[tuple[tuple[int, int, int], float]]:
    """Return absolute m of the three factors and the coefficient for each term of an invariant."""
    couplings = []
    for m3 in range(l3 + 1):
        for m1 in range(-l1, l1 + 1):
            m2 = m3 - m1
            coupling = clebsch_gordan(l1, m1, l2, m2, l3, m3)
            if abs(coupling) > 1e-13:
                # The terms with -m3 are the complex conjugates; one of m1, m2 may be negative.
                coupling *= (1.0 if m3 == 0 else 2.0) * (-1.0) ** min(m1, m2, 0)
                couplings.append(((abs(m1), abs(m2), m3), coupling))
    return couplings


def choose_products(monomials: dict[Monomial, Share], kind: int) -> dict[Product, Thirds]:
    """Return products and the shares of their third factors, such that there are few products.

    Parameters
    ----------
    monomials : dict
        Shares by monomial, all of one kind.
    kind : int
        In the paired kind the two factors with equal m make the product, so that it is needed only in its real part.

    Returns
    -------
    dict
        Third factors by product.
    """
    # In the real kind the sign has no meaning: one for all.
    conjugated = -1.0 if kind == FULL else 1.0
    options = ((1.0, 1, 2, 0),) if kind == PAIRED else ((1.0, 0, 1, 2), (conjugated, 0, 2, 1), (conjugated, 1, 2, 0))
    candidates: defaultdict[Product, set[tuple[Monomial, int]]] = defaultdict(set)
    for monomial in monomials:
        for sign, first, second, third in options:
            candidates[sign, monomial[first][1], monomial[second][1]].add((monomial, monomial[third][1]))
    queue = [(-len(members), product) for product, members in candidates.items()]
    heapq.heapify(queue)
    done: set[Monomial] = set()
    chosen: dict[Product, Thirds] = {}
    while queue:
        count, product = heapq.heappop(queue)
        members = {member for member in candidates[product] if member[0] not in done}
        if len(members) < -count:
            candidates[product] = members
            if members:
                heapq.heappush(queue, (-len(members), product))
            continue
        chosen[product] = {third: monomials[monomial] for monomial, third in members}
        done.update(monomial for monomial, _ in members)
    return chosen


def _similar_groups(thirds: list[dict[int, Any]], size: int) -> list[list[int]]:
    """Return groups of up to `size` indices with nearly the same third factors, found greedily, the shortest first."""
    columns = sorted({column for of_product in thirds for column in of_product})
    place = {column: k for k, column in enumerate(columns)}
    has = np.zeros((len(thirds), len(columns)))
    for row, of_product in zip(has, thirds, strict=True):
        row[[place[column] for column in of_product]] = 1.0
    counts = has.sum(axis=1)
    free = np.ones(len(thirds), dtype=bool)
    groups: list[tuple[int, list[int]]] = []
    for first in np.argsort(-counts, kind="stable").tolist():
        if not free[first]:
            continue
        free[first] = False
        group, union = [first], has[first].copy()
        while len(group) < size and free.any():
            # shared third factors minus new ones
            score = np.where(free, 2 * (has @ union) - counts, -np.inf)
            best = int(np.argmax(score))
            free[best] = False
            group.append(best)
            np.maximum(union, has[best], out=union)
        groups.append((int(union.sum()), group))
    # Loops of equal length follow one another, which processors predict well.
    return [group for _, group in sorted(groups)]


def join_products(
    centers: list[dict[Product, dict[int, Value]]], sizes: list[int], kind: int, lanes: int, nothing: Value
) -> tuple[Products, list[Value]]:
    """Return the products of one kind as flat lists, coefficients zero.

    Parameters
    ----------
    centers : list of dict
        Third factors by product, and a value for each, for each central element.
    sizes : list of int
        Number of columns of each central element; the column after the last, which is zero, fills groups up.
    kind : int
        Kind of the monomials.
    lanes : int
        Doubles per column.
    nothing : object
        Value where a product has none.

    Returns
    -------
    products : Products
        Flat lists.
    values : list
        Value of each coefficient.
    """
    size = GROUP_SIZES[kind]
    first_group, first_term = [0], [0]
    factors: list[Product] = []
    c: list[int] = []
    values: list[Value] = []
    for table, filler in zip(centers, sizes, strict=True):
        products = sorted(table)
        for group in _similar_groups([table[product] for product in products], size):
            members = [products[k] for k in group]
            factors += members + [(1.0, filler, filler)] * (size - len(members))
            union = sorted({column for product in members for column in table[product]})
            for column in union:
                values += [table[product].get(column, nothing) for product in members]
                values += [nothing] * (size - len(members))
            c += union
            first_term.append(len(c))
        first_group.append(len(first_term) - 1)
    columns = np.array(factors, dtype=float).reshape(-1, 3)
    products_of_kind = Products(
        np.array(first_group, dtype=np.int64),
        columns[:, 1].astype(np.int64) * lanes,
        columns[:, 2].astype(np.int64) * lanes,
        columns[:, 0].copy(),
        np.array(first_term, dtype=np.int64),
        np.array(c, dtype=np.int64) * lanes,
        np.zeros(len(values)),
    )
    return products_of_kind, values
