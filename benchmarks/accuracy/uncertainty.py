"""How well stated uncertainties hold: intervals of forces and energies on test structures, grades of left-out groups.

Prints, for each folder: coverage and interval score of calibrated 68 % and 95 % intervals on the test structures, in
total and per group, beside intervals of constant width; and, leaving out each group of training structures in turn,
how much its force error rises and how well the grade tells its structures from held-out ones of the other groups.

    python benchmarks/accuracy/uncertainty.py ../shared/data/zuo_Si ../shared/data/zuo_Mo --cutoffs 5.5 5.4
"""

import argparse
from pathlib import Path

import numpy as np
from ase.data import atomic_numbers
from ase.io import read
from sklearn.metrics import roc_auc_score

from linmlp import ACE
from linmlp.datasets import load_silicon
from linmlp.potentials.baseline_setting import resolve_baselines
from linmlp.potentials.candidates import Candidate
from linmlp.potentials.fit_settings import FitSettings
from linmlp.potentials.fitting import fit_linear
from linmlp.potentials.predictor import Predictor
from linmlp.potentials.training_set import TrainingSet
from linmlp.potentials.uncertainty import UncertainPredictor, fit_uncertainty
from linmlp.potentials.uncertainty.fold_fit import count_atoms
from linmlp.potentials.uncertainty.grade import Grade
from linmlp.potentials.uncertainty.predictor import count_elements
from linmlp.potentials.uncertainty.table import UncertaintyTable
from linmlp.structures import assign_folds, check_structures, fit_reference_energies, read_labels
from linmlp.system import assemble

RISES = 1.5


def training_set(structures, descriptor):
    structures = check_structures(structures)
    labels = read_labels(structures)
    descriptor.fit(structures)
    reference = fit_reference_energies("auto", structures, labels, descriptor.elements_)
    return TrainingSet(structures, labels, descriptor, resolve_baselines("zbl", descriptor, structures), reference)


def assembled_data(data):
    folds = assign_folds([label.config_type for label in data.labels])
    return assemble(
        data.structures, data.labels, data.descriptor, baseline=data.baselines, reference=data.reference, folds=folds
    )


def fit_all(data):
    """Return the fit, its potential and its uncertainty."""
    fit = fit_linear(data, FitSettings())
    uncertainty = fit_uncertainty(data, assembled_data(data), Candidate(fit.weights), fit.alpha)
    return fit, UncertainPredictor(data.descriptor, fit.solution.coef, fit.reference, data.baselines, uncertainty)


def print_intervals(predictor, structures):
    table = UncertaintyTable.of([predictor(s) for s in structures], read_labels(structures), predictor.uncertainty)
    print(f"test structures, energies of intervals per atom\n{table}")
    print("gain over intervals of constant width, in percent")
    print(table.coverage("force"))
    grades = np.array([structure.grade for structure in table.structures])
    print(f"grade of test structures: median {np.median(grades):.2f}, above 1: {100 * np.mean(grades > 1):.0f} %")


def force_rmse(residuals):
    return float(np.sqrt(np.mean(np.concatenate([r.ravel() for r in residuals]) ** 2)))


def held_out_grades(data, folds, numbers):
    """Return grades of structures from grades fitted to the other folds, and the grade of all."""
    names = sorted(set(folds))
    positions = np.searchsorted(names, folds)
    members = [np.flatnonzero(positions == k) for k in range(len(names))]
    statistics = [count_atoms(data, m, numbers) for m in members]
    sums = data.descriptor.transform(data.structures)
    counts = np.array([count_elements(s.numbers, numbers) for s in data.structures])
    scorer = Grade.fit(statistics, sums, counts, positions)
    leverage, novelty = np.empty(len(sums)), np.empty(len(sums))
    for k, of_fold in enumerate(members):
        score, novelty[of_fold] = scorer.held_out(k)
        leverage[of_fold] = [
            score(data.descriptor.compute_features(data.descriptor.pairs(data.structures[i]))).max() for i in of_fold
        ]
    grade = scorer.grade(leverage, novelty)
    held = np.maximum(novelty / grade.novelty_edge, np.sqrt(leverage / grade.leverage_edge))
    return held, grade


def print_left_out(data, fit, held, settings):
    """Leave out each group; the weights and the ridge strength are those of the whole fit."""
    groups = np.array([label.config_type for label in data.labels])
    for group in np.unique(groups):
        out = [s for s, g in zip(data.structures, groups, strict=True) if g == group]
        kept = training_set([s for s, g in zip(data.structures, groups, strict=True) if g != group], ACE(**settings))
        weights = fit.weights
        chosen = FitSettings(weights.energy, weights.force, weights.stress, weights.energy_per, alpha=fit.alpha)
        part = fit_linear(kept, chosen)
        predictor = Predictor(kept.descriptor, part.solution.coef, part.reference, kept.baselines)
        labels = read_labels(out)
        alone = force_rmse([predictor(s).forces - x.forces for s, x in zip(out, labels, strict=True)])
        with_it = force_rmse([r for r, g in zip(held.force_residual, groups, strict=True) if g == group])
        numbers = tuple(atomic_numbers[symbol] for symbol in kept.descriptor.elements_)
        folds = assign_folds([label.config_type for label in kept.labels])
        negative, grade = held_out_grades(kept, folds, numbers)
        features = [kept.descriptor.compute_features(kept.descriptor.pairs(s)) for s in out]
        counts = [count_elements(s.numbers, numbers) for s in out]
        positive = np.array(
            [grade.structure(grade.leverage(f), f.sum(axis=0), n) for f, n in zip(features, counts, strict=True)]
        )
        truth = np.concatenate([np.ones(len(positive)), np.zeros(len(negative))])
        area = roc_auc_score(truth, np.concatenate([positive, negative]))
        print(
            f"without {group:12} force RMSE {with_it:.5f} -> {alone:.5f} eV/Å"
            f" ({'rises by more than half' if alone > RISES * with_it else 'does not rise by half':24})"
            f" area under ROC {area:.3f}; grade above 1: {100 * np.mean(positive > 1):.0f} % of it, "
            f"{100 * np.mean(negative > 1):.0f} % of the held-out others"
        )


def report(name, train, test, leave_out=True, **settings):
    data = training_set(train, ACE(**settings))
    fit, predictor = fit_all(data)
    print(f"\n== {name}: {len(train)} training structures, {data.descriptor.n_features_out_} functions")
    print_intervals(predictor, check_structures(test))
    if leave_out:
        print_left_out(data, fit, predictor.uncertainty.held_out, settings)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", type=Path, help="folders with train.xyz.gz and test.xyz.gz")
    parser.add_argument("--cutoffs", nargs="*", type=float, default=[], help="one per folder, Å; 2.4 r_nn by default")
    parser.add_argument(
        "--max-degree", nargs="*", type=int, help="degrees per order; the default ones of ACE if absent"
    )
    parser.add_argument("--tiny", action="store_true", help="a few bundled structures and functions, to see it run")
    options = parser.parse_args(arguments)
    settings = {"max_degree": tuple(options.max_degree)} if options.max_degree else {}
    if options.tiny:
        train, test = load_silicon()
        report("bundled silicon", train[:40], test[:8], cutoff=4.0, order=2, max_degree=(6, 4))
    for k, folder in enumerate(options.sets):
        train, test = (read(folder / f"{part}.xyz.gz", ":") for part in ("train", "test"))
        cutoff = options.cutoffs[k] if k < len(options.cutoffs) else "auto"
        report(folder.name, train, test, cutoff=cutoff, **settings)


if __name__ == "__main__":
    main()
