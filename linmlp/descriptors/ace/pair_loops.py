"""Compiled: forces of two members of a committee at once, in single precision.

The lanes of a vector are atoms times two members (`linmlp.descriptors.simd`: pairs of numbers). What members have in
common is converted once per block of atoms; the loops over products and neighbors are those of single potentials.
Forces of a committee are needed to a few digits only.
"""
# mypy: allow-untyped-defs, allow-untyped-calls

from numba import njit

from linmlp.descriptors.ace.block_loops import sum_block_forces, write_forces
from linmlp.descriptors.ace.force_loops import scatter
from linmlp.descriptors.ace.lane_loops import OPTIONS, load, splat, store
from linmlp.descriptors.simd import LANES, doubled, element, first_of_pairs, second_of_pairs, shifted


@njit(**OPTIONS)
def _double(first, n, source, target):
    """Write n vectors from vector `first` on, every number twice."""
    for k in range(first, first + n):
        store(target, k * LANES, doubled(load(source, k * LANES)))


@njit(**OPTIONS)
def _double_radial(first, last, n, stride, basis, n_basis, source, target):
    """Write n radial functions of slots, every number twice; basis (n_basis, n_basis) is lower triangular."""
    for s in range(first, last):
        raw = shifted(source, s * stride * LANES)
        for k in range(n):
            even, odd = splat(0.0), splat(0.0)
            for j in range(0, k, 2):
                even = even + element(basis, k * n_basis + j) * load(raw, j * LANES)
                odd = odd + element(basis, k * n_basis + j + 1) * load(raw, (j + 1) * LANES)
            if k % 2 == 0:
                even = even + element(basis, k * n_basis + k) * load(raw, k * LANES)
            store(target, (s * stride + k) * LANES, doubled(even + odd))


@njit(**OPTIONS)
def double_block(z, sizes, plan, scratch, pairs, basis, n_basis):
    """Write what all members need of a block of atoms: A, geometry, radial and angular functions of the neighbors."""
    _double(0, element(plan.used_size, z) // LANES, scratch.A, pairs.A)
    n_lm = sizes.n_l * (sizes.n_l + 1) // 2
    for e in range(sizes.n_elements):
        start, stop = element(scratch.begin, e), element(scratch.end, e)
        n = stop - start
        _double(start * 5, n * 5, scratch.geometry, pairs.geometry)
        ze = z * sizes.n_elements + e
        matrix, n_radial = shifted(basis, ze * n_basis * n_basis), element(plan.n_radial, ze)
        _double_radial(start, stop, n_radial, sizes.stride, matrix, n_basis, scratch.radial, pairs.radial)
        _double_radial(start, stop, n_radial, sizes.stride, matrix, n_basis, scratch.slope, pairs.slope)
        _double(start * n_lm, n * n_lm, scratch.legendre, pairs.legendre)
        _double(start * 2 * sizes.n_l, n * 2 * sizes.n_l, scratch.phase, pairs.phase)
        for l in range(element(plan.n_l, ze)):
            columns = 2 * l + 1
            _double(l * l * sizes.capacity + start * columns, n * columns, scratch.columns, pairs.columns)


@njit(**OPTIONS)
def add_pair_forces(z, atoms, sizes, plan, scratch, pairs, derivatives, one, two):
    """Add to the forces (n_atoms + 1, 3) of both members; memory of single potentials is written over."""
    sum_block_forces(z, sizes, plan, pairs, derivatives)
    for e in range(sizes.n_elements):
        start, stop = element(scratch.begin, e), element(scratch.end, e)
        for k in range(3 * start, 3 * stop):
            store(scratch.force, k * LANES, first_of_pairs(load(pairs.force, k * LANES)))
        scatter(start, stop, scratch.neighbors, scratch.force, one)
        for k in range(3 * start, 3 * stop):
            store(scratch.force, k * LANES, second_of_pairs(load(pairs.force, k * LANES)))
        scatter(start, stop, scratch.neighbors, scratch.force, two)
    for k in range(3):
        store(scratch.sums, k * LANES, first_of_pairs(load(pairs.sums, k * LANES)))
    write_forces(atoms, scratch.sums, one)
    for k in range(3):
        store(scratch.sums, k * LANES, second_of_pairs(load(pairs.sums, k * LANES)))
    write_forces(atoms, scratch.sums, two)
