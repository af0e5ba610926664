"""Sparse against dense: functions chosen by forward selection from a wide pool, against all functions up to a degree.

Prints cross-validation errors on the training structures (folds pooled, mean over fold seeds). The selection is
repeated inside every fold; loss weights, ridge strength and size compete alike.

    python benchmarks/accuracy/selection.py ../shared/data/zuo_Si --cutoff 5.5 --pool 18 15 13 8
"""

import argparse
import time
from pathlib import Path

import joblib
import numpy as np

from linmlp import ACE
from linmlp.datasets import load_silicon
from linmlp.potentials.candidates import Candidate, weight_candidates
from linmlp.potentials.search import search
from linmlp.solvers import BackwardSelection, ForwardSelection, Lasso, OrthogonalMatchingPursuit, Ridge
from linmlp.structures import assign_folds, fit_reference_energies, read_labels
from linmlp.structures.files import read_structures
from linmlp.system import Assembly

SOLVERS = {
    "forward": ForwardSelection,
    "pursuit": OrthogonalMatchingPursuit,
    "backward": BackwardSelection,
}


def assemble(structures, descriptor, seed, n_folds):
    """Return labels and assembled data with folds by the seed."""
    labels = read_labels(structures)
    descriptor.fit(structures)
    reference = fit_reference_energies("lstsq", structures, labels, descriptor.elements_)
    folds = assign_folds([label.config_type for label in labels], n_folds, seed)
    return labels, Assembly(structures, labels, descriptor, reference=reference, folds=folds, form="gram").run()


def best_by_value(results):
    """Return, for every value of the path, the smallest score of the mean over seeds and its errors."""
    first = results[0]
    pooled = {k: np.mean([r.pooled[k] for r in results], axis=0) for k in ("score", "energy_mae", "force_rmse")}
    table = {}
    for value in np.unique(first.value_of):
        at = min(np.flatnonzero(first.value_of == value), key=lambda index: pooled["score"][index])
        errors = {k: float(v[at]) for k, v in pooled.items()}
        table[value] = {"weights": first.candidates[first.candidate_of[at]].weights, **errors}
    return table


def tell(name, errors):
    weights = errors["weights"]
    print(
        f"{name:42} score {errors['score']:8.4f}   energy MAE {1e3 * errors['energy_mae']:6.3f} meV/atom | "
        f"force RMSE {errors['force_rmse']:.4f} eV/Å   w_E {weights.energy:.3g} per {weights.energy_per}",
        flush=True,
    )


def run(data, values, solver=None):
    """Return the searches of all seeds and the CPU seconds of one candidate and seed."""
    start = time.process_time()
    results = [
        search(assembled, [Candidate(weights, solver or Ridge(), values) for weights in weight_candidates(labels)])
        for labels, assembled in data
    ]
    return best_by_value(results), (time.process_time() - start) / len(data) / len(results[0].candidates)


def compare(structures, dense, pool, options, sizes):
    cached = joblib.Memory(options.cache, verbose=0).cache(assemble)
    data = {
        name: [cached(structures, descriptor, seed, options.folds) for seed in range(options.seeds)]
        for name, descriptor in (("dense", dense), ("pool", pool))
    }
    for name, systems in data.items():
        table, seconds = run(systems, None)
        best = min(table.values(), key=lambda errors: errors["score"])
        tell(f"by degree, all {systems[0][1].n_features} of the {name}", best)
    for name in options.solvers:
        for alpha in options.alphas:
            solver = Lasso(alpha=alpha, refit=True) if name == "lasso" else SOLVERS[name](alpha=alpha)
            values = solver.path_values("gram", data["pool"][0][1].n_features) if name == "lasso" else sizes
            table, seconds = run(data["pool"], values, solver)
            for value, errors in table.items():
                tell(f"{name}, alpha {alpha:g}, {solver.path_parameter[:10]} {value:g}", errors)
            print(f"   {seconds:.1f} CPU s per path over {options.folds} folds, selection and validation")


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", type=Path, help="folders with train.xyz.gz")
    parser.add_argument("--cutoff", type=float, default=5.5, help="Å")
    parser.add_argument("--pool", type=int, nargs="+", default=(18, 15, 13, 8), help="degrees of the pool, per order")
    parser.add_argument("--sizes", type=int, nargs="+", default=(100, 200, 300, 400, 500, 600, 800))
    parser.add_argument("--seeds", type=int, default=3, help="number of fold seeds")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--alphas", type=float, nargs="+", default=[1e-8], help="ridge strengths of the selection")
    parser.add_argument("--solvers", nargs="+", default=["forward"], choices=[*SOLVERS, "lasso"])
    parser.add_argument("--cache", type=Path, help="folder that keeps assembled data")
    parser.add_argument("--tiny", action="store_true", help="a few bundled structures and functions, to see it run")
    options = parser.parse_args(arguments)
    if options.tiny:
        options.seeds, options.folds, options.solvers = 1, 2, [*SOLVERS, "lasso"]
        dense, pool = ACE(4.5, order=2, max_degree=(4, 3)), ACE(4.5, order=4, max_degree=(6, 5, 3, 2))
        compare(load_silicon()[0][:24], dense, pool, options, (2, 4, 8))
    for folder in options.sets:
        print(f"== {folder.name}")
        pool = ACE(options.cutoff, order=len(options.pool), max_degree=tuple(options.pool))
        structures = read_structures(folder / "train.xyz.gz")
        compare(structures, ACE(options.cutoff), pool, options, options.sizes)


if __name__ == "__main__":
    main()
