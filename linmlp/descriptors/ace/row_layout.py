"""What the rows loops read: one tuple of arrays, and the sizes of their blocks."""

from typing import NamedTuple

import numpy as np

from linmlp.descriptors.ace.basis import Channel
from linmlp.descriptors.simd import REGISTER_LANES
from linmlp.units import FloatArray, IntArray

GROUP = 4
"""Functions that are combined, transposed and added to the rows together."""

MAX_ENTRIES = 4
"""Most entries of a function: as many as it has factors."""

QUAD = 4
"""Rests q of the same L that are contracted together."""

WIDTH = REGISTER_LANES
"""Neighbors in a block, and centers that share the couplings: four, or eight with AVX-512."""

Rest = tuple[Channel, ...]
"""Channels that remain; see `linmlp.descriptors.ace.row_rests` for order 4."""


class RowPlan(NamedTuple):
    """Arrays for the compiled loops; places and offsets count numbers of one lane.

    Radial rows are the used radial functions, then those of the pair term, then one row of zeros. X has two places more
    than there are rests: zeros, and the constant of the pair term.
    """

    max_l: int
    n_functions: int
    n_groups: int  # of GROUP functions, around one element
    n_radial: int  # radial rows of orders 2 and higher
    n_pair: int  # radial rows of the pair term
    n_raw: int  # raw radial functions
    n_rests: int  # rests q, padded to quads
    n_slots: int  # numbers in all Q
    n_densities: int  # complex densities, then sums of the pair term, then coupled pairs, then the constant 1
    cutoff: float
    distance_series: FloatArray  # x(t), powers of t = r / cutoff
    envelope_series: FloatArray  # cos(pi t / 2), powers of t²
    inner: FloatArray  # (n_elements, n_elements, 2) the inner switch is the smoothstep of a r + b
    radial_map: FloatArray  # (n_elements, n_elements, n_radial + n_pair, n_raw), flat
    map_end: IntArray  # (n_radial + n_pair,) raw functions from here on are not in the map
    pieces_per_length: float  # instead of raw functions and map: pieces of the splines per Å
    n_pieces: int  # 0 if there are none
    splines: FloatArray  # (n_pieces, 6, n_radial) coefficients of powers of the place in the piece, flat
    element_weight: FloatArray  # (n_elements,) factor of the splines for neighbors of an element
    own_first: IntArray  # (n_elements + 1,) what a center of an element adds to its own densities with l = 0
    own_density: IntArray  # (n_own,) place
    own_value: FloatArray  # (n_own,)
    legendre: FloatArray  # ((max_l + 1) (max_l + 2) / 2, 3) two factors of the recursion, norm
    channel_first: IntArray  # (n_elements, max_l + 2) channels of an element and l
    channel_row: IntArray  # (n_channels,) radial row
    channel_density: IntArray  # (n_channels,) place of A_{c, m=0}; m = 0..l follow
    pair_density: IntArray  # (n_elements, n_pair) place of the sums of the pair term
    term_first: IntArray  # (n_components + 1,) terms of a component (q, M)
    term_densities: IntArray  # (n_terms * 2,) places of the densities that are multiplied
    term_factors: FloatArray  # (n_terms * 2,) of the real and the imaginary part of the first density
    component_slots: IntArray  # (n_components * 2,) where real and imaginary part of Q go, or those of coupled pairs
    energy_components: IntArray  # components that energies need
    all_components: IntArray  # all components of Q
    coupled_components: IntArray  # components of coupled pairs, which are made first
    quad_first: IntArray  # (max_l + 2,) quads of rests of an L
    quad_slot: IntArray  # (n_quads,) place of its Q: (2 L + 1, QUAD)
    energy_slot: IntArray  # (n_functions,) place of Q of the function's rest, step QUAD; -1 for the pair term
    energy_density: IntArray  # (n_functions,) place of A of the channel that was taken out
    energy_l: IntArray  # (n_functions,)
    energy_factor: FloatArray  # (n_functions,)
    group_first: IntArray  # (n_elements, 6) groups with pair term only, then 1, 2, 3, 4 entries per function
    group_column: IntArray  # (n_lists,) first column of the group
    entry_first: IntArray  # (n_lists,) first number in entries
    entries: IntArray  # place of X and of the radial row, in turns; GROUP functions with as many entries each
    n_channel_slots: int  # numbers in all adjoints
    channel_quad_first: IntArray  # (n_elements, max_l + 2) quads of channels of an element and l
    channel_quad_slot: IntArray  # (n_quads,) place of its adjoints: (2 l + 1, QUAD)
    channel_quad_row: IntArray  # (n_quads * QUAD,) place of the radial row
    adjoint_first: IntArray  # (n_functions + 1,) entries of a function
    adjoint_entries: IntArray  # (n_entries * 3,) place of Q (-1: pair term), place of the adjoint, l
    order: IntArray  # (n_functions,) column of every function inside the loops
    factor: FloatArray  # (n_functions,) kappa


class RowCounts(NamedTuple):
    """Work per neighbor without padding."""

    rest_l: tuple[int, ...]  # L of every rest
    n_entries: tuple[int, ...]  # per element of the neighbor
    n_functions: tuple[int, ...]  # functions with entries, per element of the neighbor


def integers(values: object) -> IntArray:
    """Return a contiguous array of integers."""
    return np.ascontiguousarray(np.asarray(values, dtype=np.int64))
