"""Compiled: writes the terms of one block of atoms, lane by lane; terms as in `linmlp.descriptors.ace.terms`."""
# mypy: allow-untyped-defs, allow-untyped-calls

from numba import njit

from linmlp.descriptors.ace.lane_loops import OPTIONS, load, splat, spread, store
from linmlp.descriptors.ace.product_loops import complex_product, real_part
from linmlp.descriptors.simd import LANES, element, shifted


@njit(**OPTIONS)
def write_terms(z, plan, terms, raw, A, values):
    """Write the terms of a central element into values (n_terms, lane)."""
    pair, start = plan.pair, terms.start
    for k in range(element(pair.first, z), element(pair.first, z + 1)):
        store(values, k * LANES, load(raw, element(pair.channel, k)))
    _write_squares(z, terms, A, shifted(values, element(start, 1) * LANES))
    _write_real(z, plan.real, A, shifted(values, element(start, 2) * LANES))
    _write_paired(z, plan.paired, A, shifted(values, element(start, 3) * LANES))
    _write_full(z, plan.full, A, shifted(values, element(start, 4) * LANES))


@njit(**OPTIONS)
def _write_squares(z, terms, A, values):
    """Order 2: columns with m > 0 stand for -m too."""
    for k in range(element(terms.first, z), element(terms.first, z + 1)):
        a, b = shifted(A, element(terms.a, k)), shifted(A, element(terms.b, k))
        others = splat(0.0)
        for m in range(element(terms.l, k)):
            o = (2 * m + 1) * LANES
            others = others + load(a, o) * load(b, o) + load(a, o + LANES) * load(b, o + LANES)
        store(values, k * LANES, load(a, 0) * load(b, 0) + 2.0 * others)


@njit(**OPTIONS)
def _write_four(first, last, c, A, values, p0, p1, p2, p3):
    """Four real products times their third factors."""
    for term in range(first, last):
        x = load(A, element(c, term))
        o = 4 * term * LANES
        store(values, o, p0 * x)
        store(values, o + LANES, p1 * x)
        store(values, o + 2 * LANES, p2 * x)
        store(values, o + 3 * LANES, p3 * x)


@njit(**OPTIONS)
def _write_real(z, products, A, values):
    a, b = products.a, products.b
    for group in range(element(products.first_group, z), element(products.first_group, z + 1)):
        k = 4 * group
        _write_four(
            element(products.first_term, group),
            element(products.first_term, group + 1),
            products.c,
            A,
            values,
            load(A, element(a, k)) * load(A, element(b, k)),
            load(A, element(a, k + 1)) * load(A, element(b, k + 1)),
            load(A, element(a, k + 2)) * load(A, element(b, k + 2)),
            load(A, element(a, k + 3)) * load(A, element(b, k + 3)),
        )


@njit(**OPTIONS)
def _write_paired(z, products, A, values):
    a, b = products.a, products.b
    for group in range(element(products.first_group, z), element(products.first_group, z + 1)):
        k = 4 * group
        _write_four(
            element(products.first_term, group),
            element(products.first_term, group + 1),
            products.c,
            A,
            values,
            real_part(A, element(a, k), element(b, k)),
            real_part(A, element(a, k + 1), element(b, k + 1)),
            real_part(A, element(a, k + 2), element(b, k + 2)),
            real_part(A, element(a, k + 3), element(b, k + 3)),
        )


@njit(**OPTIONS)
def _write_full(z, products, A, values):
    a, b, sign = products.a, products.b, products.sign
    for group in range(element(products.first_group, z), element(products.first_group, z + 1)):
        k = 2 * group
        pr0, pi0 = complex_product(A, element(a, k), element(b, k), spread(sign, k))
        pr1, pi1 = complex_product(A, element(a, k + 1), element(b, k + 1), spread(sign, k + 1))
        for term in range(element(products.first_term, group), element(products.first_term, group + 1)):
            c = element(products.c, term)
            xr, xi = load(A, c), load(A, c + LANES)
            o = 2 * term * LANES
            store(values, o, pr0 * xr + pi0 * xi)
            store(values, o + LANES, pr1 * xr + pi1 * xi)
