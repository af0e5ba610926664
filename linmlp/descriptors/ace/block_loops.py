"""Compiled: the phases of one block of atoms, one atom per lane, which all evaluations have in common.

Records are those of `linmlp.descriptors.ace.evaluator_records`, with pointers for arrays.
"""
# mypy: allow-untyped-defs, allow-untyped-calls

from numba import njit

from linmlp.descriptors.ace.combine_loops import clear, combine, dot
from linmlp.descriptors.ace.force_loops import add_forces, scatter
from linmlp.descriptors.ace.lane_loops import (
    OPTIONS,
    compute_angular,
    compute_radial,
    constant,
    gather,
    load,
    splat,
    spread,
    store,
)
from linmlp.descriptors.ace.mixing_loops import mix, mix_back
from linmlp.descriptors.ace.product_loops import add_couples, add_full, add_paired, add_real, spread_couples
from linmlp.descriptors.ace.sum_loops import sum_channels
from linmlp.descriptors.simd import LANES, element, put, shifted


@njit(**OPTIONS)
def sum_block(block, sizes, blocks, listed, functions, plan, scratch):
    """Write radial and angular functions of the neighbors of a block, the raw sums, A and the coupled pairs."""
    n_elements = sizes.n_elements
    z = element(blocks.element, block)
    atoms = shifted(blocks.atoms, block * LANES)
    start = 0
    for e in range(n_elements):
        put(scratch.begin, e, start)
        put(scratch.end, e, start)
        if element(plan.n_l, z * n_elements + e) > 0:
            stop = gather(
                1,
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
            put(scratch.end, e, stop)
            ze = z * n_elements + e
            n = element(plan.n_radial, ze)
            compute_radial(start, stop, n, sizes.stride, ze, functions, scratch.geometry, scratch.radial, scratch.slope)
            sum_raw(ze, start, stop, sizes, functions, plan, scratch)
        start += element(blocks.slots, block * n_elements + e)
    mix(z, n_elements, plan.mixing, scratch.raw)
    combine(z, plan.to_used, functions.norms, scratch.raw, scratch.A)
    clear(element(plan.coupled_start, z), element(plan.used_size, z), scratch.A)
    add_couples(z, plan.coupled, scratch.A)


@njit(**OPTIONS)
def sum_raw(ze, start, stop, sizes, functions, plan, scratch):
    """Write angular columns of slots, and their raw sums with radial functions; ze counts pairs of elements."""
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
def differentiate_energy(z, n_elements, plan, functions, scratch, derivatives):
    """Write derivatives of the energy with respect to raw sums, and the energy into sums (10,).

    The derivatives may take the place of the raw sums.
    """
    raw, A, G = scratch.raw, scratch.A, scratch.G
    pair = plan.pair
    energy = splat(0.0)
    for term in range(element(pair.first, z), element(pair.first, z + 1)):
        energy = energy + element(pair.coefficient, term) * load(raw, element(pair.channel, term))
    combine(z, plan.order_two, functions.weights, A, G)
    size = element(plan.used_size, z)
    two = dot(size, A, G)
    add_products(z, plan, A, G)
    # Euler: sum A dE/dA = 2 E2 + 3 E3, where order 4 is order 2 of coupled pairs
    three = dot(size, A, G) - two
    store(scratch.sums, 9 * LANES, energy + 0.5 * two + (1.0 / 3.0) * three)
    spread_couples(z, plan.coupled, A, G)
    write_derivatives(z, n_elements, plan, functions, G, derivatives)


@njit(**OPTIONS)
def differentiate(z, n_elements, plan, functions, scratch, derivatives):
    """Write derivatives of the energy with respect to raw sums, without the energy."""
    A, G = scratch.A, scratch.G
    combine(z, plan.order_two, functions.weights, A, G)
    add_products(z, plan, A, G)
    spread_couples(z, plan.coupled, A, G)
    write_derivatives(z, n_elements, plan, functions, G, derivatives)


@njit(**OPTIONS)
def add_products(z, plan, A, G):
    """Add order 3 to the derivatives with respect to A."""
    add_real(z, plan.real, A, G)
    add_paired(z, plan.paired, A, G)
    add_full(z, plan.full, A, G)


@njit(**OPTIONS)
def write_derivatives(z, n_elements, plan, functions, G, derivatives):
    """Write derivatives with respect to raw sums from those with respect to A, and add order 1."""
    pair = plan.pair
    combine(z, plan.to_raw, functions.norms, G, derivatives)
    mix_back(z, n_elements, plan.mixing, derivatives)
    for term in range(element(pair.first, z), element(pair.first, z + 1)):
        o = element(pair.channel, term)
        store(derivatives, o, load(derivatives, o) + spread(pair.coefficient, term))


@njit(**OPTIONS)
def sum_block_forces(z, sizes, plan, scratch, derivatives):
    """Write dE/dr of all slots, and the sums (10,) for central atoms but for the energy."""
    n_elements = sizes.n_elements
    for k in range(9):
        store(scratch.sums, k * LANES, constant(scratch.sums, 0.0))
    for e in range(n_elements):
        ze = z * n_elements + e
        n_raw, raw_start = shifted(plan.n_raw, ze * sizes.n_l), shifted(plan.raw_start, ze * sizes.n_l)
        start, stop = element(scratch.begin, e), element(scratch.end, e)
        add_forces(start, stop, element(plan.n_l, ze), n_raw, raw_start, sizes, scratch, derivatives)


@njit(**OPTIONS)
def add_block_forces(z, sizes, plan, scratch, derivatives, forces):
    """Add to the forces of neighbors, and write the sums (10,) for central atoms but for the energy."""
    sum_block_forces(z, sizes, plan, scratch, derivatives)
    for e in range(sizes.n_elements):
        scatter(element(scratch.begin, e), element(scratch.end, e), scratch.neighbors, scratch.force, forces)


@njit(**OPTIONS)
def write_sums(atoms, sums, results):
    """Add what belongs to the central atoms of a block to the results."""
    write_forces(atoms, sums, results.forces)
    for lane in range(LANES):
        i = element(atoms, lane)
        if i >= 0:
            put(results.energies, i, element(sums, 9 * LANES + lane))
            for k in range(6):
                put(results.strain, 6 * i + k, element(sums, (3 + k) * LANES + lane))


@njit(**OPTIONS)
def write_forces(atoms, sums, forces):
    """Add the forces on the central atoms of a block."""
    for lane in range(LANES):
        i = element(atoms, lane)
        if i >= 0:
            for k in range(3):
                o = 3 * i + k
                put(forces, o, element(forces, o) + element(sums, k * LANES + lane))
