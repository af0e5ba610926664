"""Compiled: what is linear in A for each central atom."""
# mypy: allow-untyped-defs, allow-untyped-calls

from numba import njit

from linmlp.descriptors.ace.lane_loops import OPTIONS, constant, load, spread, store
from linmlp.descriptors.simd import LANES, element, shifted


@njit(**OPTIONS)
def _combine_three(first, last, source, coefficient, target, scale, x, y):
    """Write 3 columns of 4 rows."""
    zero = constant(x, 0.0)
    a0, a1, a2, a3 = zero, zero, zero, zero
    b0, b1, b2, b3 = zero, zero, zero, zero
    c0, c1, c2, c3 = zero, zero, zero, zero
    for term in range(first, last):
        p = element(source, term)
        u = load(x, p)
        v = load(x, p + LANES)
        w = load(x, p + 2 * LANES)
        f = spread(coefficient, 4 * term)
        a0 = a0 + f * u
        b0 = b0 + f * v
        c0 = c0 + f * w
        f = spread(coefficient, 4 * term + 1)
        a1 = a1 + f * u
        b1 = b1 + f * v
        c1 = c1 + f * w
        f = spread(coefficient, 4 * term + 2)
        a2 = a2 + f * u
        b2 = b2 + f * v
        c2 = c2 + f * w
        f = spread(coefficient, 4 * term + 3)
        a3 = a3 + f * u
        b3 = b3 + f * v
        c3 = c3 + f * w
    o = element(target, 0)
    store(y, o, spread(scale, 0) * a0)
    store(y, o + LANES, spread(scale, 1) * b0)
    store(y, o + 2 * LANES, spread(scale, 2) * c0)
    o = element(target, 1)
    store(y, o, spread(scale, 0) * a1)
    store(y, o + LANES, spread(scale, 1) * b1)
    store(y, o + 2 * LANES, spread(scale, 2) * c1)
    o = element(target, 2)
    store(y, o, spread(scale, 0) * a2)
    store(y, o + LANES, spread(scale, 1) * b2)
    store(y, o + 2 * LANES, spread(scale, 2) * c2)
    o = element(target, 3)
    store(y, o, spread(scale, 0) * a3)
    store(y, o + LANES, spread(scale, 1) * b3)
    store(y, o + 2 * LANES, spread(scale, 2) * c3)


@njit(**OPTIONS)
def _combine_two(first, last, source, coefficient, target, scale, x, y):
    """Write 2 columns of 4 rows."""
    zero = constant(x, 0.0)
    a0, a1, a2, a3 = zero, zero, zero, zero
    b0, b1, b2, b3 = zero, zero, zero, zero
    for term in range(first, last):
        p = element(source, term)
        u = load(x, p)
        v = load(x, p + LANES)
        f = spread(coefficient, 4 * term)
        a0 = a0 + f * u
        b0 = b0 + f * v
        f = spread(coefficient, 4 * term + 1)
        a1 = a1 + f * u
        b1 = b1 + f * v
        f = spread(coefficient, 4 * term + 2)
        a2 = a2 + f * u
        b2 = b2 + f * v
        f = spread(coefficient, 4 * term + 3)
        a3 = a3 + f * u
        b3 = b3 + f * v
    o = element(target, 0)
    store(y, o, spread(scale, 0) * a0)
    store(y, o + LANES, spread(scale, 1) * b0)
    o = element(target, 1)
    store(y, o, spread(scale, 0) * a1)
    store(y, o + LANES, spread(scale, 1) * b1)
    o = element(target, 2)
    store(y, o, spread(scale, 0) * a2)
    store(y, o + LANES, spread(scale, 1) * b2)
    o = element(target, 3)
    store(y, o, spread(scale, 0) * a3)
    store(y, o + LANES, spread(scale, 1) * b3)


@njit(**OPTIONS)
def _combine_one(first, last, source, coefficient, target, scale, x, y):
    """Write 1 column of 4 rows."""
    zero = constant(x, 0.0)
    a0, a1, a2, a3 = zero, zero, zero, zero
    for term in range(first, last):
        p = element(source, term)
        u = load(x, p)
        f = spread(coefficient, 4 * term)
        a0 = a0 + f * u
        f = spread(coefficient, 4 * term + 1)
        a1 = a1 + f * u
        f = spread(coefficient, 4 * term + 2)
        a2 = a2 + f * u
        f = spread(coefficient, 4 * term + 3)
        a3 = a3 + f * u
    o = element(target, 0)
    store(y, o, spread(scale, 0) * a0)
    o = element(target, 1)
    store(y, o, spread(scale, 0) * a1)
    o = element(target, 2)
    store(y, o, spread(scale, 0) * a2)
    o = element(target, 3)
    store(y, o, spread(scale, 0) * a3)


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
    even = constant(x, 0.0)
    odd = constant(x, 0.0)
    for k in range(0, size - LANES, 2 * LANES):
        even = even + load(x, k) * load(y, k)
        odd = odd + load(x, k + LANES) * load(y, k + LANES)
    if size // LANES % 2 == 1:
        even = even + load(x, size - LANES) * load(y, size - LANES)
    return even + odd


@njit(**OPTIONS)
def clear(first, last, y):
    """Write zeros from offset `first` to `last`."""
    for k in range(first, last, LANES):
        store(y, k, constant(y, 0.0))
