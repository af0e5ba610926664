"""Weights by the evidence: against refits of every fold by the public potential, noise that is planted, no leaks."""

from dataclasses import replace

import numpy as np
import pytest
from ase.calculators.singlepoint import SinglePointCalculator
from sklearn.frozen import FrozenEstimator

from linmlp import ACE, LinearPotential, LinearPotentialCV, load
from linmlp.exceptions import SettingsError
from linmlp.potentials.candidates import Candidate, weight_candidates
from linmlp.potentials.evidence_weights import EvidenceWeights
from linmlp.potentials.search import Split, search
from linmlp.solvers import BayesianRidge, Ridge
from linmlp.structures import ReferenceEnergies, assign_folds, read_labels
from linmlp.system import Assembly, LossWeights
from tests.naive.known_model import random_structures, small_ace

NOISE = (0.02, 0.1, 0.005)
ALPHA = 1e-7


def noisy(truth, noise=NOISE, n=40, seed=5):
    """Structures labelled by the known model plus noise: eV per root of an atom, eV/Å, eV/Å³."""
    rng = np.random.default_rng(seed)
    structures = random_structures(("Si",), seed, n)
    for atoms in structures:
        truth.label(atoms)
        labels = dict(atoms.calc.results)
        labels["energy"] += noise[0] * np.sqrt(len(atoms)) * rng.normal()
        labels["forces"] = labels["forces"] + noise[1] * rng.normal(size=(len(atoms), 3))
        if "stress" in labels:
            labels["stress"] = labels["stress"] + noise[2] * rng.normal(size=6)
        atoms.calc = SinglePointCalculator(atoms, **labels)
    return structures


@pytest.fixture(scope="module")
def structures(silicon_truth):
    return noisy(silicon_truth)


def unfitted(structures, **settings):
    frozen = FrozenEstimator(small_ace().fit(structures))
    ours = {"energy_weight": "evidence", "stress_weight": "evidence", "alpha": ALPHA, "baseline": None, "e0": "lstsq"}
    return LinearPotential(frozen, **{**ours, **settings})


def assembled_data(structures, n_folds=5):
    labels = read_labels(structures)
    descriptor = small_ace().fit(structures)
    reference = ReferenceEnergies("lstsq", ("Si",), np.zeros(1))
    folds = assign_folds([label.config_type for label in labels], n_folds, 0)
    return labels, Assembly(structures, labels, descriptor, reference=reference, folds=folds).run()


def held_out_squares(structures, weights, n_folds=5):
    """Sums of squared residuals of potentials that did not see the fold, and numbers of rows, of the three kinds."""
    labels = read_labels(structures)
    folds = assign_folds([label.config_type for label in labels], n_folds, 0)
    squares, rows = np.zeros(3), np.zeros(3)
    frozen = FrozenEstimator(small_ace().fit(structures))
    for fold in range(n_folds):
        train, test = ([a for a, f in zip(structures, folds, strict=True) if (f == fold) == apart] for apart in (0, 1))
        model = LinearPotential(
            frozen,
            energy_weight=weights.energy,
            stress_weight=weights.stress,
            energy_per=weights.energy_per,
            alpha=ALPHA,
            baseline=None,
            e0="lstsq",
        ).fit(train)
        power = {"structure": 0.0, "sqrt_atom": 0.5, "atom": 1.0}[weights.energy_per]
        energies, forces = model.predict(test), model.predict_forces(test)
        for atoms, energy, force in zip(test, energies, forces, strict=True):
            squares[0] += ((energy - atoms.calc.results["energy"]) / len(atoms) ** power) ** 2
            squares[1] += np.sum((force - atoms.calc.results["forces"]) ** 2)
            rows[:2] += 1, 3 * len(atoms)
            if "stress" in atoms.calc.results:
                difference = model.predict_stress([atoms])[0] - atoms.calc.results["stress"]
                squares[2] += np.sum(difference**2 * [1, 1, 1, 2, 2, 2])
                rows[2] += 6
    return squares, rows


@pytest.mark.parametrize("energy_per", ["structure", "sqrt_atom", "atom"])
def test_weights_are_a_fixed_point_of_held_out_residuals(structures, energy_per):
    model = unfitted(structures, energy_per=energy_per).fit(structures)
    weights = model.loss_weights_
    squares, rows = held_out_squares(structures, weights)
    shares = np.array([1.0, rows[1] / (rows[1] + rows[2]), rows[2] / (rows[1] + rows[2])])
    per_row = shares / squares
    counts = rows / [1, 3, 6]  # structures, atoms, structures
    expected = per_row * counts
    # The last step changed weights by less than 2 %.
    assert weights.energy == pytest.approx(expected[0] / expected[1], rel=0.02)
    assert weights.stress == pytest.approx(expected[2] / expected[1], rel=0.02)
    assert weights.force == 1.0


def test_half_the_noise_of_energies_is_four_times_the_weight(silicon_truth):
    found = []
    for noise in (0.02, 0.01):
        quiet = noisy(silicon_truth, (noise, *NOISE[1:]), n=60)
        found.append(unfitted(quiet, energy_per="sqrt_atom").fit(quiet).energy_weight_)
    # Force noise feeds into energies of structures that were not seen, which lessens the ratio.
    assert 2.5 < found[1] / found[0] < 5.0


def test_a_number_stays_and_energies_are_the_unit_without_forces(structures):
    given = unfitted(structures, energy_weight=3.0, force_weight=2.0).fit(structures)
    assert (given.energy_weight_, given.force_weight_) == (3.0, 2.0)
    assert given.stress_weight_ != unfitted(structures, stress_weight="auto").fit(structures).stress_weight_
    alone = unfitted(structures, force_weight=0.0, energy_per="atom").fit(structures)
    start = LossWeights.from_labels(read_labels(structures), force=0.0, energy_per="atom")
    assert alone.energy_weight_ == start.energy
    assert alone.stress_weight_ != start.stress


def test_weights_are_those_of_the_training_folds_alone(structures):
    labels, data = assembled_data(structures)
    (rule,) = weight_candidates(labels, None, "evidence", "auto", "evidence")
    assert isinstance(rule, EvidenceWeights)
    assert (rule.energy, rule.stress, rule.energy_per) == ("evidence", "evidence", "auto")
    candidate = Candidate(rule, Ridge(), (ALPHA,))
    weights = candidate.with_numbers(data, data.folds[1:], True).loss_weights
    shuffled = replace(data.energy, y=np.where(data.energy.fold == 0, -7.0 * data.energy.y, data.energy.y))
    apart = candidate.with_numbers(replace(data, energy=shuffled), data.folds[1:], True).loss_weights
    assert apart == weights
    split = [Split(data.folds[1:], data.folds[:1])]
    by_rule, by_number = (search(data, [Candidate(w, Ridge(), (ALPHA,))], split) for w in (rule, weights))
    np.testing.assert_array_equal(by_rule.pooled["score"], by_number.pooled["score"])


def test_energy_per_is_that_of_the_largest_density(structures):
    labels, data = assembled_data(structures)
    (rule,) = weight_candidates(labels, None, "evidence", "auto", "evidence")
    found = rule.find(data, data.folds, alphas=(ALPHA,))
    density = {}
    for start in rule.starts:
        weights = EvidenceWeights((start,), rule.found).find(data, data.folds, alphas=(ALPHA,))
        squares, rows = held_out_squares(structures, weights)
        n_atoms = np.array([len(atoms) for atoms in structures])
        power = {"structure": 0, "sqrt_atom": 1, "atom": 2}[weights.energy_per]
        n = np.array([1.0, *rows[1:] / rows[1:].sum()])
        density[weights] = -0.5 * (n @ np.log(squares / rows) + power * np.mean(np.log(n_atoms)))
    assert found == max(density, key=density.get)


def test_no_hand_at_all(structures, tmp_path):
    model = unfitted(structures, alpha="auto", solver=BayesianRidge()).fit(structures)
    assert not model.cv_results_
    assert model.alpha_ > 0.0
    weights = model.loss_weights_
    assert isinstance(weights, LossWeights)
    model.save(tmp_path / "a.linmlp")
    again = load(tmp_path / "a.linmlp")
    assert again.loss_weights_ == weights
    assert again.energy_weight == "evidence"
    again.partial_fit(structures[:5])
    assert again.loss_weights_ == weights


def test_goes_with_an_automatic_cutoff(structures):
    descriptor = ACE(order=2, max_degree=(3, 2))
    model = LinearPotential(descriptor, energy_weight="evidence", stress_weight="evidence").fit(structures)
    assert model.energy_weight_ > 0.0


def test_competes_in_a_search(silicon_truth):
    structures = noisy(silicon_truth, (0.001, *NOISE[1:]))
    grid = {"energy_weight": ["evidence", 1e-6]}
    found = LinearPotentialCV(unfitted(structures), grid, cv=4, scoring="energy_mae").fit(structures)
    assert found.best_params_["energy_weight"] == "evidence"
    assert found.best_estimator_.energy_weight_ > 1e-3
    assert list(found.cv_results_["param_energy_weight"]) == ["evidence", 1e-6]


def test_bad_input(structures):
    with pytest.raises(SettingsError, match="force_weight='evidence'; it must be \"auto\" or"):
        unfitted(structures, force_weight="evidence").fit(structures)
    with pytest.raises(SettingsError, match="use three folds or more"):
        LinearPotentialCV(unfitted(structures), {"alpha": [1e-7, 1e-5]}, cv=2).fit(structures)
