"""Compiled: from radial functions and angular columns to the sums A of each central atom, and what is linear in A."""
# mypy: allow-untyped-defs, allow-untyped-calls

from numba import njit

from linmlp.descriptors.ace.lane_loops import OPTIONS, load, splat, store
from linmlp.descriptors.simd import LANES, element, shifted


@njit(**OPTIONS)
def _sum_three(first, last, n_columns, stride, radial, columns, A):
    """Sum 4 radial functions times 3 columns over slots: 12 accumulators and 4 operands fill 16 registers."""
    zero = splat(0.0)
    a0, a1, a2, a3 = zero, zero, zero, zero
    b0, b1, b2, b3 = zero, zero, zero, zero
    c0, c1, c2, c3 = zero, zero, zero, zero
    for s in range(first, last):
        p = s * n_columns * LANES
        u = load(columns, p)
        v = load(columns, p + LANES)
        w = load(columns, p + 2 * LANES)
        p = s * stride * LANES
        g = load(radial, p)
        a0 = a0 + g * u
        b0 = b0 + g * v
        c0 = c0 + g * w
        g = load(radial, p + LANES)
        a1 = a1 + g * u
        b1 = b1 + g * v
        c1 = c1 + g * w
        g = load(radial, p + 2 * LANES)
        a2 = a2 + g * u
        b2 = b2 + g * v
        c2 = c2 + g * w
        g = load(radial, p + 3 * LANES)
        a3 = a3 + g * u
        b3 = b3 + g * v
        c3 = c3 + g * w
    store(A, 0, a0)
    store(A, LANES, b0)
    store(A, 2 * LANES, c0)
    store(A, n_columns * LANES, a1)
    store(A, n_columns * LANES + LANES, b1)
    store(A, n_columns * LANES + 2 * LANES, c1)
    store(A, 2 * n_columns * LANES, a2)
    store(A, 2 * n_columns * LANES + LANES, b2)
    store(A, 2 * n_columns * LANES + 2 * LANES, c2)
    store(A, 3 * n_columns * LANES, a3)
    store(A, 3 * n_columns * LANES + LANES, b3)
    store(A, 3 * n_columns * LANES + 2 * LANES, c3)


@njit(**OPTIONS)
def _sum_two(first, last, n_columns, stride, radial, columns, A):
    """Sum 4 radial functions times 2 columns."""
    zero = splat(0.0)
    a0, a1, a2, a3 = zero, zero, zero, zero
    b0, b1, b2, b3 = zero, zero, zero, zero
    for s in range(first, last):
        p = s * n_columns * LANES
        u = load(columns, p)
        v = load(columns, p + LANES)
        p = s * stride * LANES
        g = load(radial, p)
        a0 = a0 + g * u
        b0 = b0 + g * v
        g = load(radial, p + LANES)
        a1 = a1 + g * u
        b1 = b1 + g * v
        g = load(radial, p + 2 * LANES)
        a2 = a2 + g * u
        b2 = b2 + g * v
        g = load(radial, p + 3 * LANES)
        a3 = a3 + g * u
        b3 = b3 + g * v
    store(A, 0, a0)
    store(A, LANES, b0)
    store(A, n_columns * LANES, a1)
    store(A, n_columns * LANES + LANES, b1)
    store(A, 2 * n_columns * LANES, a2)
    store(A, 2 * n_columns * LANES + LANES, b2)
    store(A, 3 * n_columns * LANES, a3)
    store(A, 3 * n_columns * LANES + LANES, b3)


@njit(**OPTIONS)
def _sum_one(first, last, n_columns, stride, radial, columns, A):
    """Sum 4 radial functions times 1 column."""
    zero = splat(0.0)
    a0, a1, a2, a3 = zero, zero, zero, zero
    for s in range(first, last):
        p = s * n_columns * LANES
        u = load(columns, p)
        p = s * stride * LANES
        g = load(radial, p)
        a0 = a0 + g * u
        g = load(radial, p + LANES)
        a1 = a1 + g * u
        g = load(radial, p + 2 * LANES)
        a2 = a2 + g * u
        g = load(radial, p + 3 * LANES)
        a3 = a3 + g * u
    store(A, 0, a0)
    store(A, n_columns * LANES, a1)
    store(A, 2 * n_columns * LANES, a2)
    store(A, 3 * n_columns * LANES, a3)


@njit(**OPTIONS)
def sum_channels(first, last, n, l, stride, radial, columns, A):
    """Write A (n >= 4, 2l + 1) of one neighbor element, the sum over its slots of radial functions times columns.

    Radial functions go by fours; the last four overlap those before if n is not a multiple of 4.
    """
    n_columns = 2 * l + 1
    for block in range(0, n, 4):
        k = min(block, n - 4)
        g = shifted(radial, k * LANES)
        c = 0
        while c < n_columns:
            left = n_columns - c
            y = shifted(columns, c * LANES)
            target = shifted(A, (k * n_columns + c) * LANES)
            if left == 1:
                _sum_one(first, last, n_columns, stride, g, y, target)
                c += 1
            elif left == 2 or left == 4:
                _sum_two(first, last, n_columns, stride, g, y, target)
                c += 2
            else:
                _sum_three(first, last, n_columns, stride, g, y, target)
                c += 3


@njit(**OPTIONS)
def _combine_three(first, last, source, coefficient, target, scale, x, y):
    """Write 3 columns of 4 rows."""
    zero = splat(0.0)
    a0, a1, a2, a3 = zero, zero, zero, zero
    b0, b1, b2, b3 = zero, zero, zero, zero
    c0, c1, c2, c3 = zero, zero, zero, zero
    for term in range(first, last):
        p = element(source, term)
        u = load(x, p)
        v = load(x, p + LANES)
        w = load(x, p + 2 * LANES)
        f = splat(element(coefficient, 4 * term))
        a0 = a0 + f * u
        b0 = b0 + f * v
        c0 = c0 + f * w
        f = splat(element(coefficient, 4 * term + 1))
        a1 = a1 + f * u
        b1 = b1 + f * v
        c1 = c1 + f * w
        f = splat(element(coefficient, 4 * term + 2))
        a2 = a2 + f * u
        b2 = b2 + f * v
        c2 = c2 + f * w
        f = splat(element(coefficient, 4 * term + 3))
        a3 = a3 + f * u
        b3 = b3 + f * v
        c3 = c3 + f * w
    o = element(target, 0)
    store(y, o, element(scale, 0) * a0)
    store(y, o + LANES, element(scale, 1) * b0)
    store(y, o + 2 * LANES, element(scale, 2) * c0)
    o = element(target, 1)
    store(y, o, element(scale, 0) * a1)
    store(y, o + LANES, element(scale, 1) * b1)
    store(y, o + 2 * LANES, element(scale, 2) * c1)
    o = element(target, 2)
    store(y, o, element(scale, 0) * a2)
    store(y, o + LANES, element(scale, 1) * b2)
    store(y, o + 2 * LANES, element(scale, 2) * c2)
    o = element(target, 3)
    store(y, o, element(scale, 0) * a3)
    store(y, o + LANES, element(scale, 1) * b3)
    store(y, o + 2 * LANES, element(scale, 2) * c3)


@njit(**OPTIONS)
def _combine_two(first, last, source, coefficient, target, scale, x, y):
    """Write 2 columns of 4 rows."""
    zero = splat(0.0)
    a0, a1, a2, a3 = zero, zero, zero, zero
    b0, b1, b2, b3 = zero, zero, zero, zero
    for term in range(first, last):
        p = element(source, term)
        u = load(x, p)
        v = load(x, p + LANES)
        f = splat(element(coefficient, 4 * term))
        a0 = a0 + f * u
        b0 = b0 + f * v
        f = splat(element(coefficient, 4 * term + 1))
        a1 = a1 + f * u
        b1 = b1 + f * v
        f = splat(element(coefficient, 4 * term + 2))
        a2 = a2 + f * u
        b2 = b2 + f * v
        f = splat(element(coefficient, 4 * term + 3))
        a3 = a3 + f * u
        b3 = b3 + f * v
    o = element(target, 0)
    store(y, o, element(scale, 0) * a0)
    store(y, o + LANES, element(scale, 1) * b0)
    o = element(target, 1)
    store(y, o, element(scale, 0) * a1)
    store(y, o + LANES, element(scale, 1) * b1)
    o = element(target, 2)
    store(y, o, element(scale, 0) * a2)
    store(y, o + LANES, element(scale, 1) * b2)
    o = element(target, 3)
    store(y, o, element(scale, 0) * a3)
    store(y, o + LANES, element(scale, 1) * b3)


@njit(**OPTIONS)
def _combine_one(first, last, source, coefficient, target, scale, x, y):
    """Write 1 column of 4 rows."""
    zero = splat(0.0)
    a0, a1, a2, a3 = zero, zero, zero, zero
    for term in range(first, last):
        p = element(source, term)
        u = load(x, p)
        f = splat(element(coefficient, 4 * term))
        a0 = a0 + f * u
        f = splat(element(coefficient, 4 * term + 1))
        a1 = a1 + f * u
        f = splat(element(coefficient, 4 * term + 2))
        a2 = a2 + f * u
        f = splat(element(coefficient, 4 * term + 3))
        a3 = a3 + f * u
    o = element(target, 0)
    store(y, o, element(scale, 0) * a0)
    o = element(target, 1)
    store(y, o, element(scale, 0) * a1)
    o = element(target, 2)
    store(y, o, element(scale, 0) * a2)
    o = element(target, 3)
    store(y, o, element(scale, 0) * a3)


@njit(**OPTIONS)
def combine(z, rows, scale, x, y):
    """Write y[target] = scale * sum over terms of coefficient * x[source], for all columns of channels."""
    for block in range(element(rows.first_block, z), element(rows.first_block, z + 1)):
        first, last = element(rows.first_term, block), element(rows.first_term, block + 1)
        target = shifted(rows.target, 4 * block)
        l = element(rows.l, block)
        n_columns = 2 * l + 1
        c = 0
        while c < n_columns:
            left = n_columns - c
            f = shifted(scale, l * l + c)
            p, q = shifted(x, c * LANES), shifted(y, c * LANES)
            if left == 1:
                _combine_one(first, last, rows.source, rows.coefficient, target, f, p, q)
                c += 1
            elif left == 2 or left == 4:
                _combine_two(first, last, rows.source, rows.coefficient, target, f, p, q)
                c += 2
            else:
                _combine_three(first, last, rows.source, rows.coefficient, target, f, p, q)
                c += 3


@njit(**OPTIONS)
def dot(size, x, y):
    """Return the sum of products of columns, by lane."""
    even = splat(0.0)
    odd = splat(0.0)
    for k in range(0, size - LANES, 2 * LANES):
        even = even + load(x, k) * load(y, k)
        odd = odd + load(x, k + LANES) * load(y, k + LANES)
    if size // LANES % 2 == 1:
        even = even + load(x, size - LANES) * load(y, size - LANES)
    return even + odd
