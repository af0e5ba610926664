"""Fits that make rows again at every pass: the closed form, no compressed system anywhere, and what cannot be had."""

import numpy as np
import pytest
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV

import linmlp.potentials.row_fitting
import linmlp.system.gram
import linmlp.system.qr
from linmlp import ACE, LinearPotential, LinearPotentialCV, load
from linmlp.exceptions import LinmlpWarning, SettingsError
from linmlp.solvers import LSMR, MiniBatchGradientDescent, Ridge
from tests.naive.known_model import WEIGHTS, small_ace

ALPHA = 1e-6
SOLVERS = [
    LSMR(ALPHA),
    LSMR(ALPHA, preconditioner=None, max_iter=20000),
    MiniBatchGradientDescent(ALPHA, batch_size=8, max_epochs=500),
]


def unfitted(structures, **settings):
    frozen = FrozenEstimator(small_ace().fit(structures))
    ours = {"solver": LSMR(ALPHA), "fold_rows": False, "e0": "lstsq"}
    return LinearPotential(frozen, **{**WEIGHTS, **ours, **settings})


# With the repulsive core the fit is repeated with rows that make dimers repel.
@pytest.mark.parametrize(
    ("solver", "baseline"), [(LSMR(ALPHA), "zbl"), *((solver, None) for solver in SOLVERS)], ids=repr
)
def test_predictions_are_those_of_the_closed_form(silicon_truth, solver, baseline):
    structures = silicon_truth.structures
    weight = np.arange(len(structures)) % 3
    model = unfitted(structures, solver=solver, baseline=baseline).fit(structures, sample_weight=weight)
    closed = unfitted(structures, solver=Ridge(ALPHA), fold_rows=True, baseline=baseline)
    closed.fit(structures, sample_weight=weight)
    scale = np.abs(np.concatenate(closed.predict_forces(structures))).max()
    np.testing.assert_allclose(model.predict(structures), closed.predict(structures), rtol=1e-6)
    for ours, theirs in zip(model.predict_forces(structures), closed.predict_forces(structures), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5 * scale)
    assert model.e0_["Si"] == pytest.approx(closed.e0_["Si"], rel=1e-5)
    assert (model.core_weight_, model.alpha_) == (closed.core_weight_, closed.alpha_)
    # The labels are those of a model that fits them, so that what is left of the loss is small.
    assert model.loss(structures, sample_weight=weight) == pytest.approx(
        closed.loss(structures, sample_weight=weight), rel=1e-3
    )
    assert sum(model.loss_share_.values()) == pytest.approx(1.0)
    for kind, share in closed.loss_share_.items():
        assert model.loss_share_[kind] == pytest.approx(share, abs=1e-3)


def test_no_system_of_all_rows_is_made(silicon_truth, monkeypatch):
    def forbidden(*arguments, **settings):
        raise AssertionError("a square matrix of the features was made")

    structures = silicon_truth.structures
    monkeypatch.setattr(linmlp.system.gram.GramSystem, "__init__", forbidden)
    monkeypatch.setattr(linmlp.system.qr.QRSystem, "__init__", forbidden)
    with pytest.raises(AssertionError, match="square matrix"):
        unfitted(structures, solver=Ridge(ALPHA), fold_rows=True).fit(structures)
    model = unfitted(structures).fit(structures)
    assert (model.form_, model.system_) == ("rows", None)


def test_automatic_weights_are_those_of_the_rule(silicon_truth, tmp_path):
    structures = silicon_truth.structures
    ace = ACE(cutoff=4.0, order=2, max_degree=(4, 3))
    model = LinearPotential(ace, solver=LSMR(ALPHA), fold_rows=False, verbose=1).fit(structures)
    n_atoms = np.mean([len(atoms) for atoms in structures])
    assert model.energy_weight_ == pytest.approx(150.0**2 / n_atoms**3)
    assert (model.force_weight_, model.energy_per_) == (1.0, "structure")
    model.save(tmp_path / "a.linmlp")
    again = load(tmp_path / "a.linmlp")
    assert again.fold_rows is False
    np.testing.assert_array_equal(again.predict(structures), model.predict(structures))
    with pytest.raises(SettingsError, match="partial_fit needs the folded rows"):
        again.partial_fit(structures[:3])


def test_the_ordinary_search_fits_anew(silicon_truth):
    structures = silicon_truth.structures
    found = GridSearchCV(unfitted(structures, baseline=None), {"solver__alpha": [1e-7, 1e-2]}, cv=2).fit(structures)
    assert found.best_params_ == {"solver__alpha": 1e-7}


def test_memory_is_predicted(silicon_truth, capsys):
    structures = silicon_truth.structures
    unfitted(structures, verbose=1).fit(structures)
    assert "made again at every pass" in capsys.readouterr().out
    with pytest.raises(SettingsError, match=r"use LSMR\(preconditioner=None\)"):
        unfitted(structures, max_memory=1e-9).fit(structures)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"solver": None}, "fold_rows=False is for solvers that take rows"),
        ({"solver": Ridge()}, "solver is Ridge"),
        ({"uncertainty": True, "solver": LSMR()}, "uncertaint"),
        ({"features": [0, 1]}, "come from folded rows"),
        ({"energy_weight": "evidence"}, 'weights by "evidence" come from folded rows'),
        ({"alpha": 1e-3}, "give it to LSMR"),
        ({"prior": "degree"}, "LSMR knows no prior"),
        ({"energy_weight": 0.0, "force_weight": 0.0, "stress_weight": 0.0}, "are all 0"),
    ],
)
def test_what_cannot_be_had_is_told(silicon_truth, settings, message):
    with pytest.raises(SettingsError, match=message):
        unfitted(silicon_truth.structures, **settings).fit(silicon_truth.structures)


def test_a_compressed_search_is_refused(silicon_truth):
    structures = silicon_truth.structures
    with pytest.raises(SettingsError, match="GridSearchCV, which fits anew"):
        LinearPotentialCV(unfitted(structures), {"solver__alpha": [1e-7, 1e-6]}).fit(structures)


def test_fewer_rows_than_functions_are_told(silicon_truth):
    few = [atoms for atoms in silicon_truth.structures if not atoms.pbc.any()][:1]
    with pytest.warns(LinmlpWarning, match="rows for .* functions: the data do not determine"):
        unfitted(few, e0={"Si": 0.0}).fit(few)
