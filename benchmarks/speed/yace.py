"""Time of our evaluator against ML-PACE, the evaluator that LAMMPS runs, on the same potential: energies and forces.

Potentials with the default functions and coefficients that shrink with the degree are exported to `.yace` files, in
which each product stands once, without terms that have the same real part. Python-ace's build of ML-PACE (that of
PyPI is for any x86-64) evaluates them in both ways of `pair_style pace` ("recursive", its default, and "product"),
and we do, on the same atoms, one thread, calls in turns. Searching for neighbors is left out on both sides. Energies
and forces are compared first. Ratios are of medians of the times of one run.

    python -m benchmarks.speed.yace [--tiny] [--seconds S]      (needs python-ace)
"""

import argparse
import platform
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.speed.md_step import make_silicon
from linmlp import ACE
from linmlp.export.yace_export import SPLINE_BIN
from linmlp.export.yace_writer import yace_text
from linmlp.neighbors import find_pairs

CUTOFF = 5.5
NUMBERS = {1: (14,), 2: (6, 14)}


def make_potential(numbers, max_degree):
    """Return a fitted descriptor and random coefficients."""
    descriptor = ACE(cutoff=CUTOFF, max_degree=max_degree).fit([make_silicon(2, numbers)])
    rng = np.random.default_rng(0)
    return descriptor, rng.normal(size=descriptor.n_features_out_) / (1 + descriptor.feature_degrees()[:, 1])


def median_times(calls, seconds):
    """Return the median time of each call, in turns; at least three of each after one that is not counted."""
    times = [[] for _ in calls]
    for call in calls:
        call()
    end = time.perf_counter() + seconds
    while len(times[0]) < 3 or time.perf_counter() < end:
        for of_call, call in zip(times, calls, strict=True):
            start = time.perf_counter()
            call()
            of_call.append(time.perf_counter() - start)
    return np.median(times, axis=1)


def ml_pace_calls(path, atoms):
    """Return functions that evaluate the neighbors of a structure, and what reads the forces."""
    import pyace

    calls = {}
    for name, options in {"recursive": {"recursive_evaluator": True, "recursive": True}, "product": {}}.items():
        calculator = pyace.PyACECalculator(str(path), **options)
        environment = calculator.get_atomic_env(atoms)
        calls[name] = lambda c=calculator, e=environment: (c.ace.compute(e), c.ace)[1]
    return calls


def measure(numbers, max_degree, repeat, seconds, folder):
    """Print the line of one potential."""
    descriptor, coefficients = make_potential(numbers, max_degree)
    path = folder / "potential.yace"
    path.write_text(yace_text(descriptor.parameters_, coefficients, [0.0] * len(numbers), SPLINE_BIN))
    atoms = make_silicon(repeat, numbers)
    pairs, evaluator = find_pairs(atoms, CUTOFF), descriptor.evaluator(coefficients)
    theirs = ml_pace_calls(path, atoms)
    energies, forces, _ = evaluator.compute(pairs)
    for call in theirs.values():
        result = call()
        deviation = np.abs(np.array(result.forces) - forces).max() / np.abs(forces).max()
        deviation = max(deviation, abs(result.energy - energies.sum()) / np.abs(energies).sum())
        if not deviation < 1e-6:
            raise AssertionError(f"the evaluators deviate by {deviation:.1e}: this is no comparison")
    own, *others = median_times([lambda: evaluator.compute(pairs), *theirs.values()], seconds) / len(atoms)
    name = f"{len(numbers)} element{'s' if len(numbers) > 1 else ''}"
    parts = "".join(f" {1e6 * other:9.1f} {other / own:6.1f}" for other in others)
    print(f"{name:12s} {len(descriptor.parameters_.functions):5d} {len(atoms):5d} {1e6 * own:9.2f}{parts}")
    return [other / own for other in others]


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="small potentials, to see that it runs")
    parser.add_argument("--seconds", type=float, default=20.0, help="time for each line")
    options = parser.parse_args(arguments)
    seconds, repeat = (0.0, 1) if options.tiny else (options.seconds, 3)
    degrees = {1: (4, 4, 3), 2: (3, 3, 2)} if options.tiny else {1: "auto", 2: "auto"}
    print(f"{platform.processor() or platform.machine()}, one thread; us per atom, and times as long as ours")
    columns = f"{'recursive':>9s} {'ratio':>6s} {'product':>9s} {'ratio':>6s}"
    print(f"{'':12s} {'func.':>5s} {'atoms':>5s} {'ours':>9s} {columns}")
    with tempfile.TemporaryDirectory() as folder:
        for n, numbers in NUMBERS.items():
            measure(numbers, degrees[n], repeat, seconds, Path(folder))


if __name__ == "__main__":
    main()
