"""Points of a front against searches of the same potentials, and the potentials that it fits."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from linmlp import ACE, SOAP, LinearPotential, LinearPotentialCV, load
from linmlp.evaluation.front import compute_front, searching
from linmlp.evaluation.front.cost import N_ATOMS, measure_costs, sample_atoms
from linmlp.evaluation.front.models import COST_POWERS, dense_degrees, pool_degrees, preset_degrees
from linmlp.exceptions import SettingsError
from linmlp.solvers import FeatureCosts, ForwardSelection, Ridge
from tests.evaluation.front.conftest import DEGREES, POOL, SIZES


@pytest.mark.parametrize("index", range(len(DEGREES)))
def test_points_by_degree_are_those_of_small_descriptors(index, front, silicon, settings):
    """Each has rows of its own here: the columns of the pool are those of smaller bases."""
    small = ACE(POOL.cutoff, order=len(DEGREES[index]), max_degree=DEGREES[index])
    alone = clone(settings).set_params(descriptor=small, form="gram")
    search = LinearPotentialCV(alone, cv=3).fit(silicon)
    point = front.points[index]
    assert point.score == pytest.approx(-search.best_score_, rel=1e-6)
    assert point.n_functions == search.best_estimator_.n_features_in_
    row = search.best_index_
    assert point.energy_mae == pytest.approx(1e3 * search.cv_results_["energy_mae"][row], rel=1e-5)
    assert point.force_rmse == pytest.approx(search.cv_results_["force_rmse"][row], rel=1e-5)
    assert point.settings["alpha"] == search.best_params_["alpha"]


@pytest.mark.parametrize("name", COST_POWERS)
@pytest.mark.parametrize("index", range(len(SIZES)))
def test_points_of_selections_are_those_of_searches(index, name, front, silicon, settings):
    costs = FeatureCosts(*clone(POOL).fit(silicon).function_costs(silicon))
    grid = {"solver": [ForwardSelection(SIZES[index], costs=costs, cost_power=COST_POWERS[name])]}
    search = LinearPotentialCV(clone(settings).set_params(form="gram"), grid, cv=3).fit(silicon)
    (point,) = (point for point in front.points if point.name == f"{SIZES[index]} {name}")
    assert point.n_functions == SIZES[index]
    assert point.score == pytest.approx(-search.best_score_, rel=1e-6)
    assert point.settings["energy_weight"] == pytest.approx(search.best_params_["energy_weight"])
    fitted = front.fit(point)
    np.testing.assert_allclose(fitted.predict(silicon), search.predict(silicon), rtol=1e-6)
    assert np.count_nonzero(fitted.coef_) == SIZES[index]


def test_a_budget_is_enough_to_get_a_potential(front):
    dear = 2.0 * max(point.cost for point in front.points)
    best = min(front.points, key=lambda point: point.score)
    assert np.count_nonzero(front.fit(budget=dear).coef_) == best.n_functions
    with pytest.raises(SettingsError, match="no potential takes 1e-09 µs per atom and step or less; the fastest found"):
        front.fit(budget=1e-9)
    with pytest.raises(SettingsError, match=r"budget=3.0 and a point \(.*\) are both given; leave out one"):
        front.fit(front.points[0], budget=3.0)


def test_the_recommended_is_fitted_from_the_same_rows(front, silicon, tmp_path):
    model = front.fit()
    point = front.recommend()
    again = LinearPotential(POOL, n_jobs=1, fill_holes=False, form="gram").set_params(**point.settings).fit(silicon)
    np.testing.assert_allclose(model.predict(silicon), again.predict(silicon), rtol=1e-6)
    model.save(tmp_path / "model.linmlp")
    np.testing.assert_allclose(load(tmp_path / "model.linmlp").predict(silicon), model.predict(silicon), rtol=1e-9)
    with pytest.raises(SettingsError, match="is no point of this front"):
        front.fit(compute_front(silicon, LinearPotential(POOL, n_jobs=1), sizes=[2], cv=3).points[0])


def test_weights_of_many_functions_are_chosen_at_a_few_strengths(silicon, settings, front, monkeypatch):
    monkeypatch.setattr(searching, "MANY_FEATURES", 15)
    narrowed = compute_front(silicon, settings, sizes=SIZES[:1], degrees=DEGREES, cv=3)
    all_strengths = {point.name: point for point in front.points}
    for few in narrowed.points:
        many = all_strengths[few.name]
        assert few.score == pytest.approx(many.score) or (few.n_functions > 15 and few.score > many.score)
        fixed = {k: v for k, v in few.settings.items() if k.startswith("energy_") or k in ("features", "solver")}
        search = LinearPotentialCV(clone(settings).set_params(form="gram", **fixed), cv=3).fit(silicon)
        assert few.score == pytest.approx(-search.best_score_, rel=1e-6)


def test_weights_of_long_paths_are_those_of_the_second_size(silicon, settings, front, monkeypatch):
    monkeypatch.setattr(searching, "KEPT_WEIGHTS", 1)
    narrowed = compute_front(silicon, settings, sizes=(3, *SIZES), degrees=[], cv=3)
    of_all_weights = {point.name: point.score for point in front.points}
    for name in COST_POWERS:
        own = {point.n_functions: point for point in narrowed.points if point.name.endswith(name)}
        assert len({(point.settings["energy_weight"], point.settings["energy_per"]) for point in own.values()}) == 1
        assert own[5].score == pytest.approx(of_all_weights[f"5 {name}"], rel=1e-6)
        assert own[12].score >= of_all_weights[f"12 {name}"] - 1e-6


def test_groups_stay_together(silicon, settings, front):
    groups = np.arange(len(silicon)) // 3
    grouped = compute_front(silicon, settings, sizes=[], degrees=DEGREES[:1], cv=3, groups=groups)
    search = LinearPotentialCV(
        clone(settings).set_params(descriptor=ACE(POOL.cutoff, order=2, max_degree=DEGREES[0]), form="gram"), cv=3
    ).fit(silicon, groups=groups)
    assert grouped.points[0].score == pytest.approx(-search.best_score_, rel=1e-6)
    assert grouped.points[0].score != front.points[0].score
    with pytest.raises(SettingsError, match="groups has 2 entries for 36 structures"):
        compute_front(silicon, settings, groups=[0, 1])


def test_energies_alone_and_weights_by_the_evidence(silicon, settings):
    alone = [atoms.copy() for atoms in silicon]
    for atoms, labelled in zip(alone, silicon, strict=True):
        atoms.info["REF_energy"] = labelled.get_potential_energy()
    found = compute_front(alone, settings, sizes=[3], degrees=[(4, 3)], cv=3)
    assert all(point.force_rmse is None and point.energy_mae > 0.0 for point in found.points)
    by_evidence = clone(settings).set_params(energy_weight="evidence")
    found = compute_front(silicon, by_evidence, sizes=[], degrees=[(4, 3)], cv=3)
    search = LinearPotentialCV(clone(by_evidence).set_params(descriptor=ACE(4.0, 2, (4, 3)), form="gram"), cv=3)
    assert found.points[0].score == pytest.approx(-search.fit(silicon).best_score_, rel=1e-6)
    assert found.fit().energy_weight_ > 0.0


def test_costs_are_positive_and_of_enough_atoms(front, silicon):
    assert all(point.cost > 0.0 for point in front.points)
    sample = sample_atoms(silicon[:2])
    assert N_ATOMS <= sum(map(len, sample)) < N_ATOMS + max(map(len, silicon))
    assert {id(atoms) for atoms in sample} == {id(atoms) for atoms in silicon[:2]}
    predictor = front.fit(front.points[0]).predictor()
    assert measure_costs([predictor, predictor], silicon, n_rounds=2).shape == (2,)


def test_presets_are_within_the_pool():
    assert pool_degrees(1, 6) == preset_degrees(1, 6)["accurate"]
    assert pool_degrees(4, 6, n_channels=1) > pool_degrees(4, 6, n_channels=2) > pool_degrees(4, 6)
    for n_elements in (1, 2, 3, 4):
        pool = pool_degrees(n_elements, 6)
        for degrees in preset_degrees(n_elements, 6).values():
            assert all(d <= most for d, most in zip(degrees, pool, strict=False))


def test_dense_potentials_by_default(silicon):
    pool = ACE(3.0, order=3, max_degree=(12, 9, 7)).fit(silicon[:3])
    assert dense_degrees(pool, None) == {"fast": (12, 9, 6), "degrees 12,9,7": (12, 9, 7)}
    assert dense_degrees(ACE.preset("fast", 3.0).fit(silicon[:3]), None) == {"fast": (12, 9, 6)}


@pytest.mark.parametrize(
    ("changed", "options", "told"),
    [
        ({"solver": Ridge()}, {}, r"solver=Ridge\(\).* are what competes on the front; leave them at None"),
        ({"features": [0, 1]}, {}, "leave them at None"),
        ({"descriptor": SOAP()}, {}, "has no sizes to compare; give a LinearPotential with an unfitted ACE"),
        ({"descriptor": FrozenEstimator(POOL)}, {}, "with an unfitted ACE"),
        ({}, {"sizes": [0]}, r"sizes=\[0\]; give whole numbers from 1 to 42"),
        ({}, {"sizes": [43]}, "from 1 to 42, the size of the pool"),
        ({}, {"degrees": [(7, 2)]}, r"degrees \(7, 2\) are not within those of the pool, \(6, 5, 3, 2\)"),
    ],
)
def test_settings_that_do_not_go(changed, options, told, silicon, settings):
    with pytest.raises(SettingsError, match=told):
        compute_front(silicon, clone(settings).set_params(**changed), cv=3, **options)
