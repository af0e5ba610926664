"""Do the dimers of all pairs of elements repel below the closest approach of the training data?

Scans energy and force of two atoms in empty space, from a tenth of the closest approach up to it, for every pair of
elements of the given models.

    python benchmarks/accuracy/dimers.py model.linmlp [more.linmlp]
"""

import argparse
from itertools import combinations_with_replacement
from pathlib import Path

import numpy as np
from ase import Atoms

from linmlp import ACE, LinearPotential, load
from linmlp.datasets import load_silicon
from linmlp.structures import ZBL


def scan(model, n_points=400):
    """Yield the pair, its closest approach, whether energies fall and forces repel throughout, and the least force."""
    predict = model.predictor()
    (zbl,) = (baseline for baseline in model.baselines_ if isinstance(baseline, ZBL))
    for a, b in combinations_with_replacement(range(len(zbl.elements)), 2):
        distances = np.linspace(0.1, 1.0, n_points) * zbl.outer[a, b]
        pair = zbl.elements[a] + zbl.elements[b]
        results = [predict(Atoms([zbl.elements[a], zbl.elements[b]], [[0, 0, 0], [r, 0, 0]])) for r in distances]
        forces = np.array([result.forces[1, 0] for result in results])
        falls = bool(np.all(np.diff([result.energy for result in results]) < 0) and np.all(forces > 0))
        yield pair, zbl.outer[a, b], falls, forces.min()


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", type=Path)
    parser.add_argument("--tiny", action="store_true", help="a small model of the bundled silicon, to see it run")
    options = parser.parse_args(arguments)
    models = {path.name: load(path) for path in options.models}
    if options.tiny:
        train, _ = load_silicon()
        models["tiny"] = LinearPotential(ACE(cutoff=4.5, order=2, max_degree=(6, 4))).fit(train[:24])
    for name, model in models.items():
        print(f"{name}: weight of the core rows {model.core_weight_:.1e}")
        for pair, closest, falls, least in scan(model):
            verdict = "repels monotonically" if falls else "DOES NOT REPEL EVERYWHERE"
            print(f"   {pair:5} below {closest:.3f} Å {verdict}; least force {least:.2f} eV/Å")


if __name__ == "__main__":
    main()
