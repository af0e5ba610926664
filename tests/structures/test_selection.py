"""Farthest points and D-optimal blocks against their naive definitions."""

import numpy as np
import pytest

from linmlp.exceptions import SettingsError
from linmlp.structures import d_optimal, farthest_point


def naive_farthest(features, n, chosen):
    chosen = list(chosen)
    while len(chosen) < n:
        distance = [min(np.linalg.norm(x - features[c]) for c in chosen) for x in features]
        distance = [-1.0 if i in chosen else d for i, d in enumerate(distance)]
        chosen.append(int(np.argmax(distance)))
    return chosen


def naive_d_optimal(blocks, n, alpha):
    F = blocks[0].shape[1]
    information, chosen = alpha * np.eye(F), []
    for _ in range(n):
        gains = [-np.inf if i in chosen else np.linalg.slogdet(information + B.T @ B)[1] for i, B in enumerate(blocks)]
        best = int(np.argmax(gains))
        chosen.append(best)
        information = information + blocks[best].T @ blocks[best]
    return chosen


@pytest.mark.parametrize("seed", range(4))
def test_farthest_point_is_naive(seed):
    features = np.random.default_rng(seed).normal(size=(30, 4))
    np.testing.assert_array_equal(farthest_point(features, 10, start=3), naive_farthest(features, 10, [3]))


def test_farthest_point_starts_away_from_what_is_there():
    features = np.array([[0.0], [1.0], [10.0], [4.0]])
    np.testing.assert_array_equal(farthest_point(features, 2, initial=[0])[:1], [2])


@pytest.mark.parametrize("seed", range(4))
def test_lazy_greedy_is_greedy(seed):
    rng = np.random.default_rng(seed)
    blocks = [rng.normal(size=(rng.integers(1, 6), 5)) * rng.uniform(0.1, 2.0) for _ in range(25)]
    np.testing.assert_array_equal(d_optimal(blocks, 12, alpha=1e-2), naive_d_optimal(blocks, 12, 1e-2))


def test_a_planted_outlier_comes_first_once_the_rest_is_known():
    rng = np.random.default_rng(0)
    blocks = [np.pad(rng.normal(size=(3, 4)), ((0, 0), (0, 1))) for _ in range(20)]
    blocks[13] = np.array([[0.0, 0.0, 0.0, 0.0, 1.0]])
    assert d_optimal(blocks, 1, alpha=1e-4, initial=[0, 1, 2, 3])[0] == 13


def test_bad_settings_are_told():
    features = np.zeros((4, 2))
    with pytest.raises(SettingsError, match="n"):
        farthest_point(features, 9)
    with pytest.raises(SettingsError, match="n"):
        d_optimal([np.zeros((1, 2))] * 3, 9)
    with pytest.raises(SettingsError, match="alpha"):
        d_optimal([np.zeros((1, 2))] * 3, 1, alpha=-1.0)
