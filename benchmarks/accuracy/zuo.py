"""Default fits of the silicon, molybdenum and lithium sets of Zuo et al. (J. Phys. Chem. A 124, 731, 2020).

Prints cross-validation errors on the training structures (mean over fold seeds), the errors on the published test
structures beside them, per group and with bootstrap intervals over structures, and the CPU time of the fits.

    python benchmarks/accuracy/zuo.py ../shared/data/zuo_Si ../shared/data/zuo_Mo ../shared/data/zuo_Li
"""

import argparse
import time
from pathlib import Path

import numpy as np
from ase.io import read

from linmlp import ACE, LinearPotential
from linmlp.datasets import load_silicon


def cross_validate(train, seeds, **descriptor_settings):
    """Fit with the folds of every seed; return the models and the CPU seconds of each fit."""
    models, seconds = [], []
    for seed in seeds:
        start = time.process_time()
        models.append(LinearPotential(ACE(**descriptor_settings), random_state=seed).fit(train))
        seconds.append(time.process_time() - start)
    return models, seconds


def report(name, train, test, seeds, **descriptor_settings):
    models, seconds = cross_validate(train, seeds, **descriptor_settings)
    errors = [model.cv_errors_ for model in models]
    mean = {key: np.mean([e[key] for e in errors]) for key in ("energy_mae", "force_rmse")}
    print(f"\n== {name}: {len(train)} training structures, {len(models[0].coef_)} functions")
    cutoffs = [model.descriptor_.cutoff_ for model in models]
    print(f"cutoffs chosen {cutoffs} Å, alpha {[model.alpha_ for model in models]}")
    print(
        f"cross-validation, mean of {len(errors)} fold seeds: energy MAE {mean['energy_mae']:.3f} meV/atom | "
        f"force RMSE {mean['force_rmse']:.4f} eV/Å   (each: "
        + "; ".join(f"{e['energy_mae']:.3f} | {e['force_rmse']:.4f}" for e in errors)
        + ")"
    )
    table = models[0].evaluate(test)
    print("test structures\n" + str(table))
    for key, (low, high) in table.intervals().items():
        print(f"   {key:12} {table.to_dict()['total'][key]:8.4f}   95 % bootstrap [{low:.4f}, {high:.4f}]")
    print("CPU seconds of the fits: " + ", ".join(f"{s:.1f}" for s in seconds))
    return mean


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", type=Path, help="folders with train.xyz.gz and test.xyz.gz")
    parser.add_argument("--seeds", type=int, default=3, help="number of fold seeds")
    parser.add_argument("--tiny", action="store_true", help="a few bundled structures and functions, to see it run")
    options = parser.parse_args(arguments)
    if options.tiny:
        train, test = load_silicon()
        report("bundled silicon", train[:24], test[:8], range(1), cutoff=4.5, order=2, max_degree=(6, 4))
    for folder in options.sets:
        train, test = (read(folder / f"{part}.xyz.gz", ":") for part in ("train", "test"))
        report(folder.name, train, test, range(options.seeds))


if __name__ == "__main__":
    main()
