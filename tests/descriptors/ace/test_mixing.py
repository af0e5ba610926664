"""Channels of elements: what is asked for, what is refused, and that as many channels as elements lose nothing."""

from dataclasses import replace

import numpy as np
import pytest
from ase.build import bulk
from sklearn.base import clone

from linmlp import ACE
from linmlp.descriptors.ace.basis import MIXED, count_functions, enumerate_functions
from linmlp.descriptors.ace.degrees import resolve_degrees
from linmlp.descriptors.ace.mixing import fixed_channels, resolve_channels
from linmlp.descriptors.ace.presets import default_degrees
from linmlp.descriptors.ace.rows import AceRows
from linmlp.exceptions import SettingsError
from linmlp.neighbors import find_pairs

SYMBOLS = ["Li", "Si", "Ti"]
NUMBERS = (3, 14, 22)


def crystals(n=6):
    rng = np.random.default_rng(0)
    structures = []
    for _ in range(n):
        atoms = bulk("Si", cubic=True, a=5.0)
        atoms.symbols = rng.permutation(np.resize(SYMBOLS, len(atoms)))
        atoms.positions += rng.normal(0, 0.15, atoms.positions.shape)
        structures.append(atoms)
    return structures


def features(parameters, structures):
    return np.concatenate([AceRows(parameters).compute_features(find_pairs(a, parameters.cutoff)) for a in structures])


def test_as_many_channels_as_elements_by_the_identity_are_the_elements():
    """The same features, where radial functions are the same."""
    structures = crystals()
    mixed = ACE(4.0, max_degree=(4, 4, 3), max_l=2, channels=np.eye(3)).fit(structures).parameters_
    plain = replace(mixed, mixing=None, functions=tuple(enumerate_functions(3, (4, 4, 3), 2)))
    np.testing.assert_allclose(features(mixed, structures), features(plain, structures), rtol=1e-12, atol=1e-12)


def test_any_complete_mixture_spans_the_same():
    structures = crystals(60)
    one, other = (
        ACE(4.0, max_degree=(2, 2, 2), max_l=1, channels=channels).fit(structures) for channels in (np.eye(3), 3)
    )
    assert one.n_features_out_ == other.n_features_out_ == ACE(4.0, 3, (2, 2, 2), 1).fit(structures).n_features_out_
    X, Y = (features(d.parameters_, structures) for d in (one, other))
    assert np.linalg.matrix_rank(X) < len(X)
    np.testing.assert_allclose(X @ np.linalg.lstsq(X, Y, rcond=None)[0], Y, rtol=0, atol=1e-9 * np.abs(Y).max())


def test_without_channels_nothing_changes():
    descriptor = ACE(4.0, max_degree=(4, 3, 2)).fit(crystals())
    assert descriptor.parameters_.mixing is None
    settings, arrays = descriptor.to_state()
    assert "channels" not in settings["arguments"]
    assert "mixing" not in arrays
    pair_maps = descriptor.parameters_.pair_map
    assert not np.array_equal(pair_maps[0, 0], pair_maps[0, 1])


def test_state_names_and_degrees():
    channels = np.array([[1.0, 0.5, -0.2], [0.3, -1.0, 1.0]])
    descriptor = clone(ACE(4.0, max_degree=(4, 3, 2), channels=channels)).fit(crystals())
    assert descriptor.n_features_out_ == 3 * count_functions(3, (4, 3, 2), 6, 2)
    names = descriptor.get_feature_names_out()
    assert {"Li|Ti n=4", "Si|c1.c0 n=0,1 l=0,0", "Ti|c1.c1.c1 n=0,0,0 l=0,0,0"} <= set(names)
    assert len(set(names)) == len(names) == len(descriptor.feature_degrees())
    assert descriptor.feature_degrees().max(axis=0).tolist() == [3, 4]
    settings, arrays = descriptor.to_state()
    restored = ACE.from_state(settings, arrays)
    assert restored.get_params()["channels"] == channels.tolist()
    np.testing.assert_array_equal(restored.parameters_.mixing, np.repeat(channels[None], 3, axis=0))
    assert restored.parameters_.functions == descriptor.parameters_.functions
    np.testing.assert_array_equal(restored.transform(crystals()), descriptor.transform(crystals()))
    again = clone(restored).fit(crystals())
    np.testing.assert_array_equal(again.parameters_.mixing, descriptor.parameters_.mixing)


def test_fixed_channels_are_orthogonal_and_complete():
    for numbers in ((3,), (15, 49), NUMBERS, (41, 42, 73, 74), (57, 58, 92), tuple(range(21, 31))):
        for n in range(1, len(numbers) + 1):
            channels = fixed_channels(numbers, n)
            np.testing.assert_allclose(channels @ channels.T, len(numbers) * np.eye(n), atol=1e-9)
            np.testing.assert_allclose(channels[0], 1.0)
            np.testing.assert_array_equal(channels, fixed_channels(numbers, len(numbers))[:n])
    of_metals = fixed_channels((41, 42, 73, 74), 2)[1]
    np.testing.assert_allclose(of_metals, [-1, 1, -1, 1])  # groups 5 and 6


def test_one_matrix_for_each_center():
    matrices = np.random.default_rng(0).normal(size=(3, 2, 3))
    np.testing.assert_array_equal(resolve_channels(matrices, NUMBERS), matrices)
    descriptor = ACE(4.0, 2, (3, 2), channels=matrices.tolist()).fit(crystals())
    np.testing.assert_array_equal(descriptor.parameters_.mixing, matrices)


@pytest.mark.parametrize(
    ("channels", "message"),
    [
        (4, "channels=4 with the 3 element.* Li, Si, Ti; there must be at least 1 and at most 3"),
        (0, "channels=0 .* at least 1"),
        (-1, "channels=-1 .* at least 1"),
        (True, "channels=True; it must be None, a number of channels, or a matrix"),
        ("two", "channels='two'; it must be None"),
        (1.5, r"channels has the shape \(\); with the elements Li, Si, Ti it must be \(n_channels, 3\)"),
        ([1.0, 2.0, 3.0], r"channels has the shape \(3,\)"),
        (np.ones((1, 2)), r"channels has the shape \(1, 2\)"),
        (np.ones((2, 1, 3)), r"channels has the shape \(2, 1, 3\)"),
        ([[1.0], [2.0, 3.0]], "it must be None, a number"),
        (np.eye(4)[:, :3], "channels=4 with"),
        ([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0]], "the 2 channels around Li are not finite or linearly dependent"),
        ([[1.0, np.nan, 3.0]], "not finite"),
        ([[0.0, 0.0, 0.0]], "linearly dependent"),
    ],
)
def test_what_is_refused(channels, message):
    with pytest.raises(SettingsError, match=message):
        ACE(4.0, 2, (3, 2), channels=channels).fit(crystals())


def test_degrees_count_channels():
    assert default_degrees(4, 3, 6, n_channels=1) > default_degrees(4, 3, 6, n_channels=2) > default_degrees(4, 3, 6)
    assert default_degrees(4, 3, 6, n_channels=4) == default_degrees(4, 3, 6)
    assert default_degrees(8, 3, 6, "fast", 2)[0] == 12
    for n_channels in (1, 2, 3):
        degrees = default_degrees(4, 3, 6, n_channels=n_channels)
        assert 4 * count_functions(4, degrees, 6, n_channels) <= 3000
        mixed = enumerate_functions(4, degrees, 6, n_channels)
        assert len(mixed) == count_functions(4, degrees, 6, n_channels)
        assert {e for f in mixed if len(f) > 1 for e, _, _ in f} == set(range(MIXED, MIXED + n_channels))
    with pytest.raises(SettingsError, match="at most 50000 are"):
        resolve_degrees((16, 14, 11), 3, 8, 6)
    assert resolve_degrees((16, 14, 11), 3, 8, 6, 1) == (16, 14, 11)
