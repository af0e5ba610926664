"""A search over the settings of a kernel potential in a pipeline: scores, the choice, and what comes of it."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import Pipeline

from linmlp import SOAP, SparseKernelPotential
from linmlp.datasets import load_silicon

GRID = {"potential__zeta": [1, 4], "potential__n_sparse": [4, 30], "potential__descriptor__l_max": [0, 3]}
FOLDS = KFold(3, shuffle=True, random_state=0)


@pytest.fixture(scope="module")
def silicon():
    train, test = load_silicon()
    return train[::3], test


@pytest.fixture(scope="module")
def search(silicon):
    potential = SparseKernelPotential(SOAP(4.0, 3), energy_weight=100.0, energy_per="atom", alpha=1e-6)
    return GridSearchCV(Pipeline([("potential", potential)]), GRID, cv=FOLDS).fit(silicon[0])


def test_every_combination_has_its_own_score(search):
    scores = np.round(search.cv_results_["mean_test_score"], 8)
    assert len(scores) == len(set(scores)) == 8
    assert search.best_index_ == np.argmax(scores)
    assert search.best_score_ == pytest.approx(scores.max())


def test_what_can_tell_environments_apart_wins(search):
    # Angles, many environments and more than a linear kernel all matter in silicon.
    table = {
        tuple(params[name] for name in GRID): -score
        for params, score in zip(search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True)
    }
    for zeta in (1, 4):
        assert table[zeta, 30, 3] < 0.7 * table[zeta, 4, 3]
        assert table[zeta, 30, 3] < 0.7 * table[zeta, 30, 0]
    assert table[4, 30, 3] < table[1, 30, 3]
    assert search.best_params_ == dict(zip(GRID, (4, 30, 3), strict=True))


def test_a_score_is_that_of_fits_by_hand(search, silicon):
    train, _ = silicon
    (index,) = (
        k for k, params in enumerate(search.cv_results_["params"]) if params == dict(zip(GRID, (1, 4, 3), strict=True))
    )
    model = clone(search.estimator["potential"]).set_params(zeta=1, n_sparse=4, descriptor__l_max=3)
    for fold, (fitted, held_out) in enumerate(FOLDS.split(train)):
        score = clone(model).fit([train[i] for i in fitted]).score([train[i] for i in held_out])
        assert search.cv_results_[f"split{fold}_test_score"][index] == pytest.approx(score, rel=1e-6)


def test_the_chosen_one_is_fitted_to_everything(search, silicon):
    train, test = silicon
    chosen = search.best_estimator_["potential"]
    assert (chosen.zeta, chosen.n_sparse, chosen.descriptor.l_max) == (4, 30, 3)
    own = {name.removeprefix("potential__"): value for name, value in search.best_params_.items()}
    alone = clone(search.estimator["potential"]).set_params(**own).fit(train)
    np.testing.assert_allclose(search.predict(test), alone.predict(test), rtol=1e-9)
    assert search.score(test) == pytest.approx(alone.score(test), rel=1e-6)
