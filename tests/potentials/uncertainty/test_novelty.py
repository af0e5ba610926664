"""Novelty against naive distances."""

import numpy as np
import pytest

from linmlp.exceptions import SettingsError
from linmlp.potentials.uncertainty import novelty as novelty_module
from linmlp.potentials.uncertainty.atom_statistics import AtomStatistics
from linmlp.potentials.uncertainty.novelty import Novelty
from tests.naive.scattered_features import scattered_structures


def test_novelty_by_naive_distances():
    features = scattered_structures(4, 12)
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
    spacing = np.maximum(spacing, novelty_module.LOCAL_FLOOR * np.median(spacing))
    new = scattered_structures(5, 1)[0]
    distances = np.array([distance(new.mean(axis=0), b) for b in means])
    nearest = np.argsort(distances)[:3]
    expected = distances[nearest].mean() / spacing[nearest].mean()
    np.testing.assert_allclose(novelty(new.sum(axis=0)[None], np.array([[20.0]])), expected, rtol=1e-8)


def test_one_structure_has_no_distances():
    statistics = AtomStatistics((14,), 5)
    statistics.add(scattered_structures(0, 1)[0], np.full(20, 14))
    with pytest.raises(SettingsError, match=r"1 training structures; distances .* need two or more"):
        Novelty.of(statistics, np.ones((1, 5)), np.full((1, 1), 20.0))
