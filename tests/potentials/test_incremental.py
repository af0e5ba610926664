"""partial_fit and merge against one fit to all structures with the same frozen state."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from linmlp import LinearPotential, load
from linmlp.exceptions import LinmlpWarning, SettingsError
from linmlp.solvers import ForwardSelection
from tests.naive.known_model import WEIGHTS, small_ace

pytestmark = pytest.mark.filterwarnings("ignore:.* rows for .* functions:linmlp.exceptions.LinmlpWarning")


@pytest.fixture(params=["gram", "qr"])
def form(request):
    return request.param


@pytest.fixture(params=["silicon", "carbide"])
def structures(request):
    return request.getfixturevalue(f"{request.param}_truth").structures


def unfitted(structures, **settings):
    frozen = FrozenEstimator(small_ace().fit(structures))
    return LinearPotential(frozen, **{**WEIGHTS, "alpha": 1e-6, "baseline": None, "e0": "lstsq", **settings})


def pieces_of(structures, n, seed=0):
    order = np.random.default_rng(seed).permutation(len(structures))
    return [[structures[i] for i in part] for part in np.array_split(order, n)]


def assert_same_potential(one, two, structures):
    np.testing.assert_allclose(one.predict(structures), two.predict(structures), rtol=1e-7)
    for a, b in zip(one.predict_forces(structures), two.predict_forces(structures), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-7 * np.abs(b).max())
    np.testing.assert_allclose(one.predict_stress(structures), two.predict_stress(structures), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("seed", [0, 1])
def test_pieces_in_any_order_are_one_fit(structures, form, seed):
    model = unfitted(structures, form=form)
    for piece in pieces_of(structures, 10, seed):
        model.partial_fit(piece)
    whole = unfitted(structures, form=form).fit(structures)
    assert_same_potential(model, whole, structures)
    assert model.training_["n_structures"] == len(structures)
    # What is left of yᵀy after the fit has lost digits in the Gram form; which ones depends on the BLAS.
    assert model.loss_share_ == pytest.approx(whole.loss_share_, rel=1e-4 if form == "gram" else 1e-6)


def test_order_does_not_matter_for_the_provenance(structures):
    first, *rest = pieces_of(structures, 4)
    models = []
    for order in (rest, rest[::-1]):
        model = unfitted(structures).fit(first)
        for piece in order:
            model.partial_fit(piece)
        models.append(model)
    assert models[0].training_["data_hash"] == models[1].training_["data_hash"]
    assert_same_potential(*models, structures)


def test_weights_of_samples_and_missing_labels(silicon_truth):
    structures = [atoms.copy() for atoms in silicon_truth.structures]
    for atoms in structures:
        silicon_truth.label(atoms)
    del structures[3].calc.results["forces"]
    weight = np.linspace(0.0, 2.0, len(structures))
    model = unfitted(structures)
    for part in (slice(0, 6), slice(6, None)):
        model.partial_fit(structures[part], sample_weight=weight[part])
    assert_same_potential(model, unfitted(structures).fit(structures, sample_weight=weight), structures)


def test_merged_potentials_are_one_fit(structures, form):
    parts = [unfitted(structures, form=form).fit(piece) for piece in pieces_of(structures, 3)]
    before = [part.coef_.copy() for part in parts]
    merged = parts[0].merge(*parts[1:])
    assert_same_potential(merged, unfitted(structures, form=form).fit(structures), structures)
    assert_same_potential(parts[2].merge(parts[0], parts[1]), merged, structures)
    for part, coef in zip(parts, before, strict=True):
        np.testing.assert_array_equal(part.coef_, coef)


def test_with_a_core_and_another_solver(silicon_truth):
    structures = silicon_truth.structures
    baseline = LinearPotential(FrozenEstimator(small_ace().fit(structures)), alpha=1e-6, **WEIGHTS).fit(structures)
    for settings in ({"baseline": baseline.baselines_}, {"solver": ForwardSelection(6, alpha=1e-6), "alpha": "auto"}):
        model = unfitted(structures, **settings)
        for piece in pieces_of(structures, 3):
            model.partial_fit(piece)
        assert_same_potential(model, unfitted(structures, **settings).fit(structures), structures)


def test_going_on_after_a_file(silicon_truth, tmp_path):
    structures = silicon_truth.structures
    model = unfitted(structures).fit(structures[:8])
    model.save(tmp_path / "a.linmlp")
    loaded = load(tmp_path / "a.linmlp").partial_fit(structures[8:])
    assert_same_potential(loaded, model.partial_fit(structures[8:]), structures)
    model.save(tmp_path / "small.linmlp", system=False)
    assert (tmp_path / "small.linmlp").stat().st_size < (tmp_path / "a.linmlp").stat().st_size
    with pytest.raises(SettingsError, match="partial_fit needs the folded rows"):
        load(tmp_path / "small.linmlp").partial_fit(structures)


def test_fewer_rows_than_functions_are_told(silicon_truth):
    structures = silicon_truth.structures
    model = unfitted(structures, force_weight=0.0, stress_weight=0.0)
    n_features = model.descriptor.estimator.n_features_out_
    with pytest.warns(LinmlpWarning) as told:
        model.fit(structures[:6])
    # one combination of the energies goes to the reference energy
    message = str(told[0].message)
    assert message.startswith(f"6 rows for {n_features} functions: the data determine 5 combinations of coefficients")
    assert f"(Ridge) decide the other {n_features - 5}" in message
    with pytest.warns(LinmlpWarning, match=r"and the prior \(Ridge\) decide"):
        model.set_params(prior="degree").fit(structures[:6])


def test_what_does_not_go_together_is_told_and_nothing_changes(silicon_truth, carbide_truth):
    structures = silicon_truth.structures
    model = unfitted(structures).fit(structures[:8])
    state = {name: value for name, value in vars(model).items() if name.endswith("_")}
    with pytest.raises(SettingsError, match=r"hold C, but the descriptor was fitted to Si"):
        model.partial_fit(carbide_truth.structures)
    model.set_params(energy_weight=3.0)
    with pytest.raises(SettingsError, match=r"energy_weight was 2.0 and is 3.0. Set them back"):
        model.partial_fit(structures[8:])
    model.set_params(energy_weight=2.0, n_jobs=2)
    with pytest.raises(SettingsError, match="sample_weight has shape"):
        model.partial_fit(structures[8:], sample_weight=[1.0])
    assert all(vars(model)[name] is value for name, value in state.items())
    other = clone(model).set_params(force_weight=2.0).fit(structures[8:])
    with pytest.raises(SettingsError, match="fitted with different force_weight"):
        model.merge(other)
    with pytest.raises(SettingsError, match="descriptors of different states"):
        model.merge(LinearPotential(small_ace(), alpha=1e-6, baseline=None, e0="lstsq", **WEIGHTS).fit(structures[8:]))
    kept_nothing = unfitted(structures, keep_system=False).fit(structures[:8])
    with pytest.raises(SettingsError, match="keep_system=True"):
        kept_nothing.partial_fit(structures[8:])
