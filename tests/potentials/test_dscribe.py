"""Potentials on descriptors of dscribe: fits with and without derivatives, files, kernels."""

import warnings

import numpy as np
import pytest
from ase.build import bulk
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from linmlp import SOAP, DScribeDescriptor, LinearPotential, SparseKernelPotential, load
from linmlp.datasets import load_silicon
from linmlp.evaluation import scan_dimers
from linmlp.exceptions import LinmlpWarning, SettingsError
from tests import battery

dscribe = pytest.importorskip("dscribe.descriptors", reason="dscribe is not installed")

SILICON = {"species": ["Si"], "periodic": True}
SET = {"energy_weight": 100.0, "energy_per": "atom", "alpha": 1e-6}


def soap(**changed):
    return dscribe.SOAP(**{"r_cut": 3.2, "n_max": 3, "l_max": 2, "sigma": 0.5, **SILICON, **changed})


def acsf():
    return dscribe.ACSF(r_cut=3.6, g2_params=[[0.5, 1.5], [1.0, 2.0], [1.0, 2.8]], g4_params=[[0.1, 1, 1]], **SILICON)


@pytest.fixture(scope="module")
def silicon():
    train, test = load_silicon()
    small = [atoms for atoms in train if len(atoms) <= 8]
    return small[::3], [atoms for atoms in test if len(atoms) <= 8][:4]


def energies_alone(structures):
    """The structures without forces and stresses."""
    found = []
    for atoms in structures:
        copy = atoms.copy()
        copy.info["REF_energy"] = atoms.get_potential_energy()
        found.append(copy)
    return found


def test_the_fit_is_that_with_the_soap_of_the_house(silicon):
    train, test = silicon
    theirs = LinearPotential(DScribeDescriptor(soap()), **SET).fit(train)
    ours = LinearPotential(SOAP(3.2, 3, 2, 0.5, cutoff_function=None), **SET).fit(train)
    np.testing.assert_allclose(theirs.predict(test), ours.predict(test), rtol=1e-6)
    for a, b in zip(theirs.predict_forces(test), ours.predict_forces(test), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)
    np.testing.assert_allclose(theirs.predict_stress(test), ours.predict_stress(test), atol=1e-5)
    spread = np.std([f for atoms in test for f in atoms.get_forces().ravel()])
    assert theirs.evaluate(test).to_dict()["total"]["force_rmse"] < 0.6 * spread


@pytest.mark.parametrize("kind", ["linear", "kernel"])
def test_physics_and_files(kind, silicon, tmp_path):
    train, test = silicon
    descriptor = DScribeDescriptor(soap())
    make = {
        "linear": lambda: LinearPotential(descriptor, **SET),
        "kernel": lambda: SparseKernelPotential(descriptor, n_sparse=20, **{**SET, "alpha": 1e-3}),
    }[kind]
    model = make().fit(train)
    atoms, rng = bulk("Si", cubic=True), np.random.default_rng(0)
    atoms.rattle(0.02, seed=2)
    predict = model.predictor()
    # The coefficients of so few environments are large, and rounding with them.
    tolerance = 1e-8 if kind == "linear" else 1e-7
    battery.check_forces(predict, atoms, rng, step=1e-3, tolerance=tolerance)
    battery.check_stress(predict, atoms, step=4e-4, tolerance=tolerance)
    battery.check_rotation(predict, atoms, rng)
    battery.check_supercell(predict, atoms)
    battery.check_isolated_atom(predict, "Si", model.e0_["Si"])
    model.save(tmp_path / "model.linmlp")
    again = load(tmp_path / "model.linmlp")
    assert type(again) is type(model)
    np.testing.assert_allclose(again.predict(test), model.predict(test), rtol=1e-13)
    np.testing.assert_allclose(again.predict_forces(test)[0], model.predict_forces(test)[0], atol=1e-12)
    atoms.calc = again.calculator()
    assert atoms.get_potential_energy() == pytest.approx(model.predict([atoms])[0])


@pytest.mark.parametrize("way", ["no forces", "no weight"])
@pytest.mark.parametrize("kind", ["linear", "kernel"])
def test_energies_alone(kind, way, silicon, tmp_path):
    train, test = silicon
    weights = {} if way == "no forces" else {"force_weight": 0.0, "stress_weight": 0.0, "alpha": 1e-6}
    descriptor = DScribeDescriptor(acsf())
    model = {
        "linear": LinearPotential(descriptor, **weights),
        "kernel": SparseKernelPotential(descriptor, n_sparse=8, **weights),
    }[kind]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LinmlpWarning)  # few rows
        model.fit(energies_alone(train) if way == "no forces" else train)
    per_atom = np.array([atoms.get_potential_energy() / len(atoms) for atoms in test])
    error = model.predict(test) / [len(atoms) for atoms in test] - per_atom
    assert np.abs(error).max() < 0.5 * np.ptp(per_atom)
    table = model.evaluate(test).to_dict()["total"]
    assert table["energy_mae"] == pytest.approx(1e3 * np.abs(error).mean())
    assert np.isfinite(model.score(test))
    model.save(tmp_path / "model.linmlp")
    again = load(tmp_path / "model.linmlp")
    np.testing.assert_allclose(again.predict(test), model.predict(test), rtol=1e-13)
    without = (lambda _: again.calculator(), lambda _: again.predictor(), lambda _: scan_dimers(again))
    for ask in (again.predict_forces, again.predict_stress, *without):
        with pytest.raises(SettingsError, match=r'no analytic derivatives of ACSF.*derivatives="numerical"'):
            ask(test)


def test_numerical_derivatives_are_taken_when_asked_for(silicon):
    train, test = silicon[0][:12], silicon[1][:1]
    with pytest.raises(SettingsError, match=r"no analytic derivatives of ACSF.*asked for were forces of 12 structures"):
        LinearPotential(DScribeDescriptor(acsf()), **SET).fit(train)
    model = LinearPotential(DScribeDescriptor(acsf(), "numerical"), **SET).fit(train)
    predict = model.predictor()
    battery.check_forces(predict, test[0], np.random.default_rng(0), step=1e-3, tolerance=1e-6)
    battery.check_stress(predict, test[0], step=4e-4, tolerance=1e-6)


@pytest.mark.parametrize("settings", [{"uncertainty": True}, {"fill_holes": True}])
def test_what_needs_forces_says_so(settings, silicon):
    (name,) = settings
    weights = {"force_weight": 0.0, "stress_weight": 0.0}
    with pytest.raises(SettingsError, match=f"no analytic derivatives of ACSF.*{name}=True"):
        LinearPotential(DScribeDescriptor(acsf()), **weights, **settings).fit(silicon[0])


def test_whole_structures_have_no_potential(silicon):
    matrix = DScribeDescriptor(dscribe.SineMatrix(8, permutation="eigenspectrum"))
    for baseline in ("zbl", None):
        with pytest.raises(SettingsError, match="describes whole structures"):
            LinearPotential(matrix, baseline=baseline).fit(energies_alone(silicon[0]))


def test_pipelines(silicon):
    train, test = silicon
    volumes = [atoms.get_volume() / len(atoms) for atoms in train]
    pipeline = make_pipeline(
        DScribeDescriptor(soap(average="outer")), HistGradientBoostingRegressor(min_samples_leaf=2, random_state=0)
    )
    search = GridSearchCV(pipeline, {"dscribedescriptor__descriptor": [soap(average="outer"), acsf()]}, cv=2)
    search.fit(train, volumes)
    found = search.predict(test)
    expected = np.array([atoms.get_volume() / len(atoms) for atoms in test])
    assert np.abs(found - expected).max() < np.ptp(volumes)
