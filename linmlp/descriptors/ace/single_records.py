"""The record of what the loops in single precision keep in double precision, beside `evaluator_records`."""
# mypy: allow-untyped-defs, allow-untyped-calls

from typing import NamedTuple

from numba import njit

from linmlp.descriptors.ace.lane_loops import OPTIONS
from linmlp.descriptors.simd import pointer
from linmlp.units import FloatArray


class Wide(NamedTuple):
    """Memory for two blocks of atoms, flat, the lane innermost; of a slot the blocks stand one after the other."""

    geometry: FloatArray  # (capacity, 2, 5)
    force: FloatArray  # (capacity, 2, 3)
    sums: FloatArray  # (2, 10)


@njit(**OPTIONS)
def point_to_wide(wide):
    """Return pointers."""
    r = Wide(*wide)
    return Wide(pointer(r.geometry), pointer(r.force), pointer(r.sums))
