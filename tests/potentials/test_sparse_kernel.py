"""Kernel potentials: physics, files, searches, uncertainties, and the limit in which they are kernel regression."""

import warnings

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from linmlp import ACE, SOAP, LinearPotential, LinearPotentialCV, SparseKernelPotential, load
from linmlp.datasets import load_lithium_chloride, load_silicon
from linmlp.descriptors import JoinedDescriptors, KernelFeatures
from linmlp.exceptions import LinmlpWarning, SettingsError
from linmlp.neighbors import find_pairs
from linmlp.solvers import Ridge
from tests import battery

SET = {"energy_weight": 100.0, "energy_per": "atom", "alpha": 1e-3}


@pytest.fixture(scope="module")
def silicon():
    train, test = load_silicon()
    return train[::2], test


@pytest.fixture(scope="module")
def model(silicon):
    return SparseKernelPotential(SOAP(4.0, 4, 3), n_sparse=60, **SET).fit(silicon[0])


@pytest.fixture(scope="module")
def salt():
    train, _ = load_lithium_chloride()
    beside = ACE(5.0, order=1, max_degree=7)
    return SparseKernelPotential(SOAP(4.0, 3, 3), n_sparse=40, zeta=2, beside=beside, **SET).fit(train[::2])


def rattled(atoms, seed):
    """The structure with moved atoms, no pair near the cutoff, where the second derivative of the cosine jumps."""
    rng = np.random.default_rng(seed)
    while True:
        moved = atoms.copy()
        moved.positions += 0.08 * rng.normal(size=(len(atoms), 3))
        if np.abs(find_pairs(moved, 4.5).distances - 4.0).min() > 0.012:
            return moved


CASES = {
    "silicon": ("model", lambda: rattled(bulk("Si", cubic=True), 1)),
    "silicon, tiny cell": ("model", lambda: rattled(bulk("Si"), 2)),
    "salt": ("salt", lambda: rattled(bulk("LiCl", "rocksalt", a=5.1), 3)),
    "molecule": ("salt", lambda: Atoms("LiCl2", [[0, 0, 0], [2.1, 0.3, 0.1], [-0.4, 2.2, 0.2]])),
}


@pytest.mark.parametrize("name", CASES)
class TestPhysics:
    def test_battery(self, name, request):
        fixture, make = CASES[name]
        predict = request.getfixturevalue(fixture).predictor()
        atoms, rng = make(), np.random.default_rng(0)
        battery.check_forces(predict, atoms, rng, step=1e-3)  # powers of Gaussians are steeper than ACE
        battery.check_rotation(predict, atoms, rng)
        battery.check_permutation(predict, atoms, rng)
        battery.check_translation(predict, atoms, rng)
        if atoms.pbc.all():
            battery.check_stress(predict, atoms, step=4e-4)
            battery.check_wrapping(predict, atoms, rng)
            battery.check_supercell(predict, atoms)


def test_a_lone_atom_has_its_reference_energy(salt):
    predict = salt.predictor()
    for symbol, energy in salt.e0_.items():
        battery.check_isolated_atom(predict, symbol, energy)


def test_energies_end_smoothly_at_the_cutoff(model):
    battery.check_smooth_through_cutoff(model.predictor(), [14, 14], model.descriptor_.cutoff_)


def test_it_learns(model, silicon):
    errors = model.evaluate(silicon[1]).to_dict()["total"]
    spread = np.std([f for a in silicon[1] for f in a.get_forces().ravel()])
    assert errors["force_rmse"] < 0.35 * spread
    assert errors["energy_mae"] < 60.0


def test_with_all_environments_it_is_kernel_ridge_regression(silicon):
    # Energies alone, columns as they are: the predictions are those of K (K + n alpha)^{-1} y with the kernel matrix
    # K = phi phi^T of the structures, whatever the whitening.
    train = [a for a in silicon[0] if a.info["config_type"] in ("rattled", "diamond")]
    features = KernelFeatures(SOAP(4.0, 3, 2), n_sparse=400)
    with pytest.warns(LinmlpWarning, match="representatives instead of"):
        features.fit(train)
    phi = features.transform(train)
    n_atoms = np.array([len(a) for a in train])
    y = np.array([a.get_potential_energy() for a in train]) + 5.4 * n_atoms
    settings = {"force_weight": 0.0, "stress_weight": 0.0, "energy_weight": 1.0, "energy_per": "structure"}
    for alpha in (1e-5, 1e-2):
        solver = Ridge(alpha=alpha, scale_columns=False)
        model = LinearPotential(FrozenEstimator(features), e0={"Si": -5.4}, baseline=None, solver=solver, **settings)
        with pytest.warns(LinmlpWarning, match=f"{len(train)} rows for {phi.shape[1]} functions"):
            model.fit(train)
        kernel = phi @ phi.T
        expected = kernel @ np.linalg.solve(kernel + len(train) * alpha * np.eye(len(train)), y)
        np.testing.assert_allclose(model.predict(train) + 5.4 * n_atoms, expected, rtol=1e-7, atol=1e-6)


@pytest.mark.parametrize("fixture", ["model", "salt"])
def test_files(fixture, request, tmp_path, silicon):
    potential = request.getfixturevalue(fixture)
    potential.save(tmp_path / "kernel.linmlp")
    again = load(tmp_path / "kernel.linmlp")
    assert type(again) is SparseKernelPotential
    atoms = rattled(bulk("Si") if fixture == "model" else bulk("LiCl", "rocksalt", a=5.1), 5)
    np.testing.assert_allclose(again.predict([atoms]), potential.predict([atoms]), rtol=1e-13)
    np.testing.assert_allclose(again.predict_forces([atoms])[0], potential.predict_forces([atoms])[0], atol=1e-12)
    assert again.get_params()["zeta"] == potential.zeta
    assert again.get_params()["descriptor__n_max"] == potential.descriptor.n_max
    assert repr(again.beside) == repr(potential.beside)
    if fixture == "model":
        again.partial_fit(silicon[1])
        assert not np.allclose(again.coef_, potential.coef_)


def test_scikit_learn(silicon):
    train = silicon[0][:30]
    grid = {"zeta": [2, 4], "n_sparse": [10, 20], "descriptor__l_max": [2, 3]}
    potential = SparseKernelPotential(SOAP(4.0, 3, 2), **SET)
    search = GridSearchCV(potential, grid, cv=3).fit(train)
    assert set(search.best_params_) == set(grid)
    assert len(search.cv_results_["mean_test_score"]) == 8
    assert len(set(np.round(search.cv_results_["mean_test_score"], 8))) == 8
    own = LinearPotentialCV(potential, {**grid, "alpha": [1e-8, 1e-6]}, cv=3).fit(train)
    assert len(own.cv_results_["params"]) == 16
    assert isinstance(own.best_estimator_, SparseKernelPotential)
    assert clone(search.best_estimator_).get_params()["n_sparse"] == search.best_params_["n_sparse"]


def test_pipeline_and_transformers(silicon):
    from sklearn.ensemble import RandomForestRegressor

    train = silicon[0][:40]
    energies = [a.get_potential_energy() / len(a) for a in train]
    pipeline = make_pipeline(KernelFeatures(SOAP(4.0, 3, 2), n_sparse=10), RandomForestRegressor(10, random_state=0))
    search = GridSearchCV(
        pipeline, {"kernelfeatures__zeta": [1, 4], "kernelfeatures__descriptor__l_max": [1, 2]}, cv=2
    ).fit(train, energies)
    assert search.predict(train[:3]).shape == (3,)


def test_uncertainties(silicon):
    train, test = silicon
    model = SparseKernelPotential(SOAP(4.0, 3, 3), n_sparse=30, uncertainty=True, **SET).fit(train)
    energies, std = model.predict(test, return_std=True)
    assert energies.shape == std.shape == (len(test),)
    assert np.all(std > 0)
    result = model.predict_uncertainty(test)[0]
    assert result.atom_grades.shape == (len(test[0]),)


def test_calculator(model):
    atoms = rattled(bulk("Si", cubic=True), 7)
    atoms.calc = model.calculator()
    assert atoms.get_potential_energy() == pytest.approx(model.predict([atoms])[0])
    np.testing.assert_allclose(atoms.get_stress(), model.predict_stress([atoms])[0], atol=1e-12)


def test_joined_features_are_those_of_the_parts(silicon):
    train = silicon[0][:20]
    parts = [ACE(4.0, order=1, max_degree=5), KernelFeatures(SOAP(4.0, 3, 2), n_sparse=8)]
    joined = JoinedDescriptors(parts).fit(train)
    alone = [clone(part).fit(train) for part in parts]
    np.testing.assert_array_equal(joined.transform(train), np.hstack([part.transform(train) for part in alone]))
    with pytest.raises(SettingsError, match="at least one"):
        JoinedDescriptors([]).fit(train)


def test_more_representatives_than_environments(silicon):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = SparseKernelPotential(SOAP(4.0, 2, 1), n_sparse=500, **SET).fit(silicon[0][:5])
    assert any("instead of n_sparse=500" in str(w.message) for w in caught)
    assert np.isfinite(model.predict(silicon[0][:5])).all()
