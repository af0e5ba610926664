"""What order 4 costs: an MD step and design rows with the pool for selection, against the same pool without order 4.

Silicon with 0.1 Å noise and 32 neighbors within 5.5 Å. "Step" is energies, forces and stress of 1000 atoms per atom,
"rows" are features with derivatives by positions and strain of 64 atoms, "energy rows" features alone. Processor times
of one thread, the best of many calls, interleaved in one run; compilation is not timed. The competitor is the naive
twin of the tests, which gives features only.

    python -m benchmarks.speed.order_four [--tiny] [--seconds S]
"""

import argparse
import time

import numpy as np

from benchmarks.speed.md_step import CUTOFF, best_times, make_evaluator, make_silicon
from benchmarks.speed.rows import make_parameters
from linmlp.descriptors.ace.rows import AceRows
from linmlp.neighbors import find_pairs
from tests.naive import ace as naive

POOL = (18, 15, 13, 8)


def measure(parameters, repeat, seconds):
    """Return the times of a step, of rows and of energy rows for each set of parameters, s per atom, (3, n_sets)."""
    numbers = parameters[0].numbers
    large, small = make_silicon(repeat, numbers), make_silicon(2, numbers)
    all_pairs, pairs = find_pairs(large, CUTOFF), find_pairs(small, CUTOFF)
    steps, rows, energies = [], [], []
    for p in parameters:
        evaluator, writer = make_evaluator(p), AceRows(p)
        out = writer.allocate(len(small))
        steps.append(lambda e=evaluator: e.compute(all_pairs))
        rows.append(lambda w=writer, o=out: w.write(pairs, *o))
        energies.append(lambda w=writer, o=out: w.write(pairs, o[0], None, None))
    return np.array(
        [
            best_times(calls, seconds, time.thread_time) / len(atoms)
            for calls, atoms in ((steps, large), (rows, small), (energies, small))
        ]
    )


def measure_naive(parameters, n_atoms):
    """Return the time of the naive twin, s per atom."""
    p = parameters
    atoms = make_silicon(1, p.numbers)[:n_atoms]
    pairs = find_pairs(atoms, CUTOFF)
    arguments = (pairs.numbers, p.numbers, pairs, CUTOFF, p.radial_map, p.pair_map, p.inner, p.inner_width)
    start = time.thread_time()
    naive.features(p.functions, len(p.numbers), *arguments)
    return (time.thread_time() - start) / n_atoms


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="small sets, to see that it runs")
    parser.add_argument("--seconds", type=float, default=5.0, help="time for each line")
    options = parser.parse_args(arguments)
    degrees, max_l = ((4, 4, 3, 2), 2) if options.tiny else (POOL, 6)
    sets = [make_parameters(1, degrees[:order], max_l) for order in (3, 4)]
    times = measure(sets, 2 if options.tiny else 5, 0.0 if options.tiny else options.seconds)
    print(f"{'us/atom':12s} " + " ".join(f"{degrees[:order]!s:>16s}" for order in (3, 4)) + f" {'ratio':>7s}")
    counts = [len(p.functions) for p in sets]
    print(f"{'functions':12s} {counts[0]:16d} {counts[1]:16d} {counts[1] / counts[0]:7.2f}")
    for name, (without, with_four) in zip(("step", "rows", "energy rows"), times, strict=True):
        print(f"{name:12s} {1e6 * without:16.2f} {1e6 * with_four:16.2f} {with_four / without:7.2f}")
    slow = measure_naive(sets[1], 1)
    print(
        f"features of one atom by the naive twin: {slow:.2g} s, {slow / times[2, 1]:.0f} times as long as energy rows"
    )


if __name__ == "__main__":
    main()
