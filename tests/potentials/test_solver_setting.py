"""Every solver inside a potential: fitted, searched, continued, stored; priors and subsets of features."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import BayesianRidge as PlainBayesianRidge
from sklearn.linear_model import LinearRegression
from sklearn.linear_model import Ridge as PlainRidge

from linmlp import LinearPotential, LinearPotentialCV, UpToDegree, load
from linmlp.exceptions import SettingsError
from linmlp.solvers import (
    ARD,
    LSMR,
    BackwardSelection,
    BayesianRidge,
    FeatureCosts,
    ForwardSelection,
    Lasso,
    LeastSquares,
    MiniBatchGradientDescent,
    OrthogonalMatchingPursuit,
    Ridge,
    ScikitLearnSolver,
    TruncatedSVDRegression,
)
from linmlp.system import TrainingData
from tests.naive.known_model import WEIGHTS, small_ace

SOLVERS = [
    Ridge(1e-6),
    LeastSquares(),
    LeastSquares(1e-8),
    TruncatedSVDRegression(),
    Lasso(1e-4),
    OrthogonalMatchingPursuit(6),
    ForwardSelection(6),
    BackwardSelection(6),
    LSMR(1e-6),
    BayesianRidge(),
    ARD(tol=1e-6),
    MiniBatchGradientDescent(1e-6),
    ScikitLearnSolver(PlainRidge(1e-6, fit_intercept=False)),
    ScikitLearnSolver(LinearRegression(fit_intercept=False)),
]


def unfitted(structures, **settings):
    frozen = FrozenEstimator(small_ace().fit(structures))
    return LinearPotential(frozen, **{**WEIGHTS, "baseline": None, "e0": "lstsq", **settings})


@pytest.mark.parametrize("solver", SOLVERS, ids=repr)
def test_every_solver_is_fitted_continued_and_stored(silicon_truth, solver, tmp_path):
    structures = silicon_truth.structures
    model = unfitted(structures, solver=solver).fit(structures)
    own = clone(solver).fit_system(TrainingData(model.system_.data).problem(model.loss_weights_).system)
    np.testing.assert_allclose(model.coef_, own.coef_, rtol=1e-6, atol=1e-8 * np.abs(own.coef_).max())
    pieces = unfitted(structures, solver=solver).fit(structures[:9]).partial_fit(structures[9:])
    np.testing.assert_allclose(pieces.predict(structures), model.predict(structures), rtol=1e-6)
    model.save(tmp_path / "a.linmlp")
    loaded = load(tmp_path / "a.linmlp")
    np.testing.assert_array_equal(loaded.predict(structures), model.predict(structures))
    assert repr(loaded.solver) == repr(solver)


def test_costs_of_functions_are_stored_with_the_solver(silicon_truth, tmp_path):
    structures = silicon_truth.structures
    costs = FeatureCosts(*small_ace().fit(structures).function_costs(structures))
    solver = ForwardSelection(6, costs=costs, cost_power=1.0)
    model = unfitted(structures, solver=solver).fit(structures)
    assert costs.total(model.coef_ != 0.0) < costs.total(
        unfitted(structures, solver=ForwardSelection(6)).fit(structures).coef_ != 0.0
    )
    model.save(tmp_path / "a.linmlp")
    loaded = load(tmp_path / "a.linmlp")
    np.testing.assert_array_equal(loaded.predict(structures), model.predict(structures))
    assert loaded.solver.cost_power == 1.0
    for name in ("own", "parts", "first", "part"):
        np.testing.assert_array_equal(getattr(loaded.solver.costs, name), getattr(costs, name))
    assert "FeatureCosts(" in model.describe()
    again = clone(loaded).set_params(descriptor=clone(model).descriptor).fit(structures)
    np.testing.assert_allclose(again.coef_, model.coef_, rtol=1e-9)
    with pytest.raises(SettingsError, match=r"costs=FeatureCosts\(.*; give FeatureCosts of the 2 features, or None"):
        unfitted(structures, solver=clone(solver).set_params(n_features_to_select=2), features=[0, 1]).fit(structures)


def test_loss_weights_are_searched_with_any_solver(silicon_truth):
    structures = silicon_truth.structures
    model = unfitted(structures, solver=LeastSquares(), energy_weight="auto", energy_per="auto").fit(structures)
    assert len(model.cv_results_["params"]) == 9
    assert "rcond" not in model.cv_results_["params"][0]


@pytest.mark.filterwarnings("ignore:the best solver__alpha:linmlp.exceptions.LinmlpWarning")
def test_solvers_compete_in_one_grid(silicon_truth):
    structures = silicon_truth.structures
    grid = [
        {"solver": [LeastSquares(), ForwardSelection(4)]},
        {"solver": [Ridge()], "solver__alpha": [1e-8, 1e-4, 1.0]},
    ]
    found = LinearPotentialCV(unfitted(structures), grid, cv=3).fit(structures)
    assert len(found.cv_results_["params"]) == 5
    assert found.cv_results_["n_used"].min() == 4


def test_prior_by_degree_and_features(silicon_truth):
    structures = silicon_truth.structures
    frozen = small_ace().fit(structures)
    degrees = np.maximum(frozen.feature_degrees()[:, 1], 1.0)
    by_name = unfitted(structures, alpha=1e-2, prior="degree").fit(structures)
    gamma = degrees**2 / np.sqrt(np.mean(degrees**4))
    by_array = unfitted(structures, alpha=1e-2, prior=gamma).fit(structures)
    np.testing.assert_allclose(by_name.coef_, by_array.coef_, rtol=1e-9)
    assert not np.allclose(by_name.coef_, unfitted(structures, alpha=1e-2).fit(structures).coef_, rtol=1e-3)
    chosen = UpToDegree((4, 2))(frozen)
    subset = unfitted(structures, alpha=1e-6, features=UpToDegree((4, 2))).fit(structures)
    np.testing.assert_array_equal(np.flatnonzero(subset.coef_), chosen)
    mask = np.isin(np.arange(len(degrees)), chosen)
    np.testing.assert_array_equal(unfitted(structures, alpha=1e-6, features=mask).fit(structures).coef_, subset.coef_)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"solver": "ridge"}, "solver='ridge' is not a solver"),
        ({"solver": Ridge(), "alpha": 1e-3}, "alpha=0.001 is the strength of the default solver"),
        ({"solver": LeastSquares(), "prior": "degree"}, "LeastSquares knows no prior"),
        ({"solver": ScikitLearnSolver(PlainBayesianRidge())}, "BayesianRidge"),
        ({"prior": "size"}, "prior='size' is not known"),
        ({"prior": [1.0, 2.0]}, r"prior has shape \(2,\)"),
        ({"features": []}, "chooses no feature"),
        ({"features": [0, 999]}, "holds 0 to 999"),
        ({"features": np.ones(3, dtype=bool)}, "mask of shape"),
    ],
)
def test_what_does_not_go_together_is_told(silicon_truth, settings, message):
    with pytest.raises(SettingsError, match=message):
        unfitted(silicon_truth.structures, **settings).fit(silicon_truth.structures)


def test_solvers_and_the_functions_that_they_use_are_told(silicon_truth):
    settings = {"baseline": None, **WEIGHTS}
    model = LinearPotential(small_ace(), solver=ForwardSelection(6), **settings).fit(silicon_truth.structures)
    told = model.describe()
    assert f"{len(model.coef_)} functions (degrees 4, 3, 2), 6 of them with a coefficient, cutoff 4 Å" in told
    assert "ForwardSelection(n_features_to_select=6) (" in told
    assert "nan" not in told
