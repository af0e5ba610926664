"""What order 5 brings: cross-validation with and without products of invariants of orders 2 and 3 of one center.

A product of an invariant of order 2 and one of order 3 is one of order 5. Up to degree 8 these products span 347 of the
377 dimensions of order 5 (max_l 6, one element), so that adding them to orders 1 to 4 measures nearly all of it,
without loops of its own; many depend on each other, which the ridge bears. Errors are those of 5-fold cross-validation
on training structures, with the same loss weights and ridge strengths for all; see benchmarks/accuracy/orders.py for
what order 5 would cost.

    python -m benchmarks.accuracy.order_five ../shared/data/zuo_Si --cutoff 5.537 [--seeds 1] [--tiny]
"""

import argparse
from pathlib import Path

import numpy as np

from benchmarks.accuracy.selection import assemble
from linmlp import ACE
from linmlp.datasets import load_silicon
from linmlp.descriptors.ace.counting import count_invariants
from linmlp.neighbors import find_pairs
from linmlp.potentials.candidates import Candidate, weight_candidates
from linmlp.potentials.search import search
from linmlp.solvers import Ridge
from linmlp.structures.files import read_structures

CENTERS = 16
"""Centers whose derivatives are made at a time."""


class WithProducts(ACE):
    """ACE of one element, with products of its invariants of orders 2 and 3 up to a degree behind its features."""

    limit = 8

    def fit(self, structures, y=None):
        super().fit(structures)
        self.n_functions = self.n_features_out_
        self.factors = ACE.from_state(*self.to_state()).up_to((0, self.limit, self.limit))
        degrees = self.factors.feature_degrees()
        two, three = (np.flatnonzero(degrees[:, 0] == order) for order in (2, 3))
        a, b = (grid.ravel() for grid in np.meshgrid(two, three, indexing="ij"))
        low = degrees[a, 1] + degrees[b, 1] <= self.limit
        self.a, self.b = a[low], b[low]
        self.n_features_out_ += len(self.a)
        return self

    def allocate_rows(self, n_atoms):
        return tuple(np.zeros((*shape, self.n_features_out_)) for shape in ((), (3 * n_atoms,), (6,)))

    def write_rows(self, pairs, energy, d_positions, d_strain):
        n = self.n_functions
        out = [energy, d_positions, d_strain]
        allocated = self._rows.allocate(len(pairs.numbers))
        own = [None if rows is None else mine for rows, mine in zip(out, allocated, strict=True)]
        self._rows.write(pairs, *own)
        for rows, mine in zip(out, own, strict=True):
            if rows is not None:
                rows[..., :n], rows[..., n:] = mine[..., :n], 0.0
        for start in range(0, len(pairs.numbers), CENTERS):
            centers = np.arange(start, min(start + CENTERS, len(pairs.numbers)))
            products = [None if rows is None else rows[..., n:] for rows in out]
            self._add_products(self.factors.center_rows(pairs, centers), *products)

    def _add_products(self, centers, energy, d_positions, d_strain):
        for c, features in enumerate(centers.features):
            first, second = features[self.a], features[self.b]
            energy += first * second

            def derivative(rows, first=first, second=second):
                return rows[:, self.a] * second + rows[:, self.b] * first

            if d_positions is not None:
                slots = slice(centers.slots[c], centers.slots[c + 1])
                rows = (3 * centers.atoms[slots, None] + np.arange(3)).ravel()
                d_positions[rows] += derivative(centers.d_positions[3 * slots.start : 3 * slots.stop])
            if d_strain is not None:
                d_strain += derivative(centers.d_strain[6 * c : 6 * c + 6])


def rank_of_products(descriptor, structures):
    """Return how many of the products are independent on the environments of some structures."""
    pairs = [find_pairs(atoms, descriptor.cutoff_) for atoms in structures]
    features = np.vstack([descriptor.factors.compute_features(p) for p in pairs])
    products = features[:, descriptor.a] * features[:, descriptor.b]
    return np.linalg.matrix_rank(products / np.linalg.norm(products, axis=0), rtol=1e-12)


def compare(name, structures, descriptor, options):
    for seed in range(options.seeds):
        labels, assembled = assemble(structures, descriptor, seed, options.folds)
        n_functions = assembled.n_features
        if seed == 0:
            sample = structures[:: max(1, len(structures) // 20)]
            exact = count_invariants(5, 1, descriptor.limit, descriptor.max_l)
            rank = rank_of_products(descriptor, sample)
            print(f"{len(descriptor.a)} products, rank {rank} of {exact} functions of order 5")
        orders = descriptor.feature_degrees()[:, 0]
        sets = {
            "orders 1 to 3": np.flatnonzero(orders < 4),
            "orders 1 to 4": np.arange(len(orders)),
            "and products of order 5": np.arange(n_functions),
        }
        weights = [w for w in weight_candidates(labels) if w.energy_per == "sqrt_atom"]
        for what, columns in sets.items():
            found = search(assembled, [Candidate(w, Ridge(), options.alphas, columns) for w in weights])
            best = found.best
            print(
                f"{name} seed {seed} {what:24} {len(columns):5d}  score {found.pooled['score'][best]:.4f}  "
                f"energy MAE {1e3 * found.pooled['energy_mae'][best]:.3f} meV/atom  "
                f"force RMSE {found.pooled['force_rmse'][best]:.4f} eV/Å  alpha {found.value_of[best]:g}",
                flush=True,
            )


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", type=Path, help="folders with train.xyz.gz, of one element")
    parser.add_argument("--cutoff", type=float, default=5.5, help="Å")
    parser.add_argument("--seeds", type=int, default=1, help="number of fold seeds")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--alphas", type=float, nargs="+", default=(1e-8, 3e-8, 1e-7, 3e-7, 1e-6))
    parser.add_argument("--tiny", action="store_true", help="a few bundled structures and functions, to see it run")
    options = parser.parse_args(arguments)
    if options.tiny:
        options.folds = 2
        small = WithProducts(4.5, order=4, max_degree=(5, 4, 4, 2), max_l=2)
        small.limit = 4
        compare("tiny", load_silicon()[0][:24], small, options)
    for folder in options.sets:
        structures = read_structures(folder / "train.xyz.gz")
        compare(folder.name, structures, WithProducts(options.cutoff, order=4, max_degree=(16, 14, 11, 8)), options)


if __name__ == "__main__":
    main()
