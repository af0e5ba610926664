"""Sizes that a potential chooses from, and fitted descriptors with fewer functions."""

from itertools import pairwise

import numpy as np
import pytest
from ase.build import bulk

from linmlp import ACE, UpToDegree
from linmlp.descriptors.ace.basis import count_functions, enumerate_functions
from linmlp.descriptors.ace.presets import PRESETS, default_degrees
from linmlp.descriptors.ace.tiers import tier_degrees
from linmlp.neighbors import find_pairs

SALT = bulk("NaCl", "rocksalt", a=5.0, cubic=True)
SALT.rattle(0.1, seed=1)


@pytest.mark.parametrize("n_elements", [1, 2, 3, 5])
def test_every_size_holds_the_one_before(n_elements):
    sizes = tier_degrees(n_elements, 3)
    functions = [set(enumerate_functions(n_elements, degrees, 3)) for degrees in sizes]
    assert len(functions) > 1
    assert all(small < large for small, large in pairwise(functions))


def test_the_sizes_of_one_element_reach_from_fast_to_accurate():
    sizes = tier_degrees(1, 6)
    presets = [default_degrees(1, preset.order, 6, name) for name, preset in PRESETS.items()]
    assert set(presets) <= set(sizes)
    assert (sizes[0], sizes[-1]) == (presets[0], presets[-1])
    assert [count_functions(1, degrees, 6) for degrees in sizes] == [145, 399, 750, 1040, 1604]


def test_the_sizes_of_several_elements_end_with_balanced():
    assert tier_degrees(3, 6)[-1] == default_degrees(3, 3, 6, "balanced")
    mixed = default_degrees(3, 3, 6, "balanced", n_channels=1)
    assert tier_degrees(3, 6, 1)[-1] == mixed
    assert mixed > default_degrees(3, 3, 6, "balanced")
    assert ACE(3.0, channels=1).degree_candidates([SALT])[-1] == default_degrees(2, 3, 6, n_channels=1)


def test_what_is_given_is_the_only_size():
    assert ACE(3.0).degree_candidates([SALT]) == tier_degrees(2, 6)
    assert ACE(3.0, max_degree=(3, 2)).degree_candidates([SALT]) == ((3, 2),)
    assert ACE(3.0, order=2).degree_candidates([SALT]) == (default_degrees(2, 2, 6),)
    assert ACE.preset("fast", 3.0).degree_candidates([SALT]) == (default_degrees(2, 3, 6, "fast"),)


@pytest.mark.parametrize(
    ("order", "max_degree", "expected"),
    [
        ("auto", "auto", (16, 14, 11)),
        ("auto", "fast", (12, 9, 6)),
        ("auto", "accurate", (18, 15, 13, 8)),
        ("auto", (3, 2), (3, 2)),
        ("auto", (4, 3, 2, 1), (4, 3, 2, 1)),
        ("auto", 3, (3, 3, 3)),
        (2, "auto", (16, 14)),
        (4, "auto", (16, 14, 11, 8)),
    ],
)
def test_orders_of_a_descriptor_on_its_own(order, max_degree, expected):
    assert ACE(3.0, order, max_degree).fit([bulk("Cu")]).max_degree_ == expected


@pytest.mark.parametrize("channels", [None, 1])
def test_fewer_functions_are_those_of_a_fit_with_lower_degrees(channels):
    large = ACE(5.0, max_degree=(6, 5, 4, 3), max_l=3, channels=channels).fit([SALT])
    for degrees in ((6, 5, 4, 3), (4, 4, 3, 2), (5, 3), (2,)):
        small = large.up_to(degrees)
        expected = ACE(5.0, max_degree=degrees, max_l=3, channels=channels).fit([SALT])
        assert small.max_degree_ == degrees
        assert small.get_params() == large.get_params()
        assert small.get_feature_names_out().tolist() == expected.get_feature_names_out().tolist()
        for name in ("radial_map", "pair_map", "inner", "inner_width"):
            np.testing.assert_allclose(
                getattr(small.parameters_, name), getattr(expected.parameters_, name), rtol=1e-9, atol=1e-9
            )
        pairs = find_pairs(SALT, 5.0)
        np.testing.assert_allclose(
            small.compute_features(pairs), large.compute_features(pairs)[:, UpToDegree(degrees)(large)], atol=1e-10
        )


def test_samples_bear_no_more_than_balanced():
    for given, expected in (
        (ACE(3.0), default_degrees(1, 3, 6)),
        (ACE.preset("fast", 3.0), default_degrees(1, 3, 6, "fast")),
        (ACE.preset("accurate", 3.0), default_degrees(1, 3, 6)),
        (ACE(3.0, max_degree=(20, 4)), (16, 4)),
    ):
        smaller = given.for_sample([bulk("Cu")])
        assert (smaller.cutoff, smaller.max_l) == (given.cutoff, given.max_l)
        assert smaller.fit([bulk("Cu")]).max_degree_ == expected
