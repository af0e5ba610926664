"""Time to write the design rows of ACE, per atom, and the part of the peak of one core that it reaches.

The work is counted as in the formulas of `linmlp.descriptors.ace.row_plan` with Cartesian gradients: per neighbor
8 (L + 1) multiply-adds for every rest q, 6 for every entry, 3 for every function (the loops get by with less);
radial functions, harmonics, densities, couplings, strain and padding are not counted. Times are processor times of one
thread, the best of many calls; compilation is not timed. The competitor is the naive twin of the tests, features only.

    python -m benchmarks.speed.rows [--tiny] [--seconds S]
"""

import argparse
import platform
import time

import numpy as np
from ase.build import bulk

from benchmarks.speed.peak import WIDTH, measure_fma_peak
from linmlp.descriptors.ace.basis import enumerate_functions
from linmlp.descriptors.ace.parameters import AceParameters
from linmlp.descriptors.ace.presets import default_degrees
from linmlp.descriptors.ace.radial import SCALING
from linmlp.descriptors.ace.rows import AceRows
from linmlp.neighbors import find_pairs
from tests.naive import ace as naive

CUTOFF = 5.5
NUMBERS = (14, 22, 40, 72)


def make_parameters(n_elements, degrees, max_l, max_n=None):
    """Return random lower-triangular maps, equal for all l, and functions with n < max_n."""
    rng = np.random.default_rng(0)
    functions = enumerate_functions(n_elements, degrees, max_l)
    if max_n is not None:
        functions = [f for f in functions if all(n < max_n for _, n, _ in f)]
    n_pair = max(n for f in functions if len(f) == 1 for _, n, _ in f) + 1
    n_radial = max((n for f in functions if len(f) > 1 for _, n, _ in f), default=0) + 1
    pairs = (n_elements, n_elements)
    radial_map = np.tril(rng.normal(size=(*pairs, 1, n_radial, n_radial)))
    return AceParameters(
        numbers=NUMBERS[:n_elements],
        cutoff=CUTOFF,
        scaling=SCALING,
        functions=tuple(functions),
        radial_map=np.repeat(radial_map, max_l + 1, axis=2),
        pair_map=np.tril(rng.normal(size=(*pairs, n_pair, n_pair))),
        inner=np.full(pairs, 2.0),
        inner_width=np.full(pairs, 0.5),
    )


def make_sets():
    """Return name: parameters."""
    sets = {
        "1 element, (14, 14, 10), n<8, l<=5": make_parameters(1, (14, 14, 10), 5, max_n=8),
        "1 element, default": make_parameters(1, default_degrees(1, 3, 6), 6),
    }
    for n_elements in (2, 3, 4):
        sets[f"{n_elements} elements, default"] = make_parameters(n_elements, default_degrees(n_elements, 3, 6), 6)
    return sets


def make_silicon(repeat, numbers):
    """Return a cubic supercell with 0.1 Å noise and elements at random."""
    rng = np.random.default_rng(0)
    atoms = bulk("Si", cubic=True, a=5.431).repeat(repeat)
    atoms.positions += rng.normal(0, 0.1, atoms.positions.shape)
    atoms.numbers = rng.permutation(np.resize(numbers, len(atoms)))
    return atoms


def best_time(call, seconds):
    """Return the smallest processor time of a call in this thread."""
    call()
    best, end = np.inf, time.perf_counter() + seconds
    while not np.isfinite(best) or time.perf_counter() < end:
        start = time.thread_time()
        call()
        best = min(best, time.thread_time() - start)
    return best


def count_multiply_adds(rows, pairs):
    """Return the multiply-adds of a structure; see the top."""
    kinds = rows.parameters.element_indices(pairs.numbers)
    neighbors = np.bincount(kinds[pairs.j], minlength=len(rows.parameters.numbers))
    contraction = sum(8 * (l + 1) for l in rows.counts.rest_l)
    per_neighbor = contraction + 6 * np.array(rows.counts.n_entries) + 3 * np.array(rows.counts.n_functions)
    return neighbors @ per_neighbor


def measure_set(name, parameters, repeat, seconds, peak):
    """Print the line of one set and size."""
    rows, atoms = AceRows(parameters), make_silicon(repeat, parameters.numbers)
    pairs, n = find_pairs(atoms, CUTOFF), len(atoms)
    energy, d_positions, d_strain = rows.allocate(n)
    full = best_time(lambda: rows.write(pairs, energy, d_positions, d_strain), seconds)
    no_strain = best_time(lambda: rows.write(pairs, energy, d_positions, None), seconds)
    only_energy = best_time(lambda: rows.write(pairs, energy, None, None), seconds)
    flops = 2 * count_multiply_adds(rows, pairs)
    print(
        f"{name:38s} {parameters.n_features:5d} {n:5d} {full / n * 1e6:9.1f} {no_strain / n * 1e6:10.1f} "
        f"{only_energy / n * 1e6:7.2f} {flops / full / 1e9:9.1f} "
        f"{100 * flops / full / peak:7.1f} {100 * flops / no_strain / peak:7.1f}"
    )


def measure_naive(parameters, seconds):
    """Print the ratio to the naive twin for the features of a few atoms."""
    rows, atoms = AceRows(parameters), make_silicon((1, 1, 1), parameters.numbers)
    pairs, p = find_pairs(atoms, CUTOFF), parameters
    arguments = (pairs.numbers, p.numbers, pairs, CUTOFF, p.radial_map, p.pair_map, p.inner, p.inner_width)
    slow = best_time(lambda: naive.features(p.functions, len(p.numbers), *arguments), 0.0)
    fast = best_time(lambda: rows.compute_features(pairs), seconds)
    print(
        f"features of {len(atoms)} atoms, {len(p.functions)} functions: {fast / len(atoms) * 1e6:.1f} us/atom, "
        f"naive twin in numpy {slow / len(atoms) * 1e6:.0f} us/atom, {slow / fast:.0f} times as long"
    )


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="a small set, to see that it runs")
    parser.add_argument("--seconds", type=float, default=2.0, help="time for each figure")
    options = parser.parse_args(arguments)
    seconds = 0.0 if options.tiny else options.seconds
    peak = measure_fma_peak(0.01 if options.tiny else 0.5)
    sets = {"tiny": make_parameters(2, (3, 3, 2), 2)} if options.tiny else make_sets()
    print(f"{platform.processor() or platform.machine()}: {peak / 1e9:.1f} GFLOP/s peak of one core, {WIDTH} lanes")
    print(f"{'set':38s} {'feat.':>5s} {'atoms':>5s} {'us/atom':>9s} {'no strain':>10s} {'energy':>7s}", end=" ")
    print(f"{'GFLOP/s':>9s} {'% peak':>7s} {'no str.':>7s}")
    for name, parameters in sets.items():
        for repeat in ((1, 1, 1),) if options.tiny else ((2, 2, 2), (3, 3, 3)):
            measure_set(name, parameters, repeat, seconds, peak)
    measure_naive(next(iter(sets.values())), seconds)


if __name__ == "__main__":
    main()
