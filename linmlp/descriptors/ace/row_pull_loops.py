"""Compiled loop that contracts the design rows with weights, without the rows: forces of a nonlinear model."""

from typing import Any

from numba import njit

from linmlp.descriptors.ace.row_center_loops import couple_centers
from linmlp.descriptors.ace.row_group_loops import contract
from linmlp.descriptors.ace.row_layout import QUAD, WIDTH, RowPlan
from linmlp.descriptors.ace.row_neighbor_loops import OPTIONS, load, splat, store
from linmlp.descriptors.ace.row_work import GEOMETRY, RowWork
from linmlp.descriptors.simd import element, lane, total
from linmlp.units import FloatArray, IntArray


@njit(**OPTIONS)
def gather_weights(plan: RowPlan, i: int, first: int, w: int, weights: Any, work: RowWork) -> None:
    """Copy the weights of center i, which start at column `first`, to lane w."""
    for v in range(plan.n_functions):
        work.lane_weights[WIDTH * v + w] = weights[i, first + v]


@njit(**OPTIONS)
def write_adjoints(plan: RowPlan, work: RowWork) -> None:
    """Write the derivatives of sum_v weight_v B_v with respect to the densities of WIDTH centers, (place, lane)."""
    work.lane_adjoints[:] = 0.0
    work.lane_pair_adjoints[:] = 0.0
    for v in range(plan.n_functions):
        weight = element(plan.factor, v) * load(work.lane_weights, WIDTH * v)
        for e in range(3 * element(plan.adjoint_first, v), 3 * element(plan.adjoint_first, v + 1), 3):
            slot, place = WIDTH * element(plan.adjoint_entries, e), WIDTH * element(plan.adjoint_entries, e + 1)
            if slot < 0:
                store(work.lane_pair_adjoints, place, load(work.lane_pair_adjoints, place) + weight)
                continue
            for _ in range(2 * element(plan.adjoint_entries, e + 2) + 1):
                store(work.lane_adjoints, place, load(work.lane_adjoints, place) + weight * load(work.rests, slot))
                slot, place = slot + WIDTH * QUAD, place + WIDTH * QUAD


@njit(**OPTIONS)
def take_adjoints(w: int, work: RowWork) -> None:
    """Copy the derivatives of one of the centers to where its neighbors read them."""
    for k in range(len(work.adjoints)):
        work.adjoints[k] = work.lane_adjoints[WIDTH * k + w]
    for k in range(len(work.pair_adjoints)):
        work.pair_adjoints[k] = work.lane_pair_adjoints[WIDTH * k + w]


@njit(**OPTIONS)
def pull_block(plan: RowPlan, b: int, work: RowWork) -> Any:
    """Return the gradients with respect to the neighbors of a block, in the local frame."""
    e = work.elements[b]
    r0, y0 = b * 2 * WIDTH * (plan.n_radial + plan.n_pair + 1), b * 3 * WIDTH * (plan.max_l + 1) ** 2
    quad_first = plan.channel_quad_first[e]
    contract(quad_first, plan.channel_quad_slot, plan.max_l, work.adjoints, work.harmonics, y0, work.products)
    s, t, p = splat(0.0), splat(0.0), splat(0.0)
    for k in range(QUAD * quad_first[0], QUAD * quad_first[plan.max_l + 1]):
        r = r0 + plan.channel_quad_row[k]
        value = load(work.radial, r)
        s = s + load(work.radial, r + WIDTH) * load(work.products, 3 * WIDTH * k)
        t = t + value * load(work.products, 3 * WIDTH * k + WIDTH)
        p = p + value * load(work.products, 3 * WIDTH * k + 2 * WIDTH)
    for n in range(plan.n_pair):
        s = s + work.pair_adjoints[e * plan.n_pair + n] * load(
            work.radial, r0 + 2 * WIDTH * (plan.n_radial + n) + WIDTH
        )
    return s, t, p


@njit(**OPTIONS)
def pull_center(plan: RowPlan, i: int, w: int, work: RowWork, forces: Any, strain: Any) -> None:
    """Add what center i, number w of those in work, does to its neighbors and itself."""
    begin = w * (len(work.elements) // WIDTH)
    for b in range(begin, begin + work.n_blocks[w]):
        g = b * GEOMETRY
        s, t, p = pull_block(plan, b, work)
        x = (
            s * load(work.geometry, g + 6 * WIDTH)
            + t * load(work.geometry, g + 9 * WIDTH)
            + p * load(work.geometry, g + 12 * WIDTH)
        )
        y = (
            s * load(work.geometry, g + 7 * WIDTH)
            + t * load(work.geometry, g + 10 * WIDTH)
            + p * load(work.geometry, g + 13 * WIDTH)
        )
        z = s * load(work.geometry, g + 8 * WIDTH) + t * load(work.geometry, g + 11 * WIDTH)
        for k in range(WIDTH):
            j = work.atoms[WIDTH * b + k]
            forces[j, 0] -= lane(x, k)
            forces[j, 1] -= lane(y, k)
            forces[j, 2] -= lane(z, k)
        forces[i, 0] += total(x)
        forces[i, 1] += total(y)
        forces[i, 2] += total(z)
        dx, dy, dz = load(work.geometry, g), load(work.geometry, g + WIDTH), load(work.geometry, g + 2 * WIDTH)
        strain[i, 0] += total(dx * x)
        strain[i, 1] += total(dy * y)
        strain[i, 2] += total(dz * z)
        strain[i, 3] += total(dy * z)
        strain[i, 4] += total(dx * z)
        strain[i, 5] += total(dx * y)


@njit(**OPTIONS)
def pull_loop(
    plan: RowPlan, positions: FloatArray, kinds: IntArray, first: IntArray, j: IntArray, shift: FloatArray,
    order: IntArray, work: RowWork, weights: FloatArray, forces: FloatArray, strain: FloatArray,
) -> None:  # fmt: skip
    """Write forces (n_atoms, 3) and strain gradients (n_atoms, 6) of E = sum over atoms of weights . features."""
    forces[:] = 0.0
    strain[:] = 0.0
    for start in range(0, len(order), WIDTH):
        stop = min(start + WIDTH, len(order))
        couple_centers(plan, start, stop, order, positions, kinds, first, j, shift, work, True)
        for w in range(stop - start):
            gather_weights(plan, order[start + w], kinds[order[start + w]] * plan.n_functions, w, weights, work)
        write_adjoints(plan, work)
        for w in range(stop - start):
            take_adjoints(w, work)
            pull_center(plan, order[start + w], w, work, forces, strain)


@njit(**OPTIONS)
def pull_members_loop(
    plan: RowPlan, positions: FloatArray, kinds: IntArray, first: IntArray, j: IntArray, shift: FloatArray,
    order: IntArray, work: RowWork, weights: FloatArray, forces: FloatArray, strain: FloatArray,
) -> None:  # fmt: skip
    """Write forces (n_members, n_atoms, 3) and strain gradients (n_members, n_atoms, 6) of several energies.

    weights (n_members, n_atoms, n_functions) are those of the functions around each atom's own element.
    """
    forces[:] = 0.0
    strain[:] = 0.0
    for start in range(0, len(order), WIDTH):
        stop = min(start + WIDTH, len(order))
        couple_centers(plan, start, stop, order, positions, kinds, first, j, shift, work, True)
        for m in range(len(weights)):
            for w in range(stop - start):
                gather_weights(plan, order[start + w], 0, w, weights[m], work)
            write_adjoints(plan, work)
            for w in range(stop - start):
                take_adjoints(w, work)
                pull_center(plan, order[start + w], w, work, forces[m], strain[m])
