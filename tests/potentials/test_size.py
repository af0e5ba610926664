"""The choice of the number of functions."""

import numpy as np
import pytest

import linmlp
from linmlp import ACE, LinearPotential, LinearPotentialCV, UpToDegree
from linmlp.datasets import load_silicon
from linmlp.descriptors.ace import descriptor as ace
from linmlp.potentials.candidates import Candidate
from linmlp.potentials.cutoff import _walk
from linmlp.potentials.search import search
from linmlp.potentials.size import sizes_to_choose_from
from linmlp.solvers import ForwardSelection, Ridge
from linmlp.structures import assign_folds, fit_reference_energies, read_labels
from linmlp.system import Assembly

SIZES = ((3, 2), (4, 4, 3), (5, 5, 4, 2))
STRUCTURES = load_silicon()[0][:36]


@pytest.fixture(autouse=True)
def _small_sizes(monkeypatch):
    monkeypatch.setattr(ace, "tier_degrees", lambda n_elements, max_l, n_channels: SIZES)


@pytest.fixture(scope="module")
def fitted():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ace, "tier_degrees", lambda n_elements, max_l, n_channels: SIZES)
        return LinearPotential(ACE(4.5, max_l=3), fill_holes=False).fit(STRUCTURES)


def refit(degrees, weights, alphas):
    """Return the cross-validation of one size with rows of its own."""
    labels = read_labels(STRUCTURES)
    descriptor = ACE(4.5, max_degree=degrees, max_l=3).fit(STRUCTURES)
    reference = fit_reference_energies("auto", STRUCTURES, labels, descriptor.elements_)
    folds = assign_folds([label.config_type for label in labels], 5, 0)
    assembled = Assembly(STRUCTURES, labels, descriptor, reference=reference, folds=folds, form="gram").run()
    return search(assembled, [Candidate(weights, Ridge(), alphas)])


def test_errors_of_every_size_are_those_of_a_search_of_its_own(fitted):
    table = fitted.cv_results_
    weights = fitted.loss_weights_
    own = [
        (entry["energy_weight"], entry["energy_per"]) == (weights.energy, weights.energy_per)
        for entry in table["params"]
    ]
    alphas = sorted({entry["alpha"] for entry in table["params"]})
    assert 0 < sum(own) < len(own)
    assert {entry["descriptor__max_degree"] for entry in table["params"]} == set(SIZES)
    for degrees in SIZES:
        # The baseline of the fit is left out here: the core is far from these structures.
        result = refit(degrees, fitted.loss_weights_, tuple(alphas))
        for alpha, mae, rmse in zip(alphas, result.pooled["energy_mae"], result.pooled["force_rmse"], strict=True):
            row = [(entry["descriptor__max_degree"], entry["alpha"]) for entry in table["params"]].index(
                (degrees, alpha)
            )
            assert table["energy_mae"][row] == pytest.approx(mae, rel=1e-4)
            assert table["force_rmse"][row] == pytest.approx(rmse, rel=1e-4)


def test_the_potential_is_that_of_the_size_alone(fitted):
    degrees = fitted.descriptor_.max_degree_
    assert degrees in SIZES
    scores = {d: [] for d in SIZES}
    for entry, score in zip(fitted.cv_results_["params"], fitted.cv_results_["mean_test_score"], strict=True):
        scores[entry["descriptor__max_degree"]].append(score)
    best = max(max(of_size) for of_size in scores.values())
    as_good = [d for d in SIZES if max(scores[d]) >= best - 0.005]
    assert degrees == as_good[0]
    same = LinearPotential(
        ACE(4.5, max_degree=degrees, max_l=3),
        energy_weight=fitted.energy_weight_,
        force_weight=fitted.force_weight_,
        stress_weight=fitted.stress_weight_,
        energy_per=fitted.energy_per_,
        alpha=fitted.alpha_,
        form="gram",
        fill_holes=False,
    ).fit(STRUCTURES)
    np.testing.assert_allclose(fitted.predict(STRUCTURES), same.predict(STRUCTURES), rtol=1e-8)
    assert len(fitted.coef_) == len(same.coef_)
    assert f"functions (degrees {', '.join(map(str, degrees))})" in fitted.describe()


def test_files_and_more_data(fitted, tmp_path):
    fitted.save(tmp_path / "si.linmlp")
    loaded = linmlp.load(tmp_path / "si.linmlp")
    assert loaded.descriptor_.max_degree_ == fitted.descriptor_.max_degree_
    np.testing.assert_allclose(loaded.predict(STRUCTURES), fitted.predict(STRUCTURES), rtol=1e-12)
    more = load_silicon()[0][36:48]
    loaded.partial_fit(more)
    assert loaded.training_["n_structures"] == len(STRUCTURES) + len(more)


def test_a_strength_that_was_given_is_kept():
    model = LinearPotential(ACE(4.5, max_l=3), alpha=1e-4, energy_weight=2.0).fit(STRUCTURES)
    assert (model.alpha_, model.energy_weight_) == (1e-4, 2.0)
    assert {entry["alpha"] for entry in model.cv_results_["params"]} == {1e-4}


@pytest.mark.parametrize(
    "settings",
    [
        {"solver": ForwardSelection(5)},
        {"features": UpToDegree((3, 2))},
        {"prior": "degree"},
        {"energy_weight": "evidence"},
    ],
)
def test_settings_that_leave_no_choice(settings):
    own = LinearPotential(**settings)._fit_settings()
    assert sizes_to_choose_from(ACE(4.5), STRUCTURES, own) == ()
    assert sizes_to_choose_from(ACE(4.5), STRUCTURES, LinearPotential()._fit_settings()) == SIZES
    assert sizes_to_choose_from(ACE(4.5, order=2), STRUCTURES, LinearPotential()._fit_settings()) == ()


def test_uncertainties_belong_to_the_size():
    model = LinearPotential(ACE(4.5, max_l=3), uncertainty=True, fill_holes=False).fit(STRUCTURES)
    energies, std = model.predict(STRUCTURES[:3], return_std=True)
    assert energies.shape == std.shape == (3,)
    assert (std > 0.0).all()


def test_the_search_chooses_the_size_first():
    found = LinearPotentialCV(LinearPotential(ACE(4.5, max_l=3), energy_weight=1.0), {"alpha": [1e-7, 1e-5]}, cv=3).fit(
        STRUCTURES
    )
    assert found.best_estimator_.descriptor_.max_degree_ in SIZES
    own = LinearPotentialCV(
        LinearPotential(ACE(4.5, max_l=3)), {"features": [UpToDegree((3, 2))], "alpha": [1e-6]}, cv=3
    )
    assert own.fit(STRUCTURES).best_estimator_.descriptor_.max_degree_ == (16, 14, 11)


def test_cutoffs_are_tried_on_the_side_of_the_better_one():
    for scores, tried in (
        ({1.0: 4, 2.0: 3, 3.0: 2, 4.0: 1}, {2.0, 3.0, 4.0}),
        ({1.0: 4, 2.0: 1, 3.0: 2, 4.0: 3}, {1.0, 2.0, 3.0}),
        ({1.0: 1, 2.0: 2, 3.0: 3}, {1.0, 2.0}),
        ({0.5: 9, 1.0: 1, 2.0: 2, 3.0: 3, 4.0: 4, 5.0: 5}, {1.0, 2.0, 3.0, 0.5}),
    ):
        assert _walk(list(scores), scores.__getitem__) == {cutoff: scores[cutoff] for cutoff in tried}
