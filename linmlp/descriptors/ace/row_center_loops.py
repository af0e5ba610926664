"""Compiled loops over the neighbors of a center, up to its features: lane = neighbor, or one of four centers.

Work arrays are flat. Per block of four neighbors of one element:

    geometry   x, y, z, mask, and (x, y) off the polar axis; then the unit vectors along r, theta, phi
    radial     (row, [value, derivative], lane)
    harmonics  (component, [Y, gradient along theta, along phi], lane); components m=0, Re m=1, Im m=1, ... of l=0, 1...

Per four centers: densities A (place, [re, im], lane) and Q (slot, lane).
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from linmlp.descriptors.ace.row_plan import GROUP, QUAD, WIDTH, RowPlan
from linmlp.descriptors.simd import element, maximum, minimum, square_root, total, vector_operations
from linmlp.units import FloatArray, IntArray

load, store, splat = vector_operations(WIDTH)

GEOMETRY = 14 * WIDTH
OPTIONS = {"nogil": True, "cache": True, "error_model": "numpy", "fastmath": {"contract", "nsz", "reassoc", "arcp"}}


class RowWork(NamedTuple):
    """Work arrays of one thread; see the top of the file."""

    geometry: FloatArray
    atoms: IntArray  # (block, lane) second atom
    elements: IntArray  # (block,) its element; blocks of four centers, as many places for each
    n_blocks: IntArray  # (WIDTH,) blocks of each of the four centers
    raw: FloatArray
    legendre: FloatArray
    radial: FloatArray
    harmonics: FloatArray
    densities: FloatArray
    rests: FloatArray
    own_rests: FloatArray  # (slot,) Q of one center
    values: FloatArray  # (function, lane) features of four centers
    products: FloatArray  # (q, 3, lane) X of a block; then zeros; then ones and zeros for the pair term
    levers: FloatArray  # (axis, 4, lane) vectors to the neighbors in the order of the transposed rows
    own: FloatArray  # (3 + 6, column) derivatives that belong to the center and to strain
    adjoints: FloatArray  # (slot,) derivatives of the energy of a center with respect to its densities
    pair_adjoints: FloatArray  # (n_elements * n_pair,) the same for the pair term


def aligned(n: int) -> FloatArray:
    """Return zeros that start at a cache line: vectors across two lines cost twice."""
    memory = np.zeros(n + 8)
    start = -memory.ctypes.data % 64 // 8
    return memory[start : start + n]


def make_work(plan: RowPlan, max_blocks: int) -> RowWork:
    """Return work arrays for centers with at most `max_blocks` blocks of neighbors."""
    n_blocks = WIDTH * max_blocks
    products = aligned(3 * WIDTH * (max(plan.n_rests, QUAD * len(plan.channel_quad_slot)) + 2))
    products[3 * WIDTH * (plan.n_rests + 1) :][:WIDTH] = 1.0
    return RowWork(
        geometry=aligned(n_blocks * GEOMETRY),
        atoms=np.empty(n_blocks * WIDTH, np.int64),
        elements=np.empty(n_blocks, np.int64),
        n_blocks=np.zeros(WIDTH, np.int64),
        raw=aligned(2 * WIDTH * plan.n_raw),
        legendre=aligned(WIDTH * len(plan.legendre)),
        radial=aligned(n_blocks * 2 * WIDTH * (plan.n_radial + plan.n_pair + 1)),
        harmonics=aligned(n_blocks * 3 * WIDTH * (plan.max_l + 1) ** 2),
        densities=aligned(2 * WIDTH * plan.n_densities),
        rests=aligned(WIDTH * (plan.n_slots + 1)),
        own_rests=aligned(plan.n_slots),
        values=aligned(WIDTH * plan.n_functions),
        products=products,
        levers=aligned(12 * WIDTH),
        own=aligned(9 * GROUP * plan.n_groups),
        adjoints=aligned(plan.n_channel_slots),
        pair_adjoints=aligned(plan.pair_density.size),
    )


@njit(**OPTIONS)
def count_blocks(kinds: IntArray, first: IntArray, j: IntArray) -> int:
    """Return the largest number of blocks of a center."""
    largest = 0
    for i in range(len(first) - 1):
        n, kind, inside = 0, -1, WIDTH
        for p in range(first[i], first[i + 1]):
            if kinds[j[p]] != kind or inside == WIDTH:
                n, inside, kind = n + 1, 0, kinds[j[p]]
            inside += 1
        largest = max(largest, n)
    return largest


@njit(forceinline=True, **OPTIONS)
def gather(
    cutoff: float, i: int, positions: Any, kinds: Any, first: Any, j: Any, shift: Any, geometry: Any, atoms: Any,
    elements: Any, block: int,
) -> int:  # fmt: skip
    """Put the neighbors of center i inside the cutoff into blocks from `block` on; return how many blocks."""
    end, inside, kind = block - 1, WIDTH, -1
    for p in range(first[i], first[i + 1]):
        x = positions[j[p], 0] - positions[i, 0] + shift[p, 0]
        y = positions[j[p], 1] - positions[i, 1] + shift[p, 1]
        z = positions[j[p], 2] - positions[i, 2] + shift[p, 2]
        if x * x + y * y + z * z >= cutoff * cutoff:
            continue
        if kinds[j[p]] != kind or inside == WIDTH:
            kind = kinds[j[p]]
            end, inside = end + 1, 0
            elements[end] = kind
            for w in range(WIDTH):
                o = end * GEOMETRY + w
                for k in range(6):
                    geometry[o + k * WIDTH] = 0.0
                geometry[o + 2 * WIDTH] = 0.5 * cutoff
                geometry[o + 4 * WIDTH] = 1.0
                atoms[end * WIDTH + w] = i
        o = end * GEOMETRY + inside
        geometry[o], geometry[o + WIDTH], geometry[o + 2 * WIDTH], geometry[o + 3 * WIDTH] = x, y, z, 1.0
        if x * x + y * y > 1e-200:
            geometry[o + 4 * WIDTH], geometry[o + 5 * WIDTH] = x, y
        else:  # on the polar axis any direction will do
            geometry[o + 4 * WIDTH], geometry[o + 5 * WIDTH] = 1e-100, 0.0
        atoms[end * WIDTH + inside] = j[p]
        inside += 1
    return end + 1 - block


@njit(forceinline=True, **OPTIONS)
def raw_radial(plan: RowPlan, geometry: Any, g: int, slope: float, offset: float, raw: Any) -> None:
    """Write the raw radial functions of a block and their derivatives, (n_raw, 2, lane)."""
    x, y, z, mask = (
        load(geometry, g),
        load(geometry, g + WIDTH),
        load(geometry, g + 2 * WIDTH),
        load(geometry, g + 3 * WIDTH),
    )
    one, zero = splat(1.0), splat(0.0)
    r = square_root(x * x + y * y + z * z)
    t = (1.0 / plan.cutoff) * r
    s, ds = splat(plan.distance_series[len(plan.distance_series) - 1]), zero
    for k in range(len(plan.distance_series) - 2, -1, -1):
        ds = ds * t + s
        s = s * t + plan.distance_series[k]
    t2 = t * t
    c, dc = splat(plan.envelope_series[len(plan.envelope_series) - 1]), zero
    for k in range(len(plan.envelope_series) - 2, -1, -1):
        dc = dc * t2 + c
        c = c * t2 + plan.envelope_series[k]
    q = minimum(maximum(slope * r + splat(offset), zero), one)
    switch = q * q * q * (10.0 + q * (6.0 * q - 15.0))
    d_switch = (30.0 * slope) * (q * q * (one - q) * (one - q))
    envelope = c * c
    d_envelope = (4.0 / plan.cutoff) * (c * dc * t)
    half = 0.5 * mask
    f = half * envelope * switch
    df = half * (d_envelope * switch + envelope * d_switch)
    slope_f = (-1.0 / plan.cutoff) * (ds * f)
    a, b = one, s  # T_k and its derivative with respect to x by recursion
    da, db = zero, one
    s2 = 2.0 * s
    for k in range(plan.n_raw):
        rest = one - b
        store(raw, 2 * WIDTH * k, rest * f)
        store(raw, 2 * WIDTH * k + WIDTH, rest * df + db * slope_f)
        c, dc = s2 * b - a, 2.0 * b + s2 * db - da
        a, b, da, db = b, c, db, dc


@njit(forceinline=True, **OPTIONS)
def map_radial(plan: RowPlan, center: int, neighbor: int, raw: Any, radial: Any, base: int) -> None:
    """Write the used radial functions of a block and their derivatives, (row, 2, lane), and a row of zeros."""
    n_rows = plan.n_radial + plan.n_pair
    first = (center * len(plan.channel_first) + neighbor) * n_rows * plan.n_raw
    for row in range(n_rows):
        a, b = splat(0.0), splat(0.0)
        for k in range(element(plan.map_end, row)):
            c = element(plan.radial_map, first + row * plan.n_raw + k)
            a = a + c * load(raw, 2 * WIDTH * k)
            b = b + c * load(raw, 2 * WIDTH * k + WIDTH)
        store(radial, base + 2 * WIDTH * row, a)
        store(radial, base + 2 * WIDTH * row + WIDTH, b)
    store(radial, base + 2 * WIDTH * n_rows, splat(0.0))
    store(radial, base + 2 * WIDTH * n_rows + WIDTH, splat(0.0))


@njit(forceinline=True, **OPTIONS)
def write_harmonics(plan: RowPlan, geometry: Any, g: int, legendre: Any, harmonics: Any, base: int) -> None:
    r"""Write Y and its gradients along theta and phi (1/Å) of a block, and the unit vectors into the geometry.

    With :math:`f_m = \sin^{m-1}\theta\, e^{im\varphi}` and :math:`Q_l^m = d^m P_l / dz^m`:
    :math:`Y = F Q_l^m \sin\theta f_m`, :math:`\partial_\theta Y = F (m z Q_l^m - \sin^2\theta Q_l^{m+1}) f_m`,
    :math:`\partial_\varphi Y / \sin\theta = i m F Q_l^m f_m`; nothing is divided by :math:`\sin\theta`.
    """
    x, y, z = load(geometry, g), load(geometry, g + WIDTH), load(geometry, g + 2 * WIDTH)
    px, py = load(geometry, g + 4 * WIDTH), load(geometry, g + 5 * WIDTH)
    one, zero = splat(1.0), splat(0.0)
    per_r = one / square_root(x * x + y * y + z * z)
    rho = square_root(px * px + py * py)
    per_rho = one / rho
    x, y, z = x * per_r, y * per_r, z * per_r
    sine, cp, sp = rho * per_r, px * per_rho, py * per_rho
    store(geometry, g + 6 * WIDTH, x)
    store(geometry, g + 7 * WIDTH, y)
    store(geometry, g + 8 * WIDTH, z)
    store(geometry, g + 9 * WIDTH, z * cp)
    store(geometry, g + 10 * WIDTH, z * sp)
    store(geometry, g + 11 * WIDTH, zero - sine)
    store(geometry, g + 12 * WIDTH, zero - sp)
    store(geometry, g + 13 * WIDTH, cp)
    diagonal = one
    for m in range(plan.max_l + 1):
        if m > 0:
            diagonal = float(2 * m - 1) * diagonal
        a, b = zero, diagonal
        store(legendre, (m * (m + 1) // 2 + m) * WIDTH, b)
        for l in range(m + 1, plan.max_l + 1):
            k = l * (l + 1) // 2 + m
            a, b = b, plan.legendre[k, 0] * (z * b) - plan.legendre[k, 1] * a
            store(legendre, k * WIDTH, b)
    for l in range(plan.max_l + 1):
        k = l * (l + 1) // 2
        o = base + 3 * WIDTH * l * l
        norm = plan.legendre[k, 2]
        d = zero
        if l > 0:
            d = (-norm) * (sine * load(legendre, WIDTH * k + WIDTH))
        store(harmonics, o, norm * load(legendre, WIDTH * k))
        store(harmonics, o + WIDTH, d * per_r)
        store(harmonics, o + 2 * WIDTH, zero)
    re, im = cp, sp
    for m in range(1, plan.max_l + 1):
        dr, di, sr, si = re * per_r, im * per_r, re * sine, im * sine
        for l in range(m, plan.max_l + 1):
            k = l * (l + 1) // 2 + m
            q = plan.legendre[k, 2] * load(legendre, WIDTH * k)
            mq = float(m) * q
            d = z * mq
            if l > m:
                d = d - plan.legendre[k, 2] * (sine * sine * load(legendre, WIDTH * k + WIDTH))
            o = base + 3 * WIDTH * (l * l + 2 * m - 1)
            store(harmonics, o, q * sr)
            store(harmonics, o + WIDTH, d * dr)
            store(harmonics, o + 2 * WIDTH, zero - mq * di)
            store(harmonics, o + 3 * WIDTH, q * si)
            store(harmonics, o + 4 * WIDTH, d * di)
            store(harmonics, o + 5 * WIDTH, mq * dr)
        re, im = re * (x) - im * (y), re * (y) + im * (x)


@njit(forceinline=True, **OPTIONS)
def add_densities(
    plan: RowPlan, neighbor: int, begin: int, end: int, radial: Any, harmonics: Any, densities: Any, w: int
) -> None:
    """Sum R_n Y_lm, and the pair term, over blocks of one element into lane w of the densities."""
    radial_step, harmonics_step = 2 * WIDTH * (plan.n_radial + plan.n_pair + 1), 3 * WIDTH * (plan.max_l + 1) ** 2
    for n in range(plan.n_pair):
        a = splat(0.0)
        for b in range(begin, end):
            a = a + load(radial, b * radial_step + 2 * WIDTH * (plan.n_radial + n))
        densities[plan.pair_density[neighbor, n] * 2 * WIDTH + w] += total(a)
    for l in range(plan.max_l + 1):
        for channel in range(plan.channel_first[neighbor, l], plan.channel_first[neighbor, l + 1]):
            r0 = 2 * WIDTH * element(plan.channel_row, channel)
            o = element(plan.channel_density, channel) * 2 * WIDTH + w
            for c in range(2 * l + 1):
                y0 = 3 * WIDTH * (l * l + c)
                a = splat(0.0)
                for b in range(begin, end):
                    a = a + load(radial, b * radial_step + r0) * load(harmonics, b * harmonics_step + y0)
                densities[o + WIDTH * (c + (1 if c > 0 else 0))] += total(a)


@njit(forceinline=True, **OPTIONS)
def couple(plan: RowPlan, components: Any, densities: Any, rests: Any) -> None:
    """Write components (q, M) of Q for four centers."""
    factors, places, slots = plan.term_factors, plan.term_densities, plan.component_slots
    for k in range(len(components)):
        component = element(components, k)
        re, im = splat(0.0), splat(0.0)
        for t in range(2 * element(plan.term_first, component), 2 * element(plan.term_first, component + 1), 2):
            a, b = 2 * WIDTH * element(places, t), 2 * WIDTH * element(places, t + 1)
            ar, ai = element(factors, t) * load(densities, a), element(factors, t + 1) * load(densities, a + WIDTH)
            br, bi = load(densities, b), load(densities, b + WIDTH)
            re = re + ar * br - ai * bi
            im = im + ar * bi + ai * br
        store(rests, WIDTH * element(slots, 2 * component), re)
        store(rests, WIDTH * element(slots, 2 * component + 1), im)


@njit(forceinline=True, **OPTIONS)
def write_features(plan: RowPlan, densities: Any, rests: Any, values: Any) -> None:
    """Write the functions around four centers, (function, lane)."""
    for v in range(plan.n_functions):
        a, q = 2 * WIDTH * element(plan.energy_density, v), WIDTH * element(plan.energy_slot, v)
        if q < 0:
            store(values, WIDTH * v, load(densities, a))
            continue
        s = load(rests, q) * load(densities, a)
        for m in range(1, element(plan.energy_l, v) + 1):
            s = s + load(rests, q + WIDTH * QUAD * (2 * m - 1)) * load(densities, a + 2 * WIDTH * m)
            s = s + load(rests, q + WIDTH * QUAD * 2 * m) * load(densities, a + 2 * WIDTH * m + WIDTH)
        store(values, WIDTH * v, element(plan.energy_factor, v) * s)


@njit(forceinline=True, **OPTIONS)
def find_blocks(
    plan: RowPlan, i: int, positions: Any, kinds: Any, first: Any, j: Any, shift: Any, work: RowWork, w: int,
) -> None:  # fmt: skip
    """Fill geometry, radial functions, harmonics and densities of center i as number w of four."""
    radial_step, harmonics_step = 2 * WIDTH * (plan.n_radial + plan.n_pair + 1), 3 * WIDTH * (plan.max_l + 1) ** 2
    begin, z = w * (len(work.elements) // WIDTH), kinds[i]
    work.n_blocks[w] = gather(
        plan.cutoff, i, positions, kinds, first, j, shift, work.geometry, work.atoms, work.elements, begin
    )
    end = begin + work.n_blocks[w]
    for b in range(begin, end):
        e, g = work.elements[b], b * GEOMETRY
        raw_radial(plan, work.geometry, g, plan.inner[z, e, 0], plan.inner[z, e, 1], work.raw)
        map_radial(plan, z, e, work.raw, work.radial, b * radial_step)
        write_harmonics(plan, work.geometry, g, work.legendre, work.harmonics, b * harmonics_step)
    while begin < end:
        stop = begin
        while stop < end and work.elements[stop] == work.elements[begin]:
            stop += 1
        add_densities(plan, work.elements[begin], begin, stop, work.radial, work.harmonics, work.densities, w)
        begin = stop


@njit(**OPTIONS)
def couple_centers(
    plan: RowPlan, start: int, stop: int, order: Any, positions: Any, kinds: Any, first: Any, j: Any, shift: Any,
    work: RowWork, all_rests: bool,
) -> None:  # fmt: skip
    """Compute the densities, rests and features of the centers order[start:stop], at most four."""
    work.densities[:] = 0.0
    store(work.densities, 2 * WIDTH * (plan.n_densities - 1), splat(1.0))
    for w in range(stop - start):
        find_blocks(plan, order[start + w], positions, kinds, first, j, shift, work, w)
    couple(plan, plan.all_components if all_rests else plan.energy_components, work.densities, work.rests)
    write_features(plan, work.densities, work.rests, work.values)


@njit(**OPTIONS)
def features_loop(
    plan: RowPlan, positions: FloatArray, kinds: IntArray, first: IntArray, j: IntArray, shift: FloatArray,
    order: IntArray, work: RowWork, features: FloatArray,
) -> None:  # fmt: skip
    """Write the features of every atom, (n_atoms, n_features), or of one row, their sum."""
    features[:] = 0.0
    for start in range(0, len(order), WIDTH):
        stop = min(start + WIDTH, len(order))
        couple_centers(plan, start, stop, order, positions, kinds, first, j, shift, work, False)
        for w in range(stop - start):
            i = order[start + w]
            row = i if len(features) == len(order) else 0
            for v in range(plan.n_functions):
                features[row, kinds[i] * plan.n_functions + v] += work.values[WIDTH * v + w]
