"""Choice of structures from a pool, with the rows that they would bring to a fit."""

import numpy as np
import pytest

from linmlp import LinearPotential
from linmlp.exceptions import SettingsError
from linmlp.potentials import select_structures
from tests.naive.known_model import WEIGHTS, random_structures, small_ace


@pytest.fixture(scope="module")
def pool():
    return random_structures(("Si",), 7)


@pytest.mark.parametrize("method", ["d_optimal", "farthest_point"])
def test_a_strange_structure_is_chosen_once_the_others_are_known(pool, method):
    squeezed = pool[0].copy()
    squeezed.set_cell(0.75 * squeezed.cell, scale_atoms=True)
    alike = [pool[0].copy() for _ in range(3)]
    for k, atoms in enumerate(alike):
        atoms.rattle(0.001, seed=k)
    candidates = [*pool, *alike, squeezed]
    first = select_structures(candidates, 1, method, small_ace(), initial=range(len(pool)))
    assert first.tolist() == [len(candidates) - 1]


@pytest.mark.parametrize("method", ["d_optimal", "farthest_point"])
def test_choices_are_distinct_repeatable_and_nested(pool, method):
    six = select_structures(pool, 6, method, small_ace())
    assert len(set(six.tolist())) == 6
    np.testing.assert_array_equal(select_structures(pool, 6, method, small_ace(), n_jobs=2), six)
    np.testing.assert_array_equal(select_structures(pool, 3, method, small_ace()), six[:3])
    more = select_structures(pool, 4, method, small_ace(), initial=six)
    assert not set(more.tolist()) & set(six.tolist())


def test_a_fitted_potential_lends_its_descriptor(silicon_truth, pool):
    model = LinearPotential(small_ace(), alpha=1e-6, **WEIGHTS).fit(silicon_truth.structures)
    of_model = select_structures(pool, 4, descriptor=model)
    np.testing.assert_array_equal(of_model, select_structures(pool, 4, descriptor=model.descriptor_))


def test_a_draw_limits_the_candidates(pool):
    chosen = select_structures(pool, 3, descriptor=small_ace(), n_candidates=3, random_state=1)
    other = select_structures(pool, 3, descriptor=small_ace(), n_candidates=3, random_state=2)
    assert set(chosen.tolist()) != set(other.tolist())


@pytest.mark.parametrize(
    "settings", [{"method": "best"}, {"cost": "euro"}, {"n": 99}, {"initial": [99]}, {"n_candidates": 1}]
)
def test_bad_settings_are_told(pool, settings):
    with pytest.raises(SettingsError):
        select_structures(pool, **{"n": 2, "descriptor": small_ace(), **settings})
