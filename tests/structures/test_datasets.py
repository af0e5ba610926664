import numpy as np
import pytest

import linmlp.datasets
import linmlp.structures.datasets
from linmlp.structures import check_structures, read_labels


@pytest.mark.parametrize(
    ("load", "elements"),
    [(linmlp.datasets.load_silicon, {"Si"}), (linmlp.datasets.load_lithium_chloride, {"Li", "Cl"})],
)
def test_bundled_sets(load, elements):
    train, test = load()
    assert len(train) + len(test) >= 150
    assert len(test) >= 10
    check_structures(train + test)
    for part in (train, test):
        labels = read_labels(part)
        assert set(labels.counts.values()) == {len(part)}
        assert len(set(labels.config_types)) > 1
        assert {symbol for atoms in part for symbol in atoms.symbols} == elements
        for item in labels:
            np.testing.assert_allclose(item.forces.sum(axis=0), 0.0, atol=0.02)


def test_both_names_are_one():
    assert linmlp.datasets.load_silicon is linmlp.structures.datasets.load_silicon
