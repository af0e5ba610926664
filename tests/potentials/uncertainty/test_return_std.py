"""Uncertainties as a user asks for them: of predictions, of the calculator, from a file."""

import numpy as np
import pytest
from sklearn.frozen import FrozenEstimator

from linmlp import LinearPotential, load
from linmlp.exceptions import SettingsError
from linmlp.solvers import BayesianRidge, Lasso, Ridge
from tests.naive.known_model import WEIGHTS, KnownModel, small_ace


@pytest.fixture(scope="module")
def structures():
    truth = KnownModel.of(("Si", "C"), seed=5)
    rng = np.random.default_rng(0)
    for atoms in truth.structures:
        results = atoms.calc.results
        results["energy"] += 0.05 * rng.normal()
        results["forces"] = results["forces"] + 0.05 * rng.normal(size=results["forces"].shape)
    return truth.structures


@pytest.fixture(scope="module")
def model(structures):
    return LinearPotential(small_ace(), alpha=1e-6, uncertainty=True, **WEIGHTS).fit(structures)


def test_standard_deviations_of_predictions(model, structures):
    energies, std = model.predict(structures, return_std=True)
    np.testing.assert_allclose(energies, model.predict(structures), rtol=1e-12)
    every = model.predict_uncertainty(structures)
    np.testing.assert_allclose([result.prediction.energy for result in every], energies, rtol=1e-12)
    np.testing.assert_allclose([result.energy_std for result in every], std, rtol=1e-8)
    assert std.shape == (len(structures),)
    assert (std > 0).all()
    forces, force_std = model.predict_forces(structures, return_std=True)
    for f, s, plain in zip(forces, force_std, model.predict_forces(structures), strict=True):
        np.testing.assert_allclose(f, plain, atol=1e-10)
        assert s.shape == (len(f),)
    one = model.predict_uncertainty(structures[:1])[0]
    assert (one.force_half_width(0.95) >= one.force_half_width(0.68)).all()


def test_calculator_has_them_too(model, structures):
    atoms = structures[0].copy()
    atoms.calc = model.calculator(uncertainty=True)
    atoms.get_potential_energy()
    wanted = model.predict_uncertainty([atoms])[0]
    assert atoms.calc.results["energy_std"] == pytest.approx(wanted.energy_std, rel=1e-9)
    np.testing.assert_allclose(atoms.calc.results["force_std"], wanted.force_std, rtol=1e-9)
    np.testing.assert_allclose(atoms.calc.results["grades"], wanted.atom_grades, rtol=1e-9)
    assert atoms.calc.results["grade"] == pytest.approx(wanted.grade, rel=1e-9)


def test_a_compressed_structure_is_graded_as_extrapolation(model, structures):
    squeezed = structures[0].copy()
    squeezed.set_cell(0.8 * squeezed.cell, scale_atoms=True)
    grades = [result.grade for result in model.predict_uncertainty([structures[0], squeezed])]
    assert grades[1] > 2 * grades[0]


def test_a_file_keeps_them(model, structures, tmp_path):
    model.save(tmp_path / "a.linmlp", system=False)
    loaded = load(tmp_path / "a.linmlp")
    np.testing.assert_array_equal(loaded.predict(structures, True)[1], model.predict(structures, True)[1])


def test_without_uncertainty_it_is_told(model, structures):
    plain = LinearPotential(small_ace(), alpha=1e-6, **WEIGHTS).fit(structures[:20])
    for call in (lambda: plain.predict(structures, return_std=True), lambda: plain.calculator(uncertainty=True)):
        with pytest.raises(SettingsError, match="knows no uncertainties"):
            call()
    with pytest.raises(SettingsError, match="is for ridge regression, but the solver is Lasso"):
        LinearPotential(small_ace(), solver=Lasso(), uncertainty=True).fit(structures)
    with pytest.raises(SettingsError, match="merged with one that was"):
        model.merge(plain_with_state_of(model).fit(structures[:20])).predict(structures, return_std=True)


def plain_with_state_of(model):
    settings = {**model.get_params(deep=False), "descriptor": FrozenEstimator(model.descriptor_), "uncertainty": False}
    return LinearPotential(**settings | {"baseline": model.baselines_})


def test_ridge_by_name_is_the_default(model, structures):
    named = LinearPotential(small_ace(), solver=Ridge(alpha=1e-6), uncertainty=True, **WEIGHTS).fit(structures)
    for one, two in zip(named.predict(structures, True), model.predict(structures, True), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-8)


def test_bayesian_ridge_gives_the_uncertainty_of_the_ridge_that_it_finds(structures):
    frozen = FrozenEstimator(small_ace().fit(structures))
    settings = {**WEIGHTS, "baseline": None, "e0": "lstsq", "uncertainty": True}
    found = LinearPotential(frozen, solver=BayesianRidge(), **settings).fit(structures)
    given = LinearPotential(frozen, alpha=found.alpha_, **settings).fit(structures)
    for ours, theirs in zip(
        found.predict(structures, return_std=True), given.predict(structures, return_std=True), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)
