"""Vacancies of crystals held by pairs, whose energies are known, and of a fitted potential."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT

from linmlp.evaluation.mechanics import vacancy_energies
from linmlp.exceptions import SettingsError, StructureError


def test_pairs_cost_the_cohesive_energy(bonds, fcc):
    """Removal breaks 12 bonds of 1 eV, and the atom is put where it has 6: the vacancy costs 6 eV before it relaxes."""
    result = vacancy_energies(bonds, fcc, supercell=(3, 3, 3))
    (vacancy,) = result.vacancies
    assert vacancy.formation_unrelaxed == pytest.approx(6.0, abs=1e-4)
    assert vacancy.formation == pytest.approx(6.0, abs=1e-4)  # bonds stay at the minimum of their pair
    assert vacancy.name == "Cu"
    assert result.n_atoms == 27
    assert np.isnan(result.schottky)
    assert "supercell of 27 atoms (3 x 3 x 3)" in str(result)


def test_schottky_defect_of_a_compound(bonds):
    """All removals cost twice an atom's energy; the formula unit is put back: what is left is its cohesive energy."""
    atoms = bulk("NaCl", "rocksalt", a=5.0)
    result = vacancy_energies(bonds, atoms, supercell=(3, 3, 3))
    assert [v.name for v in result.vacancies] == ["Na", "Cl"]
    assert result.schottky_unrelaxed == pytest.approx(6.0, abs=1e-3)
    assert result.schottky <= result.schottky_unrelaxed
    assert np.isnan(result.vacancies[0].formation)
    assert "depend on chemical_potentials" in str(result)
    given = vacancy_energies(bonds, atoms, supercell=(3, 3, 3), chemical_potentials={"Na": -1.0, "Cl": -2.0})
    np.testing.assert_allclose([v.formation_unrelaxed for v in given.vacancies], [5.0, 4.0], atol=1e-3)
    with pytest.raises(SettingsError, match="lacks Cl"):
        vacancy_energies(bonds, atoms, supercell=(3, 3, 3), chemical_potentials={"Na": -1.0})


def test_every_inequivalent_site_once():
    # Two thirds of a hexagonal close packing of Cu with a layer more: sites differ.
    atoms = Atoms("Cu3", cell=[[2.55, 0, 0], [0, 2.55, 0], [0, 0, 7.0]], pbc=True)
    atoms.set_scaled_positions([[0, 0, 0], [0.5, 0.5, 0.3], [0.5, 0.5, 0.7]])
    result = vacancy_energies(EMT(), atoms, supercell=(2, 2, 1))
    assert [v.name for v in result.vacancies] == ["Cu1", "Cu2"]
    assert len({round(v.formation_unrelaxed, 6) for v in result.vacancies}) == 2


def test_default_supercell_and_reference(small_silicon):
    own = vacancy_energies(small_silicon, bulk("Si", cubic=True), {"Si": 3.6})
    assert own.supercell == (2, 2, 2)
    (difference,) = own.differences
    assert difference.absolute == pytest.approx(own.vacancies[0].formation - 3.6)
    same = vacancy_energies(EMT(), bulk("Cu"), EMT(), supercell=(2, 2, 2))
    assert [d.absolute for d in same.differences] == pytest.approx([0.0, 0.0])
    assert same.to_dict()["vacancies"][0]["name"] == "Cu"


def test_input_that_cannot_be_used(small_silicon):
    with pytest.raises(SettingsError, match="supercell"):
        vacancy_energies(EMT(), bulk("Cu"), supercell=(1, 1, 1))
    with pytest.raises(SettingsError, match="reference names Na"):
        vacancy_energies(EMT(), bulk("Cu"), {"Na": 1.0}, supercell=(2, 2, 2))
    with pytest.raises(SettingsError, match="give eV by name"):
        vacancy_energies(EMT(), bulk("Cu"), 1.2, supercell=(2, 2, 2))
    with pytest.raises(StructureError, match="holds Ge"):
        vacancy_energies(small_silicon, bulk("Ge"))
