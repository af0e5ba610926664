"""Compiled loops from neighbors to features: densities, couplings, functions; lane = one of several centers."""

from typing import Any

from numba import njit

from linmlp.descriptors.ace.row_layout import QUAD, WIDTH, RowPlan
from linmlp.descriptors.ace.row_neighbor_loops import (
    OPTIONS,
    gather,
    load,
    map_radial,
    raw_radial,
    splat,
    spline_radial,
    store,
    write_harmonics,
)
from linmlp.descriptors.ace.row_work import GEOMETRY, RowWork
from linmlp.descriptors.simd import element, total
from linmlp.units import FloatArray, IntArray


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
    """Write components (q, M) of Q for WIDTH centers, or those of coupled pairs into the densities."""
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
    """Write the functions around WIDTH centers, (function, lane)."""
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
    """Fill geometry, radial functions, harmonics and densities of center i as number w of those in work."""
    radial_step, harmonics_step = 2 * WIDTH * (plan.n_radial + plan.n_pair + 1), 3 * WIDTH * (plan.max_l + 1) ** 2
    begin, z = w * (len(work.elements) // WIDTH), kinds[i]
    work.n_blocks[w] = gather(
        plan.cutoff, i, positions, kinds, first, j, shift, work.geometry, work.atoms, work.elements, begin
    )
    for k in range(plan.own_first[z], plan.own_first[z + 1]):
        work.densities[plan.own_density[k] * 2 * WIDTH + w] += plan.own_value[k]
    end = begin + work.n_blocks[w]
    for b in range(begin, end):
        e, g = work.elements[b], b * GEOMETRY
        if plan.n_pieces > 0:
            spline_radial(plan, work.geometry, g, plan.element_weight[e], work.raw, work.radial, b * radial_step)
        else:
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
    """Compute the densities, rests and features of the centers order[start:stop], at most WIDTH."""
    work.densities[:] = 0.0
    store(work.densities, 2 * WIDTH * (plan.n_densities - 1), splat(1.0))
    for w in range(stop - start):
        find_blocks(plan, order[start + w], positions, kinds, first, j, shift, work, w)
    couple(plan, plan.coupled_components, work.densities, work.densities)
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
