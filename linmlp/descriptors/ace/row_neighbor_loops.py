"""Compiled loops over the neighbors of a center: blocks, radial functions and harmonics; lane = neighbor."""

from typing import Any

import numpy as np
from numba import njit

from linmlp.descriptors.ace.row_layout import WIDTH, RowPlan
from linmlp.descriptors.ace.row_work import GEOMETRY
from linmlp.descriptors.simd import element, maximum, minimum, square_root, vector_operations
from linmlp.units import IntArray

load, store, splat = vector_operations(WIDTH)[:3]

OPTIONS = {"nogil": True, "cache": True, "error_model": "numpy", "fastmath": {"contract", "nsz", "reassoc", "arcp"}}


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


@njit(**OPTIONS)
def spline_radial(plan: RowPlan, geometry: Any, g: int, weight: float, buffer: Any, radial: Any, base: int) -> None:
    """Write radial functions that are splines and their derivatives, (row, 2, lane), and a row of zeros.

    buffer (2 * n_radial,); the splines of a piece lie side by side, so that the loops over them are vectors.
    """
    n, splines = plan.n_radial, plan.splines
    for w in range(WIDTH):
        x, y, z, mask = (
            geometry[g + w],
            geometry[g + WIDTH + w],
            geometry[g + 2 * WIDTH + w],
            geometry[g + 3 * WIDTH + w],
        )
        t = plan.pieces_per_length * np.sqrt(x * x + y * y + z * z)
        piece = min(int(t), plan.n_pieces - 1)
        t -= piece
        o, factor, slope = 6 * n * piece, mask * weight, mask * weight * plan.pieces_per_length
        for row in range(n):
            c1, c2, c3 = splines[o + n + row], splines[o + 2 * n + row], splines[o + 3 * n + row]
            c4, c5 = splines[o + 4 * n + row], splines[o + 5 * n + row]
            buffer[row] = factor * (splines[o + row] + t * (c1 + t * (c2 + t * (c3 + t * (c4 + t * c5)))))
            buffer[n + row] = slope * (c1 + t * (2.0 * c2 + t * (3.0 * c3 + t * (4.0 * c4 + t * (5.0 * c5)))))
        for row in range(n):
            radial[base + 2 * WIDTH * row + w] = buffer[row]
            radial[base + 2 * WIDTH * row + WIDTH + w] = buffer[n + row]
    store(radial, base + 2 * WIDTH * n, splat(0.0))
    store(radial, base + 2 * WIDTH * n + WIDTH, splat(0.0))


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
