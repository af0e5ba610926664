"""The records of arrays that the loops of uncertainties write, beside `linmlp.descriptors.ace.evaluator_records`."""
# mypy: allow-untyped-defs, allow-untyped-calls

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from linmlp.descriptors.ace.lane_loops import OPTIONS
from linmlp.descriptors.simd import pointer
from linmlp.units import FloatArray


class Memory(NamedTuple):
    """Memory of one thread, flat, the lane innermost."""

    derivatives: NDArray[np.complex64]  # (n_raw columns) of a pair of members
    terms: FloatArray  # (n_terms)
    features: NDArray[np.float32]  # (n_rows, CHUNK blocks)
    norms: NDArray[np.float32]  # (CHUNK blocks)


class Judgement(NamedTuple):
    """What is computed beside energies, forces and strain derivatives."""

    member_forces: FloatArray  # (n_members, n_atoms + 1, 3), an even number of members
    sums: FloatArray  # (n_rows, lane)
    leverages: FloatArray  # (n_atoms,)


@njit(**OPTIONS)
def point_to_memory(memory):
    """Return pointers."""
    r = Memory(*memory)
    return Memory(pointer(r.derivatives), pointer(r.terms), pointer(r.features), pointer(r.norms))


@njit(**OPTIONS)
def point_to_judgement(judgement):
    """Return pointers."""
    r = Judgement(*judgement)
    return Judgement(pointer(r.member_forces), pointer(r.sums), pointer(r.leverages))
