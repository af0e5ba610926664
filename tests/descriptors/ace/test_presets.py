"""Sizes by name: how many functions they have, for any number of elements."""

import numpy as np
import pytest
from ase.build import bulk
from sklearn.base import clone

from linmlp import ACE
from linmlp.descriptors.ace.basis import count_functions
from linmlp.descriptors.ace.presets import PRESETS, default_degrees
from linmlp.exceptions import SettingsError

STRUCTURES = [bulk("Si", cubic=True)]


@pytest.mark.parametrize(("name", "order", "n_functions"), [("fast", 3, 145), ("balanced", 3, 750)])
def test_functions_of_one_element(name, order, n_functions):
    descriptor = clone(ACE.preset(name, cutoff=3.0)).fit(STRUCTURES)
    assert (descriptor.order, descriptor.cutoff_, descriptor.n_features_out_) == (order, 3.0, n_functions)
    restored = ACE.from_state(*descriptor.to_state())
    assert restored.max_degree == name
    assert restored.max_degree_ == descriptor.max_degree_


def test_balanced_is_the_default_and_accurate_has_order_four():
    assert ACE.preset("balanced").fit(STRUCTURES).max_degree_ == ACE().fit(STRUCTURES).max_degree_
    accurate = ACE.preset("accurate")
    assert (accurate.cutoff, accurate.order) == ("auto", 4)
    assert count_functions(1, default_degrees(1, 4, 6, "accurate"), 6) == 1604


@pytest.mark.parametrize("name", PRESETS)
def test_functions_of_several_elements(name):
    preset = PRESETS[name]
    one = count_functions(1, preset.max_degree[: preset.order], 6)
    last = None
    for n_elements, limit in zip((2, 3, 4, 5), (*preset.n_functions, preset.n_functions[-1]), strict=True):
        degrees = default_degrees(n_elements, preset.order, 6, name)
        n_functions = n_elements * count_functions(n_elements, degrees, 6)
        assert one < n_functions <= limit
        assert degrees[0] == preset.max_degree[0]
        assert last is None or all(np.array(degrees) <= last)
        last = degrees


def test_larger_presets_have_more_functions():
    for n_elements in (1, 2, 3, 4):
        counts = [
            count_functions(n_elements, default_degrees(n_elements, p.order, 6, k), 6) for k, p in PRESETS.items()
        ]
        assert counts == sorted(set(counts))


def test_unknown_names():
    with pytest.raises(SettingsError, match="no preset 'quick'; give one of fast, balanced, accurate"):
        ACE.preset("quick")
    with pytest.raises(SettingsError, match=r'max_degree=.quick.; it .* a preset: "fast", "balanced", "accurate"'):
        ACE(max_degree="quick").fit(STRUCTURES)
