"""The search on compressed systems against what it replaces, in one run on one core.

    python benchmarks/speed/search.py ../shared/data/zuo_Si --cutoff 5.5

Five folds and 200 combinations of loss weights and ridge strength, against

- scikit-learn's GridSearchCV over LinearPotential with the same frozen descriptor (a few fits, scaled to all);
- a loop that makes all rows once, keeps them, and refits by normal equations (a few fits, scaled to all);
- refits of five combinations by QR of the stacked rows: their validation loss and coefficients must be the same.

Then the time of a search against the number of structures, and which weights win where the grid holds some near zero.
"""

import argparse
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import scipy.linalg
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from threadpoolctl import threadpool_limits

from linmlp import ACE, LinearPotential
from linmlp.datasets import load_silicon
from linmlp.neighbors import find_pairs
from linmlp.potentials.candidates import Candidate
from linmlp.potentials.search import SearchSettings, search
from linmlp.solvers import Ridge
from linmlp.structures import fit_reference_energies, plan_folds, read_labels
from linmlp.structures.files import read_structures
from linmlp.system import Assembly, LossWeights, TrainingData

VOIGT_ROOTS = np.sqrt([1.0, 1.0, 1.0, 2.0, 2.0, 2.0])


class Rows:
    """All rows of some structures, kept."""

    def __init__(self, structures, labels, descriptor, reference):
        n, F = sum(map(len, structures)), descriptor.n_features_out_
        self.energy, self.force = np.empty((len(structures), F)), np.empty((3 * n, F))
        self.stress = np.empty((6 * len(structures), F))
        ends = np.cumsum([0] + [3 * len(atoms) for atoms in structures])
        buffers = descriptor.allocate_rows(max(map(len, structures)))
        for i, atoms in enumerate(structures):
            energy, force, stress = buffers[0], buffers[1][: 3 * len(atoms)], buffers[2]
            descriptor.write_rows(find_pairs(atoms, descriptor.cutoff_), energy, force, stress)
            self.energy[i], self.force[ends[i] : ends[i + 1]] = energy, -force
            self.stress[6 * i : 6 * i + 6] = stress * VOIGT_ROOTS[:, None] / atoms.get_volume()
        self.n_atoms = np.array([len(atoms) for atoms in structures], dtype=float)
        self.energy_y = np.array([b.energy for b in labels]) - self.n_atoms * reference.values[0]
        self.force_y = np.concatenate([b.forces.ravel() for b in labels])
        self.stress_y = np.concatenate([b.stress * VOIGT_ROOTS for b in labels])
        self.owner_of_force = np.repeat(np.arange(len(structures)), np.diff(ends))
        self.owner_of_stress = np.repeat(np.arange(len(structures)), 6)

    def stacked(self, chosen, weights):
        """Return weighted rows and targets with the composition column projected out, and what gives e0 back."""
        mask = np.isin(np.arange(len(self.n_atoms)), chosen)
        scale = np.sqrt(weights.energy / len(chosen)) / self.n_atoms[chosen]
        X, y, C = scale[:, None] * self.energy[chosen], scale * self.energy_y[chosen], scale * self.n_atoms[chosen]
        along = C / (C @ C)
        e0 = along @ y, along @ X
        X, y = X - np.outer(C, e0[1]), y - C * e0[0]
        f, s = mask[self.owner_of_force], mask[self.owner_of_stress]
        wf = np.sqrt(weights.force / self.n_atoms[chosen].sum())
        ws = np.sqrt(weights.stress / len(chosen))
        A = np.vstack([X, wf * self.force[f], ws * self.stress[s]])
        return A, np.concatenate([y, wf * self.force_y[f], ws * self.stress_y[s]]), e0

    def loss(self, chosen, coef, e0, weights):
        """Return the loss of a potential on some structures."""
        mask = np.isin(np.arange(len(self.n_atoms)), chosen)
        f, s = mask[self.owner_of_force], mask[self.owner_of_stress]
        energy = (self.energy[chosen] @ coef - self.energy_y[chosen]) / self.n_atoms[chosen] + e0
        force, stress = self.force[f] @ coef - self.force_y[f], self.stress[s] @ coef - self.stress_y[s]
        return (
            weights.energy * np.mean(energy**2)
            + weights.force * force @ force / self.n_atoms[chosen].sum()
            + weights.stress * stress @ stress / len(chosen)
        )


def refit(rows, train, weights, alpha, by):
    """Return coefficients and e0 of one combination, from kept rows."""
    A, y, e0 = rows.stacked(train, weights)
    scale = np.linalg.norm(A, axis=0)
    if by == "qr":
        A /= scale
        stacked = np.vstack([A, np.sqrt(alpha) * np.eye(len(scale))])
        Q, R = scipy.linalg.qr(stacked, mode="economic", check_finite=False)
        u = scipy.linalg.solve_triangular(R, Q.T @ np.concatenate([y, np.zeros(len(scale))]))
    else:
        gram, vector = (A.T @ A) / np.outer(scale, scale), (A.T @ y) / scale
        gram.flat[:: len(scale) + 1] += alpha
        u = scipy.linalg.cho_solve(scipy.linalg.cho_factor(gram, check_finite=False), vector, check_finite=False)
    coef = u / scale
    return coef, e0[0] - e0[1] @ coef


def compare(structures, descriptor, n_checked):
    labels = read_labels(structures)
    descriptor.fit(structures)
    reference = fit_reference_energies("lstsq", structures, labels, descriptor.elements_)
    base = LossWeights.from_labels(labels, energy_per="atom")
    every = [
        LossWeights(a * base.energy, b, c * base.stress, "atom")
        for a in (0.25, 0.5, 1.0, 2.0, 4.0)
        for b, c in ((1.0, 0.25), (1.0, 0.5), (1.0, 1.0), (1.0, 2.0), (1.0, 4.0))
    ]
    alphas = tuple(10.0 ** np.arange(-8, 0))
    plan = plan_folds(5, labels)
    start = time.perf_counter()
    assembled = Assembly(structures, labels, descriptor, reference=reference, folds=plan.blocks).run()
    assembly = time.perf_counter() - start
    start = time.perf_counter()
    settings = SearchSettings(reference_weights=base)
    result = search(assembled, [Candidate(w, Ridge(), alphas) for w in every], None, settings)
    seconds = time.perf_counter() - start
    n_fits = len(plan) * result.n_sets
    print(f"{result.n_sets} combinations, 5 folds, {assembled.n_features} functions, {assembled.form} form")
    print(f"assembly {assembly:.1f} s, search {seconds:.1f} s: {1e3 * seconds / n_fits:.1f} ms per fit")

    start = time.perf_counter()
    rows = Rows(structures, labels, descriptor, reference)
    making = time.perf_counter() - start
    checked = np.random.default_rng(0).choice(result.n_sets, n_checked, replace=False)
    loop, losses, coefs = 0.0, [], []
    for index in checked:
        weights, alpha = every[result.candidate_of[index]], float(result.value_of[index])
        for k, (train, test) in enumerate(plan.splits):
            start = time.perf_counter()
            coef, e0 = refit(rows, train, weights, alpha, "gram")
            rows.loss(test, coef, e0, base)
            loop += time.perf_counter() - start
            coef, e0 = refit(rows, train, weights, alpha, "qr")
            wanted = rows.loss(test, coef, e0, base)
            losses.append(abs(result.per_split["loss"][k, index] / wanted - 1))
            training = TrainingData(assembled, [b for b in assembled.folds if b not in plan.test_blocks[k]])
            own = Ridge(alpha).solve(training.problem(weights).system)
            tolerance = 100 * np.finfo(float).eps * own.condition_number
            coefs.append(np.linalg.norm(own.coef - coef) / np.linalg.norm(coef) / tolerance)
    loop *= n_fits / (n_checked * len(plan))
    print(f"agreement with QR of the rows: loss {max(losses):.1e}; coefficients {max(coefs):.1e} of 100 eps cond")
    print(f"kept rows, normal equations: {making + loop:.0f} s, ratio of the search {(making + loop) / seconds:.0f}")
    print(f"   with the assembly counted on both sides {(making + loop) / (assembly + seconds):.0f}")

    model = LinearPotential(
        FrozenEstimator(descriptor), baseline=None, e0="lstsq", energy_per="atom", stress_weight=base.stress, alpha=1e-6
    ).set_params(energy_weight=base.energy, force_weight=1.0)
    start = time.perf_counter()
    GridSearchCV(model, {"alpha": [1e-6]}, cv=plan.splits, refit=False).fit(structures)
    grid = (time.perf_counter() - start) * n_fits / len(plan)
    print(f"GridSearchCV: {grid:.0f} s, ratio of the search {grid / seconds:.0f}")
    print(f"   with the assembly counted {grid / (assembly + seconds):.0f}")


def time_search(assembled, candidates):
    """Return the seconds of a search, the best of three."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        search(assembled, candidates)
        times.append(time.perf_counter() - start)
    return min(times)


def compare_sizes(structures, descriptor):
    """Print what happens to the time of a search when the structures are doubled."""
    times, rows = [], []
    for some in (structures[::2], structures, structures + structures):
        labels = read_labels(some)
        descriptor.fit(structures)
        reference = fit_reference_energies("lstsq", some, labels, descriptor.elements_)
        assembled = Assembly(some, labels, descriptor, reference=reference, folds=plan_folds(5, labels).blocks).run()
        base = LossWeights.from_labels(labels, energy_per="atom")
        lines = [Candidate(LossWeights(a * base.energy, 1.0, base.stress, "atom")) for a in (0.25, 0.5, 1.0, 2.0, 4.0)]
        times.append(time_search(assembled, lines))
        rows.append(len(some))
    for (before, after), (few, many) in zip(pairwise(times), pairwise(rows), strict=True):
        print(f"{few} to {many} structures: the search takes {after / before:.2f} times as long")


def search_near_zero(structures, descriptor):
    """Print what wins where the grid holds weights near zero."""
    labels = read_labels(structures)
    descriptor.fit(structures)
    reference = fit_reference_energies("lstsq", structures, labels, descriptor.elements_)
    assembled = Assembly(structures, labels, descriptor, reference=reference, folds=plan_folds(5, labels).blocks).run()
    base = LossWeights.from_labels(labels, energy_per="atom")
    factors = (1e-12, 1e-6, 1.0)
    lines = [
        Candidate(LossWeights(a * base.energy, b, c * base.stress, "atom"))
        for a in factors
        for b in factors
        for c in factors
    ]
    for scoring in ("score", "loss"):
        result = search(assembled, lines, None, SearchSettings(scoring=scoring, reference_weights=base))
        won = result.candidates[result.candidate_of[result.best]].weights
        told = f"w_E {won.energy / base.energy:g}, w_F {won.force:g}, w_S {won.stress / base.stress:g}"
        print(f"grid with weights near zero, scoring {scoring!r}: won by {told} of the rule")


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, help="folder with train.xyz.gz of one element")
    parser.add_argument("--cutoff", type=float, default=5.5, help="Å")
    parser.add_argument("--tiny", action="store_true", help="a few bundled structures and functions, to see it run")
    options = parser.parse_args(arguments)
    with threadpool_limits(1):
        if options.tiny:
            study(load_silicon()[0][:30], ACE(4.0, order=2, max_degree=(4, 3)), 1)
        if options.folder is not None:
            study(read_structures(options.folder / "train.xyz.gz"), ACE(options.cutoff), 5)


def study(structures, descriptor, n_checked):
    compare(structures, descriptor, n_checked)
    compare_sizes(structures, descriptor)
    search_near_zero(structures, descriptor)


if __name__ == "__main__":
    main()
