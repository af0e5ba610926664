"""The uncertainty of a small fitted potential, put together."""

import numpy as np
import pytest
from ase.build import bulk

from linmlp.exceptions import SettingsError
from linmlp.potentials.candidates import Candidate
from linmlp.potentials.fit_settings import FitSettings
from linmlp.potentials.fitting import fit_linear
from linmlp.potentials.predictor import Predictor
from linmlp.potentials.training_set import TrainingSet
from linmlp.potentials.uncertainty import UncertainPredictor, Uncertainty, fit_uncertainty
from linmlp.potentials.uncertainty.posterior import Posterior
from linmlp.potentials.uncertainty.predictor import count_elements, pooled_std
from linmlp.potentials.uncertainty.table import UncertaintyTable
from linmlp.solvers import ForwardSelection
from linmlp.structures import assign_folds, fit_reference_energies, read_labels
from linmlp.system import assemble, combine
from tests.naive.known_model import WEIGHTS, KnownModel, without

ALPHA = 1e-6


@pytest.fixture(scope="module")
def case():
    """Structures labelled by a known potential plus noise of known size, and the uncertainty of their fit."""
    known = KnownModel.of(("Si",), seed=4)
    rng = np.random.default_rng(0)
    structures = []
    for atoms in known.structures + known.structures:
        copy = atoms.copy()
        copy.positions += 0.02 * rng.normal(size=(len(atoms), 3))
        known.label(copy)
        noisy = copy.calc.results["forces"] + 0.05 * rng.normal(size=(len(atoms), 3))
        structures.append(without(copy, forces=noisy))
    labels = read_labels(structures)
    reference = fit_reference_energies("auto", structures, labels, ("Si",))
    data = TrainingSet(structures, labels, known.descriptor, (), reference)
    fit = fit_linear(data, FitSettings(**WEIGHTS, alpha=ALPHA), core=False)
    folds = assign_folds([label.config_type for label in labels])
    assembled = assemble(structures, labels, known.descriptor, reference=reference, folds=folds)
    uncertainty = fit_uncertainty(data, assembled, Candidate(fit.weights), ALPHA, core=False)
    return data, fit, assembled, uncertainty, predictor_of(data, fit, uncertainty)


def predictor_of(data, fit, uncertainty):
    return UncertainPredictor(data.descriptor, fit.solution.coef, fit.reference, (), uncertainty)


def test_held_out_residuals_are_those_of_fits_without_the_fold(case):
    data, fit, assembled, uncertainty, _ = case
    fold = int(assembled.energy.fold[0])
    kept = [i for i in range(len(data.structures)) if assembled.energy.fold[i] != fold]
    problem = combine(assembled, fit.weights, [k for k in assembled.folds if k != fold])
    part = TrainingSet(
        [data.structures[i] for i in kept],
        read_labels([data.structures[i] for i in kept]),
        data.descriptor,
        (),
        data.reference,
    )
    other = fit_linear(part, FitSettings(**WEIGHTS, alpha=ALPHA), core=False)
    assert problem.system.n_rows > 0
    prediction = Predictor(data.descriptor, other.solution.coef, other.reference)(data.structures[0])
    label = data.labels[0]
    np.testing.assert_allclose(
        uncertainty.held_out.force_residual[0], prediction.forces - label.forces, rtol=1e-5, atol=1e-7
    )
    energy = (prediction.energy - label.energy) / label.n_atoms
    np.testing.assert_allclose(uncertainty.held_out.energy_residual[0], energy, rtol=1e-5, atol=1e-7)


def test_prediction_and_raw_standard_deviations(case):
    data, fit, assembled, uncertainty, predictor = case
    structure = data.structures[0]
    result = predictor(structure)
    plain = Predictor(data.descriptor, fit.solution.coef, fit.reference)(structure)
    np.testing.assert_allclose(result.prediction.forces, plain.forces, rtol=0, atol=1e-12 * np.abs(plain.forces).max())
    np.testing.assert_allclose(result.prediction.stress, plain.stress, rtol=1e-10, atol=1e-14)
    assert result.prediction.energy == pytest.approx(plain.energy, rel=1e-12)
    problem = combine(assembled, fit.weights)
    posterior = Posterior.of(problem.system, ALPHA, problem.composition.matrix)
    sums = data.descriptor.transform([structure])
    expected = posterior.energy_std(sums, np.array([[float(len(structure))]]))
    np.testing.assert_allclose(result.raw_energy_std, expected[0], rtol=1e-6)
    # Forces are linear in the coefficients: members deviate by what their deviations predict.
    forces = [
        Predictor(data.descriptor, fit.solution.coef + m, fit.reference)(structure).forces for m in uncertainty.members
    ]
    deviations = np.array(forces) - result.prediction.forces
    # Single precision.
    np.testing.assert_allclose(result.raw_force_std, np.sqrt(np.mean(deviations**2, axis=(0, 2))), rtol=1e-4)
    features = data.descriptor.compute_features(data.descriptor.pairs(structure))
    grades = uncertainty.grade.atoms(uncertainty.grade.leverage(features))
    np.testing.assert_allclose(result.atom_grades, grades, rtol=1e-3)


def test_intervals_have_shapes_and_grow_with_level(case):
    data, *_, predictor = case
    result = predictor(data.structures[1])
    n = len(data.structures[1])
    assert result.force_std.shape == result.atom_grades.shape == result.force_half_width(0.5).shape == (n,)
    assert np.all(result.force_half_width(0.95) > result.force_std)
    assert 0.0 < result.energy_std < result.energy_half_width(0.95)
    # 68 % of normal noise are within one standard deviation; the fit's own error comes on top.
    stds = np.concatenate([predictor(s).force_std for s in data.structures])
    assert 0.045 < np.median(stds) < 0.1


def test_uncertainty_is_invariant_under_rotation(case):
    data, *_, predictor = case
    structure = data.structures[0].copy()
    one = predictor(structure)
    structure.rotate(37.0, (1.0, 2.0, 3.0), rotate_cell=True)
    two = predictor(structure)
    # Energies in double precision, forces and leverages in single.
    np.testing.assert_allclose(two.force_half_width(0.68), one.force_half_width(0.68), rtol=1e-3)
    np.testing.assert_allclose(two.energy_std, one.energy_std, rtol=1e-8)
    np.testing.assert_allclose(two.grade, one.grade, rtol=1e-3)


def test_forces_that_symmetry_fixes_have_no_width(case):
    predictor = case[-1]
    result = predictor(bulk("Si", "diamond", a=5.0))
    assert not result.force_half_width(0.95).any()


def test_a_compressed_crystal_is_an_extrapolation(case):
    data, *_, predictor = case
    inside = [predictor(s).grade for s in data.structures]
    dense = data.structures[0].copy()
    dense.set_cell(0.7 * dense.cell, scale_atoms=True)
    assert np.median(inside) < 1.0
    assert predictor(dense).grade > 2.0


def test_state_gives_the_same_numbers(case):
    data, fit, _, uncertainty, _ = case
    again = Uncertainty.from_state(uncertainty.to_state())
    one, two = (predictor_of(data, fit, u)(data.structures[2]) for u in (uncertainty, again))
    assert two.energy_std == one.energy_std
    assert two.grade == one.grade
    np.testing.assert_array_equal(two.force_half_width(0.9), one.force_half_width(0.9))
    assert again.held_out is None
    np.testing.assert_array_equal(again.statistics.gram, uncertainty.statistics.gram)


def test_state_of_before_is_read(case):
    """Without what tables of uncertainties and more structures need."""
    data, fit, _, uncertainty, predictor = case
    state = uncertainty.to_state(statistics=False)
    old = {name: array for name, array in state.items() if not name.endswith("calibration/constant")}
    assert len(old) == len(state) - 2
    again = Uncertainty.from_state(old)
    assert again.statistics is None
    assert predictor_of(data, fit, again)(data.structures[0]).energy_std == predictor(data.structures[0]).energy_std
    results = [predictor_of(data, fit, again)(structure) for structure in data.structures]
    total = UncertaintyTable.of(results, data.labels, again).to_dict()["total"]
    assert total["force_score_68"] is None
    assert total["force_inside_68"] > 0


def test_threads_do_not_change_numbers(case):
    data, fit, assembled, uncertainty, _ = case
    again = fit_uncertainty(data, assembled, Candidate(fit.weights), ALPHA, core=False, n_jobs=2)
    np.testing.assert_array_equal(again.force_calibration.table, uncertainty.force_calibration.table)
    np.testing.assert_array_equal(again.members, uncertainty.members)


def test_without_forces_there_are_no_force_intervals(case):
    data = case[0]
    structures = [without(s, "forces") for s in data.structures]
    labels = read_labels(structures)
    bare = TrainingSet(structures, labels, data.descriptor, (), data.reference)
    fit = fit_linear(bare, FitSettings(**WEIGHTS, alpha=ALPHA), core=False)
    folds = assign_folds([label.config_type for label in labels])
    assembled = assemble(structures, labels, data.descriptor, reference=data.reference, folds=folds)
    uncertainty = fit_uncertainty(bare, assembled, Candidate(fit.weights), ALPHA, core=False)
    result = predictor_of(bare, fit, Uncertainty.from_state(uncertainty.to_state()))(structures[0])
    assert result.energy_std > 0.0
    with pytest.raises(SettingsError, match="no training structure has forces"):
        result.force_half_width(0.68)


def test_errors(case):
    data, fit, assembled, _, _ = case
    one = assemble(data.structures, data.labels, data.descriptor, reference=data.reference)
    with pytest.raises(SettingsError, match="1 fold; there are no held-out residuals"):
        fit_uncertainty(data, one, Candidate(fit.weights), ALPHA)
    with pytest.raises(SettingsError, match="n_members=1; a committee needs 2 or more"):
        fit_uncertainty(data, assembled, Candidate(fit.weights), ALPHA, n_members=1)


def test_small_pieces(case):
    data = case[0]
    pairs = data.descriptor.pairs(data.structures[0])
    members = np.random.default_rng(0).normal(size=(3, data.descriptor.n_features_out_))
    forces = data.descriptor.committee(members).compute(pairs)[1]
    for member, expected in zip(members, forces, strict=True):
        np.testing.assert_array_equal(data.descriptor.evaluator(member).compute(pairs)[1], expected)
    assert pooled_std(np.full((2, 4, 3), -2.0)).tolist() == [2.0] * 4
    assert count_elements(np.array([14, 6, 14]), (6, 14)).tolist() == [1.0, 2.0]


def settings_of(name, descriptor):
    """Features that leave out every third one, a prior by degree, both."""
    features = np.flatnonzero(np.arange(descriptor.n_features_out_) % 3)
    return {
        "features": {"features": features},
        "prior": {"prior": "degree"},
        "both": {"features": features, "prior": 1.5},
    }[name]


@pytest.mark.parametrize("name", ["features", "prior", "both"])
def test_features_and_prior(case, name):
    """The posterior is that of dense ridge regression; held-out residuals are those of fits with the same settings."""
    data, _, assembled, _, _ = case
    settings = FitSettings(**WEIGHTS, alpha=ALPHA, uncertainty=True, **settings_of(name, data.descriptor))
    fit = fit_linear(data, settings, core=False)
    choice = settings.solver_choice(data.descriptor)
    candidate = choice.candidate(fit.weights)
    uncertainty = fit_uncertainty(data, assembled, candidate, ALPHA, core=False)
    n = data.descriptor.n_features_out_
    columns = np.arange(n) if choice.columns is None else choice.columns
    gamma = np.ones(len(columns)) if choice.solver.prior is None else choice.solver.prior
    gram = combine(assembled, fit.weights).system.to_gram()
    matrix = gram.matrix[np.ix_(columns, columns)]
    covariance = np.linalg.inv(matrix + ALPHA * np.diag(gamma**2 * np.diagonal(matrix)))
    rows = np.random.default_rng(0).normal(size=(4, n)) * np.sqrt(np.diagonal(gram.matrix))
    chosen = rows[:, columns]
    expected = np.einsum("ij,jk,ik->i", chosen, covariance, chosen)
    np.testing.assert_allclose(uncertainty.posterior.leverage(rows), expected, rtol=1e-6)
    np.testing.assert_allclose(covariance @ gram.vector[columns], fit.solution.coef[columns], rtol=1e-5, atol=1e-8)
    others = np.setdiff1d(np.arange(n), columns)
    assert not uncertainty.members[:, others].any()
    assert not uncertainty.statistics.sums[:, others].any()
    kept = np.flatnonzero(assembled.energy.fold != assembled.energy.fold[0])
    structures = [data.structures[i] for i in kept]
    part = TrainingSet(structures, read_labels(structures), data.descriptor, (), data.reference)
    other = fit_linear(part, settings, core=False)
    prediction = Predictor(data.descriptor, other.solution.coef, other.reference)(data.structures[0])
    residual = prediction.forces - data.labels[0].forces
    np.testing.assert_allclose(uncertainty.held_out.force_residual[0], residual, rtol=1e-5, atol=1e-7)
    result = predictor_of(data, fit, uncertainty)(data.structures[0])
    assert (result.force_half_width(0.9) > 0).all()
    assert result.grade > 0


def test_another_solver_is_refused_by_name(case):
    data, fit, assembled, _, _ = case
    candidate = Candidate(fit.weights, ForwardSelection(6))
    with pytest.raises(SettingsError, match="those of ridge regression, but the solver is ForwardSelection"):
        fit_uncertainty(data, assembled, candidate, ALPHA)
