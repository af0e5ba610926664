import numpy as np
import pytest

from linmlp.exceptions import StructureError
from linmlp.neighbors.extents import MAX_BINS, fit_to_bins

FREE = np.array([False, False, False])


def test_usual_structures_pass_untouched():
    positions = np.random.default_rng(0).uniform(0, 50, (20, 3))
    packed, reach = fit_to_bins(positions, np.eye(3), FREE, 5.0)
    assert packed is positions
    assert reach == 5.0


def test_gaps_close_and_distances_within_the_cutoff_stay():
    rng = np.random.default_rng(1)
    positions = rng.uniform(0, 4, (30, 3)) + rng.choice([0.0, 1e6, 3e6], (30, 3))
    packed, reach = fit_to_bins(positions, np.eye(3), FREE, 5.0)
    assert reach == 5.0
    assert np.ptp(packed, axis=0).max() <= 3 * 4 + 2 * 10 + 1e-6
    before = np.linalg.norm(positions[:, None] - positions[None], axis=-1)
    after = np.linalg.norm(packed[:, None] - packed[None], axis=-1)
    np.testing.assert_array_equal(before < 5.0, after < 5.0)
    np.testing.assert_allclose(after[after < 5.0], before[after < 5.0], atol=1e-8)


def test_reach_grows_until_the_bins_are_few():
    lattice = np.diag([3000.0, 3000.0, 6.0])
    positions = np.zeros((1, 3))
    packed, reach = fit_to_bins(positions, lattice, ~FREE, 4.0)
    np.testing.assert_array_equal(packed, positions)
    assert 4.0 < reach < 20.0
    assert np.prod(np.maximum(1.0, np.diag(lattice) / reach)) <= MAX_BINS


def test_hopeless_cells():
    with pytest.raises(StructureError, match="too long and thin"):
        fit_to_bins(np.zeros((1, 3)), np.diag([1e8, 1.0, 1.0]), ~FREE, 4.0)
