"""Compiled: sums over neighbor slots of radial functions times angular columns, the raw A of each central atom."""
# mypy: allow-untyped-defs, allow-untyped-calls

from numba import njit

from linmlp.descriptors.ace.lane_loops import OPTIONS, constant, load, store
from linmlp.descriptors.simd import LANES, shifted


@njit(**OPTIONS)
def _sum_three(first, last, n_columns, stride, radial, columns, A):
    """Sum 4 radial functions times 3 columns over slots: 12 accumulators and 4 operands fill 16 registers."""
    zero = constant(radial, 0.0)
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
    zero = constant(radial, 0.0)
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
    zero = constant(radial, 0.0)
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
