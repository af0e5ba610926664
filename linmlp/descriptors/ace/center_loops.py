"""Compiled: from radial functions and angular columns to the sums A of each central atom, and what is linear in A."""
# mypy: allow-untyped-defs, allow-untyped-calls

from numba import njit

from linmlp.descriptors.ace.lane_loops import OPTIONS, load, splat, store
from linmlp.descriptors.simd import LANES


@njit(**OPTIONS)
def _sum_three(first, last, n_columns, stride, radial, r, columns, y, A, a):
    """Sum 4 radial functions times 3 columns over slots: 12 accumulators and 4 operands fill 16 registers."""
    zero = splat(0.0)
    a0, a1, a2, a3 = zero, zero, zero, zero
    b0, b1, b2, b3 = zero, zero, zero, zero
    c0, c1, c2, c3 = zero, zero, zero, zero
    for s in range(first, last):
        p = y + s * n_columns * LANES
        u = load(columns, p)
        v = load(columns, p + LANES)
        w = load(columns, p + 2 * LANES)
        p = r + s * stride * LANES
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
    store(A, a, a0)
    store(A, a + LANES, b0)
    store(A, a + 2 * LANES, c0)
    store(A, a + n_columns * LANES, a1)
    store(A, a + (n_columns + 1) * LANES, b1)
    store(A, a + (n_columns + 2) * LANES, c1)
    store(A, a + 2 * n_columns * LANES, a2)
    store(A, a + (2 * n_columns + 1) * LANES, b2)
    store(A, a + (2 * n_columns + 2) * LANES, c2)
    store(A, a + 3 * n_columns * LANES, a3)
    store(A, a + (3 * n_columns + 1) * LANES, b3)
    store(A, a + (3 * n_columns + 2) * LANES, c3)


@njit(**OPTIONS)
def _sum_two(first, last, n_columns, stride, radial, r, columns, y, A, a):
    """Sum 4 radial functions times 2 columns."""
    zero = splat(0.0)
    a0, a1, a2, a3 = zero, zero, zero, zero
    b0, b1, b2, b3 = zero, zero, zero, zero
    for s in range(first, last):
        p = y + s * n_columns * LANES
        u = load(columns, p)
        v = load(columns, p + LANES)
        p = r + s * stride * LANES
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
    store(A, a, a0)
    store(A, a + LANES, b0)
    store(A, a + n_columns * LANES, a1)
    store(A, a + (n_columns + 1) * LANES, b1)
    store(A, a + 2 * n_columns * LANES, a2)
    store(A, a + (2 * n_columns + 1) * LANES, b2)
    store(A, a + 3 * n_columns * LANES, a3)
    store(A, a + (3 * n_columns + 1) * LANES, b3)


@njit(**OPTIONS)
def _sum_one(first, last, n_columns, stride, radial, r, columns, y, A, a):
    """Sum 4 radial functions times 1 column."""
    zero = splat(0.0)
    a0, a1, a2, a3 = zero, zero, zero, zero
    for s in range(first, last):
        p = y + s * n_columns * LANES
        u = load(columns, p)
        p = r + s * stride * LANES
        g = load(radial, p)
        a0 = a0 + g * u
        g = load(radial, p + LANES)
        a1 = a1 + g * u
        g = load(radial, p + 2 * LANES)
        a2 = a2 + g * u
        g = load(radial, p + 3 * LANES)
        a3 = a3 + g * u
    store(A, a, a0)
    store(A, a + n_columns * LANES, a1)
    store(A, a + 2 * n_columns * LANES, a2)
    store(A, a + 3 * n_columns * LANES, a3)


@njit(**OPTIONS)
def sum_channels(first, last, n, l, stride, radial, columns, y, A, a):
    """Write A (n >= 4, 2l + 1) of one neighbor element, the sum over its slots of radial functions times columns.

    Radial functions go by fours; the last four overlap those before if n is not a multiple of 4.
    """
    n_columns = 2 * l + 1
    for block in range(0, n, 4):
        k = min(block, n - 4)
        r = k * LANES
        target = a + k * n_columns * LANES
        c = 0
        while c < n_columns:
            left = n_columns - c
            if left == 1:
                _sum_one(first, last, n_columns, stride, radial, r, columns, y + c * LANES, A, target + c * LANES)
                c += 1
            elif left == 2 or left == 4:
                _sum_two(first, last, n_columns, stride, radial, r, columns, y + c * LANES, A, target + c * LANES)
                c += 2
            else:
                _sum_three(first, last, n_columns, stride, radial, r, columns, y + c * LANES, A, target + c * LANES)
                c += 3


@njit(**OPTIONS)
def combine(z, rows, scale, x, y):
    """Write linear combinations of channels: y[row] = scale * sum over terms of coefficient x[source], by columns."""
    zero = splat(0.0)
    for row in range(rows.first_row[z], rows.first_row[z + 1]):
        n_columns = 2 * rows.l[row] + 1
        start = rows.l[row] * rows.l[row]
        c = 0
        while c < n_columns:
            o = rows.target[row] + c * LANES
            if n_columns - c >= 3:
                u, v, w = zero, zero, zero
                for term in range(rows.first_term[row], rows.first_term[row + 1]):
                    p = rows.source[term] + c * LANES
                    f = rows.coefficient[term]
                    u = u + f * load(x, p)
                    v = v + f * load(x, p + LANES)
                    w = w + f * load(x, p + 2 * LANES)
                store(y, o, scale[start + c] * u)
                store(y, o + LANES, scale[start + c + 1] * v)
                store(y, o + 2 * LANES, scale[start + c + 2] * w)
                c += 3
            else:
                u = zero
                for term in range(rows.first_term[row], rows.first_term[row + 1]):
                    u = u + rows.coefficient[term] * load(x, rows.source[term] + c * LANES)
                store(y, o, scale[start + c] * u)
                c += 1
