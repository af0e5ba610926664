"""Explicit SIMD vectors for Numba: value types that LLVM sees as ``<W x double>`` or ``<W x float>``.

Plain Numba loops over lanes store and reload their accumulators, because local arrays are heap memory that may alias;
vector *values* stay in registers, which makes the loops three to nine times faster. In compiled code

    load(array, i)         W numbers array[i : i + W] of a flat C-contiguous array, no bounds check, any alignment
    store(array, i, v)     the other way
    splat(x)               the same number in every lane
    spread(array, i)       array[i] in every lane
    constant(array, x)     the number x in every lane, of the type that the array holds
    + - * /                lane by lane; with a number of the same type on either side it is splat first
    lane(v, k), total(v)   one lane; the sum over lanes
    minimum, maximum, square_root
    narrow(v)              the same numbers in single precision

The type of the array decides: doubles, single precision, or *pairs* of numbers in single precision, which numpy knows
as complex64. W pairs take the place of W doubles and are 2 W lanes: two things are computed in the time of one.

    doubled(v)             pairs of equal numbers, from doubles
    first_of_pairs(v), second_of_pairs(v)
    joined(a, b)           two vectors of doubles in one of pairs, the first in its first half
    first_half(v), second_half(v)

and for single numbers

    element(array, i)      one number of a flat array, no bounds check, i >= 0: plain indexing spends four instructions
                           on negative indices, which hurts where indices are read from a table
    put(array, i, x)       the other way
    pointer(array)         the memory of a C-contiguous array, which must outlive it; can be used where a flat array
                           could, and spares the reference counts and the many arguments that are an array
    shifted(p, i)          what starts at element i of a pointer

With ``NUMBA_DISABLE_JIT=1`` the same names work on numpy slices, which are bounds-checked: that is how the loops are
tested against overruns. ``vector_operations(width)`` makes load, store, splat, spread and constant for a width.
"""

from linmlp.descriptors.simd.lanes import LANES, REGISTER_LANES
from linmlp.descriptors.simd.lanewise import (
    doubled,
    first_half,
    first_of_pairs,
    joined,
    lane,
    maximum,
    minimum,
    narrow,
    second_half,
    second_of_pairs,
    shuffle,
    square_root,
    total,
)
from linmlp.descriptors.simd.memory import element, pointer, put, shifted
from linmlp.descriptors.simd.operations import vector_operations
from linmlp.descriptors.simd.vectors import ARITHMETIC

__all__ = [
    "ARITHMETIC",
    "LANES",
    "REGISTER_LANES",
    "doubled",
    "element",
    "first_half",
    "first_of_pairs",
    "joined",
    "lane",
    "maximum",
    "minimum",
    "narrow",
    "pointer",
    "put",
    "second_half",
    "second_of_pairs",
    "shifted",
    "shuffle",
    "square_root",
    "total",
    "vector_operations",
]
