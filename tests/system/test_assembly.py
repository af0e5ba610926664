"""Assembly against rows stacked by hand, for any way of cutting the work."""

from dataclasses import replace

import joblib
import numpy as np
import pytest

from linmlp.exceptions import LabelError, SettingsError
from linmlp.neighbors import find_pairs
from linmlp.structures import ReferenceEnergies
from linmlp.structures.baselines import BaselineResult
from linmlp.system import Assembly, LossWeights, assemble, combine, compute_loss, validate
from tests.naive.toy_data import toy_labels, toy_structures, with_odd_weights
from tests.naive.toy_descriptor import ToyDescriptor

WEIGHTS = LossWeights(0.7, 1.3, 11.0, "sqrt_atom")


class Springs:
    """A baseline: springs between all pairs within its cutoff."""

    def __init__(self, cutoff):
        self.cutoff = cutoff

    def compute(self, pairs, atoms=None):
        i, vectors, d = pairs.i, pairs.vectors, pairs.distances
        inside = d < self.cutoff
        x = np.where(inside, d - self.cutoff, 0.0)
        energies = np.bincount(i, 0.5 * x**2, len(pairs.numbers))
        pull = 2 * (x / d)[:, None] * vectors
        forces = np.stack([np.bincount(i, pull[:, axis], len(pairs.numbers)) for axis in range(3)], axis=1)
        gradient = np.array(
            [np.sum(x / d * vectors[:, a] * vectors[:, b]) for a, b in [(0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)]]
        )
        return BaselineResult(energies, forces, gradient, np.tile(gradient / len(energies), (len(energies), 1)))


@pytest.fixture(scope="module")
def data():
    descriptor = ToyDescriptor(("Si", "C"), padding=3)
    structures = toy_structures(17, symbols=("Si", "C"))
    coef = np.random.default_rng(4).normal(size=descriptor.n_features_)
    labels = with_odd_weights(toy_labels(structures, descriptor, coef))
    reference = ReferenceEnergies("given", ("Si", "C"), np.array([-5.0, -3.0]))
    folds = np.arange(17) % 3
    listed = np.random.default_rng(0).uniform(0.2, 2.0, 17)
    listed[[3, 8]] = 0.0
    return structures, labels, descriptor, {"reference": reference, "folds": folds, "sample_weight": listed}


def predict(data, coef, e0=(0.0, 0.0), baseline=None):
    structures, _, descriptor, settings = data
    predictions = []
    for atoms in structures:
        energy, forces, stress = descriptor.predict(atoms, coef)
        energy += settings["reference"].energy(atoms.numbers)
        energy += e0[0] * np.sum(atoms.numbers == 14) + e0[1] * np.sum(atoms.numbers == 6)
        if baseline is not None:
            result = baseline.compute(find_pairs(atoms, baseline.cutoff))
            energy, forces = energy + result.energies.sum(), forces + result.forces
            stress = stress + result.strain_gradient / atoms.get_volume()
        predictions.append((energy, forces, stress))
    return zip(*predictions, strict=True)


def coefs_of(data, n=3):
    return np.random.default_rng(9).normal(size=(n, data[2].n_features_))


@pytest.mark.parametrize("form", ["gram", "qr"])
@pytest.mark.parametrize("energy_per", ["structure", "atom", "sqrt_atom"])
@pytest.mark.parametrize("baseline", [None, Springs(3.0), Springs(5.0)])
def test_squared_residual_of_the_training_problem_is_the_loss(data, form, energy_per, baseline):
    structures, labels, descriptor, settings = data
    weights = replace(WEIGHTS, energy_per=energy_per)
    assembled = assemble(structures, labels, descriptor, form=form, baseline=baseline, **settings)
    problem = combine(assembled, weights, solve_reference=False)
    for coef in coefs_of(data):
        energies, forces, stresses = predict(data, coef, baseline=baseline)
        wanted = compute_loss(weights, labels, energies, forces, stresses, settings["sample_weight"]).total
        assert problem.system.squared_residual(coef) == pytest.approx(wanted, rel=1e-10)
        errors = validate(assembled, assembled.folds, coef, np.zeros(2))
        assert errors.loss(weights)[0] == pytest.approx(wanted, rel=1e-10)


def test_solved_reference_energies_minimize_the_loss(data):
    structures, labels, descriptor, settings = data
    assembled = assemble(structures, labels, descriptor, **settings)
    problem = combine(assembled, WEIGHTS)
    for coef in coefs_of(data):
        e0 = problem.composition.recover(coef)

        def loss(e0, coef=coef):
            energies, forces, stresses = predict(data, coef, e0)
            return compute_loss(WEIGHTS, labels, energies, forces, stresses, settings["sample_weight"]).total

        best = loss(e0)
        assert problem.system.squared_residual(coef) == pytest.approx(best, rel=1e-10)
        assert validate(assembled, assembled.folds, coef, e0).loss(WEIGHTS)[0] == pytest.approx(best, rel=1e-10)
        assert all(loss(e0 + step) > best for step in 1e-3 * np.array([[1, 0], [-1, 0], [0, 1], [0, -1], [1, -1]]))


@pytest.mark.parametrize("form", ["gram", "qr"])
def test_nothing_depends_on_how_the_work_is_cut(data, form):
    structures, labels, descriptor, settings = data
    coef = coefs_of(data)

    def numbers(order=slice(None), **how):
        order = np.arange(len(structures))[order]
        mine = {**settings, "folds": settings["folds"][order], "sample_weight": settings["sample_weight"][order]}
        assembled = assemble(
            [structures[i] for i in order], [labels[i] for i in order], descriptor, form=form, **mine, **how
        )
        return combine(assembled, WEIGHTS, folds=[0, 2]).system.squared_residual(coef)

    wanted = numbers(n_jobs=1)
    for block_rows in (1, 20, 50, 10**6):
        np.testing.assert_allclose(numbers(block_rows=block_rows), wanted, rtol=1e-10)
        for n_jobs in (2, 3):
            np.testing.assert_allclose(numbers(block_rows=block_rows, n_jobs=n_jobs), wanted, rtol=1e-10)
    np.testing.assert_array_equal(numbers(block_rows=30, n_jobs=2), numbers(block_rows=30, n_jobs=3))
    np.testing.assert_allclose(numbers(slice(None, None, -1)), wanted, rtol=1e-10)
    np.testing.assert_allclose(numbers(max_memory=10.0), wanted, rtol=1e-10)


def test_processes_give_the_same(data):
    structures, labels, descriptor, settings = data
    coef = coefs_of(data)
    wanted = combine(assemble(structures, labels, descriptor, **settings), WEIGHTS).system.squared_residual(coef)
    with joblib.parallel_config(backend="loky", n_jobs=2):
        assembled = assemble(structures, labels, descriptor, block_rows=30, **settings)
    np.testing.assert_allclose(combine(assembled, WEIGHTS).system.squared_residual(coef), wanted, rtol=1e-10)


def test_sample_weights_are_listings(data):
    structures, labels, descriptor, settings = data
    coef = coefs_of(data)
    listing = np.array([2, 0, 1] * 5 + [1, 2])
    at = np.repeat(np.arange(17), listing)
    kept = {"reference": settings["reference"]}
    weighted = assemble(structures, labels, descriptor, sample_weight=listing, folds=settings["folds"], **kept)
    listed = assemble(
        [structures[i] for i in at], [labels[i] for i in at], descriptor, folds=settings["folds"][at], **kept
    )
    for solve_reference in (True, False):
        a, b = (combine(x, WEIGHTS, [0, 1], solve_reference).system.squared_residual(coef) for x in (weighted, listed))
        np.testing.assert_allclose(a, b, rtol=1e-10)
    e0 = np.zeros((len(coef), 2))
    a, b = (validate(x, [1, 2], coef, e0) for x in (weighted, listed))
    for name in ("energy_mae", "energy_rmse"):
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=1e-10)
    np.testing.assert_allclose(a.force.rmse, b.force.rmse, rtol=1e-10)
    np.testing.assert_allclose(a.stress.rmse, b.stress.rmse, rtol=1e-10)


@pytest.mark.parametrize("groups", [{"slab": 0.3, "default": 2.0}, {"slab": 0.0}])
def test_group_weights_in_the_rows_or_apart(data, groups):
    structures, labels, descriptor, settings = data
    coef = coefs_of(data)
    weights = replace(WEIGHTS, groups=groups)
    baked = assemble(structures, labels, descriptor, group_weights=groups, **settings)
    apart = assemble(structures, labels, descriptor, groups_apart=True, block_rows=30, **settings)
    assert {group for _, group in apart.force} == {"bulk", "slab"}
    for solve_reference in (True, False):
        a, b = (combine(x, weights, [0, 1], solve_reference).system.squared_residual(coef) for x in (baked, apart))
        np.testing.assert_allclose(a, b, rtol=1e-10)
    a, b = (validate(x, [2], coef, np.zeros((3, 2)), weights).loss(weights) for x in (baked, apart))
    np.testing.assert_allclose(a, b, rtol=1e-10)
    with pytest.raises(SettingsError, match="groups_apart=True"):
        combine(baked, WEIGHTS)


def test_merged_and_subset_assemblies(data):
    structures, labels, descriptor, settings = data
    coef = coefs_of(data)
    whole = assemble(structures, labels, descriptor, **settings)

    def part(at):
        mine = {**settings, "folds": settings["folds"][at], "sample_weight": settings["sample_weight"][at]}
        return assemble(structures[at], labels[at], descriptor, **mine)

    merged = part(slice(0, 5)).merge(part(slice(5, 9)), part(slice(9, 17)))
    for folds in ([0, 1, 2], [1], [0, 2]):
        np.testing.assert_allclose(
            combine(merged, WEIGHTS, folds).system.squared_residual(coef),
            combine(whole, WEIGHTS, folds).system.squared_residual(coef),
            rtol=1e-10,
        )
    assert sorted(merged.energy.index[merged.energy.fold == 2]) == sorted(whole.energy.index[whole.energy.fold == 2])
    columns = [5, 0, 11]
    chosen = np.zeros(descriptor.n_features_)
    chosen[columns] = [1.0, -2.0, 0.5]
    assert combine(whole.subset(columns), WEIGHTS).system.squared_residual(chosen[columns]) == pytest.approx(
        combine(whole, WEIGHTS).system.squared_residual(chosen), rel=1e-10
    )


def test_merged_training_system_is_the_sum(data):
    structures, labels, descriptor, settings = data
    assembled = assemble(structures, labels, descriptor, form="qr", **settings)
    system = combine(assembled, WEIGHTS).system
    coef = coefs_of(data)
    for form in ("gram", "qr"):
        merged = system.merged(form)
        assert merged.form == form
        np.testing.assert_allclose(merged.squared_residual(coef), system.squared_residual(coef), rtol=1e-10)


def test_missing_kinds_of_labels(data):
    structures, labels, descriptor, settings = data
    coef = coefs_of(data)[0]
    only_energy = [replace(label, forces=None, stress=None) for label in labels]
    assembled = assemble(structures, only_energy, descriptor, **settings)
    assert assembled.force == assembled.stress == {}
    energies, _, _ = predict(data, coef)
    wanted = compute_loss(WEIGHTS, only_energy, energies, sample_weight=settings["sample_weight"]).total
    assert combine(assembled, WEIGHTS, solve_reference=False).system.squared_residual(coef) == pytest.approx(wanted)
    errors = validate(assembled, [0], coef, np.zeros(2))
    assert np.isnan(errors.force.rmse).all()
    only_forces = [replace(label, energy=None, stress=None) for label in labels]
    assembled = assemble(structures, only_forces, descriptor, **settings)
    assert np.isnan(validate(assembled, [0], coef, np.zeros(2)).energy_mae).all()
    assert np.all(combine(assembled, WEIGHTS).composition.recover(coef) == 0.0)


def test_plan_and_progress(data):
    structures, labels, descriptor, settings = data
    assembly = Assembly(structures, labels, descriptor, block_rows=40, max_memory=10.0, **settings)
    plan = assembly.plan()
    assert plan.form == "qr"
    assert plan.n_features == descriptor.n_features_
    assert plan.design_matrix == 8 * plan.n_rows * plan.n_features
    assert plan.energy_on_disk
    assert "on disk" in str(plan)
    calls = []
    assembled = assembly.run(lambda done, total: calls.append((done, total)))
    assert len(calls) == plan.n_blocks
    assert calls[-1] == (15, 15)
    assert assembled.nbytes < 1.2 * (plan.systems + plan.energy_rows)  # masked rows are predicted, too
    assert isinstance(assembled.energy.X, np.memmap)


def test_errors_name_the_structure(data):
    structures, labels, descriptor, settings = data
    bad = [*structures]
    bad[6] = structures[6].copy()
    bad[6].pbc, bad[6].cell = False, None
    for n_jobs in (1, 2):
        with pytest.raises(LabelError, match=r"structure 6 \(config_type 'bulk'\): there is a stress, but the cell"):
            assemble(bad, labels, descriptor, n_jobs=n_jobs, block_rows=20, **settings)
    with pytest.raises(SettingsError, match="17 structures, but labels of 3"):
        assemble(structures, labels[:3], descriptor)
    with pytest.raises(SettingsError, match=r"folds has shape \(2,\)"):
        assemble(structures, labels, descriptor, folds=[0, 1])
    with pytest.raises(SettingsError, match="no structure to assemble"):
        assemble([], [], descriptor)


@pytest.mark.parametrize("form", ["gram", "qr"])
@pytest.mark.parametrize("solve_reference", [True, False])
def test_energy_rows_folded_in_chunks(data, form, solve_reference, monkeypatch):
    structures, _, _, settings = data
    few = ToyDescriptor(("Si", "C"), n_radial=2)  # 8 features: fewer than structures
    labels = toy_labels(structures, few, np.ones(8))
    assembled = assemble(structures, labels, few, form=form, **settings)
    coef = np.random.default_rng(0).normal(size=(3, 8))
    wanted = combine(assembled, WEIGHTS, [0, 1], solve_reference)
    monkeypatch.setattr("linmlp.system.training.CHUNK_ROWS", 3)
    chunked = combine(assembled, WEIGHTS, [0, 1], solve_reference)
    np.testing.assert_allclose(chunked.system.squared_residual(coef), wanted.system.squared_residual(coef), rtol=1e-10)
    np.testing.assert_allclose(chunked.composition.recover(coef), wanted.composition.recover(coef), rtol=1e-10)


def test_energy_in_extensive_units_keeps_its_digits(data):
    # Provisional reference energies far off: they are columns of the fit, so the residual must not notice.
    structures, labels, descriptor, settings = data
    coef = coefs_of(data)
    far = replace(settings["reference"], values=np.array([1e4, -3e3]))
    a, b = (
        combine(assemble(structures, labels, descriptor, **mine), WEIGHTS)
        for mine in (settings, {**settings, "reference": far})
    )
    np.testing.assert_allclose(a.system.squared_residual(coef), b.system.squared_residual(coef), rtol=1e-7)
    totals = a.composition.recover(coef) + settings["reference"].values
    np.testing.assert_allclose(b.composition.recover(coef) + far.values, totals, rtol=1e-8)
