"""Compiled: order 3. Products of two factors A_a A_b times what they are multiplied with, D = sum over c of w A_c.

E = Re(A_a A_b conj(D)) is trilinear; every loop adds its derivatives to G and leaves the energy to Euler's theorem. The
kinds of products differ in which factors have an imaginary part (see `linmlp.descriptors.ace.products`).
"""
# mypy: allow-untyped-defs, allow-untyped-calls

from numba import njit

from linmlp.descriptors.ace.lane_loops import OPTIONS, load, splat, store
from linmlp.descriptors.simd import LANES


@njit(**OPTIONS)
def add_real(z, products, A, G):
    """Everything real."""
    zero = splat(0.0)
    for run in range(products.first_run[z], products.first_run[z + 1]):
        a = products.a[run]
        ar = load(A, a)
        ga = zero
        for t in range(products.first_product[run], products.first_product[run + 1]):
            b = products.b[t]
            br = load(A, b)
            p = ar * br
            d = zero
            for term in range(products.first_term[t], products.first_term[t + 1]):
                c = products.c[term]
                w = products.coefficient[term]
                d = d + w * load(A, c)
                store(G, c, load(G, c) + w * p)
            ga = ga + br * d
            store(G, b, load(G, b) + ar * d)
        store(G, a, load(G, a) + ga)


@njit(**OPTIONS)
def add_paired(z, products, A, G):
    """Real part of conj(A_a) A_b, third factors real."""
    zero = splat(0.0)
    for run in range(products.first_run[z], products.first_run[z + 1]):
        a = products.a[run]
        ar = load(A, a)
        ai = load(A, a + LANES)
        gr, gi = zero, zero
        for t in range(products.first_product[run], products.first_product[run + 1]):
            b = products.b[t]
            br = load(A, b)
            bi = load(A, b + LANES)
            p = ar * br + ai * bi
            d = zero
            for term in range(products.first_term[t], products.first_term[t + 1]):
                c = products.c[term]
                w = products.coefficient[term]
                d = d + w * load(A, c)
                store(G, c, load(G, c) + w * p)
            gr = gr + br * d
            gi = gi + bi * d
            store(G, b, load(G, b) + ar * d)
            store(G, b + LANES, load(G, b + LANES) + ai * d)
        store(G, a, load(G, a) + gr)
        store(G, a + LANES, load(G, a + LANES) + gi)


@njit(**OPTIONS)
def add_half(z, products, A, G):
    """First factor real, the others complex."""
    zero = splat(0.0)
    for run in range(products.first_run[z], products.first_run[z + 1]):
        a = products.a[run]
        ar = load(A, a)
        ga = zero
        for t in range(products.first_product[run], products.first_product[run + 1]):
            b = products.b[t]
            br = load(A, b)
            bi = load(A, b + LANES)
            pr = ar * br
            pi = ar * bi
            dr, di = zero, zero
            for term in range(products.first_term[t], products.first_term[t + 1]):
                c = products.c[term]
                w = products.coefficient[term]
                dr = dr + w * load(A, c)
                di = di + w * load(A, c + LANES)
                store(G, c, load(G, c) + w * pr)
                store(G, c + LANES, load(G, c + LANES) + w * pi)
            ga = ga + br * dr + bi * di
            store(G, b, load(G, b) + ar * dr)
            store(G, b + LANES, load(G, b + LANES) + ar * di)
        store(G, a, load(G, a) + ga)


@njit(**OPTIONS)
def add_full(z, products, A, G):
    """All factors complex; the first conjugated where sign is -1."""
    zero = splat(0.0)
    for run in range(products.first_run[z], products.first_run[z + 1]):
        a = products.a[run]
        sign = products.sign[run]
        ar = load(A, a)
        ai = sign * load(A, a + LANES)
        gr, gi = zero, zero
        for t in range(products.first_product[run], products.first_product[run + 1]):
            b = products.b[t]
            br = load(A, b)
            bi = load(A, b + LANES)
            pr = ar * br - ai * bi
            pi = ar * bi + ai * br
            dr, di = zero, zero
            for term in range(products.first_term[t], products.first_term[t + 1]):
                c = products.c[term]
                w = products.coefficient[term]
                dr = dr + w * load(A, c)
                di = di + w * load(A, c + LANES)
                store(G, c, load(G, c) + w * pr)
                store(G, c + LANES, load(G, c + LANES) + w * pi)
            gr = gr + br * dr + bi * di
            gi = gi + br * di - bi * dr
            store(G, b, load(G, b) + ar * dr + ai * di)
            store(G, b + LANES, load(G, b + LANES) + ar * di - ai * dr)
        store(G, a, load(G, a) + gr)
        store(G, a + LANES, load(G, a + LANES) + sign * gi)
