"""Compiled: from derivatives with respect to A to forces on the neighbors.

With G = dE/dA by raw channel, h = sum over k of g_k G_k and h' = sum over k of g_k' G_k for every angular column Y,

    dE/dr_j = u sum h' Y + (g - u (u . g)) / r,      g = sum h dY/du,

where Y = Q_lm(u_z) (u_x + i u_y)^m is differentiated as a polynomial of u: dQ_lm/dz = Q_l(m+1). No gradient is stored.
"""
# mypy: allow-untyped-defs, allow-untyped-calls

from numba import njit

from linmlp.descriptors.ace.lane_loops import OPTIONS, load, splat, store
from linmlp.descriptors.simd import LANES


@njit(**OPTIONS)
def contract_radial(s, n_l, n_raw, raw_start, stride, capacity, radial, slope, columns, G, h, radial_part):
    """Write h (2, n_l²) and the sum of h' Y (2,) of slots s and s + 1, up to 3 columns at a time."""
    zero = splat(0.0)
    store(radial_part, 0, zero)
    store(radial_part, LANES, zero)
    r = s * stride * LANES
    for l in range(n_l):
        n_columns = 2 * l + 1
        n = n_raw[l]
        c = 0
        while c < n_columns:
            left = n_columns - c
            y = (l * l * capacity + s * n_columns + c) * LANES
            g = raw_start[l] + c * LANES
            o = (l * l + c) * LANES
            if left == 1:
                _contract_one(n, l, r, stride, radial, slope, G, g, columns, y, n_l, h, o, radial_part)
                c += 1
            elif left == 2 or left == 4:
                _contract_two(n, l, r, stride, radial, slope, G, g, columns, y, n_l, h, o, radial_part)
                c += 2
            else:
                _contract_three(n, l, r, stride, radial, slope, G, g, columns, y, n_l, h, o, radial_part)
                c += 3


@njit(**OPTIONS)
def _contract_one(n, l, r, stride, radial, slope, G, g, columns, y, n_l, h, o, radial_part):
    """Two slots, one column."""
    zero = splat(0.0)
    a0, da0 = zero, zero
    b0, db0 = zero, zero
    t = r + stride * LANES
    step = (2 * l + 1) * LANES
    for _ in range(n):
        g0 = load(G, g)
        g += step
        f = load(radial, r)
        a0 = a0 + f * g0
        f = load(slope, r)
        da0 = da0 + f * g0
        f = load(radial, t)
        b0 = b0 + f * g0
        f = load(slope, t)
        db0 = db0 + f * g0
        r += LANES
        t += LANES
    store(h, o, a0)
    part = load(radial_part, 0)
    part = part + da0 * load(columns, y)
    store(radial_part, 0, part)
    o += n_l * n_l * LANES
    y += step
    store(h, o, b0)
    part = load(radial_part, LANES)
    part = part + db0 * load(columns, y)
    store(radial_part, LANES, part)


@njit(**OPTIONS)
def _contract_two(n, l, r, stride, radial, slope, G, g, columns, y, n_l, h, o, radial_part):
    """Two slots, two columns."""
    zero = splat(0.0)
    a0, da0, a1, da1 = zero, zero, zero, zero
    b0, db0, b1, db1 = zero, zero, zero, zero
    t = r + stride * LANES
    step = (2 * l + 1) * LANES
    for _ in range(n):
        g0 = load(G, g)
        g1 = load(G, g + LANES)
        g += step
        f = load(radial, r)
        a0 = a0 + f * g0
        a1 = a1 + f * g1
        f = load(slope, r)
        da0 = da0 + f * g0
        da1 = da1 + f * g1
        f = load(radial, t)
        b0 = b0 + f * g0
        b1 = b1 + f * g1
        f = load(slope, t)
        db0 = db0 + f * g0
        db1 = db1 + f * g1
        r += LANES
        t += LANES
    store(h, o, a0)
    store(h, o + LANES, a1)
    part = load(radial_part, 0)
    part = part + da0 * load(columns, y)
    part = part + da1 * load(columns, y + LANES)
    store(radial_part, 0, part)
    o += n_l * n_l * LANES
    y += step
    store(h, o, b0)
    store(h, o + LANES, b1)
    part = load(radial_part, LANES)
    part = part + db0 * load(columns, y)
    part = part + db1 * load(columns, y + LANES)
    store(radial_part, LANES, part)


@njit(**OPTIONS)
def _contract_three(n, l, r, stride, radial, slope, G, g, columns, y, n_l, h, o, radial_part):
    """Two slots, three columns: 12 accumulators."""
    zero = splat(0.0)
    a0, da0, a1, da1, a2, da2 = zero, zero, zero, zero, zero, zero
    b0, db0, b1, db1, b2, db2 = zero, zero, zero, zero, zero, zero
    t = r + stride * LANES
    step = (2 * l + 1) * LANES
    for _ in range(n):
        g0 = load(G, g)
        g1 = load(G, g + LANES)
        g2 = load(G, g + 2 * LANES)
        g += step
        f = load(radial, r)
        a0 = a0 + f * g0
        a1 = a1 + f * g1
        a2 = a2 + f * g2
        f = load(slope, r)
        da0 = da0 + f * g0
        da1 = da1 + f * g1
        da2 = da2 + f * g2
        f = load(radial, t)
        b0 = b0 + f * g0
        b1 = b1 + f * g1
        b2 = b2 + f * g2
        f = load(slope, t)
        db0 = db0 + f * g0
        db1 = db1 + f * g1
        db2 = db2 + f * g2
        r += LANES
        t += LANES
    store(h, o, a0)
    store(h, o + LANES, a1)
    store(h, o + 2 * LANES, a2)
    part = load(radial_part, 0)
    part = part + da0 * load(columns, y)
    part = part + da1 * load(columns, y + LANES)
    part = part + da2 * load(columns, y + 2 * LANES)
    store(radial_part, 0, part)
    o += n_l * n_l * LANES
    y += step
    store(h, o, b0)
    store(h, o + LANES, b1)
    store(h, o + 2 * LANES, b2)
    part = load(radial_part, LANES)
    part = part + db0 * load(columns, y)
    part = part + db1 * load(columns, y + LANES)
    part = part + db2 * load(columns, y + 2 * LANES)
    store(radial_part, LANES, part)


@njit(**OPTIONS)
def differentiate(s, n_l, lm_stride, m_stride, legendre, phase, h, o, radial_part, part, geometry, force, sums):
    """Write dE/dr (3,) of one slot and add to sums (9,): of dE/dr and of r (x) dE/dr, xx yy zz yz xz xy."""
    zero = splat(0.0)
    q = s * lm_stride * LANES
    gx, gy, gz = zero, zero, zero
    for l in range(1, n_l):
        gz = gz + load(legendre, q + (l * (l + 1) // 2 + 1) * LANES) * load(h, o + l * l * LANES)
    e = s * m_stride * 2 * LANES
    for m in range(1, n_l):
        # l = m: Q_l(m+1) = 0
        p = o + (m * m + 2 * m - 1) * LANES
        k = q + (m * (m + 1) // 2 + m) * LANES
        f = load(legendre, k)
        ur = f * load(h, p)
        ui = f * load(h, p + LANES)
        tr, ti = zero, zero
        for l in range(m + 1, n_l):
            p = o + (l * l + 2 * m - 1) * LANES
            k = q + (l * (l + 1) // 2 + m) * LANES
            hr = load(h, p)
            hi = load(h, p + LANES)
            f = load(legendre, k)
            ur = ur + f * hr
            ui = ui + f * hi
            f = load(legendre, k + LANES)
            tr = tr + f * hr
            ti = ti + f * hi
        c = float(m) * load(phase, e)
        d = float(m) * load(phase, e + LANES)
        gx = gx + ur * c + ui * d
        gy = gy + ui * c - ur * d
        e += 2 * LANES
        gz = gz + tr * load(phase, e) + ti * load(phase, e + LANES)
    p = s * 5 * LANES
    x = load(geometry, p)
    y = load(geometry, p + LANES)
    z = load(geometry, p + 2 * LANES)
    r = load(geometry, p + 3 * LANES)
    inverse = load(geometry, p + 4 * LANES)
    along = load(radial_part, part) - inverse * (gx * x + gy * y + gz * z)
    fx = along * x + inverse * gx
    fy = along * y + inverse * gy
    fz = along * z + inverse * gz
    p = s * 3 * LANES
    store(force, p, fx)
    store(force, p + LANES, fy)
    store(force, p + 2 * LANES, fz)
    store(sums, 0, load(sums, 0) + fx)
    store(sums, LANES, load(sums, LANES) + fy)
    store(sums, 2 * LANES, load(sums, 2 * LANES) + fz)
    x = r * x
    y = r * y
    z = r * z
    store(sums, 3 * LANES, load(sums, 3 * LANES) + x * fx)
    store(sums, 4 * LANES, load(sums, 4 * LANES) + y * fy)
    store(sums, 5 * LANES, load(sums, 5 * LANES) + z * fz)
    store(sums, 6 * LANES, load(sums, 6 * LANES) + y * fz)
    store(sums, 7 * LANES, load(sums, 7 * LANES) + x * fz)
    store(sums, 8 * LANES, load(sums, 8 * LANES) + x * fy)


@njit(**OPTIONS)
def scatter(first, last, neighbors, force, forces):
    """Subtract dE/dr of slots from the forces (n_atoms + 1, 3) of neighbors; what padding adds goes to the last row."""
    for s in range(first, last):
        for lane in range(LANES):
            q = neighbors[s * LANES + lane]
            o = s * 3 * LANES + lane
            forces[q, 0] -= force[o]
            forces[q, 1] -= force[o + LANES]
            forces[q, 2] -= force[o + 2 * LANES]
