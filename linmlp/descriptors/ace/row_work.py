"""Work arrays of the design rows.

All are flat. Per block of WIDTH neighbors of one element:

    geometry   x, y, z, mask, and (x, y) off the polar axis; then the unit vectors along r, theta, phi
    radial     (row, [value, derivative], lane)
    harmonics  (component, [Y, gradient along theta, along phi], lane); components m=0, Re m=1, Im m=1, ... of l=0, 1...

Per WIDTH centers: densities A (place, [re, im], lane) and Q (slot, lane).
"""

from typing import NamedTuple

import numpy as np

from linmlp.descriptors.ace.row_layout import GROUP, QUAD, WIDTH, RowPlan
from linmlp.units import FloatArray, IntArray

GEOMETRY = 14 * WIDTH
"""Numbers in the geometry of a block."""


class RowWork(NamedTuple):
    """Work arrays of one thread; see the top of the file."""

    geometry: FloatArray
    atoms: IntArray  # (block, lane) second atom
    elements: IntArray  # (block,) its element; WIDTH centers have as many places each
    n_blocks: IntArray  # (WIDTH,) blocks of each of the centers
    raw: FloatArray
    legendre: FloatArray
    radial: FloatArray
    harmonics: FloatArray
    densities: FloatArray
    rests: FloatArray
    own_rests: FloatArray  # (slot,) Q of one center
    values: FloatArray  # (function, lane) features of WIDTH centers
    products: FloatArray  # (q, 3, lane) X of a block; then zeros; then ones and zeros for the pair term
    levers: FloatArray  # (axis, 4, lane) vectors to the neighbors in the order of the transposed rows
    own: FloatArray  # (3 + 6, column) derivatives that belong to the center and to strain
    adjoints: FloatArray  # (slot,) derivatives of the energy of a center with respect to its densities
    pair_adjoints: FloatArray  # (n_elements * n_pair,) the same for the pair term
    lane_weights: FloatArray  # (function, lane) derivatives of the energies of WIDTH centers
    lane_adjoints: FloatArray  # (slot, lane) adjoints of WIDTH centers
    lane_pair_adjoints: FloatArray  # the same for the pair term


def aligned(n: int) -> FloatArray:
    """Return zeros that start at a cache line: vectors across two lines cost twice."""
    memory = np.zeros(n + 8)
    start = -memory.ctypes.data % 64 // 8
    return memory[start : start + n]


def make_work(plan: RowPlan, max_blocks: int) -> RowWork:
    """Return work arrays for centers with at most `max_blocks` blocks of neighbors."""
    n_blocks = WIDTH * max_blocks
    products = aligned(3 * WIDTH * (max(plan.n_rests, QUAD * len(plan.channel_quad_slot)) + 2))
    products[3 * WIDTH * (plan.n_rests + 1) :][:WIDTH] = 1.0
    return RowWork(
        geometry=aligned(n_blocks * GEOMETRY),
        atoms=np.empty(n_blocks * WIDTH, np.int64),
        elements=np.empty(n_blocks, np.int64),
        n_blocks=np.zeros(WIDTH, np.int64),
        raw=aligned(2 * max(WIDTH * plan.n_raw, plan.n_radial)),
        legendre=aligned(WIDTH * len(plan.legendre)),
        radial=aligned(n_blocks * 2 * WIDTH * (plan.n_radial + plan.n_pair + 1)),
        harmonics=aligned(n_blocks * 3 * WIDTH * (plan.max_l + 1) ** 2),
        densities=aligned(2 * WIDTH * plan.n_densities),
        rests=aligned(WIDTH * (plan.n_slots + 1)),
        own_rests=aligned(plan.n_slots),
        values=aligned(WIDTH * plan.n_functions),
        products=products,
        levers=aligned(12 * WIDTH),
        own=aligned(9 * GROUP * plan.n_groups),
        adjoints=aligned(plan.n_channel_slots),
        pair_adjoints=aligned(plan.pair_density.size),
        lane_weights=aligned(WIDTH * plan.n_functions),
        lane_adjoints=aligned(WIDTH * plan.n_channel_slots),
        lane_pair_adjoints=aligned(WIDTH * plan.pair_density.size),
    )
