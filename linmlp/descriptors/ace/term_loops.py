"""Compiled: adds the terms of a block of atoms to sums, lane by lane; terms as in `linmlp.descriptors.ace.terms`."""
# mypy: allow-untyped-defs, allow-untyped-calls

from numba import njit

from linmlp.descriptors.ace.lane_loops import OPTIONS, load, splat, store
from linmlp.descriptors.ace.product_loops import complex_product, real_part
from linmlp.descriptors.ace.terms import Terms
from linmlp.descriptors.simd import LANES, element, pointer, shifted


@njit(**OPTIONS)
def point_to_terms(terms):
    """Return pointers."""
    r = Terms(*terms)
    return Terms(pointer(r.first), pointer(r.a), pointer(r.b), pointer(r.l), pointer(r.start))


@njit(**OPTIONS)
def add_terms(z, plan, terms, raw, A, sums):
    """Add all terms to sums (n_terms, lane)."""
    pair = plan.pair
    for k in range(element(pair.first, z), element(pair.first, z + 1)):
        _add(sums, k * LANES, load(raw, element(pair.channel, k)))
    _add_squares(z, terms, A, shifted(sums, element(terms.start, 1) * LANES))
    _add_real(z, plan.real, A, shifted(sums, element(terms.start, 2) * LANES))
    _add_paired(z, plan.paired, A, shifted(sums, element(terms.start, 3) * LANES))
    _add_full(z, plan.full, A, shifted(sums, element(terms.start, 4) * LANES))


@njit(**OPTIONS)
def _add(sums, o, x):
    store(sums, o, load(sums, o) + x)


@njit(**OPTIONS)
def _add_squares(z, terms, A, sums):
    """Order 2: columns with m > 0 stand for -m too."""
    for k in range(element(terms.first, z), element(terms.first, z + 1)):
        a, b = shifted(A, element(terms.a, k)), shifted(A, element(terms.b, k))
        others = splat(0.0)
        for m in range(element(terms.l, k)):
            o = (2 * m + 1) * LANES
            others = others + load(a, o) * load(b, o) + load(a, o + LANES) * load(b, o + LANES)
        _add(sums, k * LANES, load(a, 0) * load(b, 0) + 2.0 * others)


@njit(**OPTIONS)
def _add_four(first, last, c, A, sums, p0, p1, p2, p3):
    """Four real products times their third factors."""
    for term in range(first, last):
        x = load(A, element(c, term))
        o = 4 * term * LANES
        _add(sums, o, p0 * x)
        _add(sums, o + LANES, p1 * x)
        _add(sums, o + 2 * LANES, p2 * x)
        _add(sums, o + 3 * LANES, p3 * x)


@njit(**OPTIONS)
def _add_real(z, products, A, sums):
    a, b = products.a, products.b
    for group in range(element(products.first_group, z), element(products.first_group, z + 1)):
        k = 4 * group
        _add_four(
            element(products.first_term, group),
            element(products.first_term, group + 1),
            products.c,
            A,
            sums,
            load(A, element(a, k)) * load(A, element(b, k)),
            load(A, element(a, k + 1)) * load(A, element(b, k + 1)),
            load(A, element(a, k + 2)) * load(A, element(b, k + 2)),
            load(A, element(a, k + 3)) * load(A, element(b, k + 3)),
        )


@njit(**OPTIONS)
def _add_paired(z, products, A, sums):
    a, b = products.a, products.b
    for group in range(element(products.first_group, z), element(products.first_group, z + 1)):
        k = 4 * group
        _add_four(
            element(products.first_term, group),
            element(products.first_term, group + 1),
            products.c,
            A,
            sums,
            real_part(A, element(a, k), element(b, k)),
            real_part(A, element(a, k + 1), element(b, k + 1)),
            real_part(A, element(a, k + 2), element(b, k + 2)),
            real_part(A, element(a, k + 3), element(b, k + 3)),
        )


@njit(**OPTIONS)
def _add_full(z, products, A, sums):
    a, b, sign = products.a, products.b, products.sign
    for group in range(element(products.first_group, z), element(products.first_group, z + 1)):
        k = 2 * group
        pr0, pi0 = complex_product(A, element(a, k), element(b, k), element(sign, k))
        pr1, pi1 = complex_product(A, element(a, k + 1), element(b, k + 1), element(sign, k + 1))
        for term in range(element(products.first_term, group), element(products.first_term, group + 1)):
            c = element(products.c, term)
            xr, xi = load(A, c), load(A, c + LANES)
            o = 2 * term * LANES
            _add(sums, o, pr0 * xr + pi0 * xi)
            _add(sums, o + LANES, pr1 * xr + pi1 * xi)
