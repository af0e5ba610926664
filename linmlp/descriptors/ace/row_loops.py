"""Compiled loops of the design rows: derivatives of every function, added to the rows of four neighbors at a time."""

from typing import Any

from numba import njit

from linmlp.descriptors.ace.row_center_loops import (
    GEOMETRY,
    OPTIONS,
    WIDTH,
    RowWork,
    couple_centers,
    load,
    splat,
    store,
)
from linmlp.descriptors.ace.row_plan import RowPlan
from linmlp.descriptors.simd import element, shuffle
from linmlp.units import FloatArray, IntArray

even, odd = shuffle((0, 4, 2, 6)), shuffle((1, 5, 3, 7))
low, high = shuffle((0, 1, 4, 5)), shuffle((2, 3, 6, 7))


@njit(**OPTIONS)
def contract(quad_first: Any, quad_slot: Any, max_l: int, rests: Any, harmonics: Any, y0: int, products: Any) -> None:
    """Write X_q = sum_M Q_qM {Y, gradients} of a block, (q, 3, lane)."""
    for l in range(max_l + 1):
        for quad in range(quad_first[l], quad_first[l + 1]):
            s, y = element(quad_slot, quad), y0 + 12 * l * l
            v0, v1, v2 = load(harmonics, y), load(harmonics, y + 4), load(harmonics, y + 8)
            q = splat(element(rests, s))
            a0, a1, a2 = q * v0, q * v1, q * v2
            q = splat(element(rests, s + 1))
            b0, b1, b2 = q * v0, q * v1, q * v2
            q = splat(element(rests, s + 2))
            c0, c1, c2 = q * v0, q * v1, q * v2
            q = splat(element(rests, s + 3))
            d0, d1, d2 = q * v0, q * v1, q * v2
            for _ in range(2 * l):
                s, y = s + 4, y + 12
                v0, v1, v2 = load(harmonics, y), load(harmonics, y + 4), load(harmonics, y + 8)
                q = splat(element(rests, s))
                a0, a1, a2 = a0 + q * v0, a1 + q * v1, a2 + q * v2
                q = splat(element(rests, s + 1))
                b0, b1, b2 = b0 + q * v0, b1 + q * v1, b2 + q * v2
                q = splat(element(rests, s + 2))
                c0, c1, c2 = c0 + q * v0, c1 + q * v1, c2 + q * v2
                q = splat(element(rests, s + 3))
                d0, d1, d2 = d0 + q * v0, d1 + q * v1, d2 + q * v2
            o = 48 * quad
            store(products, o, a0)
            store(products, o + 4, a1)
            store(products, o + 8, a2)
            store(products, o + 12, b0)
            store(products, o + 16, b1)
            store(products, o + 20, b2)
            store(products, o + 24, c0)
            store(products, o + 28, c1)
            store(products, o + 32, c2)
            store(products, o + 36, d0)
            store(products, o + 40, d1)
            store(products, o + 44, d2)


@njit(forceinline=True, **OPTIONS)
def one_entry(entries: Any, e: int, products: Any, radial: Any, r0: int) -> Any:
    """Return R' X0, R X1, R X2 of one entry."""
    x, r = element(entries, e), r0 + element(entries, e + 1)
    value, slope = load(radial, r), load(radial, r + 4)
    return slope * load(products, x), value * load(products, x + 4), value * load(products, x + 8)


@njit(forceinline=True, **OPTIONS)
def two_entries(entries: Any, e: int, products: Any, radial: Any, r0: int) -> Any:
    """Return the sum over two entries."""
    s, a, b = one_entry(entries, e, products, radial, r0)
    p, q, r = one_entry(entries, e + 2, products, radial, r0)
    return s + p, a + q, b + r


@njit(forceinline=True, **OPTIONS)
def three_entries(entries: Any, e: int, products: Any, radial: Any, r0: int) -> Any:
    """Return the sum over three entries."""
    s, a, b = two_entries(entries, e, products, radial, r0)
    p, q, r = one_entry(entries, e + 4, products, radial, r0)
    return s + p, a + q, b + r


@njit(forceinline=True, **OPTIONS)
def transpose(a: Any, b: Any, c: Any, d: Any) -> Any:
    """Return the four vectors with lanes and vectors exchanged."""
    p, q, r, s = even(a, b), odd(a, b), even(c, d), odd(c, d)
    return low(p, r), low(q, s), high(p, r), high(q, s)


@njit(forceinline=True, **OPTIONS)
def add_rows(
    rows: Any, o: int, o0: int, o1: int, o2: int, o3: int, own: Any, k: int, a: Any, b: Any, c: Any, d: Any
) -> Any:
    """Add one axis of four functions to the rows of four neighbors and to the center's; return it transposed."""
    t0, t1, t2, t3 = transpose(a, b, c, d)
    store(rows, o0 + o, load(rows, o0 + o) + t0)
    store(rows, o1 + o, load(rows, o1 + o) + t1)
    store(rows, o2 + o, load(rows, o2 + o) + t2)
    store(rows, o3 + o, load(rows, o3 + o) + t3)
    store(own, k, load(own, k) + (t0 + t1 + (t2 + t3)))
    return t0, t1, t2, t3


@njit(forceinline=True, **OPTIONS)
def add_stress(own: Any, k: int, lever: Any, r: int, t0: Any, t1: Any, t2: Any, t3: Any) -> None:
    """Add lever arm times force, summed over four neighbors."""
    s = (
        load(own, k)
        + element(lever, r) * t0
        + element(lever, r + 1) * t1
        + element(lever, r + 2) * t2
        + element(lever, r + 3) * t3
    )
    store(own, k, s)


@njit(forceinline=True, **OPTIONS)
def add_group(
    column: int, sums: Any, geometry: Any, g: int, rows: Any, o0: int, o1: int, o2: int, o3: int, stride: int,
    own: Any, width: int, with_strain: bool,
) -> None:  # fmt: skip
    """Turn four functions from the local frame into Cartesian rows."""
    (s0, a0, b0), (s1, a1, b1), (s2, a2, b2), (s3, a3, b3) = sums
    u, t, p = load(geometry, g + 24), load(geometry, g + 36), load(geometry, g + 48)
    x0, x1, x2, x3 = add_rows(
        rows, column, o0, o1, o2, o3, own, column,
        s0 * u + a0 * t + b0 * p, s1 * u + a1 * t + b1 * p, s2 * u + a2 * t + b2 * p, s3 * u + a3 * t + b3 * p,
    )  # fmt: skip
    u, t, p = load(geometry, g + 28), load(geometry, g + 40), load(geometry, g + 52)
    y0, y1, y2, y3 = add_rows(
        rows, column + stride, o0, o1, o2, o3, own, column + width,
        s0 * u + a0 * t + b0 * p, s1 * u + a1 * t + b1 * p, s2 * u + a2 * t + b2 * p, s3 * u + a3 * t + b3 * p,
    )  # fmt: skip
    u, t = load(geometry, g + 32), load(geometry, g + 44)
    z0, z1, z2, z3 = add_rows(
        rows, column + 2 * stride, o0, o1, o2, o3, own, column + 2 * width,
        s0 * u + a0 * t, s1 * u + a1 * t, s2 * u + a2 * t, s3 * u + a3 * t,
    )  # fmt: skip
    if with_strain:
        k = column + 3 * width
        add_stress(own, k, geometry, g, x0, x1, x2, x3)
        add_stress(own, k + width, geometry, g + 4, y0, y1, y2, y3)
        add_stress(own, k + 2 * width, geometry, g + 8, z0, z1, z2, z3)
        add_stress(own, k + 3 * width, geometry, g + 4, z0, z1, z2, z3)
        add_stress(own, k + 4 * width, geometry, g, z0, z1, z2, z3)
        add_stress(own, k + 5 * width, geometry, g, y0, y1, y2, y3)


@njit(**OPTIONS)
def combine(
    lists: Any, group_column: Any, entry_first: Any, entries: Any,
    geometry: Any, g: int, radial: Any, r0: int, products: Any,
    rows: Any, o0: int, o1: int, o2: int, o3: int, stride: int, own: Any, width: int, with_strain: bool,
) -> None:  # fmt: skip
    """Add the derivatives of all functions with respect to four neighbors to the rows."""
    zero = splat(0.0)
    for k in range(lists[0], lists[1]):
        e = element(entry_first, k)
        sums = (
            (load(radial, r0 + element(entries, e + 1) + 4), zero, zero),
            (load(radial, r0 + element(entries, e + 3) + 4), zero, zero),
            (load(radial, r0 + element(entries, e + 5) + 4), zero, zero),
            (load(radial, r0 + element(entries, e + 7) + 4), zero, zero),
        )
        add_group(element(group_column, k), sums, geometry, g, rows, o0, o1, o2, o3, stride, own, width, with_strain)
    for k in range(lists[1], lists[2]):
        e = element(entry_first, k)
        sums = (
            one_entry(entries, e, products, radial, r0),
            one_entry(entries, e + 2, products, radial, r0),
            one_entry(entries, e + 4, products, radial, r0),
            one_entry(entries, e + 6, products, radial, r0),
        )
        add_group(element(group_column, k), sums, geometry, g, rows, o0, o1, o2, o3, stride, own, width, with_strain)
    for k in range(lists[2], lists[3]):
        e = element(entry_first, k)
        sums = (
            two_entries(entries, e, products, radial, r0),
            two_entries(entries, e + 4, products, radial, r0),
            two_entries(entries, e + 8, products, radial, r0),
            two_entries(entries, e + 12, products, radial, r0),
        )
        add_group(element(group_column, k), sums, geometry, g, rows, o0, o1, o2, o3, stride, own, width, with_strain)
    for k in range(lists[3], lists[4]):
        e = element(entry_first, k)
        sums = (
            three_entries(entries, e, products, radial, r0),
            three_entries(entries, e + 6, products, radial, r0),
            three_entries(entries, e + 12, products, radial, r0),
            three_entries(entries, e + 18, products, radial, r0),
        )
        add_group(element(group_column, k), sums, geometry, g, rows, o0, o1, o2, o3, stride, own, width, with_strain)


@njit(**OPTIONS)
def clear_block(rows: Any, n_rows: int, stride: int, column: int, width: int) -> None:
    """Set columns of all rows to zero."""
    for row in range(n_rows):
        for k in range(row * stride + column, row * stride + column + width):
            rows[k] = 0.0


@njit(**OPTIONS)
def sort_block(plan: RowPlan, z: int, rows: Any, n_rows: int, stride: int, buffer: Any) -> None:
    """Put the columns of center element z, in place, into the order of the user and apply the factors.

    Columns move to the left, over those of elements that have been moved already.
    """
    width, n = 4 * plan.n_groups, plan.n_functions
    for row in range(n_rows):
        o = row * stride + z * width
        for k in range(width):
            buffer[k] = rows[o + k]
        o = row * stride + z * n
        for v in range(n):
            rows[o + v] = plan.factor[v] * buffer[plan.order[v]]


@njit(**OPTIONS)
def add_own(own: Any, k: int, width: int, rows: Any, o: int, factor: float) -> None:
    """Add the center's own columns to a row."""
    for v in range(width):
        rows[o + v] += factor * own[k + v]


@njit(**OPTIONS)
def add_center(
    plan: RowPlan, i: int, z: int, w: int, work: RowWork, rows: Any, stride: int, strain: Any, with_strain: bool
) -> None:
    """Add the derivatives of the features of one center to the rows of its neighbors, its own and those of strain."""
    width = 4 * plan.n_groups
    radial_step, harmonics_step = 8 * (plan.n_radial + plan.n_pair + 1), 12 * (plan.max_l + 1) ** 2
    for s in range(plan.n_slots):
        work.own_rests[s] = work.rests[4 * s + w]
    work.own[:] = 0.0
    begin = w * (len(work.elements) // WIDTH)
    for b in range(begin, begin + work.n_blocks[w]):
        contract(
            plan.quad_first, plan.quad_slot, plan.max_l, work.own_rests, work.harmonics, b * harmonics_step,
            work.products,
        )  # fmt: skip
        o0, o1 = 3 * work.atoms[4 * b] * stride + z * width, 3 * work.atoms[4 * b + 1] * stride + z * width
        o2, o3 = 3 * work.atoms[4 * b + 2] * stride + z * width, 3 * work.atoms[4 * b + 3] * stride + z * width
        combine(
            plan.group_first[work.elements[b]], plan.group_column, plan.entry_first, plan.entries,
            work.geometry, b * GEOMETRY, work.radial, b * radial_step, work.products, rows,
            o0, o1, o2, o3, stride, work.own, width, with_strain,
        )  # fmt: skip
    for axis in range(3):
        add_own(work.own, axis * width, width, rows, (3 * i + axis) * stride + z * width, -1.0)
    if with_strain:
        for v in range(6):
            add_own(work.own, (3 + v) * width, width, strain, v * stride + z * width, 1.0)


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
    n_atoms, n, width = len(kinds), plan.n_functions, 4 * plan.n_groups
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
                    energy[z * n + v] += work.values[4 * v + w]
                add_center(plan, order[start + w], z, w, work, rows, stride, strain, with_strain)
            start = stop
        sort_block(plan, z, rows, 3 * n_atoms, stride, work.own)
        if with_strain:
            sort_block(plan, z, strain, 6, stride, work.own)
