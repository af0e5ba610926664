"""LinearPotentialCV against refits on rows, its folds, its table and its messages."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GroupKFold, KFold, LeaveOneGroupOut, RepeatedKFold, ShuffleSplit

from linmlp import LinearPotential, LinearPotentialCV, UpToDegree
from linmlp.exceptions import LinmlpWarning, SettingsError
from linmlp.solvers import ForwardSelection, Ridge
from tests.naive.known_model import WEIGHTS, KnownModel, small_ace

GRID = {"alpha": [1e-6, 1e-3], "energy_weight": [0.5, 2.0, 20.0], "force_weight": [1.0, 3.0]}


@pytest.fixture(scope="module")
def noisy():
    """Labels of a known model with noise, so that errors on held-out structures are not zero."""
    truth = KnownModel.of(("Si",), seed=3)
    rng = np.random.default_rng(0)
    for atoms in truth.structures:
        results = atoms.calc.results
        results["energy"] += 0.05 * rng.normal()
        results["forces"] = results["forces"] + 0.05 * rng.normal(size=results["forces"].shape)
    return truth.structures


@pytest.fixture(scope="module")
def frozen(noisy):
    return FrozenEstimator(small_ace().fit(noisy))


def potential(descriptor, **settings):
    return LinearPotential(descriptor, baseline=None, **{**WEIGHTS, "alpha": 1e-6, **settings})


def quiet(search, *arguments, **named):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LinmlpWarning)
        return search.fit(*arguments, **named)


def force_rmse(model, structures):
    forces = zip(model.predict_forces(structures), (a.get_forces() for a in structures), strict=True)
    return np.sqrt(np.mean(np.concatenate([(p - t).ravel() for p, t in forces]) ** 2))


@pytest.mark.parametrize(
    "cv",
    [KFold(3), ShuffleSplit(3, test_size=0.3, random_state=1), RepeatedKFold(n_splits=3, n_repeats=2, random_state=0)],
    ids=["partition", "ShuffleSplit", "RepeatedKFold"],
)
def test_search_is_a_loop_of_fits(noisy, frozen, cv):
    found = quiet(LinearPotentialCV(potential(frozen), GRID, cv=cv), noisy)
    splits = list(cv.split(np.arange(len(noisy))))
    assert found.n_splits_ == len(splits)
    rng = np.random.default_rng(1)
    for row in rng.choice(len(found.cv_results_["params"]), 4, replace=False):
        params = found.cv_results_["params"][row]
        scores = []
        for train, test in splits:
            model = clone(potential(frozen)).set_params(**params).fit([noisy[i] for i in train])
            held_out = [noisy[i] for i in test]
            energies = model.predict(held_out) - [a.get_potential_energy() for a in held_out]
            mae = np.mean(np.abs(energies) / [len(a) for a in held_out])
            scores.append(-0.5 * np.log(mae) - 0.5 * np.log(force_rmse(model, held_out)))
        table = [found.cv_results_[f"split{k}_test_score"][row] for k in range(len(splits))]
        np.testing.assert_allclose(table, scores, rtol=1e-7)


def test_best_settings_are_refitted(noisy, frozen):
    found = quiet(LinearPotentialCV(potential(frozen), GRID, cv=3, return_train_score=True), noisy)
    table = found.cv_results_
    assert len(table["params"]) == 12
    assert table["rank_test_score"][found.best_index_] == 1
    assert found.best_score_ == table["mean_test_score"].max() == table["mean_test_score"][found.best_index_]
    assert found.best_params_ == table["params"][found.best_index_]
    again = potential(frozen).set_params(**found.best_params_).fit(noisy)
    np.testing.assert_allclose(found.predict(noisy), again.predict(noisy), rtol=1e-9)
    np.testing.assert_allclose(found.best_estimator_.coef_, again.coef_, rtol=1e-7, atol=1e-9 * abs(again.coef_).max())
    # more rows than a fold has make the training error larger, and the held-out one smaller
    assert (table["mean_train_score"] > table["mean_test_score"]).all()
    assert set(found.evaluate(noisy).to_dict()["total"]) >= {"energy_mae", "force_rmse"}


def test_groups_stay_whole_and_their_labels_do_not_leak(noisy, frozen):
    groups = np.arange(len(noisy)) // 3
    splits = list(GroupKFold(3).split(noisy, groups=groups))
    for train, test in splits:
        assert not set(groups[train]) & set(groups[test])
    changed = [a.copy() for a in noisy]
    for i, atoms in enumerate(noisy):
        changed[i].calc = clone_calculator(atoms)
    for i in splits[0][1]:
        changed[i].calc.results["energy"] += 1.0 + i
    base = potential(frozen, e0={"Si": -1.5})  # a provisional e0 of all structures would round differently
    one, two = (
        LinearPotentialCV(base, {"alpha": [1e-4]}, cv=GroupKFold(3), scoring="force_rmse").fit(data, groups=groups)
        for data in (noisy, changed)
    )
    # Forces are as they were: their errors in the fold tell whether the model that was trained without it has changed.
    np.testing.assert_array_equal(one.cv_results_["split0_test_score"], two.cv_results_["split0_test_score"])
    for k in (1, 2):
        changes = two.cv_results_[f"split{k}_test_score"] / one.cv_results_[f"split{k}_test_score"]
        assert (abs(changes - 1) > 1e-3).all()


def clone_calculator(atoms):
    from ase.calculators.singlepoint import SinglePointCalculator

    return SinglePointCalculator(atoms, **{k: v for k, v in atoms.calc.results.items() if v is not None})


def test_leave_one_group_out_by_name(noisy, frozen):
    groups = [atoms.info["config_type"] for atoms in noisy]
    by_name = LinearPotentialCV(potential(frozen), {"alpha": [1e-4]}, cv="leave_one_group_out").fit(
        noisy, groups=groups
    )
    by_object = LinearPotentialCV(potential(frozen), {"alpha": [1e-4]}, cv=LeaveOneGroupOut()).fit(noisy, groups=groups)
    assert by_name.n_splits_ == by_object.n_splits_ == 3
    assert by_name.best_score_ == by_object.best_score_


def test_solvers_priors_features_and_groups_are_searched(noisy, frozen):
    base = potential(frozen, alpha="auto")
    grid = [
        {"solver": [ForwardSelection(alpha=1e-6)], "solver__n_features_to_select": [2, 4, 8]},
        {"prior": [None, "degree"], "alpha": [1e-5]},
        {"features": [UpToDegree((3, 2)), None], "alpha": [1e-5]},
        {"group_weights": [{"slab": 3.0}, None], "alpha": [1e-5]},
        {"solver": [Ridge(scale_columns=False)], "solver__alpha": [1e-5]},
    ]
    found = quiet(LinearPotentialCV(base, grid, cv=3), noisy)
    table = found.cv_results_
    assert len(table["params"]) == 3 + 2 + 2 + 2 + 1
    np.testing.assert_array_equal(table["n_used"][:3], [2, 4, 8])
    for row, params in enumerate(table["params"]):
        model = clone(base).set_params(**params)
        scores = []
        for train, test in list_folds(noisy):
            fitted = clone(model).fit([noisy[i] for i in train])
            held_out = [noisy[i] for i in test]
            energies = (fitted.predict(held_out) - [a.get_potential_energy() for a in held_out]) / [
                len(a) for a in held_out
            ]
            scores.append(-0.5 * np.log(np.abs(energies).mean() * force_rmse(fitted, held_out)))
        wanted = [table[f"split{k}_test_score"][row] for k in range(3)]
        np.testing.assert_allclose(wanted, scores, rtol=1e-5)


def list_folds(structures):
    from linmlp.structures import plan_folds

    return plan_folds(3, [a.info["config_type"] for a in structures]).splits


def test_descriptor_settings_are_an_outer_loop(noisy):
    base = potential(small_ace())
    grid = {"descriptor__cutoff": [3.5, 4.0], "alpha": [1e-6, 1e-2]}
    found = quiet(LinearPotentialCV(base, grid, cv=3), noisy)
    assert len(found.cv_results_["params"]) == 4
    assert found.best_estimator_.descriptor_.cutoff_ == found.best_params_["descriptor__cutoff"]
    alone = quiet(LinearPotentialCV(base, {**grid, "descriptor__cutoff": [3.5]}, cv=3), noisy)
    rows = [p["descriptor__cutoff"] == 3.5 for p in found.cv_results_["params"]]
    np.testing.assert_array_equal(found.cv_results_["mean_test_score"][rows], alone.cv_results_["mean_test_score"])
    assert sorted(found.cv_results_["rank_test_score"]) == [1, 2, 3, 4]


def test_nested_folds_repeat_the_search(noisy, frozen):
    found = quiet(LinearPotentialCV(potential(frozen), GRID, cv=4, nested=True), noisy)
    assert len(found.nested_results_) == 4
    plan = list_of_four(noisy)
    outer = found.nested_results_[0]
    inner = quiet(LinearPotentialCV(potential(frozen), GRID, cv=inner_splits(plan, 0)), [noisy[i] for i in plan[0][0]])
    assert inner.best_params_ == outer["params"]
    model = potential(frozen).set_params(**outer["params"]).fit([noisy[i] for i in plan[0][0]])
    assert force_rmse(model, [noisy[i] for i in plan[0][1]]) == pytest.approx(outer["force_rmse"], rel=1e-7)
    with pytest.raises(SettingsError, match="three folds or more that do not overlap"):
        LinearPotentialCV(potential(frozen), GRID, cv=ShuffleSplit(3, random_state=0), nested=True).fit(noisy)


def list_of_four(structures):
    from linmlp.structures import plan_folds

    return plan_folds(4, [a.info["config_type"] for a in structures]).splits


def inner_splits(splits, outer):
    """The other folds, left out one by one, as places in the outer training set."""
    place = {int(i): k for k, i in enumerate(splits[outer][0])}
    for k, (_, test) in enumerate(splits):
        if k != outer:
            held_out = [place[int(i)] for i in test]
            yield [p for p in place.values() if p not in held_out], held_out


def test_random_draw_from_a_grid(noisy, frozen):
    found = quiet(LinearPotentialCV(potential(frozen), GRID, cv=3, n_iter=5, random_state=2), noisy)
    assert len({str(p) for p in found.cv_results_["params"]}) == 5


def test_auto_settings_are_searched_as_the_potential_does(noisy, frozen):
    base = LinearPotential(frozen, baseline=None)
    found = quiet(LinearPotentialCV(base, cv=5), noisy)
    plain = base.fit(noisy)
    np.testing.assert_array_equal(found.cv_results_["mean_test_score"], plain.cv_results_["mean_test_score"])


def test_edges_are_told(noisy, frozen):
    with pytest.warns(LinmlpWarning, match="the best alpha, 100, is the smallest that was tried"):
        LinearPotentialCV(potential(frozen), {"alpha": [1e2, 1e4, 1e6]}, cv=3).fit(noisy)


@pytest.mark.parametrize(
    ("settings", "groups", "message"),
    [
        ({"param_grid": {"alfa": [1.0]}}, None, "'alfa' cannot be searched over; a grid may name alpha"),
        ({"param_grid": {"n_jobs": [1]}}, None, "'n_jobs' cannot be searched over"),
        ({"param_grid": {"descriptor__degree": [1]}}, None, "'descriptor__degree' is not known"),
        ({"param_grid": {"alpha": []}}, None, "param_grid="),
        ({"param_grid": {"energy_weight": [-1.0]}}, None, "energy_weight=-1.0; it must be"),
        (
            {"param_grid": {"energy_weight": [0.0], "force_weight": [0.0], "stress_weight": [0.0]}},
            None,
            "are all 0; give at least one a weight",
        ),
        ({"cv": 20}, None, "14 structures cannot be split into 20 folds"),
        ({"cv": 5}, [0, 1] * 7, "2 groups"),
        ({"cv": "leave_one_group_out"}, None, "groups"),
        ({"scoring": "r2"}, None, "scoring='r2' is not known"),
        ({"average": "mean"}, None, "average='mean' is not known"),
        ({"potential": Ridge()}, None, "give a LinearPotential"),
    ],
)
def test_bad_searches_are_told(noisy, frozen, settings, groups, message):
    named = {"potential": potential(frozen), "param_grid": {"alpha": [1e-4]}, **settings}
    search = LinearPotentialCV(**named)
    with pytest.raises(SettingsError, match=message):
        search.fit(noisy, groups=groups)
    assert not hasattr(search, "best_estimator_")
