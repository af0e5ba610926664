"""Sums over atoms add."""

import numpy as np

from linmlp.potentials.uncertainty.atom_statistics import AtomStatistics
from tests.naive.scattered_features import scattered_structures


def test_statistics_add():
    parts = [AtomStatistics((6, 14), 5) for _ in range(2)]
    whole = AtomStatistics((6, 14), 5)
    for k, atoms in enumerate(scattered_structures(3, 2)):
        numbers = np.where(np.arange(len(atoms)) % 3, 14, 6)
        parts[k].add(atoms, numbers)
        whole.add(atoms, numbers)
    total = parts[0].plus(parts[1])
    np.testing.assert_allclose(total.gram, whole.gram)
    np.testing.assert_allclose(total.sums, whole.sums)
    np.testing.assert_array_equal(total.counts, whole.counts)
    # Both elements have all features here, so that they share one block.
    assert [list(elements) for elements, _ in total.blocks()] == [[0, 1]]


def test_state_gives_the_same_numbers():
    statistics = AtomStatistics((6, 14), 5)
    statistics.add(scattered_structures(3, 1)[0], np.full(20, 14))
    again = AtomStatistics.from_state(statistics.to_state())
    for name in ("numbers", "counts", "sums", "present", "gram"):
        np.testing.assert_array_equal(getattr(again, name), getattr(statistics, name))
    assert again.present.dtype == bool
