"""Compiled: energies, forces and strain derivatives of two blocks of atoms at once, in single precision.

The lanes of a vector are the atoms of two blocks (`linmlp.descriptors.simd`: pairs of numbers). Distances and radial
functions are made in double precision and rounded once: radial functions are differences of nearly equal numbers.
Angular functions, densities, products and forces of slots are those of single precision, by the loops of double
precision. Sums over slots and columns that end in energies and forces are of double precision.
"""
# mypy: allow-untyped-defs, allow-untyped-calls

from numba import njit

from linmlp.descriptors.ace.block_loops import (
    add_products,
    sum_block_forces,
    sum_raw,
    write_derivatives,
    write_sums,
)
from linmlp.descriptors.ace.combine_loops import clear, combine
from linmlp.descriptors.ace.evaluator_records import (
    Sizes,
    point_to_blocks,
    point_to_functions,
    point_to_listed,
    point_to_plan,
    point_to_results,
    point_to_scratch,
)
from linmlp.descriptors.ace.force_loops import scatter
from linmlp.descriptors.ace.lane_loops import OPTIONS, compute_radial, gather, load, splat, spread, store
from linmlp.descriptors.ace.product_loops import add_couples, spread_couples
from linmlp.descriptors.ace.single_records import point_to_wide
from linmlp.descriptors.simd import LANES, element, first_half, joined, pointer, put, second_half, shifted

CHUNK = 2
"""Slots whose radial functions are kept in double precision; slots come in even numbers."""


@njit(cache=True, **OPTIONS)
def evaluate_single(first, last, sizes, blocks, listed, functions, plan, scratch, basis, wide, results):
    """Do as `linmlp.descriptors.ace.evaluator_loops.evaluate_blocks` with blocks of twice as many atoms.

    basis (n_elements, n_elements, n, n) is lower triangular, from raw radial functions to those of the plan.
    """
    _evaluate(
        first,
        last,
        Sizes(*sizes),
        point_to_blocks(blocks),
        point_to_listed(listed),
        point_to_functions(functions),
        point_to_plan(plan),
        point_to_scratch(scratch),
        pointer(basis),
        basis.shape[3],
        point_to_wide(wide),
        point_to_results(results),
    )


@njit(**OPTIONS)
def _evaluate(first, last, sizes, blocks, listed, functions, plan, scratch, basis, n_basis, wide, results):
    """Do the same with pointers for arrays."""
    for block in range(first, last):
        z = element(blocks.element, block)
        atoms = shifted(blocks.atoms, block * 2 * LANES)
        _sum_block(block, atoms, sizes, blocks, listed, functions, plan, scratch, basis, n_basis, wide)
        _differentiate_energy(z, plan, functions, scratch, wide.sums)
        _add_forces(z, sizes, plan, scratch, wide, results.forces)
        write_sums(atoms, wide.sums, results)
        write_sums(shifted(atoms, LANES), shifted(wide.sums, 10 * LANES), results)


@njit(**OPTIONS)
def _sum_block(block, atoms, sizes, blocks, listed, functions, plan, scratch, basis, n_basis, wide):
    """Write radial and angular functions of the neighbors, the raw sums, A and the coupled pairs."""
    n_elements = sizes.n_elements
    z = element(blocks.element, block)
    start = 0
    for e in range(n_elements):
        put(scratch.begin, e, start)
        put(scratch.end, e, start)
        ze = z * n_elements + e
        if element(plan.n_l, ze) > 0:
            stop = gather(
                2,
                atoms,
                e,
                n_elements,
                start,
                listed,
                functions.cutoff,
                wide.geometry,
                scratch.neighbors,
                scratch.counts,
            )
            put(scratch.end, e, stop)
            matrix = shifted(basis, ze * n_basis * n_basis)
            _write_radial(ze, start, stop, sizes.stride, functions, plan, matrix, n_basis, scratch, wide)
            sum_raw(ze, start, stop, sizes, functions, plan, scratch)
        start += element(blocks.slots, block * n_elements + e)
    combine(z, plan.to_used, functions.norms, scratch.raw, scratch.A)
    clear(element(plan.coupled_start, z), element(plan.used_size, z), scratch.A)
    add_couples(z, plan.coupled, scratch.A)


@njit(**OPTIONS)
def _write_radial(ze, first, last, stride, functions, plan, basis, n_basis, scratch, wide):
    """Write radial functions of slots, their derivatives, unit vectors and distances."""
    n = element(plan.n_radial, ze)
    for s in range(first, last, CHUNK):
        geometry = shifted(wide.geometry, s * 2 * 5 * LANES)
        compute_radial(0, 2 * CHUNK, n, stride, ze, functions, geometry, wide.radial, wide.slope)
        for k in range(CHUNK):
            source, target = 2 * k * stride * LANES, (s + k) * stride * LANES
            _change_basis(n, stride, basis, n_basis, shifted(wide.radial, source), shifted(scratch.radial, target))
            _change_basis(n, stride, basis, n_basis, shifted(wide.slope, source), shifted(scratch.slope, target))
            one, two = shifted(geometry, 2 * k * 5 * LANES), shifted(geometry, (2 * k + 1) * 5 * LANES)
            target = shifted(scratch.geometry, (s + k) * 5 * LANES)
            for o in range(0, 5 * LANES, LANES):
                store(target, o, joined(load(one, o), load(two, o)))


@njit(**OPTIONS)
def _change_basis(n, stride, basis, n_basis, source, target):
    """Write n radial functions (n,) of one slot from raw ones (2, stride)."""
    other = shifted(source, stride * LANES)
    for k in range(n):
        a, b = splat(0.0), splat(0.0)
        for j in range(k + 1):
            f = element(basis, k * n_basis + j)
            a = a + f * load(source, j * LANES)
            b = b + f * load(other, j * LANES)
        store(target, k * LANES, joined(a, b))


@njit(**OPTIONS)
def _differentiate_energy(z, plan, functions, scratch, sums):
    """Write derivatives of the energy in place of the raw sums, and the energy into sums (2, 10)."""
    raw, A, G = scratch.raw, scratch.A, scratch.G
    pair = plan.pair
    one, two = splat(0.0), splat(0.0)
    for term in range(element(pair.first, z), element(pair.first, z + 1)):
        x = spread(pair.coefficient, term) * load(raw, element(pair.channel, term))
        one, two = one + first_half(x), two + second_half(x)
    combine(z, plan.order_two, functions.weights, A, G)
    size = element(plan.used_size, z)
    one_two, two_two = _dot(size, A, G)
    add_products(z, plan, A, G)
    # Euler: sum A dE/dA = 2 E2 + 3 E3, where order 4 is order 2 of coupled pairs
    one_all, two_all = _dot(size, A, G)
    store(sums, 9 * LANES, one + 0.5 * one_two + (1.0 / 3.0) * (one_all - one_two))
    store(sums, 19 * LANES, two + 0.5 * two_two + (1.0 / 3.0) * (two_all - two_two))
    spread_couples(z, plan.coupled, A, G)
    write_derivatives(z, plan, functions, G, raw)


@njit(**OPTIONS)
def _dot(size, x, y):
    """Return the sum of products of columns, by lane, of both halves."""
    one, two = splat(0.0), splat(0.0)
    for k in range(0, size, LANES):
        product = load(x, k) * load(y, k)
        one, two = one + first_half(product), two + second_half(product)
    return one, two


@njit(**OPTIONS)
def _add_forces(z, sizes, plan, scratch, wide, forces):
    """Add to the forces of neighbors, and write the sums (2, 10) for central atoms but for the energy."""
    sum_block_forces(z, sizes, plan, scratch, scratch.raw)
    ax, ay, az, bx, by, bz = splat(0.0), splat(0.0), splat(0.0), splat(0.0), splat(0.0), splat(0.0)
    for e in range(sizes.n_elements):
        start, stop = element(scratch.begin, e), element(scratch.end, e)
        for s in range(start, stop):
            source, target = shifted(scratch.force, s * 3 * LANES), shifted(wide.force, s * 6 * LANES)
            x, y, w = load(source, 0), load(source, LANES), load(source, 2 * LANES)
            ux, uy, uz = first_half(x), first_half(y), first_half(w)
            store(target, 0, ux)
            store(target, LANES, uy)
            store(target, 2 * LANES, uz)
            ax, ay, az = ax + ux, ay + uy, az + uz
            ux, uy, uz = second_half(x), second_half(y), second_half(w)
            store(target, 3 * LANES, ux)
            store(target, 4 * LANES, uy)
            store(target, 5 * LANES, uz)
            bx, by, bz = bx + ux, by + uy, bz + uz
        scatter(2 * start, 2 * stop, scratch.neighbors, wide.force, forces)
    # Forces on central atoms are minus those on neighbors to the last digit of double precision: momentum is conserved.
    sums, others = wide.sums, shifted(wide.sums, 10 * LANES)
    store(sums, 0, ax)
    store(sums, LANES, ay)
    store(sums, 2 * LANES, az)
    store(others, 0, bx)
    store(others, LANES, by)
    store(others, 2 * LANES, bz)
    for k in range(3 * LANES, 9 * LANES, LANES):
        both = load(scratch.sums, k)
        store(sums, k, first_half(both))
        store(others, k, second_half(both))
