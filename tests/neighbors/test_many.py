import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule

from linmlp.exceptions import StructureError
from linmlp.neighbors import find_pairs, find_pairs_of_all


@pytest.fixture
def structures():
    slab = bulk("NaCl", "rocksalt", a=5.6, cubic=True)
    slab.pbc = [True, False, True]
    return [bulk("Si"), molecule("CH4"), slab, Atoms("He"), bulk("Cu", cubic=True) * (2, 1, 1)]


@pytest.mark.parametrize("cutoff", [0.5, 3.0, 6.0])
def test_as_one_by_one(structures, cutoff):
    merged, bounds, volumes = find_pairs_of_all(structures, cutoff)
    assert bounds.tolist() == np.cumsum([0, *map(len, structures)]).tolist()
    assert merged.volume is None
    for k, atoms in enumerate(structures):
        alone = find_pairs(atoms, cutoff)
        start, stop = bounds[k], bounds[k + 1]
        own = slice(merged.first[start], merged.first[stop])
        np.testing.assert_array_equal(merged.first[start : stop + 1] - merged.first[start], alone.first)
        np.testing.assert_array_equal(merged.j[own] - start, alone.j)
        np.testing.assert_allclose(merged.shift[own], alone.shift, atol=1e-14)
        np.testing.assert_array_equal(merged.numbers[start:stop], alone.numbers)
        np.testing.assert_array_equal(merged.positions[start:stop], alone.positions)
        assert volumes[k] == alone.volume


def test_errors_are_those_of_one_structure(structures):
    structures[1].positions[0] = np.nan
    with pytest.raises(StructureError, match="finite"):
        find_pairs_of_all(structures, 3.0)
