"""Rejection of structures: each limit, functions, reasons, and what a fit does with it."""

import numpy as np
import pytest
from ase import Atoms

from linmlp.exceptions import SettingsError
from linmlp.structures import read_labels, reject_structures


def dimer(distance=2.0, energy=-1.0, force=0.0, symbols="Si2"):
    atoms = Atoms(symbols, positions=[[0, 0, 0], [distance, 0, 0]])
    atoms.info["energy"] = energy
    atoms.arrays["forces"] = np.array([[force, 0, 0], [-force, 0, 0]])
    return atoms


def apply(setting, structures):
    return reject_structures(setting, structures, read_labels(structures))


def rejected(setting, structures):
    return [index for index, _ in apply(setting, structures).rejected]


def test_none_keeps_all():
    result = apply(None, [dimer(), dimer(0.5)])
    assert result.kept == (0, 1)
    assert result.report() == ""


def test_force_limit():
    structures = [dimer(force=f) for f in (1.0, 30.0, 30.1)]
    assert rejected({"max_force": 30.0}, structures) == [2]


def test_masked_forces_do_not_reject():
    atoms = dimer(force=50.0)
    atoms.arrays["force_mask"] = np.array([True, True])
    assert rejected({"max_force": 30.0}, [dimer(), atoms]) == []


def test_distance_limit_sees_periodic_images():
    thin = Atoms("Si", cell=[0.9, 5, 5], pbc=True, info={"energy": 0.0})
    assert rejected({"min_distance": 1.0}, [dimer(1.1), dimer(0.9), thin]) == [1, 2]
    assert rejected({"min_distance": 0.8}, [dimer(1.1), dimer(0.9), thin]) == []


def test_energy_deviation_is_measured_from_the_elements():
    rng = np.random.default_rng(0)
    per_element = {"Si": -5.0, "C": -9.0}
    symbols = [["Si", "Si"], ["Si", "C"], ["C", "C"]] * 10
    structures = [dimer(energy=sum(map(per_element.get, s)) + 0.01 * rng.normal(), symbols=s) for s in symbols]
    assert rejected({"max_energy_deviation": 10.0}, structures) == []
    structures[7].info["energy"] += 1.0
    assert rejected({"max_energy_deviation": 10.0}, structures) == [7]


def test_isolated_atoms_are_not_far_energies():
    structures = [dimer(energy=-10 + 0.01 * k) for k in range(9)]
    structures.append(Atoms("Si", info={"energy": 0.0}))
    assert rejected({"max_energy_deviation": 3.0}, structures) == []


def test_duplicates_keep_the_first():
    structures = [dimer(2.0), dimer(2.1), dimer(2.0)]
    result = apply({"duplicates": True}, structures)
    assert result.rejected == ((2, "duplicate of structure 0"),)
    assert rejected({"duplicates": False}, structures) == []


def test_reasons_are_collected():
    result = apply({"max_force": 5.0, "min_distance": 1.0}, [dimer(), dimer(0.5, force=6.0)])
    (pair,) = result.rejected
    assert pair[0] == 1
    assert "force" in pair[1]
    assert "distance" in pair[1]
    assert "1 of 2 structures rejected" in result.report()


@pytest.mark.parametrize("answer", [[False, True, False], np.array([1]), [1, 1]])
def test_functions_give_masks_or_indices(answer):
    assert rejected(lambda structures, labels: answer, [dimer()] * 3) == [1]


@pytest.mark.parametrize("answer", [[3], [-1], [0.5], [True], "a"])
def test_other_answers_are_refused(answer):
    with pytest.raises(SettingsError, match="boolean mask"):
        apply(lambda structures, labels: answer, [dimer()] * 3)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"max_fore": 1.0}, "known are max_force, min_distance"),
        ({"max_force": -1.0}, "positive number"),
        ({"max_force": True}, "positive number"),
        ({"duplicates": 1}, "True or False"),
        (3, "dict"),
        ({"min_distance": 3.0}, "leaves none"),
    ],
)
def test_bad_settings_say_what_is_wrong(setting, words):
    with pytest.raises(SettingsError, match=words):
        apply(setting, [dimer(), dimer()])
