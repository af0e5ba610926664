"""Structures chosen by D-optimality, by farthest points and at random: errors of the fits to each choice.

A random third of the training structures (spread over config_type) is held out; 10, 20 and 40 % of the others are
chosen and fitted to with fixed ridge strength and weights; ten such splits. Prints force RMSE on the held-out
structures: of the worst config_type, over all of them, and how often the choice was better than the random one.
No test structures are used.

    python benchmarks/accuracy/structure_selection.py ../shared/data/zuo_Si:5.5 ../shared/data/zuo_Mo:5.4
"""

import argparse
from pathlib import Path

import numpy as np
from ase.io import read

from linmlp import ACE
from linmlp.datasets import load_silicon
from linmlp.potentials.structure_selection import select_structures
from linmlp.solvers import Ridge
from linmlp.structures import assign_folds, fit_reference_energies, read_labels
from linmlp.system import LossWeights, assemble, combine
from linmlp.system.threads import one_blas_thread

METHODS = ("random", "farthest_point", "d_optimal", "d_optimal per atom")


class Bench:
    """One compressed system per structure, so that a fit to any subset takes a merge and a solve."""

    def __init__(self, structures, descriptor, alpha=1e-7):
        self.structures, self.alpha = structures, alpha
        self.labels = read_labels(structures)
        self.groups = np.array(self.labels.config_types)
        self.n_atoms = np.array([len(atoms) for atoms in structures])
        self.descriptor = descriptor.fit(structures)
        self.reference = fit_reference_energies("auto", structures, self.labels, self.descriptor.elements_)
        folds = np.arange(len(structures))
        with one_blas_thread():
            self.systems = assemble(structures, self.labels, self.descriptor, reference=self.reference, folds=folds)

    def fit(self, chosen):
        """Coefficients of the fit to some structures, with automatic weights."""
        weights = LossWeights.from_labels([self.labels[i] for i in chosen], energy_per="atom")
        solve_reference = self.reference.source == "lstsq"
        problem = combine(self.systems, weights, [int(i) for i in chosen], solve_reference)
        with one_blas_thread():
            return Ridge(self.alpha).solve(problem.system.merged("gram")).coef

    def errors(self, coef, held_out):
        """Force RMSE of the worst group and over all held-out structures, eV/Å."""
        squares = np.array(
            [self.systems.kind_systems("force", [int(i)])[""].system.squared_residual(coef) for i in held_out]
        )
        n_components, groups = 3 * self.n_atoms[held_out], self.groups[held_out]
        per_group = [np.sqrt(squares[groups == g].sum() / n_components[groups == g].sum()) for g in np.unique(groups)]
        return max(per_group), np.sqrt(squares.sum() / n_components.sum())

    def choose(self, method, pool, n, seed):
        """Indices of the chosen structures."""
        if method == "random":
            return np.random.default_rng(seed).permutation(pool)[:n]
        structures = [self.structures[i] for i in pool]
        name, _, per_atom = method.partition(" ")
        cost = "atom" if per_atom else "structure"
        return pool[select_structures(structures, n, name, self.descriptor, cost=cost)]


def compare(name, structures, descriptor, fractions=(0.1, 0.2, 0.4), n_splits=10):
    bench = Bench(structures, descriptor)
    results = {(method, fraction): [] for fraction in fractions for method in METHODS}
    for seed in range(n_splits):
        folds = assign_folds(list(bench.groups), 3, seed)
        pool, held_out = np.flatnonzero(folds != 0), np.flatnonzero(folds == 0)
        sizes = [round(fraction * len(pool)) for fraction in fractions]
        for method in METHODS:
            chosen = bench.choose(method, pool, max(sizes), seed)
            for fraction, size in zip(fractions, sizes, strict=True):
                errors = bench.errors(bench.fit(chosen[:size]), held_out)
                results[method, fraction].append((*errors, bench.n_atoms[chosen[:size]].mean()))
    print(f"\n== {name}: {len(structures)} structures, {bench.descriptor.n_features_out_} functions, {n_splits} splits")
    print("choice                 part   worst group (median, mean ± error)   all    better than random   atoms each")
    for (method, fraction), values in results.items():
        worst, overall, n_atoms = np.array(values).T
        wins = int((worst < np.array(results["random", fraction])[:, 0]).sum())
        print(
            f"{method:20} {fraction:6.0%} {np.median(worst):12.4f} {worst.mean():10.4f} ± "
            f"{worst.std(ddof=1) / np.sqrt(n_splits):.4f} {overall.mean():12.4f} {wins:8d} of {n_splits} "
            f"{n_atoms.mean():12.1f}"
        )
    return results


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", help="folder with train.xyz.gz, a colon, cutoff in Å")
    parser.add_argument("--splits", type=int, default=10, help="number of held-out thirds")
    parser.add_argument("--tiny", action="store_true", help="a few bundled structures and functions, to see it run")
    options = parser.parse_args(arguments)
    if options.tiny:
        train, _ = load_silicon()
        descriptor = ACE(cutoff=4.5, order=2, max_degree=(6, 4))
        compare("bundled silicon", train[:45], descriptor, fractions=(0.4,), n_splits=2)
    for text in options.sets:
        folder, cutoff = text.rsplit(":", 1)
        descriptor = ACE(cutoff=float(cutoff), max_degree=(12, 10, 8))
        compare(Path(folder).name, read(Path(folder) / "train.xyz.gz", ":"), descriptor, n_splits=options.splits)


if __name__ == "__main__":
    main()
