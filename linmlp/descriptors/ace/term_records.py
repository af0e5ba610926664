"""The records of arrays that the loops over terms read, beside `linmlp.descriptors.ace.evaluator_records`."""
# mypy: allow-untyped-defs, allow-untyped-calls

from numba import njit

from linmlp.descriptors.ace.lane_loops import OPTIONS
from linmlp.descriptors.ace.terms import Terms
from linmlp.descriptors.simd import pointer


@njit(**OPTIONS)
def point_to_terms(terms):
    """Return pointers."""
    r = Terms(*terms)
    return Terms(pointer(r.first), pointer(r.a), pointer(r.b), pointer(r.l), pointer(r.start))
