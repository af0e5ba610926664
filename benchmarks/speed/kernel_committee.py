"""Time of what comes with a kernel potential, in units of a step without: standard deviations, committee, grades.

Fits a SOAP kernel potential with uncertainties to bundled silicon and calls its calculator for a supercell whose atoms
move a little. Processor times of one thread, the best of many calls, interleaved; compilation is not timed.

    python -m benchmarks.speed.kernel_committee [--tiny] [--seconds S]
"""

import argparse
import time
import warnings

from ase.build import bulk

from benchmarks.speed.md_step import best_times
from linmlp import SOAP, SparseKernelPotential
from linmlp.datasets import load_silicon

SIZES = ((4, 4, 200), (8, 6, 500), (8, 8, 1000))


def make_step(potential, atoms, uncertainty):
    """Return a call of the calculator for atoms that moved a little."""
    calculator, atoms = potential.calculator(n_threads=1, uncertainty=uncertainty), atoms.copy()
    sign = [1.0]

    def step():
        sign[0] *= -1.0
        atoms.positions[0, 0] += 1e-3 * sign[0]
        calculator.calculate(atoms, ["energy", "forces"])

    return step


def measure(train, n_max, l_max, n_sparse, cutoff, repeat, seconds):
    """Print the line of a size."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the set is small for a thousand environments
        model = SparseKernelPotential(
            SOAP(cutoff, n_max, l_max), n_sparse, energy_weight=1e3, energy_per="atom", alpha=1e-6, uncertainty=True
        ).fit(train)
    atoms = bulk("Si", cubic=True).repeat(repeat)
    atoms.rattle(0.05, seed=0)
    plain, uncertain, forces, std, everything = best_times(
        [
            make_step(model, atoms, uncertainty=False),
            make_step(model, atoms, uncertainty=True),
            lambda: model.predict_forces([atoms]),
            lambda: model.predict([atoms], return_std=True),
            lambda: model.predict_uncertainty([atoms]),
        ],
        seconds,
        time.thread_time,
    )
    print(
        f"n_max {n_max}, l_max {l_max}, {len(model.coef_):4d} sparse, {cutoff} Å: step {plain / len(atoms) * 1e6:6.1f} "
        f"µs/atom; with uncertainty {uncertain / plain:4.2f} times; predict with return_std {std / forces:4.2f}, "
        f"predict_uncertainty {everything / forces:4.2f} times predict_forces"
    )


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="small sizes, to see that it runs")
    parser.add_argument("--seconds", type=float, default=5.0, help="time for each line")
    options = parser.parse_args(arguments)
    train = load_silicon()[0]
    if options.tiny:
        measure(train[::3], 3, 2, 20, 4.0, 1, 0.0)
        return
    for n_max, l_max, n_sparse in SIZES:
        measure(train, n_max, l_max, n_sparse, 5.4, 3, options.seconds)


if __name__ == "__main__":
    main()
