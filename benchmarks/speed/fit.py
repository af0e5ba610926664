"""CPU time of a fit, and what plain numpy takes for less.

The fit is `LinearPotential(ACE.preset("balanced", cutoff)).fit`: neighbors, rows, folding into compressed systems per
fold, search over loss weights and ridge strength, solve, hot runs that look for holes. The competitor keeps the same
rows as one dense design matrix and solves one ridge problem with `numpy.linalg.lstsq`: no folds, no search. Times are
processor times; compilation is not timed.

    python benchmarks/speed/fit.py ../shared/data/zuo_Si/train.xyz.gz --cutoff 5.5
"""

import argparse
import time
from pathlib import Path

import numpy as np

from linmlp import ACE, LinearPotential
from linmlp.datasets import load_silicon
from linmlp.structures import read_labels, read_structures


def processor_time(function):
    start = time.process_time()
    result = function()
    return time.process_time() - start, result


def stack_rows(descriptor, structures):
    """Rows of all structures, as one design matrix with targets."""
    blocks, targets = [], []
    for structure, label in zip(structures, read_labels(structures), strict=True):
        energy, d_positions, d_strain = descriptor.allocate_rows(len(structure))
        descriptor.write_rows(descriptor.pairs(structure), energy, d_positions, d_strain)
        blocks += [150 * energy[None] / len(structure), -d_positions]
        targets += [[150 * label.energy / len(structure)], label.forces.ravel()]
    return np.concatenate(blocks), np.concatenate(targets)


def solve_dense(X, y, alpha=1e-8):
    scale = np.linalg.norm(X, axis=0)
    scale[scale == 0] = 1
    stacked = np.concatenate([X / scale, np.sqrt(alpha) * np.eye(X.shape[1])])
    return np.linalg.lstsq(stacked, np.concatenate([y, np.zeros(X.shape[1])]), rcond=None)[0] / scale


def measure(structures, repeats, **settings):
    descriptor = ACE(**settings).fit(structures)
    LinearPotential(ACE(**settings)).fit(structures[:: max(1, len(structures) // 12)])  # compiles the loops
    fits, rows, dense = [], [], []
    for _ in range(repeats):
        seconds, model = processor_time(lambda: LinearPotential(ACE(**settings)).fit(structures))
        fits.append(seconds)
        seconds, (X, y) = processor_time(lambda: stack_rows(descriptor, structures))
        rows.append(seconds)
        dense.append(processor_time(lambda X=X, y=y: solve_dense(X, y))[0])
    n_atoms = sum(map(len, structures))
    fit, row, solve = (float(np.median(times)) for times in (fits, rows, dense))
    print(f"{len(structures)} structures, {n_atoms} atoms, {X.shape[0]} rows x {X.shape[1]} functions")
    print(f"fit with cross-validation of weights and strength ({model.form_} form): {fit:.2f} CPU s")
    print(f"rows alone: {row:.2f} CPU s ({1e6 * row / n_atoms:.0f} µs/atom), {row / fit:.2f} of the fit")
    print(f"one dense numpy lstsq on kept rows ({X.nbytes / 1e6:.0f} MB): {solve:.2f} CPU s")
    print(f"ratio of the fit to rows + one dense lstsq: {fit / (row + solve):.2f}")


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("structures", nargs="?", type=Path, help="labelled structures; the bundled silicon by default")
    parser.add_argument("--cutoff", type=float, default=5.5)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--tiny", action="store_true", help="a few structures and functions, to see it run")
    options = parser.parse_args(arguments)
    structures = read_structures(options.structures) if options.structures else load_silicon()[0]
    if options.tiny:
        measure(structures[:16], 1, cutoff=4.0, order=2, max_degree=(4, 3))
    else:
        measure(structures, options.repeats, cutoff=options.cutoff, max_degree="balanced")


if __name__ == "__main__":
    main()
