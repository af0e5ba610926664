"""Compiled: energies, forces and strain derivatives of blocks of atoms, one atom per lane."""
# mypy: allow-untyped-defs, allow-untyped-calls

from typing import NamedTuple

from numba import njit

from linmlp.descriptors.ace.center_loops import combine, dot, sum_channels
from linmlp.descriptors.ace.force_loops import add_forces, scatter
from linmlp.descriptors.ace.lane_blocks import Blocks
from linmlp.descriptors.ace.lane_loops import (
    OPTIONS,
    compute_angular,
    compute_radial,
    gather,
    load,
    splat,
    store,
)
from linmlp.descriptors.ace.plan import Combinations, PairTerm, Plan
from linmlp.descriptors.ace.product_loops import add_full, add_paired, add_real
from linmlp.descriptors.ace.products import Products
from linmlp.descriptors.simd import LANES, element, pointer, put, shifted
from linmlp.units import FloatArray, IntArray


class Functions(NamedTuple):
    """Radial and angular functions."""

    cutoff: float
    n_distance: int
    n_envelope: int
    distance: FloatArray  # (n_distance,) x(t) as a power series in t = r / cutoff
    envelope: FloatArray  # (n_envelope,) cos(pi t / 2) / (1 - t²) as a power series in t²
    inner: FloatArray  # (n_elements, n_elements, 2) inner switch: smoothstep of slope * r + intercept; slope 0 for none
    recursion: FloatArray  # (n_lm, 2) factors of z Q_(l-1)m and Q_(l-2)m
    norms: FloatArray  # (n_l²,) F_lm of each column
    weights: FloatArray  # (n_l²,) 1 for m = 0, else 2


class Listed(NamedTuple):
    """Positions and pairs."""

    n_atoms: int
    positions: FloatArray  # (n_atoms, 3)
    j: IntArray  # (n_pairs,)
    shift: FloatArray  # (n_pairs, 3)
    segments: IntArray  # (n_atoms * n_elements + 1,)


class Sizes(NamedTuple):
    """Numbers that place things in memory."""

    n_elements: int
    n_l: int
    stride: int  # radial functions
    capacity: int  # slots


class Scratch(NamedTuple):
    """Memory for one block of atoms, flat, the lane innermost; shapes as in the loops that use it."""

    geometry: FloatArray
    radial: FloatArray
    slope: FloatArray
    legendre: FloatArray
    phase: FloatArray
    columns: FloatArray
    force: FloatArray
    raw: FloatArray
    A: FloatArray
    G: FloatArray
    h: FloatArray
    radial_part: FloatArray
    sums: FloatArray  # (10,): sums of dE/dr and of r (x) dE/dr, the energy
    neighbors: IntArray  # (capacity, lanes)
    counts: IntArray  # (lanes,)
    begin: IntArray  # (n_elements,)
    end: IntArray  # (n_elements,)


class Results(NamedTuple):
    """What is computed."""

    energies: FloatArray  # (n_atoms,)
    forces: FloatArray  # (n_atoms + 1, 3)
    strain: FloatArray  # (n_atoms, 6)


@njit(**OPTIONS)
def evaluate_blocks(first, last, sizes, blocks, listed, functions, plan, scratch, results):
    """Write energies and strain derivatives of blocks first to last, and add to the forces."""
    _evaluate(
        first,
        last,
        sizes,
        Blocks(
            pointer(blocks.element),
            pointer(blocks.atoms),
            pointer(blocks.slots),
            pointer(blocks.segments),
        ),
        Listed(
            listed.n_atoms,
            pointer(listed.positions),
            pointer(listed.j),
            pointer(listed.shift),
            pointer(listed.segments),
        ),
        Functions(
            functions.cutoff,
            functions.n_distance,
            functions.n_envelope,
            pointer(functions.distance),
            pointer(functions.envelope),
            pointer(functions.inner),
            pointer(functions.recursion),
            pointer(functions.norms),
            pointer(functions.weights),
        ),
        Plan(
            pointer(plan.n_raw),
            pointer(plan.n_radial),
            pointer(plan.n_l),
            pointer(plan.raw_start),
            pointer(plan.raw_size),
            pointer(plan.used_size),
            _combination_pointers(plan.to_used),
            _combination_pointers(plan.order_two),
            _combination_pointers(plan.to_raw),
            PairTerm(pointer(plan.pair.first), pointer(plan.pair.channel), pointer(plan.pair.coefficient)),
            _product_pointers(plan.real),
            _product_pointers(plan.paired),
            _product_pointers(plan.full),
        ),
        Scratch(
            pointer(scratch.geometry),
            pointer(scratch.radial),
            pointer(scratch.slope),
            pointer(scratch.legendre),
            pointer(scratch.phase),
            pointer(scratch.columns),
            pointer(scratch.force),
            pointer(scratch.raw),
            pointer(scratch.A),
            pointer(scratch.G),
            pointer(scratch.h),
            pointer(scratch.radial_part),
            pointer(scratch.sums),
            pointer(scratch.neighbors),
            pointer(scratch.counts),
            pointer(scratch.begin),
            pointer(scratch.end),
        ),
        Results(
            pointer(results.energies),
            pointer(results.forces),
            pointer(results.strain),
        ),
    )


@njit(**OPTIONS)
def _combination_pointers(rows):
    return Combinations(
        pointer(rows.first_block),
        pointer(rows.l),
        pointer(rows.target),
        pointer(rows.first_term),
        pointer(rows.source),
        pointer(rows.coefficient),
    )


@njit(**OPTIONS)
def _product_pointers(products):
    return Products(
        pointer(products.first_group),
        pointer(products.a),
        pointer(products.b),
        pointer(products.sign),
        pointer(products.first_term),
        pointer(products.c),
        pointer(products.coefficient),
    )


@njit(**OPTIONS)
def _evaluate(first, last, sizes, blocks, listed, functions, plan, scratch, results):
    """Do the same with pointers for arrays."""
    n_elements = sizes.n_elements
    begin, end = scratch.begin, scratch.end
    for block in range(first, last):
        z = element(blocks.element, block)
        atoms = shifted(blocks.atoms, block * LANES)
        start = 0
        for e in range(n_elements):
            put(begin, e, start)
            put(end, e, start)
            if element(plan.n_l, z * n_elements + e) > 0:
                stop = gather(
                    atoms,
                    e,
                    n_elements,
                    start,
                    listed,
                    functions.cutoff,
                    scratch.geometry,
                    scratch.neighbors,
                    scratch.counts,
                )
                put(end, e, stop)
                _sum_neighbors(z * n_elements + e, start, stop, sizes, functions, plan, scratch)
            start += element(blocks.slots, block * n_elements + e)
        _differentiate_energy(z, plan, functions, scratch)
        for k in range(9):
            store(scratch.sums, k * LANES, splat(0.0))
        for e in range(n_elements):
            ze = z * n_elements + e
            n_raw, raw_start = shifted(plan.n_raw, ze * sizes.n_l), shifted(plan.raw_start, ze * sizes.n_l)
            start, stop = element(begin, e), element(end, e)
            add_forces(start, stop, element(plan.n_l, ze), n_raw, raw_start, sizes, scratch)
            scatter(start, stop, scratch.neighbors, scratch.force, results.forces)
        _write_sums(atoms, scratch.sums, results)


@njit(**OPTIONS)
def _sum_neighbors(ze, start, stop, sizes, functions, plan, scratch):
    """Write radial functions and angular columns of slots, and their raw sums; ze counts pairs of elements."""
    n = element(plan.n_radial, ze)
    inner = shifted(functions.inner, 2 * ze)
    compute_radial(start, stop, n, sizes.stride, functions, inner, scratch.geometry, scratch.radial, scratch.slope)
    n_l = element(plan.n_l, ze)
    compute_angular(
        start,
        stop,
        n_l,
        sizes.n_l,
        sizes.capacity,
        functions.recursion,
        scratch.geometry,
        scratch.legendre,
        scratch.phase,
        scratch.columns,
    )
    for l in range(n_l):
        n = element(plan.n_raw, ze * sizes.n_l + l)
        if n > 0:
            columns = shifted(scratch.columns, l * l * sizes.capacity * LANES)
            raw = shifted(scratch.raw, element(plan.raw_start, ze * sizes.n_l + l))
            sum_channels(start, stop, n, l, sizes.stride, scratch.radial, columns, raw)


@njit(**OPTIONS)
def _differentiate_energy(z, plan, functions, scratch):
    """Turn raw sums into derivatives of the energy with respect to them; the energy goes to sums (9,)."""
    raw, A, G = scratch.raw, scratch.A, scratch.G
    pair = plan.pair
    energy = splat(0.0)
    for term in range(element(pair.first, z), element(pair.first, z + 1)):
        energy = energy + element(pair.coefficient, term) * load(raw, element(pair.channel, term))
    combine(z, plan.to_used, functions.norms, raw, A)
    combine(z, plan.order_two, functions.weights, A, G)
    size = element(plan.used_size, z)
    two = dot(size, A, G)
    add_real(z, plan.real, A, G)
    add_paired(z, plan.paired, A, G)
    add_full(z, plan.full, A, G)
    # Euler: sum A dE/dA = 2 E2 + 3 E3
    three = dot(size, A, G) - two
    store(scratch.sums, 9 * LANES, energy + 0.5 * two + (1.0 / 3.0) * three)
    combine(z, plan.to_raw, functions.norms, G, raw)
    for term in range(element(pair.first, z), element(pair.first, z + 1)):
        o = element(pair.channel, term)
        store(raw, o, load(raw, o) + splat(element(pair.coefficient, term)))


@njit(**OPTIONS)
def _write_sums(atoms, sums, results):
    """Add what belongs to the central atoms of a block to the results."""
    for lane in range(LANES):
        i = element(atoms, lane)
        if i >= 0:
            put(results.energies, i, element(sums, 9 * LANES + lane))
            for k in range(3):
                o = 3 * i + k
                put(results.forces, o, element(results.forces, o) + element(sums, k * LANES + lane))
            for k in range(6):
                put(results.strain, 6 * i + k, element(sums, (3 + k) * LANES + lane))
