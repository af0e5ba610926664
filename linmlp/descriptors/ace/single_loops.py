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
from linmlp.descriptors.ace.lane_loops import OPTIONS, compute_envelope, gather, load, splat, spread, store
from linmlp.descriptors.ace.mixing_loops import mix
from linmlp.descriptors.ace.product_loops import add_couples, spread_couples
from linmlp.descriptors.ace.single_records import point_to_wide
from linmlp.descriptors.simd import LANES, element, first_half, joined, pointer, put, second_half, shifted


@njit(cache=True, **OPTIONS)
def evaluate_single(first, last, sizes, blocks, listed, functions, plan, scratch, recurrence, wide, results):
    """Do as `linmlp.descriptors.ace.evaluator_loops.evaluate_blocks` with blocks of twice as many atoms.

    recurrence (n_elements, n_elements, n, 3) is that of `linmlp.descriptors.ace.radial_recurrence`.
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
        pointer(recurrence),
        recurrence.shape[2],
        point_to_wide(wide),
        point_to_results(results),
    )


@njit(**OPTIONS)
def _evaluate(first, last, sizes, blocks, listed, functions, plan, scratch, recurrence, n_functions, wide, results):
    """Do the same with pointers for arrays."""
    for block in range(first, last):
        z = element(blocks.element, block)
        atoms = shifted(blocks.atoms, block * 2 * LANES)
        _sum_block(block, atoms, sizes, blocks, listed, functions, plan, scratch, recurrence, n_functions, wide)
        _differentiate_energy(z, sizes.n_elements, plan, functions, scratch, wide.sums)
        _add_forces(z, sizes, plan, scratch, wide, results.forces)
        write_sums(atoms, wide.sums, results)
        write_sums(shifted(atoms, LANES), shifted(wide.sums, 10 * LANES), results)


@njit(**OPTIONS)
def _sum_block(block, atoms, sizes, blocks, listed, functions, plan, scratch, recurrence, n_functions, wide):
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
            own = shifted(recurrence, ze * 3 * n_functions)
            _write_radial(ze, start, stop, element(plan.n_radial, ze), sizes.stride, functions, own, scratch, wide)
            sum_raw(ze, start, stop, sizes, functions, plan, scratch)
        start += element(blocks.slots, block * n_elements + e)
    mix(z, n_elements, plan.mixing, scratch.raw)
    combine(z, plan.to_used, functions.norms, scratch.raw, scratch.A)
    clear(element(plan.coupled_start, z), element(plan.used_size, z), scratch.A)
    add_couples(z, plan.coupled, scratch.A)


@njit(**OPTIONS)
def _write_radial(ze, first, last, n, stride, functions, recurrence, scratch, wide):
    """Write radial functions of slots, their derivatives, unit vectors and distances."""
    for s in range(first, last):
        one = shifted(wide.geometry, s * 2 * 5 * LANES)
        two = shifted(one, 5 * LANES)
        o = s * stride * LANES
        _write_functions(
            n,
            recurrence,
            compute_envelope(ze, functions, one),
            compute_envelope(ze, functions, two),
            shifted(scratch.radial, o),
            shifted(scratch.slope, o),
        )
        target = shifted(scratch.geometry, s * 5 * LANES)
        for k in range(0, 5 * LANES, LANES):
            store(target, k, joined(load(one, k), load(two, k)))


@njit(**OPTIONS)
def _write_functions(n, recurrence, first, second, radial, slope):
    """Write n radial functions (n,) of a slot and their derivatives from envelope and x of both blocks."""
    f, df, x, dx = first
    a, da = _start(element(recurrence, 0), f, df, x, dx)
    f, df, y, dy = second
    b, db = _start(element(recurrence, 0), f, df, y, dy)
    zero = splat(0.0)
    a0, da0, b0, db0 = zero, zero, zero, zero
    store(radial, 0, joined(a, b))
    store(slope, 0, joined(da, db))
    for k in range(1, n):
        p, q, c = element(recurrence, 3 * k), splat(element(recurrence, 3 * k + 1)), element(recurrence, 3 * k + 2)
        w = p * x + q
        a0, da0, a, da = a, da, w * a + c * a0, w * da + (p * dx) * a + c * da0
        w = p * y + q
        b0, db0, b, db = b, db, w * b + c * b0, w * db + (p * dy) * b + c * db0
        store(radial, k * LANES, joined(a, b))
        store(slope, k * LANES, joined(da, db))


@njit(**OPTIONS)
def _start(scale, f, df, x, dx):
    """Return the first radial function, scale f (1 - x) / 2, and its derivative."""
    half = 0.5 * scale
    rest = splat(1.0) - x
    return half * (f * rest), half * (df * rest - f * dx)


@njit(**OPTIONS)
def _differentiate_energy(z, n_elements, plan, functions, scratch, sums):
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
    write_derivatives(z, n_elements, plan, functions, G, raw)


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
