"""Compiled: orders 3 and 4. Groups of products P of two factors times the sum D of their third factors.

E = Re(P conj(D)) is trilinear; every loop adds its derivatives to G and leaves the energy to Euler's theorem. The
third factors of a group are the same for all its products, so each is loaded once. Offsets as in
`linmlp.descriptors.ace.products`. For order 4, products of real columns make coupled pairs, which stand behind A, and
their derivatives in the place of third factors go back to A.
"""
# mypy: allow-untyped-defs, allow-untyped-calls

from numba import njit

from linmlp.descriptors.ace.lane_loops import OPTIONS, constant, load, spread, store
from linmlp.descriptors.simd import LANES, element


@njit(**OPTIONS)
def _couple_four(first, last, c, coefficient, A, G, p0, p1, p2, p3):
    """Return D of four real products, and add their share to G of the third factors."""
    zero = constant(A, 0.0)
    d0, d1, d2, d3 = zero, zero, zero, zero
    for term in range(first, last):
        o = element(c, term)
        x = load(A, o)
        w0 = spread(coefficient, 4 * term)
        w1 = spread(coefficient, 4 * term + 1)
        w2 = spread(coefficient, 4 * term + 2)
        w3 = spread(coefficient, 4 * term + 3)
        d0 = d0 + w0 * x
        d1 = d1 + w1 * x
        d2 = d2 + w2 * x
        d3 = d3 + w3 * x
        store(G, o, load(G, o) + w0 * p0 + w1 * p1 + w2 * p2 + w3 * p3)
    return d0, d1, d2, d3


@njit(**OPTIONS)
def _spread_real(A, G, a, b, d):
    """Add d times the derivatives of A_a A_b."""
    store(G, a, load(G, a) + d * load(A, b))
    store(G, b, load(G, b) + d * load(A, a))


@njit(**OPTIONS)
def add_real(z, products, A, G):
    """All factors real."""
    a, b = products.a, products.b
    for group in range(element(products.first_group, z), element(products.first_group, z + 1)):
        k = 4 * group
        d0, d1, d2, d3 = _couple_four(
            element(products.first_term, group),
            element(products.first_term, group + 1),
            products.c,
            products.coefficient,
            A,
            G,
            load(A, element(a, k)) * load(A, element(b, k)),
            load(A, element(a, k + 1)) * load(A, element(b, k + 1)),
            load(A, element(a, k + 2)) * load(A, element(b, k + 2)),
            load(A, element(a, k + 3)) * load(A, element(b, k + 3)),
        )
        _spread_real(A, G, element(a, k), element(b, k), d0)
        _spread_real(A, G, element(a, k + 1), element(b, k + 1), d1)
        _spread_real(A, G, element(a, k + 2), element(b, k + 2), d2)
        _spread_real(A, G, element(a, k + 3), element(b, k + 3), d3)


@njit(**OPTIONS)
def real_part(A, a, b):
    """Return Re(conj(A_a) A_b)."""
    return load(A, a) * load(A, b) + load(A, a + LANES) * load(A, b + LANES)


@njit(**OPTIONS)
def add_paired(z, products, A, G):
    """Real parts of products, third factors real."""
    a, b = products.a, products.b
    for group in range(element(products.first_group, z), element(products.first_group, z + 1)):
        k = 4 * group
        d0, d1, d2, d3 = _couple_four(
            element(products.first_term, group),
            element(products.first_term, group + 1),
            products.c,
            products.coefficient,
            A,
            G,
            real_part(A, element(a, k), element(b, k)),
            real_part(A, element(a, k + 1), element(b, k + 1)),
            real_part(A, element(a, k + 2), element(b, k + 2)),
            real_part(A, element(a, k + 3), element(b, k + 3)),
        )
        _spread_real(A, G, element(a, k), element(b, k), d0)
        _spread_real(A, G, element(a, k) + LANES, element(b, k) + LANES, d0)
        _spread_real(A, G, element(a, k + 1), element(b, k + 1), d1)
        _spread_real(A, G, element(a, k + 1) + LANES, element(b, k + 1) + LANES, d1)
        _spread_real(A, G, element(a, k + 2), element(b, k + 2), d2)
        _spread_real(A, G, element(a, k + 2) + LANES, element(b, k + 2) + LANES, d2)
        _spread_real(A, G, element(a, k + 3), element(b, k + 3), d3)
        _spread_real(A, G, element(a, k + 3) + LANES, element(b, k + 3) + LANES, d3)


@njit(**OPTIONS)
def complex_product(A, a, b, sign):
    """Return A_a A_b, or conj(A_a) A_b where the sign is -1."""
    ar, ai = load(A, a), sign * load(A, a + LANES)
    br, bi = load(A, b), load(A, b + LANES)
    return ar * br - ai * bi, ar * bi + ai * br


@njit(**OPTIONS)
def _spread_complex(A, G, a, b, sign, dr, di):
    """Add the derivatives of Re(P conj(d)) for P = A_a A_b, or conj(A_a) A_b where the sign is -1."""
    ar, ai = load(A, a), sign * load(A, a + LANES)
    br, bi = load(A, b), load(A, b + LANES)
    store(G, a, load(G, a) + dr * br + di * bi)
    store(G, a + LANES, load(G, a + LANES) + sign * (di * br - dr * bi))
    store(G, b, load(G, b) + dr * ar + di * ai)
    store(G, b + LANES, load(G, b + LANES) + di * ar - dr * ai)


@njit(**OPTIONS)
def add_full(z, products, A, G):
    """All factors complex."""
    a, b, sign = products.a, products.b, products.sign
    zero = constant(A, 0.0)
    for group in range(element(products.first_group, z), element(products.first_group, z + 1)):
        k = 2 * group
        pr0, pi0 = complex_product(A, element(a, k), element(b, k), spread(sign, k))
        pr1, pi1 = complex_product(A, element(a, k + 1), element(b, k + 1), spread(sign, k + 1))
        dr0, di0, dr1, di1 = zero, zero, zero, zero
        for term in range(element(products.first_term, group), element(products.first_term, group + 1)):
            c = element(products.c, term)
            w0 = spread(products.coefficient, 2 * term)
            w1 = spread(products.coefficient, 2 * term + 1)
            x = load(A, c)
            dr0 = dr0 + w0 * x
            dr1 = dr1 + w1 * x
            x = load(A, c + LANES)
            di0 = di0 + w0 * x
            di1 = di1 + w1 * x
            store(G, c, load(G, c) + w0 * pr0 + w1 * pr1)
            store(G, c + LANES, load(G, c + LANES) + w0 * pi0 + w1 * pi1)
        _spread_complex(A, G, element(a, k), element(b, k), spread(sign, k), dr0, di0)
        _spread_complex(A, G, element(a, k + 1), element(b, k + 1), spread(sign, k + 1), dr1, di1)


@njit(**OPTIONS)
def add_couples(z, products, A):
    """Add to the columns of coupled pairs, which stand behind those of channels."""
    a, b, c, coefficient = products.a, products.b, products.c, products.coefficient
    for group in range(element(products.first_group, z), element(products.first_group, z + 1)):
        k = 4 * group
        p0 = load(A, element(a, k)) * load(A, element(b, k))
        p1 = load(A, element(a, k + 1)) * load(A, element(b, k + 1))
        p2 = load(A, element(a, k + 2)) * load(A, element(b, k + 2))
        p3 = load(A, element(a, k + 3)) * load(A, element(b, k + 3))
        for term in range(element(products.first_term, group), element(products.first_term, group + 1)):
            o = element(c, term)
            new = spread(coefficient, 4 * term) * p0 + spread(coefficient, 4 * term + 1) * p1
            new = new + spread(coefficient, 4 * term + 2) * p2 + spread(coefficient, 4 * term + 3) * p3
            store(A, o, load(A, o) + new)


@njit(**OPTIONS)
def spread_couples(z, products, A, G):
    """Add the derivatives with respect to coupled pairs, times those of the pairs, to the derivatives of channels."""
    a, b, coefficient = products.a, products.b, products.coefficient
    zero = constant(A, 0.0)
    for group in range(element(products.first_group, z), element(products.first_group, z + 1)):
        k = 4 * group
        d0, d1, d2, d3 = zero, zero, zero, zero
        for term in range(element(products.first_term, group), element(products.first_term, group + 1)):
            x = load(G, element(products.c, term))
            d0 = d0 + spread(coefficient, 4 * term) * x
            d1 = d1 + spread(coefficient, 4 * term + 1) * x
            d2 = d2 + spread(coefficient, 4 * term + 2) * x
            d3 = d3 + spread(coefficient, 4 * term + 3) * x
        _spread_real(A, G, element(a, k), element(b, k), d0)
        _spread_real(A, G, element(a, k + 1), element(b, k + 1), d1)
        _spread_real(A, G, element(a, k + 2), element(b, k + 2), d2)
        _spread_real(A, G, element(a, k + 3), element(b, k + 3), d3)
