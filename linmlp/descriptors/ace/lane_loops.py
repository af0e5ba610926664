"""Compiled: gathers neighbors into lanes; radial functions and angular columns of every neighbor slot.

A *slot* holds one neighbor of each lane's atom. Slots of one neighbor element follow one another; lanes with fewer
neighbors are padded with a neighbor at the cutoff, where all radial functions and their derivatives are exactly 0.
Arrays are flat, with the lane innermost:

    geometry (slot, 5)      unit vector, distance, 1 / distance
    radial, slope (slot, k) g_k and its derivative, k < stride
    legendre (slot, lm)     Q_lm = d^m P_l / dz^m at l (l + 1) / 2 + m
    phase (slot, m, 2)      e_m = (u_x + i u_y)^m
    columns (l, slot, c)    Q_lm e_m: column 0 for m = 0, then real and imaginary parts; l starts at l² capacity
"""
# mypy: allow-untyped-defs, allow-untyped-calls

from typing import Any

from numba import njit

from linmlp.descriptors.simd import (
    ARITHMETIC,
    LANES,
    element,
    maximum,
    minimum,
    put,
    shifted,
    square_root,
    vector_operations,
)

load, store, splat, spread, constant = vector_operations(LANES)

# Only the function that Python calls is cached: it holds the code of all others.
OPTIONS: dict[str, Any] = {
    "fastmath": set(ARITHMETIC),
    "error_model": "numpy",
    "boundscheck": False,
    "nogil": True,
}

PAIR_FIELDS = 7
"""What there is of a pair of elements: slope and intercept in r of the inner switch (a smoothstep) and of the outer one
(a cosine), slope 0 for none; 1 / cutoff; power of the envelope; 1 where the envelope is a radial function itself."""


@njit(**OPTIONS)
def gather(n_parts, atoms, e, n_elements, start, listed, cutoff, geometry, neighbors, counts):
    """Write vectors from the atoms (n_parts, lanes) to neighbors of element e within the cutoff, from slot `start` on.

    Returns the slot after the last, an even number of slots from `start`; counts (n_parts, lanes) is scratch. Of a slot
    the parts stand one after the other: geometry (slot, n_parts, 5, lane), neighbors (slot, n_parts, lane).
    """
    limit = cutoff * cutoff
    n_slots = 0
    for k in range(n_parts * LANES):
        part, lane = k // LANES, k % LANES
        i = element(atoms, k)
        n = 0
        if i >= 0:
            x, y, z = _vector(listed.positions, i)
            first = element(listed.segments, i * n_elements + e)
            last = element(listed.segments, i * n_elements + e + 1)
            for p in range(first, last):
                q = element(listed.j, p)
                qx, qy, qz = _vector(listed.positions, q)
                sx, sy, sz = _vector(listed.shift, p)
                dx = qx - x + sx
                dy = qy - y + sy
                dz = qz - z + sz
                slot = (start + n) * n_parts + part
                o = slot * 5 * LANES + lane
                put(geometry, o, dx)
                put(geometry, o + LANES, dy)
                put(geometry, o + 2 * LANES, dz)
                put(neighbors, slot * LANES + lane, q)
                # A pair beyond the cutoff is overwritten by the next.
                n += dx * dx + dy * dy + dz * dz < limit
        put(counts, k, n)
        n_slots = max(n_slots, n + n % 2)
    for k in range(n_parts * LANES):
        part, lane = k // LANES, k % LANES
        for s in range(start + element(counts, k), start + n_slots):
            slot = s * n_parts + part
            o = slot * 5 * LANES + lane
            put(geometry, o, 0.0)
            put(geometry, o + LANES, 0.0)
            put(geometry, o + 2 * LANES, cutoff)
            put(neighbors, slot * LANES + lane, listed.n_atoms)
    return start + n_slots


@njit(**OPTIONS)
def _vector(vectors, i):
    """Return row i of vectors (n, 3)."""
    return element(vectors, 3 * i), element(vectors, 3 * i + 1), element(vectors, 3 * i + 2)


@njit(**OPTIONS)
def compute_envelope(ze, functions, geometry):
    """Turn the vector of a slot into unit vector and distance; return envelope, x and derivatives of pair ze."""
    one = splat(1.0)
    distance = shifted(functions.distance, ze * functions.n_distance)
    envelope = shifted(functions.envelope, ze * functions.n_envelope)
    pair = shifted(functions.pairs, PAIR_FIELDS * ze)
    switch_slope, switch_start = element(pair, 0), element(pair, 1)
    outer_slope, outer_start = element(pair, 2), element(pair, 3)
    scale, power = element(pair, 4), element(pair, 5)
    x = load(geometry, 0)
    y = load(geometry, LANES)
    z = load(geometry, 2 * LANES)
    r = square_root(x * x + y * y + z * z)
    inverse = one / r
    store(geometry, 0, x * inverse)
    store(geometry, LANES, y * inverse)
    store(geometry, 2 * LANES, z * inverse)
    store(geometry, 3 * LANES, r)
    store(geometry, 4 * LANES, inverse)
    t = minimum(r * scale, one)
    # x(t) and dx/dr by Horner's rule
    top = functions.n_distance - 1
    u = splat(element(distance, top))
    du = splat(0.0)
    for k in range(top - 1, -1, -1):
        du = du * t + u
        u = u * t + element(distance, k)
    du = scale * du
    # cos(pi t / 2) = (1 - t²) q(t²): exactly zero at the cutoff
    tt = t * t
    top = functions.n_envelope - 1
    q = splat(element(envelope, top))
    dq = splat(0.0)
    for k in range(top - 1, -1, -1):
        dq = dq * tt + q
        q = q * tt + element(envelope, k)
    cosine = (one - tt) * q
    f = cosine * cosine
    df = (4.0 * scale) * (cosine * t * ((one - tt) * dq - q))
    if power < 2.0:
        f = cosine
        df = (2.0 * scale) * (t * ((one - tt) * dq - q))
        if power < 1.0:
            # 1 below the cutoff, 0 from there on
            f = minimum((one - t) * 1e300, one)
            df = splat(0.0)
    if outer_slope > 0.0:
        v = minimum(maximum(r * outer_slope + outer_start, splat(0.0)), one)
        vv = v * v
        q = splat(element(envelope, top))
        dq = splat(0.0)
        for k in range(top - 1, -1, -1):
            dq = dq * vv + q
            q = q * vv + element(envelope, k)
        cosine = (one - vv) * q
        d_cosine = (2.0 * outer_slope) * (v * ((one - vv) * dq - q))
        df = cosine * (cosine * df + 2.0 * (f * d_cosine))
        f = f * (cosine * cosine)
    if switch_slope > 0.0:
        v = minimum(maximum(r * switch_slope + switch_start, splat(0.0)), one)
        switch = v * v * v * (v * (v * 6.0 - splat(15.0)) + splat(10.0))
        d_switch = (30.0 * switch_slope) * (v * v * ((one - v) * (one - v)))
        df = df * switch + f * d_switch
        f = f * switch
    return f, df, u, du


@njit(**OPTIONS)
def compute_radial(first, last, n, stride, ze, functions, geometry, radial, slope):
    """Turn vectors into unit vectors and distances; write n >= 3 radial functions of pair ze and their derivatives."""
    one = splat(1.0)
    has_envelope = element(functions.pairs, PAIR_FIELDS * ze + 6)
    if has_envelope > 0.0:
        n -= 1
    for s in range(first, last):
        f, df, u, du = compute_envelope(ze, functions, shifted(geometry, s * 5 * LANES))
        # h_k = f (1 - T_k(x)) / 2: h_{k+1} = 2 x h_k - h_{k-1} + f (1 - x)
        w = f * (one - u)
        dw = df * (one - u) - f * du
        u2 = u + u
        du2 = du + du
        h0 = 0.5 * w
        dh0 = 0.5 * dw
        h1 = u2 * h0 + w
        dh1 = u2 * dh0 + du2 * h0 + dw
        o = s * stride * LANES
        if has_envelope > 0.0:
            store(radial, o, f)
            store(slope, o, df)
            o += LANES
        store(radial, o, h0)
        store(slope, o, dh0)
        store(radial, o + LANES, h1)
        store(slope, o + LANES, dh1)
        for k in range(2, n):
            h2 = u2 * h1 - h0 + w
            dh2 = u2 * dh1 - dh0 + (du2 * h1 + dw)
            store(radial, o + k * LANES, h2)
            store(slope, o + k * LANES, dh2)
            h0 = h1
            h1 = h2
            dh0 = dh1
            dh1 = dh2


@njit(**OPTIONS)
def compute_angular(first, last, n_l, m_stride, capacity, recursion, geometry, legendre, phase, columns):
    """Write Q_lm, e_m and their products for l < n_l; recursion (n_lm, 2) flat."""
    one = constant(geometry, 1.0)
    zero = constant(geometry, 0.0)
    for s in range(first, last):
        o = s * 5 * LANES
        x = load(geometry, o)
        y = load(geometry, o + LANES)
        z = load(geometry, o + 2 * LANES)
        start = s * (m_stride * (m_stride + 1) // 2) * LANES
        re = one
        im = zero
        diagonal = one
        for m in range(n_l):
            o = (s * m_stride + m) * 2 * LANES
            store(phase, o, re)
            store(phase, o + LANES, im)
            if m > 0:
                diagonal = constant(geometry, float(2 * m - 1)) * diagonal
            q0 = zero
            q1 = diagonal
            for l in range(m, n_l):
                lm = l * (l + 1) // 2 + m
                if l > m:
                    q2 = spread(recursion, 2 * lm) * (z * q1) - spread(recursion, 2 * lm + 1) * q0
                    q0 = q1
                    q1 = q2
                store(legendre, start + lm * LANES, q1)
                o = (l * l * capacity + s * (2 * l + 1)) * LANES
                if m == 0:
                    store(columns, o, q1)
                else:
                    store(columns, o + (2 * m - 1) * LANES, q1 * re)
                    store(columns, o + 2 * m * LANES, q1 * im)
            new = re * x - im * y
            im = re * y + im * x
            re = new
