"""Compiled: adds the terms of several blocks of atoms to sums; terms as in `linmlp.descriptors.ace.terms`.

There are thousands of terms, so that adding to their sums in memory would cost more than computing them. The densities
A of `BUNDLE` blocks of one element are kept, each sum is loaded and stored once for all of them, and the products of a
group share a vector: four products a quarter of the lanes each, two products half of them.
"""
# mypy: allow-untyped-defs, allow-untyped-calls

import numpy as np
from numba import njit

from linmlp.descriptors.ace.lane_loops import OPTIONS, load, splat, spread, store
from linmlp.descriptors.ace.product_loops import complex_product, real_part
from linmlp.descriptors.ace.products import GROUP_SIZES
from linmlp.descriptors.simd import LANES, element, shifted, shuffle
from linmlp.units import FloatArray, IntArray

BUNDLE = 4
"""Blocks whose terms are added together; the loops below are written out for four."""

SHARED = (1, 1, *GROUP_SIZES)
"""Terms of each kind that share a vector of sums."""


HALF, QUARTER = LANES // 2, LANES // 4

# Of two vectors (lanes of the second count on): first halves, second halves; the same of both halves of each.
first_halves = shuffle(tuple([*range(HALF), *range(LANES, LANES + HALF)]))
second_halves = shuffle(tuple([*range(HALF, LANES), *range(LANES + HALF, 2 * LANES)]))
first_quarters = shuffle(tuple(start + k for start in range(0, 2 * LANES, HALF) for k in range(QUARTER)))
second_quarters = shuffle(tuple(start + k for start in range(QUARTER, 2 * LANES, HALF) for k in range(QUARTER)))


def add_up(sums: FloatArray, start: IntArray) -> FloatArray:
    """Return the sums of terms over lanes.

    Parameters
    ----------
    sums : ndarray of shape (n_vectors * lanes,)
        What the loops have added up.
    start : ndarray of shape (6,)
        Where the terms of each kind start.

    Returns
    -------
    ndarray of shape (n_terms,)
        In the order of the terms.
    """
    parts, first = [], 0
    for n_terms, n_shared in zip(np.diff(start).tolist(), SHARED, strict=True):
        last = first + n_terms // n_shared * LANES
        parts.append(sums[first:last].reshape(n_terms, LANES // n_shared) @ np.ones(LANES // n_shared))
        first = last
    return np.concatenate(parts)


def count_vectors(start: IntArray) -> int:
    """Return the number of vectors of sums for terms of each kind that start at `start`."""
    return sum(n_terms // n_shared for n_terms, n_shared in zip(np.diff(start).tolist(), SHARED, strict=True))


@njit(**OPTIONS)
def _share_two(a, b):
    """Return sums of lanes of two vectors in one, half of the lanes each."""
    return first_halves(a, b) + second_halves(a, b)


@njit(**OPTIONS)
def _share_four(a, b, c, d):
    """Return sums of lanes of four vectors in one, a quarter of the lanes each."""
    u, v = _share_two(a, b), _share_two(c, d)
    return first_quarters(u, v) + second_quarters(u, v)


@njit(**OPTIONS)
def add_pair_terms(z, pair, raw, sums):
    """Add the terms of order 1 of one block."""
    for k in range(element(pair.first, z), element(pair.first, z + 1)):
        store(sums, k * LANES, load(sums, k * LANES) + load(raw, element(pair.channel, k)))


@njit(**OPTIONS)
def clear_densities(size, n_filled, stride, A):
    """Write zeros for the blocks that a bundle lacks; `size` and `stride` in doubles."""
    for block in range(n_filled, BUNDLE):
        for o in range(block * stride, block * stride + size, LANES):
            store(A, o, splat(0.0))


@njit(**OPTIONS)
def add_bundle(z, plan, terms, stride, A, sums):
    """Add all terms of orders 2 and 3 to sums; A holds the blocks one after the other."""
    start = terms.start
    _add_squares(z, terms, stride, A, shifted(sums, element(start, 1) * LANES))
    sums = shifted(sums, element(start, 2) * LANES)
    _add_real(z, plan.real, stride, A, sums)
    sums = shifted(sums, (element(start, 3) - element(start, 2)) // 4 * LANES)
    _add_paired(z, plan.paired, stride, A, sums)
    sums = shifted(sums, (element(start, 4) - element(start, 3)) // 4 * LANES)
    _add_full(z, plan.full, stride, A, sums)


@njit(**OPTIONS)
def _add_squares(z, terms, stride, A, sums):
    """Order 2: columns with m > 0 stand for -m too."""
    for k in range(element(terms.first, z), element(terms.first, z + 1)):
        zeroth, others = splat(0.0), splat(0.0)
        for block in range(BUNDLE):
            a = shifted(A, block * stride + element(terms.a, k))
            b = shifted(A, block * stride + element(terms.b, k))
            zeroth = zeroth + load(a, 0) * load(b, 0)
            for m in range(element(terms.l, k)):
                o = (2 * m + 1) * LANES
                others = others + load(a, o) * load(b, o) + load(a, o + LANES) * load(b, o + LANES)
        store(sums, k * LANES, load(sums, k * LANES) + zeroth + 2.0 * others)


@njit(**OPTIONS)
def _real_products(A, stride, a, b):
    """Return a product of two real columns for every block."""
    p0 = load(A, a) * load(A, b)
    a, b = a + stride, b + stride
    p1 = load(A, a) * load(A, b)
    a, b = a + stride, b + stride
    p2 = load(A, a) * load(A, b)
    a, b = a + stride, b + stride
    return p0, p1, p2, load(A, a) * load(A, b)


@njit(**OPTIONS)
def _real_parts(A, stride, a, b):
    """Return the real part of a product for every block."""
    p0 = real_part(A, a, b)
    p1 = real_part(A, a + stride, b + stride)
    p2 = real_part(A, a + 2 * stride, b + 2 * stride)
    return p0, p1, p2, real_part(A, a + 3 * stride, b + 3 * stride)


@njit(**OPTIONS)
def _add_four(first, last, c, stride, A, sums, p, q, r, s):
    """Add four real products, each of four blocks, times their third factors."""
    for term in range(first, last):
        k = element(c, term)
        x0, x1, x2, x3 = load(A, k), load(A, k + stride), load(A, k + 2 * stride), load(A, k + 3 * stride)
        new = _share_four(
            p[0] * x0 + p[1] * x1 + (p[2] * x2 + p[3] * x3),
            q[0] * x0 + q[1] * x1 + (q[2] * x2 + q[3] * x3),
            r[0] * x0 + r[1] * x1 + (r[2] * x2 + r[3] * x3),
            s[0] * x0 + s[1] * x1 + (s[2] * x2 + s[3] * x3),
        )
        store(sums, term * LANES, load(sums, term * LANES) + new)


@njit(**OPTIONS)
def _add_real(z, products, stride, A, sums):
    a, b = products.a, products.b
    for group in range(element(products.first_group, z), element(products.first_group, z + 1)):
        k = 4 * group
        p = _real_products(A, stride, element(a, k), element(b, k))
        q = _real_products(A, stride, element(a, k + 1), element(b, k + 1))
        r = _real_products(A, stride, element(a, k + 2), element(b, k + 2))
        s = _real_products(A, stride, element(a, k + 3), element(b, k + 3))
        first, last = element(products.first_term, group), element(products.first_term, group + 1)
        _add_four(first, last, products.c, stride, A, sums, p, q, r, s)


@njit(**OPTIONS)
def _add_paired(z, products, stride, A, sums):
    a, b = products.a, products.b
    for group in range(element(products.first_group, z), element(products.first_group, z + 1)):
        k = 4 * group
        p = _real_parts(A, stride, element(a, k), element(b, k))
        q = _real_parts(A, stride, element(a, k + 1), element(b, k + 1))
        r = _real_parts(A, stride, element(a, k + 2), element(b, k + 2))
        s = _real_parts(A, stride, element(a, k + 3), element(b, k + 3))
        first, last = element(products.first_term, group), element(products.first_term, group + 1)
        _add_four(first, last, products.c, stride, A, sums, p, q, r, s)


@njit(**OPTIONS)
def _complex_products(A, stride, a, b, sign):
    """Return real and imaginary part of a product for every block."""
    r0, i0 = complex_product(A, a, b, sign)
    r1, i1 = complex_product(A, a + stride, b + stride, sign)
    r2, i2 = complex_product(A, a + 2 * stride, b + 2 * stride, sign)
    r3, i3 = complex_product(A, a + 3 * stride, b + 3 * stride, sign)
    return r0, i0, r1, i1, r2, i2, r3, i3


@njit(**OPTIONS)
def _add_full(z, products, stride, A, sums):
    a, b, sign = products.a, products.b, products.sign
    for group in range(element(products.first_group, z), element(products.first_group, z + 1)):
        k = 2 * group
        p = _complex_products(A, stride, element(a, k), element(b, k), spread(sign, k))
        q = _complex_products(A, stride, element(a, k + 1), element(b, k + 1), spread(sign, k + 1))
        for term in range(element(products.first_term, group), element(products.first_term, group + 1)):
            c = element(products.c, term)
            x0, y0 = load(A, c), load(A, c + LANES)
            c += stride
            x1, y1 = load(A, c), load(A, c + LANES)
            c += stride
            x2, y2 = load(A, c), load(A, c + LANES)
            c += stride
            x3, y3 = load(A, c), load(A, c + LANES)
            one = p[0] * x0 + p[1] * y0 + p[2] * x1 + p[3] * y1 + (p[4] * x2 + p[5] * y2 + p[6] * x3 + p[7] * y3)
            two = q[0] * x0 + q[1] * y0 + q[2] * x1 + q[3] * y1 + (q[4] * x2 + q[5] * y2 + q[6] * x3 + q[7] * y3)
            store(sums, term * LANES, load(sums, term * LANES) + _share_two(one, two))
