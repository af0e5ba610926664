"""Channels of elements against one channel for every element, at equal numbers of functions in all.

Prints cross-validation errors of the default ACE and of channels (fixed by the periodic table, learnt from labels, and
learnt for each central element) on a sample of the training structures: every n-th of each group. Degrees are those of
the preset, which fall with the number of channels. With --test the errors on the test set are printed beside, of the
potentials that were fitted to the sample.

    python -m benchmarks.accuracy.channels FOLDER [--channels 1 2] [--cases "1 learnt"] [--step 5] [--test] [--tiny]
"""

import argparse
import time
from pathlib import Path

import numpy as np
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator

from linmlp import ACE, LinearPotential
from linmlp.potentials.element_channels import compare_channels
from linmlp.structures import read_labels
from linmlp.structures.files import read_structures

NAMES = {"fixed": "fixed", "learnt": "learnt", "learnt for each central element": "by center"}


def sample(structures, step):
    """Return every step-th structure of each group."""
    groups = {}
    for place, structure in enumerate(structures):
        groups.setdefault(str(structure.info.get("config_type", "")), []).append(place)
    return [structures[i] for i in sorted(i for places in groups.values() for i in places[::step])]


def find_cases(structures, counts, wanted, ace, settings):
    """Return the channels of cases by name, and print the scores of order 2 that choose among those of a number."""
    cases = {"one per element": None}
    labels, fit_settings = read_labels(structures), LinearPotential(**settings)._fit_settings()
    for n in counts:
        for name, matrix, score in compare_channels(ace(n), structures, labels, "auto", fit_settings):
            print(f"   {n} channels, {NAMES[name]}: order 2 {score:.3f}   {np.round(matrix, 2).tolist()}", flush=True)
            if wanted is None or f"{n} {NAMES[name]}" in wanted:
                cases[f"{n} {NAMES[name]}"] = matrix
    return cases


def compare(train, test, counts, wanted, ace, step, settings):
    """Print the errors of all cases."""
    chosen = sample(train, step)
    print(f"   {len(chosen)} of {len(train)} training structures, {sum(map(len, chosen))} atoms")
    for name, channels in find_cases(chosen, counts, wanted, ace, settings).items():
        start = time.process_time()
        model = LinearPotential(ace(channels), **settings).fit(chosen)
        errors = model.cv_errors_
        print(
            f"   {name:18} {len(model.coef_):5} functions {model.descriptor_.max_degree_!s:13} "
            f"energy MAE {errors['energy_mae']:7.3f} meV/atom | force RMSE {errors['force_rmse']:.4f} eV/Å | "
            f"score {errors['score']:.3f}   {time.process_time() - start:.0f} CPU s",
            flush=True,
        )
        if test is not None:
            total = model.evaluate(test).to_dict()["total"]
            print(
                f"   {name:18} on {len(test)} test structures: energy MAE {total['energy_mae']:.3f} meV/atom | force "
                f"MAE {total['force_mae']:.4f} RMSE {total['force_rmse']:.4f} eV/Å",
                flush=True,
            )


def make_alloy(n_structures):
    """Return small disordered crystals of three elements with energies and forces of effective-medium theory."""
    rng, structures = np.random.default_rng(0), []
    for _ in range(n_structures):
        atoms = bulk("Cu", cubic=True, a=3.8)
        atoms.symbols = rng.choice(["Al", "Cu", "Au"], len(atoms))
        atoms.rattle(0.1, rng=rng)
        atoms.calc = EMT()
        labels = {"energy": atoms.get_potential_energy(), "forces": atoms.get_forces()}
        atoms.calc = SinglePointCalculator(atoms, **labels)
        structures.append(atoms)
    return structures


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", type=Path, help="folders with train.xyz.gz and test.xyz.gz")
    parser.add_argument("--channels", type=int, nargs="+", default=(1, 2), help="numbers of channels")
    parser.add_argument("--cases", nargs="+", help='such as "2 fixed" "1 learnt" "1 by center"; default: all of them')
    parser.add_argument("--cutoff", type=float, default=5.2, help="Å")
    parser.add_argument("--preset", default="balanced", help="size of the basis")
    parser.add_argument("--step", type=int, default=5, help="every n-th structure of a group is used")
    parser.add_argument("--test", action="store_true", help="errors on the test set, too")
    parser.add_argument("--tiny", action="store_true", help="a few small structures and functions, to see it run")
    options = parser.parse_args(arguments)
    settings = {"energy_per": "atom", "fill_holes": False, "keep_system": False, "n_jobs": 1}
    if options.tiny:
        print("== tiny")
        data = make_alloy(30)
        compare(
            data[:24],
            data[24:],
            (1, 2),
            options.cases,
            lambda channels: ACE(4.0, 2, (4, 3), 2, channels),
            1,
            {**settings, "alpha": 1e-6, "n_folds": 2},
        )
    for folder in options.sets:
        print(f"== {folder.name}")
        train, test = (read_structures(folder / f"{part}.xyz.gz") for part in ("train", "test"))
        compare(
            train,
            test if options.test else None,
            options.channels,
            options.cases,
            lambda channels: ACE(options.cutoff, max_degree=options.preset, channels=channels),
            options.step,
            settings,
        )


if __name__ == "__main__":
    main()
