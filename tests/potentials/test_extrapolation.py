"""Grades of extrapolation: formulas, planted outliers, edges."""

import numpy as np
import pytest

from linmlp.exceptions import SettingsError
from linmlp.potentials import extrapolation
from linmlp.potentials.extrapolation import AtomLeverage, AtomStatistics, Grade, Novelty


def structures(seed, n, shift=0.0, n_atoms=20, width=5):
    """Features of atoms that scatter around a mean of their structure."""
    rng = np.random.default_rng(seed)
    means = 1.0 + 0.2 * rng.normal(size=(n, 1, width)) + shift
    return list(means + rng.normal(size=(n, n_atoms, width)))


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


@pytest.fixture(scope="module")
def grade():
    return fitted_grade(structures(0, 60))[0]


def test_leverage_is_the_quadratic_form(monkeypatch):
    monkeypatch.setattr(extrapolation, "RIDGE", 1e-14)
    atoms = np.concatenate(structures(1, 10)) * np.array([1.0, 100.0, 0.01, 1.0, 1.0])
    statistics = AtomStatistics((14,), 5)
    statistics.add(atoms, np.full(len(atoms), 14))
    expected = np.einsum("ij,jk,ik->i", atoms, np.linalg.inv(atoms.T @ atoms / len(atoms)), atoms)
    np.testing.assert_allclose(AtomLeverage.of(statistics)(atoms), expected, rtol=1e-8)
    # The mean of leverages is the number of features, by the trace.
    np.testing.assert_allclose(expected.mean(), 5.0)


def test_leverage_of_an_element_does_not_know_how_many_atoms_others_have():
    carbon, silicon = np.concatenate(structures(1, 3)), np.concatenate(structures(2, 30))
    alone = AtomStatistics((6,), 5)
    alone.add(carbon, np.full(len(carbon), 6))
    both = AtomStatistics((6, 14), 10)
    wide = np.hstack([carbon, np.zeros_like(carbon)])
    both.add(wide, np.full(len(carbon), 6))
    both.add(np.hstack([np.zeros_like(silicon), silicon]), np.full(len(silicon), 14))
    np.testing.assert_allclose(AtomLeverage.of(both)(wide), AtomLeverage.of(alone)(carbon), rtol=1e-9)


def test_statistics_add():
    parts = [AtomStatistics((6, 14), 5) for _ in range(2)]
    whole = AtomStatistics((6, 14), 5)
    for k, atoms in enumerate(structures(3, 2)):
        numbers = np.where(np.arange(len(atoms)) % 3, 14, 6)
        parts[k].add(atoms, numbers)
        whole.add(atoms, numbers)
    total = parts[0].plus(parts[1])
    np.testing.assert_allclose(total.gram, whole.gram)
    np.testing.assert_allclose(total.sums, whole.sums)
    np.testing.assert_array_equal(total.counts, whole.counts)
    # Both elements have all features here, so that they share one block.
    assert [list(elements) for elements, _ in total.blocks()] == [[0, 1]]


def test_novelty_by_naive_distances():
    features = structures(4, 12)
    statistics = AtomStatistics((14,), 5)
    for atoms in features:
        statistics.add(atoms, np.full(len(atoms), 14))
    sums, counts = np.array([f.sum(axis=0) for f in features]), np.full((12, 1), 20.0)
    novelty = Novelty.of(statistics, sums, counts)
    atoms = np.concatenate(features)
    inverse = np.linalg.inv(np.cov(atoms.T, bias=True))  # all five components are kept: Mahalanobis distances
    means = np.array([f.mean(axis=0) for f in features])

    def distance(a, b):
        return np.sqrt((a - b) @ inverse @ (a - b))

    spacing = [np.mean(sorted(distance(a, b) for b in means if b is not a)[1:4]) for a in means]
    spacing = np.maximum(spacing, extrapolation.LOCAL_FLOOR * np.median(spacing))
    new = structures(5, 1)[0]
    distances = np.array([distance(new.mean(axis=0), b) for b in means])
    nearest = np.argsort(distances)[:3]
    expected = distances[nearest].mean() / spacing[nearest].mean()
    np.testing.assert_allclose(novelty(new.sum(axis=0)[None], np.array([[20.0]])), expected, rtol=1e-8)


def test_edges_are_what_most_held_out_structures_stay_below():
    grade, leverage, novelty = fitted_grade(structures(0, 60))
    for values, edge in ((leverage, grade.leverage_edge), (novelty, grade.novelty_edge)):
        assert np.mean(values > edge) == pytest.approx(0.05, abs=1 / 60)


def test_new_structures_of_the_same_kind_are_mostly_inside(grade):
    new = np.array([grade.structure(f, np.full(20, 14)) for f in structures(7, 100)])
    # Each of two distances has 5 % outside, give or take the luck of 60 structures at the edge.
    assert np.mean(new > 1.0) < 0.3


def test_a_planted_atom_stands_out(grade):
    features = structures(8, 1)[0]
    features[3] += 15.0
    atoms = grade.atoms(features)
    assert np.argmax(atoms) == 3
    assert atoms[3] > 2.0
    assert np.delete(atoms, 3).max() < 1.5
    assert grade.structure(features, np.full(20, 14)) >= atoms[3]


def test_a_structure_can_be_new_though_its_atoms_are_not(grade):
    """All atoms alike, as in a strained crystal: none has an unusual environment, their mean is unusual."""
    features = np.tile(1.0 + np.array([1.0, -1.0, 1.0, -1.0, 1.0]), (20, 1))
    assert grade.atoms(features).max() < 1.0
    assert grade.structure(features, np.full(20, 14)) > 1.5


def test_grades_do_not_depend_on_the_order_of_atoms_or_on_repetition(grade):
    features = structures(9, 1)[0]
    one = grade.structure(features, np.full(20, 14))
    shuffled = features[np.random.default_rng(0).permutation(20)]
    np.testing.assert_allclose(grade.structure(shuffled, np.full(20, 14)), one, rtol=1e-10)
    np.testing.assert_allclose(grade.structure(np.tile(features, (2, 1)), np.full(40, 14)), one, rtol=1e-10)


def test_repeated_structures_do_not_break_distances():
    features = structures(0, 20)
    grade = fitted_grade(features + features + features)[0]
    assert np.isfinite(grade.structure(structures(1, 1)[0], np.full(20, 14)))


def test_references_are_sampled_beyond_their_number(monkeypatch):
    monkeypatch.setattr(extrapolation, "MAX_REFERENCES", 10)
    assert len(fitted_grade(structures(0, 60))[0].novelty.references) == 10


def test_state_gives_the_same_numbers(grade):
    again = Grade.from_state(grade.to_state())
    features = structures(10, 1)[0]
    np.testing.assert_array_equal(again.atoms(features), grade.atoms(features))
    assert again.structure(features, np.full(20, 14)) == grade.structure(features, np.full(20, 14))


def test_one_structure_has_no_distances():
    statistics = AtomStatistics((14,), 5)
    statistics.add(structures(0, 1)[0], np.full(20, 14))
    with pytest.raises(SettingsError, match=r"1 training structures; distances .* need two or more"):
        Novelty.of(statistics, np.ones((1, 5)), np.full((1, 1), 20.0))
