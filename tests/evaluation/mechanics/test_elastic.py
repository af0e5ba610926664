"""Elastic constants of crystals against known ones, independent differences of energies, and symmetries."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from scipy.spatial.transform import Rotation

from linmlp.evaluation.mechanics import ElasticTensor, elastic_constants
from linmlp.exceptions import SettingsError, StructureError
from linmlp.units import EV_PER_A3_IN_GPA
from tests.naive.elastic_toy import ElasticToy


@pytest.fixture(scope="module")
def copper():
    return elastic_constants(EMT(), bulk("Cu"))


def energy_density(atoms, gradient):
    """Energy per volume of the reference after a deformation, GPa."""
    strained = atoms.copy()
    strained.set_cell(atoms.cell.array @ np.asarray(gradient).T, scale_atoms=True)
    strained.calc = EMT()
    return strained.get_potential_energy() / atoms.get_volume() * EV_PER_A3_IN_GPA


@pytest.mark.parametrize("metal", ["Cu", "Al"])
def test_cubic_constants_by_textbook_strains(metal):
    result = elastic_constants(EMT(), bulk(metal))
    c = result.tensor.constants
    # Strains that keep the volume, and a change of volume, from energies alone; none of them is used by the code.
    a = (4.0 * result.volume) ** (1.0 / 3.0)
    atoms, d = bulk(metal, a=a), 0.004
    middle = energy_density(atoms, np.eye(3))
    tetragonal = [energy_density(atoms, np.diag([1 + s, 1 / (1 + s), 1.0])) - middle for s in (d, -d)]
    shear = [
        energy_density(atoms, [[1.0, s / 2, 0.0], [s / 2, 1.0, 0.0], [0.0, 0.0, 1.0 / (1.0 - s * s / 4)]]) - middle
        for s in (d, -d)
    ]
    swelling = [energy_density(atoms, (1 + s) * np.eye(3)) - middle for s in (d, -d)]
    assert np.mean(tetragonal) / d**2 == pytest.approx(c["C11"] - c["C12"], rel=2e-3)
    assert 2.0 * np.mean(shear) / d**2 == pytest.approx(c["C44"], rel=2e-3)
    assert 2.0 * np.mean(swelling) / (9.0 * d**2) == pytest.approx((c["C11"] + 2 * c["C12"]) / 3, rel=5e-3)
    assert result.crystal_system == "cubic"
    assert result.agreement < 1e-3 * c["C11"]
    assert result.asymmetry < 1e-3
    assert not result.is_under_stress


@pytest.mark.parametrize("prestress", [None, [1.0, -2.0, 0.5, 0.3, -0.4, 0.2]])
def test_a_triclinic_toy_gives_its_matrix(prestress):
    rng = np.random.default_rng(0)
    factor = rng.normal(size=(6, 6))
    matrix = 10.0 * (factor @ factor.T + 3.0 * np.eye(6))
    atoms = Atoms("Cu", cell=[[3.0, 0.1, 0.2], [0.3, 3.4, -0.2], [-0.1, 0.4, 3.9]], pbc=True)
    result = elastic_constants(ElasticToy(atoms, matrix, prestress), atoms, relax_cell=False, strain=1e-3)
    np.testing.assert_allclose(result.tensor.matrix, matrix, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(result.from_energy, matrix, rtol=1e-5, atol=1e-5)
    assert result.crystal_system == "triclinic"
    assert result.is_under_stress == (prestress is not None)
    assert ("under stress" in str(result)) == (prestress is not None)


def test_an_isotropic_toy():
    lame, shear = 40.0, 30.0
    matrix = np.diag([2 * shear] * 3 + [shear] * 3)
    matrix[:3, :3] += lame
    atoms = bulk("Cu")
    result = elastic_constants(ElasticToy(atoms, matrix), atoms, relax_cell=False)
    moduli = result.tensor.moduli()
    assert moduli.bulk_modulus == pytest.approx(lame + 2 * shear / 3)
    assert moduli.shear_modulus == pytest.approx(shear)
    assert moduli.anisotropy == pytest.approx(0.0, abs=1e-6)


def test_an_unstable_crystal_is_said_to_be_one():
    matrix = np.diag([100.0] * 3 + [-10.0] * 3)
    atoms = bulk("Cu")
    result = elastic_constants(ElasticToy(atoms, matrix), atoms, relax_cell=False)
    assert not result.is_stable
    assert "UNSTABLE" in str(result)
    assert result.to_dict()["tensor"]["moduli"]["bulk_modulus"] is None


def test_supercell_and_rotation(copper):
    doubled = elastic_constants(EMT(), bulk("Cu", cubic=True).repeat((2, 1, 1)), energies=False)
    np.testing.assert_allclose(doubled.tensor.matrix, copper.tensor.matrix, atol=0.02)
    rotation = Rotation.random(random_state=4).as_matrix()
    atoms = bulk("Cu")
    atoms.set_cell(atoms.cell.array @ rotation.T, scale_atoms=True)
    turned = elastic_constants(EMT(), atoms, energies=False)
    np.testing.assert_allclose(turned.tensor.matrix, copper.tensor.rotated(rotation).matrix, atol=0.02)


def test_relaxed_ions_by_internal_force_constants(small_silicon):
    """C = C(clamped) - L K^-1 L / V, with K the force constants of the sublattices and L forces by strain."""
    atoms = bulk("Si")
    relaxed = elastic_constants(small_silicon, atoms, energies=False)
    clamped = elastic_constants(small_silicon, atoms, relax_ions=False, energies=False)
    a = (8.0 * relaxed.volume) ** (1.0 / 3.0)
    atoms = bulk("Si", a=a)
    atoms.calc = small_silicon.calculator()
    d = 1e-3
    moved, sheared = [], []
    for sign in (1, -1):
        copy = atoms.copy()
        copy.positions[1, 0] += sign * d
        strain = np.eye(3)
        strain[1, 2] = strain[2, 1] = sign * d / 2
        shear = atoms.copy()
        shear.set_cell(atoms.cell.array @ strain, scale_atoms=True)
        for one, forces in ((copy, moved), (shear, sheared)):
            one.calc = atoms.calc
            forces.append(one.get_forces()[1, 0])
    stiffness = -(moved[0] - moved[1]) / (2 * d)
    coupling = (sheared[0] - sheared[1]) / (2 * d)
    expected = clamped.tensor.constants["C44"] - coupling**2 / stiffness / atoms.get_volume() * EV_PER_A3_IN_GPA
    assert relaxed.tensor.constants["C44"] == pytest.approx(expected, rel=1e-3)
    assert relaxed.tensor.constants["C44"] < 0.9 * clamped.tensor.constants["C44"]
    assert relaxed.tensor.constants["C11"] == pytest.approx(clamped.tensor.constants["C11"], rel=1e-4)
    assert "ions clamped" in str(clamped)


def test_under_pressure_energies_and_stresses_still_agree():
    atoms = bulk("Cu", a=3.4)
    result = elastic_constants(EMT(), atoms, relax_cell=False)
    assert result.stress[0] < -10.0
    assert result.agreement < 1e-3 * result.tensor.constants["C11"]
    assert "under stress" in str(result)


def test_references(copper):
    atoms = bulk("Cu")
    named = elastic_constants(EMT(), atoms, {"C11": 170.0, "bulk_modulus": 100.0}, energies=False)
    first, second = named.differences
    assert first.absolute == pytest.approx(copper.tensor.constants["C11"] - 170.0, abs=0.01)
    assert second.per_cent == pytest.approx(copper.tensor.moduli().bulk_modulus - 100.0, abs=0.01)
    assert "against the reference" in str(named)
    same = elastic_constants(EMT(), atoms, EMT(), energies=False)
    assert {d.name for d in same.differences} >= {"C11", "C12", "C44", "shear_modulus"}
    assert max(abs(d.absolute) for d in same.differences) < 1e-9
    assert elastic_constants(EMT(), atoms, ElasticTensor(copper.tensor.matrix), energies=False).differences
    with pytest.raises(SettingsError, match="reference names C99"):
        elastic_constants(EMT(), atoms, {"C99": 1.0}, energies=False)
    with pytest.raises(SettingsError, match="give numbers by name"):
        elastic_constants(EMT(), atoms, 5.0, energies=False)


def test_input_that_cannot_be_used(small_silicon):
    with pytest.raises(StructureError, match="holds Ge"):
        elastic_constants(small_silicon, bulk("Ge"))
    with pytest.raises(StructureError, match="periodic in all three"):
        elastic_constants(small_silicon, Atoms("Si2", [[0, 0, 0], [2, 0, 0]]))
    with pytest.raises(SettingsError, match="strain"):
        elastic_constants(small_silicon, bulk("Si"), strain=0.5)
    with pytest.raises(SettingsError, match="no potential"):
        elastic_constants("Si", bulk("Si"))
    with pytest.raises(StructureError, match=r"did not converge.*more max_steps"):
        elastic_constants(small_silicon, bulk("Si", a=5.8), max_steps=1)
