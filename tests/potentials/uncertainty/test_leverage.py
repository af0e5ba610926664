"""Leverage against its formula."""

import numpy as np
import pytest

from linmlp.potentials.uncertainty import leverage as leverage_module
from linmlp.potentials.uncertainty.atom_statistics import AtomStatistics
from linmlp.potentials.uncertainty.leverage import AtomLeverage
from tests.naive.scattered_features import scattered_structures


def test_leverage_is_the_quadratic_form(monkeypatch):
    monkeypatch.setattr(leverage_module, "RIDGE", 1e-14)
    atoms = np.concatenate(scattered_structures(1, 10)) * np.array([1.0, 100.0, 0.01, 1.0, 1.0])
    statistics = AtomStatistics((14,), 5)
    statistics.add(atoms, np.full(len(atoms), 14))
    expected = np.einsum("ij,jk,ik->i", atoms, np.linalg.inv(atoms.T @ atoms / len(atoms)), atoms)
    np.testing.assert_allclose(AtomLeverage.of(statistics)(atoms), expected, rtol=1e-8)
    # The mean of leverages is the number of features, by the trace.
    np.testing.assert_allclose(expected.mean(), 5.0)


def test_leverage_of_an_element_does_not_know_how_many_atoms_others_have():
    carbon, silicon = np.concatenate(scattered_structures(1, 3)), np.concatenate(scattered_structures(2, 30))
    alone = AtomStatistics((6,), 5)
    alone.add(carbon, np.full(len(carbon), 6))
    both = AtomStatistics((6, 14), 10)
    wide = np.hstack([carbon, np.zeros_like(carbon)])
    both.add(wide, np.full(len(carbon), 6))
    both.add(np.hstack([np.zeros_like(silicon), silicon]), np.full(len(silicon), 14))
    np.testing.assert_allclose(AtomLeverage.of(both)(wide), AtomLeverage.of(alone)(carbon), rtol=1e-9)


def two_elements(shared):
    """Statistics and atoms of two elements with features of their own, or with some in common."""
    carbon, silicon = np.concatenate(scattered_structures(1, 8)), np.concatenate(scattered_structures(2, 30))
    left, right = np.hstack([carbon, np.zeros_like(carbon)]), np.hstack([np.zeros_like(silicon), silicon])
    if shared:
        left[:, 6] = right[:, 2] = 1.0
    statistics = AtomStatistics((6, 14), 10)
    statistics.add(left, np.full(len(left), 6))
    statistics.add(right, np.full(len(right), 14))
    return statistics, left, right


@pytest.mark.parametrize("shared", [False, True])
def test_triangles_give_the_leverage_of_atoms_with_few_features(shared):
    statistics, left, _ = two_elements(shared)
    leverage = AtomLeverage.of(statistics)
    columns = np.array([0, 1, 2, 3, 4, 6]) if shared else np.arange(5)
    triangle = leverage.triangle(columns)
    assert not np.triu(triangle, 1).any()
    np.testing.assert_allclose(np.sum((left[:, columns] @ triangle.T) ** 2, axis=1), leverage(left), rtol=1e-9)


def test_features_that_no_training_atom_has_do_not_count():
    statistics = two_elements(shared=False)[0]
    alone = AtomStatistics((6, 14), 10)
    alone.add(two_elements(shared=False)[1], np.full(160, 6))
    assert np.all(AtomLeverage.of(statistics).triangle(np.arange(10)).any(axis=0))
    assert not AtomLeverage.of(alone).triangle(np.arange(5, 10)).any()
