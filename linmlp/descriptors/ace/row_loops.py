"""Compiled loop of the design rows: all centers of a structure, element by element."""

from typing import Any

from numba import njit

from linmlp.descriptors.ace.row_center_loops import couple_centers
from linmlp.descriptors.ace.row_group_loops import (
    combine,
    contract,
    load_group,
    row_starts,
    store_group,
    write_levers,
)
from linmlp.descriptors.ace.row_layout import GROUP, WIDTH, RowPlan
from linmlp.descriptors.ace.row_neighbor_loops import OPTIONS
from linmlp.descriptors.ace.row_work import GEOMETRY, RowWork
from linmlp.descriptors.simd import element
from linmlp.units import FloatArray, IntArray


@njit(forceinline=True, **OPTIONS)
def clear_block(rows: Any, n_rows: int, stride: int, column: int, width: int) -> None:
    """Set columns of all rows to zero."""
    for row in range(n_rows):
        for k in range(row * stride + column, row * stride + column + width):
            rows[k] = 0.0


@njit(forceinline=True, **OPTIONS)
def sort_block(plan: RowPlan, z: int, rows: Any, n_rows: int, stride: int, buffer: Any) -> None:
    """Put the columns of center element z, in place, into the order of the user and apply the factors.

    Columns move to the left, over those of elements that have been moved already.
    """
    width, n, order, factor = GROUP * plan.n_groups, plan.n_functions, plan.order, plan.factor
    for row in range(n_rows):
        o = row * stride + z * width
        for k in range(0, width, GROUP):
            store_group(buffer, k, load_group(rows, o + k))
        o = row * stride + z * n
        for v in range(n):
            rows[o + v] = element(factor, v) * element(buffer, element(order, v))


@njit(forceinline=True, **OPTIONS)
def add_own(own: Any, k: int, width: int, rows: Any, o: int, factor: float) -> None:
    """Add the center's own columns to a row."""
    for v in range(width):
        rows[o + v] += factor * own[k + v]


@njit(forceinline=True, **OPTIONS)
def add_center(
    plan: RowPlan, i: int, column: int, w: int, work: RowWork, rows: Any, stride: int, strain: Any, first: int,
    with_strain: bool,
) -> None:  # fmt: skip
    """Add the derivatives of the features of center w to the rows of its neighbors, its own (i) and those of strain.

    Its functions start at `column`, the rows of strain at number `first`.
    """
    width = GROUP * plan.n_groups
    radial_step, harmonics_step = 2 * WIDTH * (plan.n_radial + plan.n_pair + 1), 3 * WIDTH * (plan.max_l + 1) ** 2
    for s in range(plan.n_slots):
        work.own_rests[s] = element(work.rests, WIDTH * s + w)
    work.own[:] = 0.0
    begin = w * (len(work.elements) // WIDTH)
    for b in range(begin, begin + work.n_blocks[w]):
        contract(
            plan.quad_first, plan.quad_slot, plan.max_l, work.own_rests, work.harmonics, b * harmonics_step,
            work.products,
        )  # fmt: skip
        write_levers(work.geometry, b * GEOMETRY, work.levers)
        starts = row_starts(work.atoms, b * WIDTH, 3 * stride, column)
        combine(
            plan.group_first[work.elements[b]], plan.group_column, plan.entry_first, plan.entries,
            work.geometry, b * GEOMETRY, work.levers, work.radial, b * radial_step, work.products, rows,
            starts, stride, work.own, width, with_strain,
        )  # fmt: skip
    for axis in range(3):
        add_own(work.own, axis * width, width, rows, (3 * i + axis) * stride + column, -1.0)
    if with_strain:
        for v in range(6):
            add_own(work.own, (3 + v) * width, width, strain, first + v * stride + column, 1.0)


@njit(**OPTIONS)
def rows_loop(
    plan: RowPlan, positions: FloatArray, kinds: IntArray, first: IntArray, j: IntArray, shift: FloatArray,
    order: IntArray, work: RowWork, energy: FloatArray, rows: FloatArray, stride: int, strain: FloatArray,
    with_strain: bool,
) -> None:  # fmt: skip
    """Write the sum of the features and its derivatives with respect to positions and strain.

    Centers are visited element by element (`order`), so that only the columns of that element are in use. energy
    (n_features,), rows (3 n_atoms * stride,) and strain (6 * stride,), stride >= n_elements * GROUP * n_groups.
    """
    n_atoms, n, width = len(kinds), plan.n_functions, GROUP * plan.n_groups
    energy[:] = 0.0
    start = 0
    for z in range(len(plan.channel_first)):
        last = start
        while last < n_atoms and kinds[order[last]] == z:
            last += 1
        if start == last:
            clear_block(rows, 3 * n_atoms, stride, z * n, n)
            if with_strain:
                clear_block(strain, 6, stride, z * n, n)
            continue
        clear_block(rows, 3 * n_atoms, stride, z * width, width)
        if with_strain:
            clear_block(strain, 6, stride, z * width, width)
        while start < last:
            stop = min(start + WIDTH, last)
            couple_centers(plan, start, stop, order, positions, kinds, first, j, shift, work, True)
            for w in range(stop - start):
                for v in range(n):
                    energy[z * n + v] += work.values[WIDTH * v + w]
                add_center(plan, order[start + w], z * width, w, work, rows, stride, strain, 0, with_strain)
            start = stop
        sort_block(plan, z, rows, 3 * n_atoms, stride, work.own)
        if with_strain:
            sort_block(plan, z, strain, 6, stride, work.own)
