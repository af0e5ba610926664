"""Uncertainties after partial_fit and merge, against one fit to all structures with the same frozen state."""

import numpy as np
import pytest
from ase.calculators.singlepoint import SinglePointCalculator
from sklearn.frozen import FrozenEstimator

from linmlp import LinearPotential, load
from tests.naive.known_model import WEIGHTS, KnownModel, small_ace


@pytest.fixture(scope="module")
def structures():
    truth = KnownModel.of(("Si", "C"), seed=6)
    rng = np.random.default_rng(0)
    for atoms in truth.structures:
        results = atoms.calc.results
        results["forces"] = results["forces"] + 0.05 * rng.normal(size=results["forces"].shape)
    return truth.structures


def unfitted(structures, **settings):
    frozen = FrozenEstimator(small_ace().fit(structures))
    settings = {"baseline": None, "e0": "lstsq", "alpha": 1e-6, "uncertainty": True, **settings}
    return LinearPotential(frozen, **WEIGHTS, **settings)


def assert_posterior_and_grades_of(model, whole, structures):
    """Those of one fit; calibration and edges are of the first fit, so that only ratios of grades are compared."""
    one, two = model.uncertainty_, whole.uncertainty_
    sums = whole.descriptor_.transform(structures)
    np.testing.assert_allclose(one.posterior.energy_std(sums), two.posterior.energy_std(sums), rtol=1e-6)
    np.testing.assert_allclose(one.members, two.members, rtol=1e-4, atol=1e-6 * np.abs(two.members).max())
    features = np.concatenate([whole.descriptor_.compute_features(whole.descriptor_.pairs(s)) for s in structures])
    np.testing.assert_allclose(one.grade.leverage(features), two.grade.leverage(features), rtol=1e-6)
    counts = np.array([[np.sum(s.numbers == z) for z in one.grade.numbers] for s in structures], dtype=float)
    np.testing.assert_allclose(one.grade.novelty(sums, counts), two.grade.novelty(sums, counts), rtol=1e-6)


@pytest.mark.parametrize(
    "settings", [{}, {"prior": "degree", "features": lambda d: np.arange(d.n_features_out_) % 4 > 0}]
)
def test_partial_fit_gives_what_one_fit_gives(structures, settings):
    model = unfitted(structures, **settings).fit(structures[:20])
    first = model.uncertainty_
    for k in range(20, len(structures), 3):
        model.partial_fit(structures[k : k + 3])
    assert_posterior_and_grades_of(model, unfitted(structures, **settings).fit(structures), structures)
    assert model.uncertainty_.force_calibration is first.force_calibration
    assert model.uncertainty_.energy_calibration is first.energy_calibration
    assert model.uncertainty_.grade.leverage_edge == first.grade.leverage_edge
    energies, std = model.predict(structures, return_std=True)
    np.testing.assert_allclose(energies, model.predict(structures), rtol=1e-12)
    assert (std > 0).all()


def test_what_was_added_is_no_extrapolation_any_more(structures):
    model = unfitted(structures).fit(structures[:20])
    squeezed = [atoms.copy() for atoms in structures[:4]]
    for atoms in squeezed:
        atoms.set_cell(0.85 * atoms.cell, scale_atoms=True)
        atoms.calc = SinglePointCalculator(atoms, energy=-2.0 * len(atoms), forces=np.zeros((len(atoms), 3)))
    before = [result.grade for result in model.predict_uncertainty(squeezed)]
    model.partial_fit(squeezed)
    after = [result.grade for result in model.predict_uncertainty(squeezed)]
    assert np.max(after) < 0.5 * np.max(before)


def test_merged_potentials(structures):
    parts = [unfitted(structures).fit(structures[part]) for part in (slice(0, 14), slice(14, None))]
    merged = parts[0].merge(parts[1])
    assert_posterior_and_grades_of(merged, unfitted(structures).fit(structures), structures)
    assert merged.uncertainty_.force_calibration is parts[0].uncertainty_.force_calibration
    assert parts[0].merge(unfitted(structures, uncertainty=False).fit(structures[14:])).uncertainty_ is None


def test_going_on_after_a_file(structures, tmp_path):
    model = unfitted(structures).fit(structures[:20])
    model.save(tmp_path / "a.linmlp")
    loaded = load(tmp_path / "a.linmlp").partial_fit(structures[20:])
    wanted = model.partial_fit(structures[20:]).predict(structures, return_std=True)[1]
    np.testing.assert_allclose(loaded.predict(structures, return_std=True)[1], wanted, rtol=1e-8)
