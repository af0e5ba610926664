"""Compiled loops over groups of four functions: their derivatives, added to the rows of four or eight neighbors."""

from typing import Any

from numba import njit

from linmlp.descriptors.ace.row_layout import GROUP, QUAD, WIDTH
from linmlp.descriptors.ace.row_neighbor_loops import OPTIONS, load, splat, store
from linmlp.descriptors.simd import element, shuffle, vector_operations

HALVES = WIDTH // GROUP
load_group, store_group = vector_operations(GROUP)[:2]
even = shuffle(tuple(k // 2 * 2 + k % 2 * WIDTH for k in range(WIDTH)))
odd = shuffle(tuple(k // 2 * 2 + 1 + k % 2 * WIDTH for k in range(WIDTH)))
low = shuffle(tuple(k // 4 * 4 + k % 2 + k // 2 % 2 * WIDTH for k in range(WIDTH)))
high = shuffle(tuple(k // 4 * 4 + k % 2 + 2 + k // 2 % 2 * WIDTH for k in range(WIDTH)))
first_half, second_half = shuffle((0, 1, 2, 3)), shuffle(tuple(k % WIDTH for k in (4, 5, 6, 7)))


@njit(**OPTIONS)
def contract(quad_first: Any, quad_slot: Any, max_l: int, rests: Any, harmonics: Any, y0: int, products: Any) -> None:
    """Write X_q = sum_M Q_qM {Y, gradients} of a block, (q, 3, lane)."""
    for l in range(max_l + 1):
        for quad in range(quad_first[l], quad_first[l + 1]):
            s, y = element(quad_slot, quad), y0 + 3 * WIDTH * l * l
            v0, v1, v2 = load(harmonics, y), load(harmonics, y + WIDTH), load(harmonics, y + 2 * WIDTH)
            q = splat(element(rests, s))
            a0, a1, a2 = q * v0, q * v1, q * v2
            q = splat(element(rests, s + 1))
            b0, b1, b2 = q * v0, q * v1, q * v2
            q = splat(element(rests, s + 2))
            c0, c1, c2 = q * v0, q * v1, q * v2
            q = splat(element(rests, s + 3))
            d0, d1, d2 = q * v0, q * v1, q * v2
            for _ in range(2 * l):
                s, y = s + QUAD, y + 3 * WIDTH
                v0, v1, v2 = load(harmonics, y), load(harmonics, y + WIDTH), load(harmonics, y + 2 * WIDTH)
                q = splat(element(rests, s))
                a0, a1, a2 = a0 + q * v0, a1 + q * v1, a2 + q * v2
                q = splat(element(rests, s + 1))
                b0, b1, b2 = b0 + q * v0, b1 + q * v1, b2 + q * v2
                q = splat(element(rests, s + 2))
                c0, c1, c2 = c0 + q * v0, c1 + q * v1, c2 + q * v2
                q = splat(element(rests, s + 3))
                d0, d1, d2 = d0 + q * v0, d1 + q * v1, d2 + q * v2
            o = 3 * WIDTH * QUAD * quad
            store(products, o, a0)
            store(products, o + WIDTH, a1)
            store(products, o + 2 * WIDTH, a2)
            store(products, o + 3 * WIDTH, b0)
            store(products, o + 4 * WIDTH, b1)
            store(products, o + 5 * WIDTH, b2)
            store(products, o + 6 * WIDTH, c0)
            store(products, o + 7 * WIDTH, c1)
            store(products, o + 8 * WIDTH, c2)
            store(products, o + 9 * WIDTH, d0)
            store(products, o + 10 * WIDTH, d1)
            store(products, o + 11 * WIDTH, d2)


@njit(forceinline=True, **OPTIONS)
def one_entry(entries: Any, e: int, products: Any, radial: Any, r0: int) -> Any:
    """Return R' X0, R X1, R X2 of one entry."""
    x, r = element(entries, e), r0 + element(entries, e + 1)
    value, slope = load(radial, r), load(radial, r + WIDTH)
    return slope * load(products, x), value * load(products, x + WIDTH), value * load(products, x + 2 * WIDTH)


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
def four_entries(entries: Any, e: int, products: Any, radial: Any, r0: int) -> Any:
    """Return the sum over four entries."""
    s, a, b = two_entries(entries, e, products, radial, r0)
    p, q, r = two_entries(entries, e + 4, products, radial, r0)
    return s + p, a + q, b + r


@njit(forceinline=True, **OPTIONS)
def transpose(a: Any, b: Any, c: Any, d: Any) -> Any:
    """Return the four vectors with lanes and vectors exchanged."""
    p, q, r, s = even(a, b), odd(a, b), even(c, d), odd(c, d)
    return low(p, r), low(q, s), high(p, r), high(q, s)


@njit(forceinline=True, **OPTIONS)
def add_to(array: Any, o: int, v: Any) -> None:
    """Add four numbers."""
    store_group(array, o, load_group(array, o) + v)


@njit(forceinline=True, **OPTIONS)
def add_four(rows: Any, starts: Any, o: int, t: Any) -> None:
    """Add to the rows of four neighbors."""
    add_to(rows, starts[0] + o, t[0])
    add_to(rows, starts[1] + o, t[1])
    add_to(rows, starts[2] + o, t[2])
    add_to(rows, starts[3] + o, t[3])


@njit(forceinline=True, **OPTIONS)
def add_eight(rows: Any, starts: Any, o: int, t: Any) -> None:
    """Add to the rows of eight neighbors, two in each vector."""
    add_to(rows, starts[0] + o, first_half(t[0], t[0]))
    add_to(rows, starts[1] + o, first_half(t[1], t[1]))
    add_to(rows, starts[2] + o, first_half(t[2], t[2]))
    add_to(rows, starts[3] + o, first_half(t[3], t[3]))
    add_to(rows, starts[4] + o, second_half(t[0], t[0]))
    add_to(rows, starts[5] + o, second_half(t[1], t[1]))
    add_to(rows, starts[6] + o, second_half(t[2], t[2]))
    add_to(rows, starts[7] + o, second_half(t[3], t[3]))


@njit(forceinline=True, **OPTIONS)
def keep(v: Any) -> Any:
    """Return the vector itself."""
    return v


@njit(forceinline=True, **OPTIONS)
def fold(v: Any) -> Any:
    """Return the sum of the two halves."""
    return first_half(v, v) + second_half(v, v)


add_neighbors, over_neighbors = (add_four, keep) if HALVES == 1 else (add_eight, fold)


@njit(forceinline=True, **OPTIONS)
def add_axis(rows: Any, starts: Any, o: int, own: Any, k: int, a: Any, b: Any, c: Any, d: Any) -> Any:
    """Add one axis of four functions to the rows of the neighbors and to the center's; return it transposed."""
    t = transpose(a, b, c, d)
    add_neighbors(rows, starts, o, t)
    add_to(own, k, over_neighbors(t[0] + t[1] + (t[2] + t[3])))
    return t


@njit(forceinline=True, **OPTIONS)
def add_strain(own: Any, k: int, levers: Any, r: int, t: Any) -> None:
    """Add lever arm times derivative, summed over the neighbors."""
    s = load(levers, r) * t[0] + load(levers, r + WIDTH) * t[1]
    s = s + load(levers, r + 2 * WIDTH) * t[2] + load(levers, r + 3 * WIDTH) * t[3]
    add_to(own, k, over_neighbors(s))


@njit(forceinline=True, **OPTIONS)
def add_group(
    column: int, sums: Any, geometry: Any, g: int, levers: Any, rows: Any, starts: Any, stride: int,
    own: Any, width: int, with_strain: bool,
) -> None:  # fmt: skip
    """Turn four functions from the local frame into Cartesian rows."""
    (s0, a0, b0), (s1, a1, b1), (s2, a2, b2), (s3, a3, b3) = sums
    k = column + 3 * width
    u, t, p = load(geometry, g + 6 * WIDTH), load(geometry, g + 9 * WIDTH), load(geometry, g + 12 * WIDTH)
    x = add_axis(
        rows, starts, column, own, column,
        s0 * u + a0 * t + b0 * p, s1 * u + a1 * t + b1 * p, s2 * u + a2 * t + b2 * p, s3 * u + a3 * t + b3 * p,
    )  # fmt: skip
    if with_strain:  # at once, while the vectors are in registers
        add_strain(own, k, levers, 0, x)
    u, t, p = load(geometry, g + 7 * WIDTH), load(geometry, g + 10 * WIDTH), load(geometry, g + 13 * WIDTH)
    y = add_axis(
        rows, starts, column + stride, own, column + width,
        s0 * u + a0 * t + b0 * p, s1 * u + a1 * t + b1 * p, s2 * u + a2 * t + b2 * p, s3 * u + a3 * t + b3 * p,
    )  # fmt: skip
    if with_strain:
        add_strain(own, k + width, levers, 4 * WIDTH, y)
        add_strain(own, k + 5 * width, levers, 0, y)
    u, t = load(geometry, g + 8 * WIDTH), load(geometry, g + 11 * WIDTH)
    z = add_axis(
        rows, starts, column + 2 * stride, own, column + 2 * width,
        s0 * u + a0 * t, s1 * u + a1 * t, s2 * u + a2 * t, s3 * u + a3 * t,
    )  # fmt: skip
    if with_strain:
        add_strain(own, k + 2 * width, levers, 8 * WIDTH, z)
        add_strain(own, k + 3 * width, levers, 4 * WIDTH, z)
        add_strain(own, k + 4 * width, levers, 0, z)


@njit(forceinline=True, **OPTIONS)
def write_levers(geometry: Any, g: int, levers: Any) -> None:
    """Write the vectors to the neighbors of a block in the order of the transposed rows."""
    for axis in range(3):
        for k in range(4):
            for w in range(WIDTH):
                levers[(4 * axis + k) * WIDTH + w] = geometry[g + axis * WIDTH + w // 4 * 4 + k]


@njit(forceinline=True, **OPTIONS)
def four_starts(atoms: Any, o: int, step: int, column: int) -> Any:
    """Return where the rows of four neighbors start."""
    a, b, c, d = atoms[o], atoms[o + 1], atoms[o + 2], atoms[o + 3]
    return a * step + column, b * step + column, c * step + column, d * step + column


@njit(forceinline=True, **OPTIONS)
def eight_starts(atoms: Any, o: int, step: int, column: int) -> Any:
    """Return where the rows of eight neighbors start."""
    return four_starts(atoms, o, step, column) + four_starts(atoms, o + 4, step, column)


row_starts = four_starts if HALVES == 1 else eight_starts


@njit(forceinline=True, **OPTIONS)
def combine(
    lists: Any, group_column: Any, entry_first: Any, entries: Any,
    geometry: Any, g: int, levers: Any, radial: Any, r0: int, products: Any,
    rows: Any, starts: Any, stride: int, own: Any, width: int, with_strain: bool,
) -> None:  # fmt: skip
    """Add the derivatives of all functions with respect to the neighbors of a block to the rows."""
    zero = splat(0.0)
    for k in range(lists[0], lists[1]):
        e = element(entry_first, k)
        sums = (
            (load(radial, r0 + element(entries, e + 1) + WIDTH), zero, zero),
            (load(radial, r0 + element(entries, e + 3) + WIDTH), zero, zero),
            (load(radial, r0 + element(entries, e + 5) + WIDTH), zero, zero),
            (load(radial, r0 + element(entries, e + 7) + WIDTH), zero, zero),
        )
        add_group(element(group_column, k), sums, geometry, g, levers, rows, starts, stride, own, width, with_strain)
    for k in range(lists[1], lists[2]):
        e = element(entry_first, k)
        sums = (
            one_entry(entries, e, products, radial, r0),
            one_entry(entries, e + 2, products, radial, r0),
            one_entry(entries, e + 4, products, radial, r0),
            one_entry(entries, e + 6, products, radial, r0),
        )
        add_group(element(group_column, k), sums, geometry, g, levers, rows, starts, stride, own, width, with_strain)
    for k in range(lists[2], lists[3]):
        e = element(entry_first, k)
        sums = (
            two_entries(entries, e, products, radial, r0),
            two_entries(entries, e + 4, products, radial, r0),
            two_entries(entries, e + 8, products, radial, r0),
            two_entries(entries, e + 12, products, radial, r0),
        )
        add_group(element(group_column, k), sums, geometry, g, levers, rows, starts, stride, own, width, with_strain)
    for k in range(lists[3], lists[4]):
        e = element(entry_first, k)
        sums = (
            three_entries(entries, e, products, radial, r0),
            three_entries(entries, e + 6, products, radial, r0),
            three_entries(entries, e + 12, products, radial, r0),
            three_entries(entries, e + 18, products, radial, r0),
        )
        add_group(element(group_column, k), sums, geometry, g, levers, rows, starts, stride, own, width, with_strain)
    for k in range(lists[4], lists[5]):
        e = element(entry_first, k)
        sums = (
            four_entries(entries, e, products, radial, r0),
            four_entries(entries, e + 8, products, radial, r0),
            four_entries(entries, e + 16, products, radial, r0),
            four_entries(entries, e + 24, products, radial, r0),
        )
        add_group(element(group_column, k), sums, geometry, g, levers, rows, starts, stride, own, width, with_strain)
