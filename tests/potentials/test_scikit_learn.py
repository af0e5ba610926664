"""The ordinary scikit-learn way: searches, cross-validation, routing, pipelines and scorers on lists of structures."""

import math
import pickle

import joblib
import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.ensemble import RandomForestRegressor
from sklearn.exceptions import NotFittedError
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import Ridge
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    HalvingGridSearchCV,
    KFold,
    RandomizedSearchCV,
    cross_val_predict,
    cross_validate,
    learning_curve,
    validation_curve,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import linmlp
from linmlp import ACE, LinearPotential
from linmlp.exceptions import LabelError, SettingsError
from tests.naive.known_model import WEIGHTS, small_ace, without

DEGREES = {"descriptor__max_degree": [(2, 1, 1), (4, 3, 2)]}


def potential(**settings):
    return LinearPotential(small_ace(), **{**WEIGHTS, "alpha": 1e-6, "baseline": None, **settings})


@pytest.fixture(scope="module")
def structures(silicon_truth):
    return silicon_truth.structures


@pytest.fixture(scope="module")
def fitted(structures):
    return potential().fit(structures[:10])


@pytest.fixture(scope="module")
def energies(structures):
    return np.array([a.get_potential_energy() for a in structures])


class TestSearches:
    def test_grid(self, structures):
        search = GridSearchCV(potential(), DEGREES, cv=KFold(3), scoring=linmlp.scorer("force_rmse")).fit(structures)
        # The labels come from a model of the larger degree, so that the smaller one cannot be better.
        assert search.best_params_ == {"descriptor__max_degree": (4, 3, 2)}
        assert search.predict(structures).shape == (len(structures),)

    def test_random(self, structures):
        settings = {"alpha": np.logspace(-8, -4, 9)}
        search = RandomizedSearchCV(potential(), settings, n_iter=3, cv=2, random_state=0).fit(structures)
        assert search.best_score_ == max(search.cv_results_["mean_test_score"])

    def test_halving(self, structures):
        search = HalvingGridSearchCV(potential(), DEGREES, cv=2, min_resources=6, random_state=0).fit(structures)
        assert search.n_resources_[-1] <= len(structures)
        assert search.best_params_ in search.cv_results_["params"]

    def test_several_scorers(self, structures):
        scoring = {name: linmlp.scorer(name) for name in linmlp.scorer_names()}
        search = GridSearchCV(potential(), {"alpha": [1e-8, 1e-5]}, cv=2, scoring=scoring, refit="score")
        table = search.fit(structures).cv_results_
        for name in scoring:
            assert np.isfinite(table[f"mean_test_{name}"]).all(), name

    @pytest.mark.parametrize("as_given", [list, tuple, None])
    def test_lists_tuples_and_object_arrays_are_one(self, as_given, structures, fitted):
        given = np.empty(10, dtype=object)
        given[:] = structures[:10]
        given = given if as_given is None else as_given(structures[:10])
        np.testing.assert_array_equal(potential().fit(given).coef_, fitted.coef_)
        np.testing.assert_array_equal(fitted.predict(given), fitted.predict(structures[:10]))
        scores = cross_validate(potential(), given, cv=2, error_score="raise")["test_score"]
        np.testing.assert_array_equal(scores, cross_validate(potential(), structures[:10], cv=2)["test_score"])


class TestCrossValidation:
    def test_cross_validate_is_fitting_by_hand(self, structures):
        cv, score = KFold(3), linmlp.scorer("energy_mae")
        result = cross_validate(potential(), structures, cv=cv, scoring=score, return_train_score=True)
        for k, (train, test) in enumerate(cv.split(structures)):
            model = potential().fit([structures[i] for i in train])
            table = model.evaluate([structures[i] for i in test]).to_dict()["total"]
            assert result["test_score"][k] == pytest.approx(-table["energy_mae"], rel=1e-9)

    def test_cross_val_predict(self, structures):
        predicted = cross_val_predict(potential(), structures, cv=KFold(2))
        half = len(structures) // 2
        expected = potential().fit(structures[half:]).predict(structures[:half])
        np.testing.assert_allclose(predicted[:half], expected, rtol=1e-12)

    def test_learning_curve(self, structures):
        sizes, train, test = learning_curve(
            potential(), structures, None, train_sizes=[4, 9], cv=3, scoring=linmlp.scorer("force_rmse")
        )
        assert list(sizes) == [4, 9]
        assert np.isfinite(train).all()
        assert (test.mean(1)[1] > test.mean(1)[0]).all()

    def test_validation_curve(self, structures):
        train, _ = validation_curve(
            potential(),
            structures,
            None,
            param_name="descriptor__max_degree",
            param_range=DEGREES["descriptor__max_degree"],
            cv=2,
            scoring=linmlp.scorer("force_rmse"),
        )
        assert (train[1] > train[0]).all()


class TestRouting:
    def test_groups_and_weights_reach_fold_fit_and_score(self, structures):
        groups = [a.info["config_type"] for a in structures]
        weight = np.linspace(0.5, 2.0, len(structures))
        with sklearn.config_context(enable_metadata_routing=True):
            model = potential().set_fit_request(sample_weight=True)
            score = linmlp.scorer("force_rmse").set_score_request(sample_weight=True)
            cv = GroupKFold(3)
            search = GridSearchCV(model, {"alpha": [1e-6]}, cv=cv, scoring=score, refit=False)
            table = search.fit(structures, sample_weight=weight, groups=groups).cv_results_
        for k, (train, test) in enumerate(cv.split(structures, groups=groups)):
            by_hand = potential().fit([structures[i] for i in train], sample_weight=weight[train])
            wanted = linmlp.scorer("force_rmse")(by_hand, [structures[i] for i in test], None, weight[test])
            assert table[f"split{k}_test_score"][0] == pytest.approx(wanted, rel=1e-9)

    def test_the_estimators_own_score_takes_weights(self, structures):
        with sklearn.config_context(enable_metadata_routing=True):
            model = potential().set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
            weight = np.ones(len(structures))
            weighted = cross_validate(model, structures, cv=2, params={"sample_weight": weight})["test_score"]
        np.testing.assert_allclose(weighted, cross_validate(potential(), structures, cv=2)["test_score"], rtol=1e-9)

    def test_weights_nobody_asked_for_are_an_error(self, structures):
        with sklearn.config_context(enable_metadata_routing=True):
            model = potential().set_fit_request(sample_weight=True)
            search = GridSearchCV(model, {"alpha": [1e-6]}, cv=2, scoring=linmlp.scorer("force_rmse"))
            with pytest.raises(ValueError, match="not explicitly set as requested"):
                search.fit(structures, sample_weight=np.ones(len(structures)))


class TestScorers:
    @pytest.mark.parametrize("kind", ["energy", "force", "stress"])
    @pytest.mark.parametrize("mean", ["mae", "rmse"])
    def test_errors_are_those_of_the_table(self, kind, mean, fitted, structures):
        name = f"{kind}_{mean}"
        assert linmlp.scorer(name)(fitted, structures) == pytest.approx(
            -fitted.evaluate(structures).to_dict()["total"][name], rel=1e-12
        )

    @pytest.mark.parametrize("name", linmlp.scorer_names())
    def test_two_is_listing_twice_and_zero_is_leaving_out(self, name, fitted, structures):
        score = linmlp.scorer(name)
        weight = [2, 0, *[1] * (len(structures) - 2)]
        listed = [structures[0], structures[0], *structures[2:]]
        assert score(fitted, structures, None, weight) == pytest.approx(score(fitted, listed), rel=1e-9)

    def test_score_is_its_formula(self, fitted, structures):
        total = fitted.evaluate(structures).to_dict()["total"]
        wanted = -0.5 * math.log(1e-3 * total["energy_mae"]) - 0.5 * math.log(total["force_rmse"])
        assert linmlp.scorer("score")(fitted, structures) == pytest.approx(wanted, rel=1e-12)
        assert linmlp.scorer("loss")(fitted, structures) == fitted.score(structures)

    def test_habits(self):
        score = linmlp.scorer("force_rmse").set_score_request(sample_weight="w")
        for other in (pickle.loads(pickle.dumps(score)), clone(score, safe=False)):
            assert other == score
            assert hash(other) == hash(score)
        assert score != linmlp.scorer("force_rmse")
        assert repr(score) == "scorer('force_rmse')"

    def test_what_cannot_be_scored(self, fitted, structures):
        with pytest.raises(SettingsError, match="energy_mae, energy_rmse"):
            linmlp.scorer("rmse")
        with pytest.raises(LabelError, match="stress"):
            linmlp.scorer("stress_mae")(fitted, [without(a, "stress") for a in structures])
        with pytest.raises(SettingsError, match="Ridge"):
            linmlp.scorer("energy_mae")(Ridge(), structures)
        with pytest.raises(SettingsError, match="per structure"):
            linmlp.scorer("energy_mae")(fitted, structures, None, [1.0])


class TestHabits:
    def test_nothing_happens_before_the_fit(self):
        odd = object()
        model = LinearPotential(odd, alpha="nonsense", memory=odd, reject=odd)
        assert model.descriptor is odd
        assert set(vars(model)) == set(model.get_params(deep=False))
        with pytest.raises(NotFittedError):
            potential().predict([])
        with pytest.raises(NotFittedError):
            small_ace().transform([])

    def test_clone_and_nested_parameters(self, fitted):
        other = clone(fitted)
        assert not hasattr(other, "coef_")
        assert other.descriptor is not fitted.descriptor
        other.set_params(descriptor__max_degree=(2, 1, 1), alpha=1e-3)
        assert other.get_params()["descriptor__max_degree"] == (2, 1, 1)
        assert fitted.get_params()["descriptor__max_degree"] == (4, 3, 2)

    def test_fit_is_idempotent_and_leaves_parameters(self, fitted, structures):
        model = potential()
        before = joblib.hash(model.get_params(deep=False) | {"descriptor": repr(model.descriptor)})
        assert model.fit(structures) is model
        np.testing.assert_array_equal(model.fit(structures[:10]).coef_, fitted.coef_)
        assert joblib.hash(model.get_params(deep=False) | {"descriptor": repr(model.descriptor)}) == before

    @pytest.mark.parametrize("is_fitted", [False, True])
    def test_round_trips(self, is_fitted, fitted, structures, tmp_path):
        model = fitted if is_fitted else potential()
        joblib.dump(model, tmp_path / "model.joblib")
        for other in (pickle.loads(pickle.dumps(model)), joblib.load(tmp_path / "model.joblib")):
            other = other if is_fitted else other.fit(structures[:10])
            np.testing.assert_array_equal(other.predict(structures), fitted.predict(structures))

    def test_html(self, fitted):
        assert "LinearPotential" in fitted._repr_html_()
        assert "ACE" in make_pipeline(small_ace(), Ridge())._repr_html_()


class TestPipelines:
    def test_pandas_output(self, structures):
        table = small_ace().set_output(transform="pandas").fit_transform(structures)
        plain = small_ace().fit(structures)
        assert list(table.columns) == list(plain.get_feature_names_out())
        np.testing.assert_array_equal(table.to_numpy(), plain.transform(structures))

    @pytest.mark.parametrize("regressor", [Ridge(1e-6), RandomForestRegressor(5, random_state=0)])
    @pytest.mark.parametrize("between", [[], [StandardScaler()], [FunctionTransformer(np.tanh)]])
    def test_any_regressor_on_energies(self, regressor, between, structures, energies):
        model = make_pipeline(small_ace(), *between, regressor).fit(structures, energies)
        assert model.predict(structures).shape == energies.shape
        assert model.score(structures, energies) > 0.5

    def test_searched(self, structures, energies):
        pipeline = make_pipeline(ACE(cutoff=4.0), StandardScaler(), Ridge(1e-3))
        grid = {"ace__max_degree": [1, 2], "ridge__alpha": [1e-3, 1.0]}
        search = GridSearchCV(pipeline, grid, cv=2, scoring="neg_mean_absolute_error").fit(structures, energies)
        assert np.isfinite(search.cv_results_["mean_test_score"]).all()
        names = search.best_estimator_[:-1].get_feature_names_out()
        assert len(names) == search.best_estimator_[0].n_features_out_


class TestRejection:
    def test_fit_leaves_out_and_says_so(self, structures, fitted, tmp_path):
        bad = without(structures[3], forces=structures[3].get_forces() + 1e3)
        given = [*structures[:10], bad]
        weight = np.linspace(1, 2, 11)
        model = potential(reject={"max_force": 100.0}).fit(given, sample_weight=weight)
        expected = potential().fit(structures[:10], sample_weight=weight[:10])
        np.testing.assert_array_equal(model.coef_, expected.coef_)
        assert [index for index, _ in model.rejected_] == [10]
        assert any("1 of 11 structures rejected" in note for note in model.notes_)
        assert len(model.predict(given)) == 11
        assert model.evaluate(given).to_dict()["total"]["n_structures"] == 11
        model.save(tmp_path / "model")
        assert linmlp.load(tmp_path / "model").rejected_ == model.rejected_

    def test_nothing_rejected(self, fitted):
        assert fitted.rejected_ == []

    def test_weights_of_a_wrong_length(self, structures):
        with pytest.raises(SettingsError, match="one number per structure"):
            potential(reject=lambda s, labels: [0]).fit(structures, sample_weight=[1.0])
