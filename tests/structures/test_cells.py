import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from linmlp.exceptions import StructureError
from linmlp.structures.cells import cell_volume, complete_cell


@pytest.mark.parametrize("seed", range(10))
def test_volume_of_random_cells(seed):
    cell = np.random.default_rng(seed).normal(size=(3, 3))
    assert cell_volume(cell) == pytest.approx(abs(np.linalg.det(cell)), rel=1e-12)


def test_flat_cells_have_no_volume():
    turned = Rotation.random(random_state=0).as_matrix()
    for cell in (np.zeros((3, 3)), np.diag([1.0, 2.0, 0.0]), np.array([[1.0, 2, 3], [2, 4, 6], [0, 0, 1]])):
        assert cell_volume(cell @ turned) is None
    assert cell_volume(np.diag([1e-4, 1e4, 3.0])) == pytest.approx(3.0)


@pytest.mark.parametrize("bits", range(8))
@pytest.mark.parametrize("seed", range(5))
def test_completed_cells(bits, seed):
    rng = np.random.default_rng(seed)
    pbc = np.array([bool(bits >> axis & 1) for axis in range(3)])
    cell = rng.normal(size=(3, 3)) * rng.choice([0.0, 1.0], (3, 1), p=[0.3, 0.7])
    cell[pbc] = rng.normal(size=(pbc.sum(), 3))
    complete = complete_cell(cell, pbc)
    np.testing.assert_array_equal(complete[pbc], cell[pbc])
    free = complete[~pbc]
    np.testing.assert_allclose(free @ free.T, np.eye(len(free)), atol=1e-12)
    np.testing.assert_allclose(free @ cell[pbc].T, 0.0, atol=1e-12)


def test_axis_aligned_chain():
    for axis in range(3):
        pbc = np.arange(3) == axis
        complete = complete_cell(np.diag(np.where(pbc, 2.0, 0.0)), pbc)
        assert abs(np.linalg.det(complete)) == pytest.approx(2.0)


def test_bad_periodic_vectors():
    with pytest.raises(
        StructureError, match=r"axis 2, but that cell vector is zero; set the cell vector or switch pbc\[2\]"
    ):
        complete_cell(np.diag([1.0, 1.0, 0.0]), np.array([True, True, True]))
    with pytest.raises(StructureError, match=r"axes \[0, 2\] are linearly dependent"):
        complete_cell(np.array([[1.0, 1, 0], [0, 0, 0], [-2, -2, 0]]), np.array([True, False, True]))
