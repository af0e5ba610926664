"""Compiled: from derivatives with respect to A to forces on the neighbors.

With G = dE/dA by raw channel, h = sum over k of g_k G_k and h' = sum over k of g_k' G_k for every angular column Y,

    dE/dr_j = u sum h' Y + (g - u (u . g)) / r,      g = sum h dY/du,

where Y = Q_lm(u_z) (u_x + i u_y)^m is differentiated as a polynomial of u: dQ_lm/dz = Q_l(m+1). No gradient is stored.
"""
# mypy: allow-untyped-defs, allow-untyped-calls

from numba import njit

from linmlp.descriptors.ace.lane_loops import OPTIONS, constant, load, store
from linmlp.descriptors.simd import LANES, element, put, shifted


@njit(**OPTIONS)
def _contract(s, n_l, n_raw, raw_start, stride, capacity, scratch, derivatives):
    """Write h (2, n_l²) and the sum of h' Y (2,) of slots s and s + 1, up to 3 columns at a time."""
    zero = constant(derivatives, 0.0)
    store(scratch.radial_part, 0, zero)
    store(scratch.radial_part, LANES, zero)
    radial = shifted(scratch.radial, s * stride * LANES)
    slope = shifted(scratch.slope, s * stride * LANES)
    for l in range(n_l):
        n_columns = 2 * l + 1
        n = element(n_raw, l)
        c = 0
        while c < n_columns:
            left = n_columns - c
            G = shifted(derivatives, element(raw_start, l) + c * LANES)
            y = shifted(scratch.columns, (l * l * capacity + s * n_columns + c) * LANES)
            h = shifted(scratch.h, (l * l + c) * LANES)
            if left == 1:
                _contract_one(n, l, stride, radial, slope, G, y, n_l, h, scratch.radial_part)
                c += 1
            elif left == 2 or left == 4:
                _contract_two(n, l, stride, radial, slope, G, y, n_l, h, scratch.radial_part)
                c += 2
            else:
                _contract_three(n, l, stride, radial, slope, G, y, n_l, h, scratch.radial_part)
                c += 3


@njit(**OPTIONS)
def _contract_one(n, l, stride, radial, slope, G, y, n_l, h, radial_part):
    """Two slots, one column."""
    zero = constant(G, 0.0)
    step = (2 * l + 1) * LANES
    other = stride * LANES
    a0, da0 = zero, zero
    b0, db0 = zero, zero
    for k in range(n):
        g0 = load(G, k * step)
        f = load(radial, k * LANES)
        a0 = a0 + f * g0
        f = load(slope, k * LANES)
        da0 = da0 + f * g0
        f = load(radial, other + k * LANES)
        b0 = b0 + f * g0
        f = load(slope, other + k * LANES)
        db0 = db0 + f * g0
    store(h, 0, a0)
    part = load(radial_part, 0)
    part = part + da0 * load(y, 0)
    store(radial_part, 0, part)
    h = shifted(h, n_l * n_l * LANES)
    y = shifted(y, step)
    store(h, 0, b0)
    part = load(radial_part, LANES)
    part = part + db0 * load(y, 0)
    store(radial_part, LANES, part)


@njit(**OPTIONS)
def _contract_two(n, l, stride, radial, slope, G, y, n_l, h, radial_part):
    """Two slots, two columns."""
    zero = constant(G, 0.0)
    step = (2 * l + 1) * LANES
    other = stride * LANES
    a0, da0, a1, da1 = zero, zero, zero, zero
    b0, db0, b1, db1 = zero, zero, zero, zero
    for k in range(n):
        g0 = load(G, k * step)
        g1 = load(G, k * step + LANES)
        f = load(radial, k * LANES)
        a0 = a0 + f * g0
        a1 = a1 + f * g1
        f = load(slope, k * LANES)
        da0 = da0 + f * g0
        da1 = da1 + f * g1
        f = load(radial, other + k * LANES)
        b0 = b0 + f * g0
        b1 = b1 + f * g1
        f = load(slope, other + k * LANES)
        db0 = db0 + f * g0
        db1 = db1 + f * g1
    store(h, 0, a0)
    store(h, LANES, a1)
    part = load(radial_part, 0)
    part = part + da0 * load(y, 0)
    part = part + da1 * load(y, LANES)
    store(radial_part, 0, part)
    h = shifted(h, n_l * n_l * LANES)
    y = shifted(y, step)
    store(h, 0, b0)
    store(h, LANES, b1)
    part = load(radial_part, LANES)
    part = part + db0 * load(y, 0)
    part = part + db1 * load(y, LANES)
    store(radial_part, LANES, part)


@njit(**OPTIONS)
def _contract_three(n, l, stride, radial, slope, G, y, n_l, h, radial_part):
    """Two slots, three columns: 12 accumulators."""
    zero = constant(G, 0.0)
    step = (2 * l + 1) * LANES
    other = stride * LANES
    a0, da0, a1, da1, a2, da2 = zero, zero, zero, zero, zero, zero
    b0, db0, b1, db1, b2, db2 = zero, zero, zero, zero, zero, zero
    for k in range(n):
        g0 = load(G, k * step)
        g1 = load(G, k * step + LANES)
        g2 = load(G, k * step + 2 * LANES)
        f = load(radial, k * LANES)
        a0 = a0 + f * g0
        a1 = a1 + f * g1
        a2 = a2 + f * g2
        f = load(slope, k * LANES)
        da0 = da0 + f * g0
        da1 = da1 + f * g1
        da2 = da2 + f * g2
        f = load(radial, other + k * LANES)
        b0 = b0 + f * g0
        b1 = b1 + f * g1
        b2 = b2 + f * g2
        f = load(slope, other + k * LANES)
        db0 = db0 + f * g0
        db1 = db1 + f * g1
        db2 = db2 + f * g2
    store(h, 0, a0)
    store(h, LANES, a1)
    store(h, 2 * LANES, a2)
    part = load(radial_part, 0)
    part = part + da0 * load(y, 0)
    part = part + da1 * load(y, LANES)
    part = part + da2 * load(y, 2 * LANES)
    store(radial_part, 0, part)
    h = shifted(h, n_l * n_l * LANES)
    y = shifted(y, step)
    store(h, 0, b0)
    store(h, LANES, b1)
    store(h, 2 * LANES, b2)
    part = load(radial_part, LANES)
    part = part + db0 * load(y, 0)
    part = part + db1 * load(y, LANES)
    part = part + db2 * load(y, 2 * LANES)
    store(radial_part, LANES, part)


@njit(**OPTIONS)
def _differentiate(s, part, n_l, m_stride, scratch):
    """Write dE/dr (3,) of one slot and add to sums (9,): of dE/dr and of r (x) dE/dr, xx yy zz yz xz xy."""
    zero = constant(scratch.h, 0.0)
    legendre = shifted(scratch.legendre, s * (m_stride * (m_stride + 1) // 2) * LANES)
    phase = shifted(scratch.phase, s * m_stride * 2 * LANES)
    h = shifted(scratch.h, part * n_l * n_l * LANES)
    gx, gy, gz = zero, zero, zero
    for l in range(1, n_l):
        gz = gz + load(legendre, (l * (l + 1) // 2 + 1) * LANES) * load(h, l * l * LANES)
    for m in range(1, n_l):
        # l = m: Q_l(m+1) = 0
        o = (m * m + 2 * m - 1) * LANES
        f = load(legendre, (m * (m + 1) // 2 + m) * LANES)
        ur = f * load(h, o)
        ui = f * load(h, o + LANES)
        tr, ti = zero, zero
        for l in range(m + 1, n_l):
            o = (l * l + 2 * m - 1) * LANES
            hr = load(h, o)
            hi = load(h, o + LANES)
            o = (l * (l + 1) // 2 + m) * LANES
            f = load(legendre, o)
            ur = ur + f * hr
            ui = ui + f * hi
            f = load(legendre, o + LANES)
            tr = tr + f * hr
            ti = ti + f * hi
        o = (m - 1) * 2 * LANES
        c = constant(phase, float(m)) * load(phase, o)
        d = constant(phase, float(m)) * load(phase, o + LANES)
        gx = gx + ur * c + ui * d
        gy = gy + ui * c - ur * d
        gz = gz + tr * load(phase, o + 2 * LANES) + ti * load(phase, o + 3 * LANES)
    geometry = shifted(scratch.geometry, s * 5 * LANES)
    x = load(geometry, 0)
    y = load(geometry, LANES)
    z = load(geometry, 2 * LANES)
    r = load(geometry, 3 * LANES)
    inverse = load(geometry, 4 * LANES)
    along = load(scratch.radial_part, part * LANES) - inverse * (gx * x + gy * y + gz * z)
    fx = along * x + inverse * gx
    fy = along * y + inverse * gy
    fz = along * z + inverse * gz
    force = shifted(scratch.force, s * 3 * LANES)
    store(force, 0, fx)
    store(force, LANES, fy)
    store(force, 2 * LANES, fz)
    x = r * x
    y = r * y
    z = r * z
    sums = scratch.sums
    store(sums, 0, load(sums, 0) + fx)
    store(sums, LANES, load(sums, LANES) + fy)
    store(sums, 2 * LANES, load(sums, 2 * LANES) + fz)
    store(sums, 3 * LANES, load(sums, 3 * LANES) + x * fx)
    store(sums, 4 * LANES, load(sums, 4 * LANES) + y * fy)
    store(sums, 5 * LANES, load(sums, 5 * LANES) + z * fz)
    store(sums, 6 * LANES, load(sums, 6 * LANES) + y * fz)
    store(sums, 7 * LANES, load(sums, 7 * LANES) + x * fz)
    store(sums, 8 * LANES, load(sums, 8 * LANES) + x * fy)


@njit(**OPTIONS)
def add_forces(first, last, n_l, n_raw, raw_start, sizes, scratch, derivatives):
    """Write dE/dr of slots first to last, and add up what belongs to the central atoms."""
    for s in range(first, last, 2):
        _contract(s, n_l, n_raw, raw_start, sizes.stride, sizes.capacity, scratch, derivatives)
        for part in range(2):
            _differentiate(s + part, part, n_l, sizes.n_l, scratch)


@njit(**OPTIONS)
def scatter(first, last, neighbors, force, forces):
    """Subtract dE/dr of slots from the forces (n_atoms + 1, 3) of neighbors; what padding adds goes to the last row."""
    for s in range(first, last):
        for lane in range(LANES):
            q = 3 * element(neighbors, s * LANES + lane)
            o = s * 3 * LANES + lane
            put(forces, q, element(forces, q) - element(force, o))
            put(forces, q + 1, element(forces, q + 1) - element(force, o + LANES))
            put(forces, q + 2, element(forces, q + 2) - element(force, o + 2 * LANES))
