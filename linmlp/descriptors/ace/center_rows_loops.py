"""Compiled loop of the derivatives of every single center, which a function of its features needs."""

from typing import Any

from numba import njit

from linmlp.descriptors.ace.row_center_loops import couple_centers
from linmlp.descriptors.ace.row_layout import WIDTH, RowPlan
from linmlp.descriptors.ace.row_loops import add_center, sort_block
from linmlp.descriptors.ace.row_neighbor_loops import OPTIONS
from linmlp.descriptors.ace.row_work import RowWork
from linmlp.units import FloatArray, IntArray


@njit(**OPTIONS)
def number_atoms(i: int, w: int, work: RowWork, first: int, atoms: Any, place: Any) -> int:
    """Replace the atoms in the blocks of center i by their place in the list `atoms` from `first` on; return its end.

    place (n_atoms,) holds -1, before and after.
    """
    end = first + 1
    atoms[first], place[i] = i, first
    begin = w * (len(work.elements) // WIDTH)
    for k in range(begin * WIDTH, (begin + work.n_blocks[w]) * WIDTH):
        j = work.atoms[k]
        if place[j] < 0:
            atoms[end], place[j] = j, end
            end += 1
        work.atoms[k] = place[j]
    for k in range(first, end):
        place[atoms[k]] = -1
    return end


@njit(**OPTIONS)
def center_rows_loop(
    plan: RowPlan, positions: FloatArray, kinds: IntArray, first: IntArray, j: IntArray, shift: FloatArray,
    centers: IntArray, work: RowWork, features: FloatArray, rows: FloatArray, stride: int, strain: FloatArray,
    slots: IntArray, atoms: IntArray, place: IntArray,
) -> None:  # fmt: skip
    """Write features and derivatives of some centers, all of one element.

    features (n_centers, n_functions); slots (n_centers + 1,): the atoms that center c depends on are
    atoms[slots[c]:slots[c + 1]], itself first, with three rows each in rows (n_slots * 3 * stride,), zeros before;
    strain (n_centers * 6 * stride,), zeros before. Only the columns of one element are in the rows.
    """
    slots[0] = 0
    for start in range(0, len(centers), WIDTH):
        stop = min(start + WIDTH, len(centers))
        couple_centers(plan, start, stop, centers, positions, kinds, first, j, shift, work, True)
        for w in range(stop - start):
            c = start + w
            for v in range(plan.n_functions):
                features[c, v] = work.values[WIDTH * v + w]
            slots[c + 1] = number_atoms(centers[c], w, work, slots[c], atoms, place)
            add_center(plan, slots[c], 0, w, work, rows, stride, strain, 6 * stride * c, True)
    sort_block(plan, 0, rows, 3 * slots[len(centers)], stride, work.own)
    sort_block(plan, 0, strain, 6 * len(centers), stride, work.own)
