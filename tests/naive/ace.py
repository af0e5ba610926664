"""ACE from its formulas, with full sums over m from -l to l: the specification of the compiled loops."""

from itertools import product

import numpy as np
from scipy.special import sph_harm_y

from linmlp.descriptors.ace.basis import MIXED, Function, channel_key, factors, intermediate
from linmlp.descriptors.ace.coupling import clebsch_gordan
from linmlp.descriptors.ace.radial import inner_switch, raw_functions


def spherical_harmonic(l, m, vectors):
    """Complex Y_lm with Condon-Shortley phase, normalized so that Y_00 = 1."""
    x, y, z = vectors.T
    return np.sqrt(4 * np.pi) * sph_harm_y(l, m, np.arccos(z / np.linalg.norm(vectors, axis=1)), np.arctan2(y, x))


def center_features(
    functions: list[Function], vectors, elements, cutoff, radial_map, pair_map, inner, width, mixing=None
):
    """Invariants of one center.

    vectors (n, 3), elements (n,): its neighbors; radial_map (n_elements, max_l + 1, n_max, k_max) and
    pair_map (n_elements, n_pair, n_pair): raw to used radial functions of this center's element;
    inner, width (n_elements,): inner switch, width 0 for none; mixing (n_channels, n_elements): W.
    """
    distances = np.linalg.norm(vectors, axis=1)
    k_max = max(radial_map.shape[-1], pair_map.shape[-1])
    raw = raw_functions(distances, k_max, cutoff)[0]
    raw = raw * inner_switch(distances, inner[elements], width[elements])[0][:, None]

    def density(channel, m):
        e, n, l = channel
        if e >= MIXED:
            return sum(w * density((k, n, l), m) for k, w in enumerate(mixing[e - MIXED]))
        of = elements == e
        radial = raw[of, : radial_map.shape[-1]] @ radial_map[e, l, n]
        return np.sum(radial * spherical_harmonic(l, m, vectors[of]))

    def pair_term(channel):
        e, n, _ = channel
        return np.sum(raw[elements == e, : pair_map.shape[-1]] @ pair_map[e, n])

    return np.array([pair_term(f[0]) if len(f) == 1 else invariant(f, density) for f in functions])


def invariant(function, density):
    """Function of order 2 or higher; density(channel, m) is A."""
    if len(factors(function)) == 4:
        return _of_coupled_pairs(factors(function), intermediate(function), density)
    a, b, *rest = sorted(function, key=channel_key)
    if not rest:
        return sum((density(a, m) * np.conj(density(b, m))).real for m in range(-a[2], a[2] + 1))
    (c,) = rest
    total = 0.0
    for m1 in range(-a[2], a[2] + 1):
        for m2 in range(-b[2], b[2] + 1):
            if abs(m1 + m2) <= c[2]:
                coupling = clebsch_gordan(a[2], m1, b[2], m2, c[2], m1 + m2)
                total += coupling * (density(a, m1) * density(b, m2) * np.conj(density(c, m1 + m2))).real
    return total


def random_densities(ls, rng):
    """A_lm, m from -l to l, of real densities."""
    densities = []
    for l in ls:
        a = rng.normal(size=2 * l + 1) + 1j * rng.normal(size=2 * l + 1)
        m = np.arange(-l, l + 1)
        densities.append(a + np.where(m % 2 == 0, 1, -1) * np.conj(a[::-1]))
    return densities


def _of_coupled_pairs(channels, momentum, density):
    def pair(a, b, m):
        return sum(
            clebsch_gordan(a[2], m1, b[2], m - m1, momentum, m) * density(a, m1) * density(b, m - m1)
            for m1 in range(-a[2], a[2] + 1)
            if abs(m - m1) <= b[2]
        )

    a, b, c, d = channels
    return sum((pair(a, b, m) * np.conj(pair(c, d, m))).real for m in range(-momentum, momentum + 1))


def sum_over_tuples(function, vectors, elements, parameters, center=0):
    """A function of order 4 around a center as a sum over all tuples of four neighbors, one coupling for each."""
    p, channels, momentum = parameters, factors(function), intermediate(function)
    distances = np.linalg.norm(vectors, axis=1)
    raw = raw_functions(distances, p.radial_map.shape[-1], p.cutoff)[0]
    raw = raw * inner_switch(distances, p.inner[center, elements], p.inner_width[center, elements])[0][:, None]
    radial = [raw @ p.radial_map[center, e, l, n] * (elements == e) for e, n, l in channels]
    total = 0.0
    for tuple_ in product(range(len(vectors)), repeat=4):
        factor = np.prod([radial[k][j] for k, j in enumerate(tuple_)])
        if factor != 0.0:
            of = {k: vectors[[j]] for k, j in enumerate(tuple_)}
            numbered = [(k, n, l) for k, (_, n, l) in enumerate(channels)]
            total += factor * _of_coupled_pairs(
                numbered,
                momentum,
                lambda c, m, of=of: spherical_harmonic(c[2], m, of[c[0]])[0],
            )
    return total


def features(
    functions,
    n_center_elements,
    numbers,
    numbers_of_elements,
    pairs,
    cutoff,
    radial_map,
    pair_map,
    inner,
    width,
    mixing=None,
):
    """Features per atom (n_atoms, n_center_elements * n_functions): the block of the center's element is filled."""
    index = {z: k for k, z in enumerate(numbers_of_elements)}
    kinds = np.array([index[z] for z in numbers])
    out = np.zeros((len(numbers), n_center_elements * len(functions)))
    for i, kind in enumerate(kinds):
        mine = slice(pairs.first[i], pairs.first[i + 1])
        vectors = pairs.positions[pairs.j[mine]] - pairs.positions[i] + pairs.shift[mine]
        near = np.linalg.norm(vectors, axis=1) < cutoff
        block = slice(kind * len(functions), (kind + 1) * len(functions))
        out[i, block] = center_features(
            functions,
            vectors[near],
            kinds[pairs.j[mine]][near],
            cutoff,
            radial_map[kind],
            pair_map[kind],
            inner[kind],
            width[kind],
            None if mixing is None else mixing[kind],
        )
    return out
