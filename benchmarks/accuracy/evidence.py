"""Loss weights and ridge strength by the evidence against the best of the search, in cross-validation.

Inside every fold the weights are found on its training folds alone. Prints the errors of the search's best combination
and, relative to it, those of evidence weights with `energy_per` given or found, the strength by cross-validation
("Ridge") or by the evidence, too ("BayesianRidge": nothing is searched).

    python benchmarks/accuracy/evidence.py ../shared/data/zuo_Si --cutoff 5.5
"""

import argparse
from pathlib import Path

import numpy as np

from linmlp import ACE
from linmlp.datasets import load_silicon
from linmlp.potentials.candidates import Candidate, weight_candidates
from linmlp.potentials.search import search
from linmlp.solvers import BayesianRidge, Ridge
from linmlp.structures import assign_folds, fit_reference_energies, read_labels
from linmlp.structures.files import read_structures
from linmlp.system import Assembly

METRICS = ("energy_mae", "force_rmse")


def assemble(structures, descriptor, seed, n_folds):
    """Return labels and assembled data with folds by the seed."""
    labels = read_labels(structures)
    reference = fit_reference_energies("lstsq", structures, labels, descriptor.elements_)
    folds = assign_folds([label.config_type for label in labels], n_folds, seed)
    return labels, Assembly(structures, labels, descriptor, reference=reference, folds=folds, form="gram").run()


def errors_of(assembled, candidates):
    """Return the two errors of the best candidate."""
    result = search(assembled, candidates)
    return np.array([result.pooled[name][result.best] for name in METRICS])


def compare(structures, descriptor, n_seeds, n_folds):
    descriptor.fit(structures)
    for seed in range(n_seeds):
        labels, assembled = assemble(structures, descriptor, seed, n_folds)
        best = errors_of(assembled, [Candidate(weights) for weights in weight_candidates(labels)])
        print(f"fold seed {seed}: search, energy MAE {1e3 * best[0]:.3f} meV/atom, force RMSE {best[1]:.4f} eV/Å")
        for energy_per in ("auto", "structure", "sqrt_atom", "atom"):
            (rule,) = weight_candidates(labels, None, "evidence", "auto", "evidence", energy_per)
            for solver in (Ridge(), BayesianRidge()):
                energy, force = errors_of(assembled, [Candidate(rule, solver)]) / best
                name = f"evidence, per {energy_per}, {type(solver).__name__}"
                print(f"    {name:40} energy {energy:.3f}  force {force:.3f}  of the search's", flush=True)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=Path, nargs="?", help="with train.xyz.gz; the bundled silicon by default")
    parser.add_argument("--cutoff", type=float, default=5.5, help="Å")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--tiny", action="store_true", help="few structures and functions, to see that it runs")
    options = parser.parse_args(arguments)
    structures = (
        read_structures(str(options.directory / "train.xyz.gz")) if options.directory else list(load_silicon()[0])
    )
    if options.tiny:
        compare(structures[::6], ACE(cutoff=4.0, order=2, max_degree=(4, 3)), 1, 3)
    else:
        compare(structures, ACE(cutoff=options.cutoff), options.seeds, options.folds)


if __name__ == "__main__":
    main()
