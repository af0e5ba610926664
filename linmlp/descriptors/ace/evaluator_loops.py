"""Compiled: energies, forces and strain derivatives of blocks of atoms, one atom per lane."""
# mypy: allow-untyped-defs, allow-untyped-calls

from typing import NamedTuple

import numpy as np
from numba import njit

from linmlp.descriptors.ace.center_loops import combine, sum_channels
from linmlp.descriptors.ace.force_loops import contract_radial, differentiate, scatter
from linmlp.descriptors.ace.lane_loops import (
    OPTIONS,
    aligned_empty,
    compute_angular,
    compute_radial,
    gather,
    load,
    splat,
    store,
)
from linmlp.descriptors.ace.product_loops import add_full, add_half, add_paired, add_real
from linmlp.descriptors.simd import LANES
from linmlp.units import FloatArray, IntArray


class Functions(NamedTuple):
    """Radial and angular functions."""

    cutoff: float
    distance: FloatArray  # x(t) as a power series in t = r / cutoff
    envelope: FloatArray  # cos(pi t / 2) / (1 - t²) as a power series in t²
    inner: FloatArray  # (n_elements, n_elements, 2) inner switch: smoothstep of slope * r + intercept; slope 0 for none
    recursion: FloatArray  # (n_lm * 2,) factors of z Q_(l-1)m and Q_(l-2)m
    norms: FloatArray  # (n_l²,) F_lm of each column
    weights: FloatArray  # (n_l²,) 1 for m = 0, else 2


class Listed(NamedTuple):
    """Positions and pairs."""

    positions: FloatArray  # (n_atoms, 3)
    j: IntArray  # (n_pairs,)
    shift: FloatArray  # (n_pairs, 3)
    segments: IntArray  # (n_atoms * n_elements + 1,)


@njit(**OPTIONS)
def evaluate_blocks(first, last, element, atoms, slots, listed, functions, plan, energies, forces, strain):
    """Write energies (n_atoms,) and strain (n_atoms, 6) of blocks first to last; add to forces (n_atoms + 1, 3)."""
    n_elements = plan.n_raw.shape[0]
    n_l = plan.n_raw.shape[2]
    stride = 0
    for n in plan.n_raw.ravel():
        stride = max(stride, n)
    capacity = 0
    for block in range(first, last):
        capacity = max(capacity, slots[block].sum())
    lm_stride = n_l * (n_l + 1) // 2
    geometry = aligned_empty(capacity * 5 * LANES)
    radial = aligned_empty(capacity * stride * LANES)
    slope = aligned_empty(capacity * stride * LANES)
    legendre = aligned_empty(capacity * lm_stride * LANES)
    phase = aligned_empty(capacity * n_l * 2 * LANES)
    columns = aligned_empty(capacity * n_l * n_l * LANES)
    force = aligned_empty(capacity * 3 * LANES)
    raw = aligned_empty(plan.raw_size.max())
    A = aligned_empty(plan.used_size.max())
    G = aligned_empty(plan.used_size.max())
    h = aligned_empty(2 * n_l * n_l * LANES)
    radial_part = aligned_empty(2 * LANES)
    sums = aligned_empty(10 * LANES)
    neighbors = np.empty(capacity * LANES, dtype=np.int64)
    counts = np.empty(LANES, dtype=np.int64)
    n_slots = np.empty(n_elements, dtype=np.int64)
    for block in range(first, last):
        z = element[block]
        start = 0
        for e in range(n_elements):
            n_slots[e] = 0
            n = plan.n_radial[z, e]
            if n > 0:
                n_slots[e] = gather(
                    atoms[block],
                    listed.segments,
                    e,
                    n_elements,
                    start,
                    listed.positions,
                    listed.j,
                    listed.shift,
                    functions.cutoff,
                    counts,
                    geometry,
                    neighbors,
                )
                end = start + n_slots[e]
                compute_radial(
                    start,
                    end,
                    n,
                    stride,
                    functions.cutoff,
                    functions.distance,
                    functions.envelope,
                    functions.inner[z, e],
                    geometry,
                    radial,
                    slope,
                )
                compute_angular(
                    start,
                    end,
                    plan.n_l[z, e],
                    lm_stride,
                    n_l,
                    capacity,
                    functions.recursion,
                    geometry,
                    legendre,
                    phase,
                    columns,
                )
                for l in range(plan.n_l[z, e]):
                    if plan.n_raw[z, e, l] > 0:
                        sum_channels(
                            start,
                            end,
                            plan.n_raw[z, e, l],
                            l,
                            stride,
                            radial,
                            columns,
                            l * l * capacity * LANES,
                            raw,
                            plan.raw_start[z, e, l],
                        )
            start += slots[block, e]
        products(z, plan, functions, raw, A, G, sums)
        for k in range(9):
            store(sums, k * LANES, splat(0.0))
        start = 0
        for e in range(n_elements):
            m = plan.n_l[z, e]
            for s in range(start, start + n_slots[e], 2):
                contract_radial(
                    s,
                    m,
                    plan.n_raw[z, e],
                    plan.raw_start[z, e],
                    stride,
                    capacity,
                    radial,
                    slope,
                    columns,
                    raw,
                    h,
                    radial_part,
                )
                differentiate(s, m, lm_stride, n_l, legendre, phase, h, 0, radial_part, 0, geometry, force, sums)
                differentiate(
                    s + 1,
                    m,
                    lm_stride,
                    n_l,
                    legendre,
                    phase,
                    h,
                    m * m * LANES,
                    radial_part,
                    LANES,
                    geometry,
                    force,
                    sums,
                )
            scatter(start, start + n_slots[e], neighbors, force, forces)
            start += slots[block, e]
        for lane in range(LANES):
            i = atoms[block, lane]
            if i >= 0:
                energies[i] = sums[9 * LANES + lane]
                for k in range(3):
                    forces[i, k] += sums[k * LANES + lane]
                for k in range(6):
                    strain[i, k] = sums[(3 + k) * LANES + lane]


@njit(**OPTIONS)
def products(z, plan, functions, raw, A, G, sums):
    """Turn raw sums into derivatives of the energy with respect to them; the energy goes to sums (9,)."""
    combine(z, plan.to_used, functions.norms, raw, A)
    combine(z, plan.order_two, functions.weights, A, G)
    two = splat(0.0)
    for k in range(0, plan.used_size[z], LANES):
        two = two + load(A, k) * load(G, k)
    add_real(z, plan.real, A, G)
    add_paired(z, plan.paired, A, G)
    add_half(z, plan.half, A, G)
    add_full(z, plan.full, A, G)
    both = splat(0.0)
    for k in range(0, plan.used_size[z], LANES):
        both = both + load(A, k) * load(G, k)
    # Euler: sum A dE/dA = 2 E2 + 3 E3
    energy = 0.5 * two + (1.0 / 3.0) * (both - two)
    pair = plan.pair
    for term in range(pair.first[z], pair.first[z + 1]):
        energy = energy + pair.coefficient[term] * load(raw, pair.channel[term])
    store(sums, 9 * LANES, energy)
    combine(z, plan.to_raw, functions.norms, G, raw)
    for term in range(pair.first[z], pair.first[z + 1]):
        o = pair.channel[term]
        store(raw, o, load(raw, o) + splat(pair.coefficient[term]))
