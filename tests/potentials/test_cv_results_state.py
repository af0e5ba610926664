"""The table of a cross-validation in a model file."""

import json

import numpy as np
import pytest

from linmlp import LinearPotential, load
from linmlp.evaluation import plot_search
from linmlp.potentials.cv_results_state import cv_results_from_state, cv_results_to_state
from tests.naive.known_model import WEIGHTS, small_ace


@pytest.fixture(scope="module")
def searched(silicon_truth):
    settings = {**WEIGHTS, "energy_weight": "auto", "energy_per": "auto"}
    return LinearPotential(small_ace(), n_folds=3, **settings).fit(silicon_truth.structures)


def test_a_model_file_remembers_its_search(searched, tmp_path):
    searched.save(tmp_path / "m.linmlp")
    kept, found = searched.cv_results_, load(tmp_path / "m.linmlp").cv_results_
    assert found.keys() == kept.keys()
    assert len(found["params"]) > 10
    assert found["params"] == kept["params"]
    for name, column in kept.items():
        if name != "params":
            np.testing.assert_array_equal(found[name], column)


def test_it_can_be_drawn_again(searched, tmp_path):
    import matplotlib.pyplot as plt

    searched.save(tmp_path / "m.linmlp")
    axes = plot_search(load(tmp_path / "m.linmlp").cv_results_, ["alpha", "energy_per"])
    for ax, other in zip(axes, plot_search(searched.cv_results_, ["alpha", "energy_per"]), strict=True):
        np.testing.assert_array_equal(ax.lines[0].get_xydata(), other.lines[0].get_xydata())
    plt.close("all")


def test_what_only_some_combinations_have_is_masked():
    table = {"params": [{"alpha": 1.0}, {"alpha": 2.0, "group_weights": {"a": 3.0}}], "energy_mae": np.ones(2)}
    found = cv_results_from_state(json.loads(json.dumps(cv_results_to_state(table))))
    assert found["param_alpha"].tolist() == [1.0, 2.0]
    assert found["param_group_weights"].mask.tolist() == [True, False]
    assert found["param_group_weights"][1] == {"a": 3.0}


def test_nothing_stays_nothing():
    assert cv_results_from_state(cv_results_to_state({})) == {}
