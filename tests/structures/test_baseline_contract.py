import numpy as np
import pytest
from ase.build import bulk, molecule

from linmlp.exceptions import InputError
from linmlp.neighbors import find_pairs
from linmlp.structures.baseline_contract import closest_approaches


def test_against_single_structures():
    structures = [molecule("H2O"), molecule("CH4"), molecule("CO"), molecule("O2")]
    closest = closest_approaches((find_pairs(atoms, 3.0) for atoms in structures), ("H", "C", "O"))
    np.testing.assert_array_equal(closest, closest.T)
    distances = [atoms.get_all_distances() for atoms in structures]
    assert closest[0, 0] == pytest.approx(min(distances[0][1, 2], distances[1][1, 2:].min()))
    assert closest[0, 1] == pytest.approx(distances[1][0, 1])
    assert closest[0, 2] == pytest.approx(distances[0][0, 1])
    assert closest[1, 2] == pytest.approx(distances[2][0, 1])
    assert closest[2, 2] == pytest.approx(distances[3][0, 1])
    assert closest[1, 1] == np.inf


def test_periodic_images_count():
    assert closest_approaches([find_pairs(bulk("Cu", a=3.6), 3.0)], ("Cu",))[0, 0] == pytest.approx(3.6 / 2**0.5)


def test_unknown_element():
    with pytest.raises(InputError, match="does not know the element H"):
        closest_approaches([find_pairs(molecule("H2O"), 2.0)], ("O",))
