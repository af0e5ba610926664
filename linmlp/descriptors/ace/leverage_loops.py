"""Compiled: squared norms of lower triangular matrices times the features of atoms, in single precision.

Features of `CHUNK` blocks of atoms lie together, (feature, lane), so that the lanes of a feature fill three vectors of
single precision. Rows of the matrix come four at a time: 12 accumulators and 4 operands fill 16 registers, and every
number of the matrix is used for all atoms of the chunk.
"""
# mypy: allow-untyped-defs, allow-untyped-calls

import numpy as np
from numba import njit

from linmlp.descriptors.ace.lane_loops import OPTIONS
from linmlp.descriptors.simd import LANES, element, put, shifted, vector_operations

CHUNK = 6
"""Blocks of atoms that are treated together: two make a vector of single precision."""

ROWS = 4
"""Rows of the matrix that are multiplied together."""

WIDTH = 2 * LANES
load, store, splat = vector_operations(WIDTH)[:3]
ZERO = np.float32(0.0)


@njit(**OPTIONS)
def square_norms(n_rows, matrix, features, norms):
    """Write the squared norm of matrix @ features for every lane of a chunk.

    matrix: for every four rows r to r + 3 the numbers of columns 0 to r + 3, four rows at a time; norms (CHUNK, lane).
    """
    zero = splat(ZERO)
    s0, s1, s2 = zero, zero, zero
    o = 0
    for row in range(0, n_rows, ROWS):
        a0, a1, a2 = zero, zero, zero
        b0, b1, b2 = zero, zero, zero
        c0, c1, c2 = zero, zero, zero
        d0, d1, d2 = zero, zero, zero
        for k in range(row + ROWS):
            p = 3 * WIDTH * k
            x0, x1, x2 = load(features, p), load(features, p + WIDTH), load(features, p + 2 * WIDTH)
            f = splat(element(matrix, o))
            a0, a1, a2 = a0 + f * x0, a1 + f * x1, a2 + f * x2
            f = splat(element(matrix, o + 1))
            b0, b1, b2 = b0 + f * x0, b1 + f * x1, b2 + f * x2
            f = splat(element(matrix, o + 2))
            c0, c1, c2 = c0 + f * x0, c1 + f * x1, c2 + f * x2
            f = splat(element(matrix, o + 3))
            d0, d1, d2 = d0 + f * x0, d1 + f * x1, d2 + f * x2
            o += ROWS
        s0 = s0 + a0 * a0 + b0 * b0 + c0 * c0 + d0 * d0
        s1 = s1 + a1 * a1 + b1 * b1 + c1 * c1 + d1 * d1
        s2 = s2 + a2 * a2 + b2 * b2 + c2 * c2 + d2 * d2
    store(norms, 0, s0)
    store(norms, WIDTH, s1)
    store(norms, 2 * WIDTH, s2)


@njit(**OPTIONS)
def write_leverages(n_blocks, atoms, norms, leverages):
    """Write what belongs to the atoms (n_blocks, lane) of a chunk."""
    for k in range(n_blocks * LANES):
        i = element(atoms, k)
        if i >= 0:
            put(leverages, i, float(element(norms, k)))


@njit(**OPTIONS)
def place_of_block(features, block):
    """Return where the first feature of a block of a chunk stands; the next is CHUNK * LANES numbers later."""
    return shifted(features, block * LANES)
