"""Channels of elements that are learnt: known ones are found again, by potentials and on their own."""

import pickle
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from linmlp import ACE, LinearPotential, load
from linmlp.exceptions import LinmlpWarning, SettingsError
from linmlp.potentials import element_channels
from linmlp.potentials.element_channels import _Problem, compare_channels, learn_channels, orthogonal_rows
from linmlp.structures import read_labels
from tests.naive.known_model import WEIGHTS, KnownModel

TRUE = np.array([[1.3, 0.4]])
SETTINGS = {"alpha": 1e-8, "baseline": None, **WEIGHTS}


@pytest.fixture(scope="module")
def truth():
    """Labels by functions of order 2 of one channel."""
    return KnownModel.of(("C", "Si"), seed=3, ace=ACE(4.0, 2, (4, 3), channels=TRUE))


def cosine(found, wanted):
    return float(np.abs(np.vdot(found, wanted)) / np.linalg.norm(found) / np.linalg.norm(wanted))


def arguments(truth, channels=1):
    structures = truth.structures
    settings = LinearPotential(**SETTINGS)._fit_settings()
    return ACE(4.0, channels=channels), structures, read_labels(structures), "lstsq", settings


def test_known_channels_are_found_again(truth):
    """Other radial functions and a penalty stand between them and the truth."""
    fixed, learnt, of_centers = compare_channels(*arguments(truth))
    assert cosine(learnt.matrix, TRUE) > 1 - 1e-4
    assert cosine(fixed.matrix, TRUE) < 0.95
    assert learnt.score < fixed.score - 1
    assert all(cosine(own, TRUE) > 1 - 1e-3 for own in of_centers.matrix)
    found = learn_channels(*arguments(truth))
    np.testing.assert_array_equal(found, learnt.matrix)
    np.testing.assert_allclose(np.sum(found**2), 2.0)


def test_gradient_is_that_of_the_loss(truth):
    descriptor, *rest = arguments(truth)
    problem = _Problem.of(descriptor, (4, 3), *rest)
    gram = problem.gram()
    penalized = element_channels._penalized(gram)
    for W in (np.array([[1.0, 0.3]]), np.array([[[1.0, 0.3]], [[0.8, -0.5]]])):
        _, gradient = problem._log_loss(W, gram, penalized)
        for k in range(W.size):
            step = np.zeros(W.size)
            step[k] = 1e-4
            up, down = (problem._log_loss(W + s * step.reshape(W.shape), gram, penalized)[0] for s in (1, -1))
            assert (up - down) / 2e-4 == pytest.approx(gradient[k], rel=1e-4, abs=1e-6)
        assert abs(gradient @ W.ravel()) < 1e-6 * np.abs(gradient).max()  # the size of W does not matter


def test_rows_depend_on_their_span_alone():
    rng = np.random.default_rng(0)
    W, numbers = rng.normal(size=(2, 4)), (3, 14, 22, 72)
    rows = orthogonal_rows(W, numbers)
    np.testing.assert_allclose(rows @ rows.T, 4 * np.eye(2), atol=1e-12)
    np.testing.assert_allclose(orthogonal_rows(rng.normal(size=(2, 2)) @ W, numbers), rows, atol=1e-10)
    assert np.linalg.matrix_rank(np.concatenate([W, rows])) == 2
    np.testing.assert_allclose(orthogonal_rows(np.array([W, W]), numbers), [rows, rows], atol=1e-12)


def test_where_nothing_is_learnt(truth, monkeypatch):
    np.testing.assert_allclose(learn_channels(*arguments(truth, 2)), [[1.0, 1.0], [-1.0, 1.0]], atol=1e-12)
    with pytest.raises(SettingsError, match="channels=3 with the 2 element"):
        learn_channels(*arguments(truth, 3))
    monkeypatch.setattr(element_channels, "MAX_FEATURES", 10)
    np.testing.assert_allclose(learn_channels(*arguments(truth)), [[1.0, 1.0]])


def test_potential_learns_says_and_keeps_them(truth, tmp_path):
    model = LinearPotential(ACE(4.0, 2, (4, 3), channels=1), **SETTINGS).fit(truth.structures)
    assert model.descriptor.channels == 1
    assert cosine(model.descriptor_.parameters_.mixing[0], TRUE) > 1 - 1e-4
    assert "channels=array" in model.describe()
    given = LinearPotential(ACE(4.0, 2, (4, 3), channels=model.descriptor_.channels), **SETTINGS).fit(truth.structures)
    np.testing.assert_allclose(given.coef_, model.coef_)
    model.save(tmp_path / "m.linmlp")
    restored = load(tmp_path / "m.linmlp")
    for other in (restored, pickle.loads(pickle.dumps(model)), clone(model).fit(truth.structures)):
        np.testing.assert_allclose(other.predict(truth.structures[:3]), model.predict(truth.structures[:3]), rtol=1e-10)
    restored.partial_fit(truth.structures[:2])
    assert restored.descriptor_.n_features_out_ == model.descriptor_.n_features_out_


def test_channels_may_be_searched(truth):
    search = GridSearchCV(
        LinearPotential(ACE(4.0, 2, (4, 3)), **SETTINGS), {"descriptor__channels": [None, 1, 2, [[1.0, 1.0]]]}, cv=2
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LinmlpWarning)
        search.fit(truth.structures)
    scores = search.cv_results_["mean_test_score"]
    assert np.isfinite(scores).all()
    assert scores[1] > scores[3]


def test_a_sample_holds_all_elements(truth, monkeypatch):
    monkeypatch.setattr("linmlp.potentials.element_channels.LEARNING_ATOMS", 0)
    monkeypatch.setattr("linmlp.potentials.element_channels.sample_structures", lambda *arguments: [])
    structures = truth.structures
    chosen = element_channels._sample(structures, read_labels(structures), 0)
    assert {s for i in chosen for s in structures[i].symbols} == {"C", "Si"}
    assert len(chosen) <= 2
