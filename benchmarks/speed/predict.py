"""Time of predicting many structures: one thread against all cores, and small batches against single calls.

Silicon structures of the bundled set and supercells of them, default ACE with a fixed cutoff. `predict`,
`predict_forces` and `evaluate` evaluate structures in batches of about 512 atoms, in threads where that takes longer
than 20 ms; numbers do not depend on the threads, which is checked. "alone" calls the predictor for each structure in
turn, without the checks of structures. Wall time, best of several runs in turns; "CPU" is the processor time of one
thread. The ratio cannot exceed the number of cores that other programs leave free, which is measured with compiled
loops that need nothing else, one per core.

    python -m benchmarks.speed.predict [--tiny] [--repeats N]
"""

import argparse
import os
import time
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np

from linmlp import ACE, LinearPotential
from linmlp.datasets import load_silicon
from linmlp.neighbors import find_pairs

WEIGHTS = {"energy_weight": 100.0, "force_weight": 1.0, "stress_weight": 100.0}


def best_times(calls, repeats):
    """Return the smallest wall and CPU time of each call, in turns."""
    best = np.full((len(calls), 2), np.inf)
    for _ in range(repeats):
        for k, call in enumerate(calls):
            wall, cpu = time.perf_counter(), time.process_time()
            call()
            best[k] = np.minimum(best[k], (time.perf_counter() - wall, time.process_time() - cpu))
    return best


def free_cores(model, atoms, repeats):
    """Return how many cores compiled loops get that share nothing."""
    evaluators = [model.descriptor_.evaluator(model.coef_) for _ in range(joblib.cpu_count())]
    pairs = find_pairs(atoms, model.descriptor_.cutoff_)
    with ThreadPoolExecutor(len(evaluators)) as pool:
        calls = [
            lambda: [evaluator.compute(pairs) for evaluator in evaluators],
            lambda: list(pool.map(lambda evaluator: evaluator.compute(pairs), evaluators)),
        ]
        (in_turn, _), (together, _) = best_times(calls, repeats)
    return in_turn / together


def measure(name, model, structures, repeats):
    """Print the line of a set."""
    predictor = model.predictor()

    def predict(n_jobs):
        model.set_params(n_jobs=n_jobs)
        return model.predict_forces(structures)

    calls = [lambda: [predictor(atoms) for atoms in structures], lambda: predict(1), lambda: predict(None)]
    assert all((a == b).all() for a, b in zip(predict(1), predict(None), strict=True))
    (alone, alone_cpu), (one, one_cpu), (all_cores, _) = best_times(calls, repeats)
    per = 1e6 / len(structures)
    print(
        f"{name:22s} {len(structures):10d} {sum(map(len, structures)):7d} {alone * per:9.0f} {one * per:9.0f}"
        f" {all_cores * per:9.0f} {one / all_cores:7.2f} {alone_cpu * per:10.0f} {one_cpu * per:10.0f}"
    )


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="few structures, to see that it runs")
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args(arguments)
    train, test = load_silicon()
    descriptor = ACE(cutoff=4.0, order=2, max_degree=(6, 4)) if options.tiny else ACE(cutoff=5.0)
    model = LinearPotential(descriptor, alpha=1e-7, fill_holes=False, **WEIGHTS).fit(train[:40])
    n = 1 if options.tiny else 8
    sets = {
        "single structure": test[:1],
        "test set": test,
        "up to 8 atoms": [atoms for atoms in train if len(atoms) <= 8] * n,
        "64 atoms": [atoms.repeat(2) for atoms in train if len(atoms) == 8][: 50 * n],
        "512 atoms": [atoms.repeat(4) for atoms in train if len(atoms) == 8][: 5 * n],
    }
    repeats = 1 if options.tiny else options.repeats
    free = free_cores(model, sets["512 atoms"][0].repeat(1 if options.tiny else 2), repeats)
    print(f"{joblib.cpu_count()} cores, {free:.1f} free, load {os.getloadavg()[0]:.1f}; wall times in µs per structure")
    print(
        f"{'':22s} {'structures':>10s} {'atoms':>7s} {'alone':>9s} {'1 thread':>9s} {'all cores':>9s} {'ratio':>7s}"
        f" {'CPU alone':>10s} {'CPU 1 thr.':>10s}"
    )
    for name, structures in sets.items():
        measure(name, model, structures, repeats)


if __name__ == "__main__":
    main()
