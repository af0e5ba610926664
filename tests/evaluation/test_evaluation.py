"""Learning curves, diagnoses, and what plots draw."""

import re

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold

from linmlp import LinearPotential
from linmlp.evaluation import diagnose_fit, learning_curve, plot_gaps, plot_search
from linmlp.exceptions import SettingsError
from tests.naive.known_model import WEIGHTS, small_ace

mpl.use("Agg")


@pytest.fixture(autouse=True)
def _no_figures_left():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def model():
    return LinearPotential(small_ace(), **WEIGHTS, alpha=1e-6, baseline=None)


@pytest.fixture(scope="module")
def curve(model, silicon_truth):
    return learning_curve(model, silicon_truth.structures, [9, 4], cv=KFold(3))


def test_curve_is_fitting_by_hand(model, silicon_truth, curve):
    structures = silicon_truth.structures
    assert curve.sizes == (4, 9)
    rng = np.random.default_rng(0)
    for fold, (train, validation) in enumerate(KFold(3).split(structures)):
        shuffled = rng.permutation(train)
        fitted = clone(model).fit([structures[i] for i in shuffled[:4]])
        total = fitted.evaluate([structures[i] for i in validation]).to_dict()["total"]
        assert curve.validation["force_rmse"][0, fold] == pytest.approx(total["force_rmse"], rel=1e-9)
    frame = curve.to_frame()
    assert list(frame.index) == [4, 9]
    assert frame.loc[9, "train_energy_mae"] == pytest.approx(curve.train["energy_mae"][1].mean())


@pytest.mark.parametrize("sizes", [[], [0], [14]])
def test_sizes_out_of_range(sizes, model, silicon_truth):
    with pytest.raises(SettingsError, match="sizes"):
        learning_curve(model, silicon_truth.structures, sizes, cv=2)


def test_curve_is_drawn(curve):
    ax = curve.plot("energy_rmse")
    (train, validation) = (container.lines[0] for container in ax.containers)
    np.testing.assert_allclose(train.get_ydata(), curve.train["energy_rmse"].mean(1))
    np.testing.assert_allclose(validation.get_ydata(), curve.validation["energy_rmse"].mean(1))
    np.testing.assert_array_equal(train.get_xdata(), curve.sizes)
    assert "meV/atom" in ax.get_ylabel()
    assert curve.plot(ax=ax) is ax
    with pytest.raises(SettingsError, match="energy_mae"):
        curve.plot("speed")


def test_search_of_scikit_learn_is_drawn(model, silicon_truth):
    grid = {"alpha": [1e-8, 1e-5, 1e-2], "descriptor__max_degree": [(2, 1, 1), (4, 3, 2)]}
    search = GridSearchCV(model, grid, cv=2).fit(silicon_truth.structures)
    alpha, degree = plot_search(search.cv_results_)
    scores = search.cv_results_["mean_test_score"].reshape(3, 2)
    np.testing.assert_allclose(alpha.lines[0].get_ydata(), scores.max(1))
    np.testing.assert_allclose(alpha.lines[0].get_xdata(), grid["alpha"])
    np.testing.assert_allclose(degree.lines[0].get_ydata(), scores.max(0))
    assert alpha.get_xscale() == "log"
    assert [tick.get_text() for tick in degree.get_xticklabels()] == ["(2, 1, 1)", "(4, 3, 2)"]
    assert alpha.lines[1].get_xdata() == [search.best_params_["alpha"]]


def test_band_is_one_standard_error():
    table = {
        "param_a": np.array([1, 2]),
        "mean_test_score": [1.0, 2.0],
        "std_test_score": [9.0, 0.6],
        **{f"split{k}_test_score": [1.0, 2.0] for k in range(4)},
    }
    (ax,) = plot_search(table)
    assert ax.patches[0].get_y() == pytest.approx(2.0 - 0.3)
    assert ax.patches[0].get_height() == pytest.approx(0.6)


def test_search_of_a_potential_is_drawn(silicon_truth):
    model = LinearPotential(small_ace(), **WEIGHTS, baseline=None, n_folds=2).fit(silicon_truth.structures)
    (ax,) = plot_search(model.cv_results_)
    np.testing.assert_allclose(sorted(ax.lines[0].get_ydata()), sorted(model.cv_results_["mean_test_score"]))
    with pytest.raises(SettingsError, match="alpha"):
        plot_search(model.cv_results_, ["beta"])


def test_gaps_are_drawn():
    errors = {"train": {"energy_rmse": 1.0, "force_rmse": 0.1}, "test": {"energy_rmse": 2.0, "force_rmse": None}}
    energy, force = plot_gaps(errors)
    assert [bar.get_height() for bar in energy.patches] == [1.0, 2.0]
    assert [bar.get_height() for bar in force.patches] == [0.1]
    with pytest.raises(SettingsError, match="mae"):
        plot_gaps(errors, "mae")


@pytest.mark.parametrize(
    ("validation", "n_rows", "words"),
    [
        (1.6, 1000, "overfits: .*1.6 against 1"),
        (1.05, 1000, "may underfit"),
        (1.05, 900, "neither"),
        (1.3, 1000, "neither"),
    ],
)
def test_diagnosis(validation, n_rows, words):
    text = diagnose_fit({"force_rmse": 1.0}, {"force_rmse": validation}, n_rows, 100)
    assert re.match(words, text)
    assert f"{n_rows} rows for 100 functions" in text


def test_diagnosis_without_errors():
    with pytest.raises(SettingsError, match="same name"):
        diagnose_fit({"a": 1.0}, {"b": 1.0}, 1, 1)
    assert diagnose_fit({"a": 0.0}, {"a": 1.0}, 10, 1).startswith("overfits")
