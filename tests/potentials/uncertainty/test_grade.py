"""Grades of extrapolation: planted outliers, edges."""

import numpy as np
import pytest

from linmlp.potentials.uncertainty import novelty as novelty_module
from linmlp.potentials.uncertainty.atom_statistics import AtomStatistics
from linmlp.potentials.uncertainty.grade import Grade
from tests.naive.scattered_features import scattered_structures


def fitted_grade(features, n_folds=5):
    """The steps of a fit: statistics by fold, held-out distances, grade."""
    folds = np.arange(len(features)) % n_folds
    statistics = []
    for k in range(n_folds):
        part = AtomStatistics((14,), features[0].shape[1])
        for i in np.flatnonzero(folds == k):
            part.add(features[i], np.full(len(features[i]), 14))
        statistics.append(part)
    sums = np.array([f.sum(axis=0) for f in features])
    counts = np.array([[float(len(f))] for f in features])
    scorer = Grade.fit(statistics, sums, counts, folds)
    leverage, novelty = np.empty(len(features)), np.empty(len(features))
    for k in range(n_folds):
        score, novelty[folds == k] = scorer.held_out(k)
        leverage[folds == k] = [score(features[i]).max() for i in np.flatnonzero(folds == k)]
    return scorer.grade(leverage, novelty), leverage, novelty


def atoms_of(grade, features):
    return grade.atoms(grade.leverage(features))


def structure_of(grade, features):
    return grade.structure(grade.leverage(features), features.sum(axis=0), np.array([float(len(features))]))


@pytest.fixture(scope="module")
def grade():
    return fitted_grade(scattered_structures(0, 60))[0]


def test_edges_are_what_most_held_out_structures_stay_below():
    grade, leverage, novelty = fitted_grade(scattered_structures(0, 60))
    for values, edge in ((leverage, grade.leverage_edge), (novelty, grade.novelty_edge)):
        assert np.mean(values > edge) == pytest.approx(0.05, abs=1 / 60)


def test_new_structures_of_the_same_kind_are_mostly_inside(grade):
    new = np.array([structure_of(grade, f) for f in scattered_structures(7, 100)])
    # Each of two distances has 5 % outside, give or take the luck of 60 structures at the edge.
    assert np.mean(new > 1.0) < 0.3


def test_a_planted_atom_stands_out(grade):
    features = scattered_structures(8, 1)[0]
    features[3] += 15.0
    atoms = atoms_of(grade, features)
    assert np.argmax(atoms) == 3
    assert atoms[3] > 2.0
    assert np.delete(atoms, 3).max() < 1.5
    assert structure_of(grade, features) >= atoms[3]


def test_a_structure_can_be_new_though_its_atoms_are_not(grade):
    """All atoms alike, as in a strained crystal: none has an unusual environment, their mean is unusual."""
    features = np.tile(1.0 + np.array([1.0, -1.0, 1.0, -1.0, 1.0]), (20, 1))
    assert atoms_of(grade, features).max() < 1.0
    assert structure_of(grade, features) > 1.5


def test_grades_do_not_depend_on_the_order_of_atoms_or_on_repetition(grade):
    features = scattered_structures(9, 1)[0]
    one = structure_of(grade, features)
    shuffled = features[np.random.default_rng(0).permutation(20)]
    np.testing.assert_allclose(structure_of(grade, shuffled), one, rtol=1e-10)
    np.testing.assert_allclose(structure_of(grade, np.tile(features, (2, 1))), one, rtol=1e-10)


def test_repeated_structures_do_not_break_distances():
    features = scattered_structures(0, 20)
    grade = fitted_grade(features + features + features)[0]
    assert np.isfinite(structure_of(grade, scattered_structures(1, 1)[0]))


def test_references_are_sampled_beyond_their_number(monkeypatch):
    monkeypatch.setattr(novelty_module, "MAX_REFERENCES", 10)
    assert len(fitted_grade(scattered_structures(0, 60))[0].novelty.references) == 10


def test_state_gives_the_same_numbers(grade):
    again = Grade.from_state(grade.to_state())
    features = scattered_structures(10, 1)[0]
    np.testing.assert_array_equal(atoms_of(again, features), atoms_of(grade, features))
    assert structure_of(again, features) == structure_of(grade, features)
