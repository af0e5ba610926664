"""Surface energies by counting broken bonds, of elements and compounds, and of slabs that have none."""

import numpy as np
import pytest
from ase.build import bulk, fcc111
from ase.calculators.emt import EMT

from linmlp.evaluation.mechanics import slab_energy, surface_energies
from linmlp.evaluation.mechanics.surface import EV_PER_A2_IN_J_PER_M2
from linmlp.exceptions import SettingsError, StructureError


def test_broken_bonds(bonds, fcc):
    """An atom of (111), (100), (110) loses 3, 4 and 6 bonds, half an eV of each is its own."""
    result = surface_energies(bonds, fcc, [(1, 1, 1), (1, 0, 0), (2, 2, 0)], thickness=10.0)
    areas = 2.5**2 * np.array([3.0**0.5 / 2.0, 1.0, 2.0**0.5])
    # On (110) one bond of six belongs to the second layer.
    expected = np.array([3.0, 4.0, 6.0]) / 2.0 / areas * EV_PER_A2_IN_J_PER_M2
    np.testing.assert_allclose([face.unrelaxed for face in result.surfaces], expected, rtol=1e-3)
    assert [face.name for face in result.surfaces] == ["111", "100", "110"]
    for face in result.surfaces:
        assert face.energy <= face.unrelaxed
        assert face.has_equal_faces
        assert face.others == ()
        assert face.vacuum == pytest.approx(15.0, abs=0.1)
        assert 10.0 - 3.0 < face.thickness < 13.0


def test_diamond_is_cut_at_the_cheaper_place(small_silicon):
    (face,) = surface_energies(small_silicon, bulk("Si"), [(1, 1, 1)], thickness=9.0, max_force=0.05).surfaces
    assert len(face.others) == 1
    assert face.others[0] > 1.3 * face.unrelaxed
    assert face.has_equal_faces


def test_agrees_with_a_slab_of_ase():
    result = surface_energies(EMT(), bulk("Cu"), [(1, 1, 1)], {"111": 1.0, "111 unrelaxed": 1.0}, thickness=12.0)
    (face,) = result.surfaces
    a = (4.0 * bulk_volume()) ** (1.0 / 3.0)
    slab = fcc111("Cu", (1, 1, 7), a=a, vacuum=8.0)
    assert slab_energy(EMT(), slab, bulk("Cu", a=a)) == pytest.approx(face.unrelaxed, rel=2e-3)
    assert result.differences[1].absolute == pytest.approx(face.unrelaxed - 1.0)
    assert result.to_dict()["surfaces"][0]["n_atoms"] == face.n_atoms


def bulk_volume():
    from linmlp.evaluation.mechanics import equation_of_state

    return equation_of_state(EMT(), bulk("Cu"), n_points=7, volume_range=(0.97, 1.03)).volume


def test_compounds(bonds):
    """Rocksalt (100): every atom of the face loses one of its bonds; polar (111) has two faces that differ."""
    atoms = bulk("NaCl", "rocksalt", a=5.0)
    neutral, polar = surface_energies(bonds, atoms, [(1, 0, 0), (1, 1, 1)], thickness=10.0, max_force=0.05).surfaces
    assert neutral.unrelaxed == pytest.approx(0.5 / 2.5**2 * EV_PER_A2_IN_J_PER_M2, rel=1e-3)
    assert neutral.has_equal_faces
    assert not polar.has_equal_faces
    assert "mean of two different faces" in str(polar)


def test_input_that_cannot_be_used(small_silicon):
    bad = bulk("NaCl", "rocksalt", a=5.6, cubic=True)
    crystal = bad.copy()
    del bad[0]
    with pytest.raises(StructureError, match=r"no multiple of Na4Cl4.*chemical potentials"):
        slab_energy(EMT(), bad, crystal)
    with pytest.raises(SettingsError, match="not all 0"):
        surface_energies(EMT(), bulk("Cu"), [(0, 0, 0)])
    with pytest.raises(SettingsError, match="0 surfaces"):
        surface_energies(EMT(), bulk("Cu"), [])
    with pytest.raises(StructureError, match="holds Ge"):
        surface_energies(small_silicon, bulk("Ge"), [(1, 0, 0)])
