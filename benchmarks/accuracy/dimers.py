"""Do the dimers of all pairs of elements repel below the closest approach of the training data?

Scans energy and force of two atoms in empty space for every pair of elements of the given models.

    python benchmarks/accuracy/dimers.py model.linmlp [more.linmlp]
"""

import argparse
from pathlib import Path

from linmlp import ACE, LinearPotential, load
from linmlp.datasets import load_silicon
from linmlp.evaluation import scan_dimers


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
        print(scan_dimers(model))


if __name__ == "__main__":
    main()
