"""Crystals over their volume: grades of the potential, and what is said of them."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from linmlp.evaluation.transferability import VolumeCoverage, cover_volumes
from linmlp.evaluation.transferability.volumes import stable_crystals
from linmlp.exceptions import SettingsError, StructureError


def test_grades_are_those_of_scaled_cells(silicon):
    crystal = bulk("Si", cubic=True)
    scan = cover_volumes(silicon.model, crystal, [1.15, 0.9])
    scaled = crystal.copy()
    scaled.set_cell(0.9 * crystal.cell.array, scale_atoms=True)
    result = silicon.model.predict_uncertainty([scaled])[0]
    assert scan.grades[0] == pytest.approx(result.grade)
    assert scan.energies[0] == pytest.approx(result.prediction.energy / 8)
    assert scan.energy_std[0] == pytest.approx(result.energy_std / 8)
    np.testing.assert_allclose(scan.volumes, 5.43**3 / 8 * np.array([0.9, 1.15]) ** 3)
    assert scan.to_dict()["energy_std"][0] == pytest.approx(result.energy_std / 8)


def test_training_covers_what_is_in_it_and_not_what_is_far(silicon):
    scan = cover_volumes(silicon.model, bulk("Si", cubic=True))
    low, high = scan.covered[0]
    assert low < scan.start < high
    assert scan.grades[0] > 1.0
    assert "extrapolates, at worst with grade" in scan.statement()


def made(grades):
    return VolumeCoverage("x", 20.0, np.linspace(10.0, 30.0, 5), np.array(grades), np.zeros(5), np.full(5, np.nan))


def test_what_is_said():
    parts = made([0.5, 1.0 / 3.0, 3.0, 0.5, 2.0])  # the grade passes 1 half way, in the logarithm
    assert parts.covered == [
        (10.0, pytest.approx(17.5)),
        (pytest.approx(20.0 + 5.0 * np.log(3.0) / np.log(6.0)), pytest.approx(27.5)),
    ]
    assert "interpolates at 10 to 17.5 Å³/atom (-50.0% to -12.5%) and 23.07 to 27.5 Å³/atom (+15.3% to" in str(parts)
    assert "within 10 to 30 Å³/atom, it extrapolates, at worst with grade 3.0" in str(parts)
    rows = [line.split() for line in str(parts).splitlines()[1:4]]
    assert rows == [["15.00", "-25.0%", "0.33", "-"], ["20.00", "0.0%", "3.00", "-"], ["25.00", "25.0%", "0.50", "-"]]
    assert str(made([0.5] * 5)).endswith("all that was scanned")
    nowhere = made([1.5, 2.0, 3.0, 4.0, 5.0])
    assert nowhere.covered == []
    assert "extrapolates at all volumes scanned, 10 to 30 Å³/atom (least grade 1.50)" in str(nowhere)
    assert nowhere.to_dict()["energy_std"] == [None] * 5


def test_stable_crystals_are_of_lowest_energy(silicon):
    ((name, crystal),) = stable_crystals(silicon.model, silicon.train).items()
    energies = [atoms.get_potential_energy() / len(atoms) for atoms in silicon.train]
    assert crystal is silicon.train[int(np.argmin(energies))]
    assert name == f"{crystal.get_chemical_formula()} of lowest energy"


def test_bad_input(silicon, silicon_model):
    with pytest.raises(SettingsError, match="fit it with uncertainty=True"):
        cover_volumes(silicon_model, bulk("Si"))
    with pytest.raises(SettingsError, match="the structures hold Ge"):
        cover_volumes(silicon.model, bulk("Ge"))
    with pytest.raises(StructureError, match="periodic in all three"):
        cover_volumes(silicon.model, Atoms("Si2", [[0, 0, 0], [2, 0, 0]]))
    with pytest.raises(SettingsError, match="lengths above 0"):
        cover_volumes(silicon.model, bulk("Si"), [0.0, 1.0])
