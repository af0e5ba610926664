"""Faults planted one at a time in clean data: each is found, and clean data give no error."""

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator

from linmlp.datasets import load_lithium_chloride, load_silicon
from linmlp.structures import read_labels, read_structures
from linmlp.structures.data_checks import SEVERITIES, DataSet, check_data
from linmlp.structures.data_checks.strain_work import strain_pairs
from linmlp.structures.data_checks.stresses import measured_factor

SHARED = Path(__file__).parents[3] / "shared" / "data"


def relabelled(atoms, **labels):
    """The structure with some labels changed; None takes one away."""
    results = {**atoms.calc.results, **labels}
    results = {k: v for k, v in results.items() if v is not None}
    if "energy" in labels and "free_energy" in results:
        results["free_energy"] = labels["energy"]
    other = atoms.copy()
    other.calc = SinglePointCalculator(other, **results)
    return other


def first(structures, group):
    """Place of the first structure of a group that has more than one atom."""
    return next(i for i, a in enumerate(structures) if a.info["config_type"] == group and len(a) > 2)


def scaled_stress(factor):
    def plant(train, test):
        return [relabelled(a, stress=factor * a.get_stress()) for a in train], test, None

    return plant


def scaled_group(factor, groups=("diamond",)):
    def plant(train, test):
        both = [*train, *test]
        inside = {i for i, a in enumerate(both) if a.info["config_type"] in groups}
        for i in inside:
            both[i] = relabelled(both[i], stress=factor * both[i].get_stress())
        return both[: len(train)], both[len(train) :], inside

    return plant


def leak(train, test):
    return train, [*test, train[3]], {3, len(train) + len(test)}


def shifted_energy(train, test):
    k = first(train, "hot")
    train[k] = relabelled(train[k], energy=train[k].get_potential_energy() + 0.5 * len(train[k]))
    return train, test, {k}


def lost_forces(train, test):
    k = first(train, "liquid")
    train[k] = relabelled(train[k], forces=None)
    return train, test, {k}


def overlap(train, test):
    k = first(train, "hot")
    moved = train[k].copy()
    moved.positions[1] = moved.positions[0] + [0.5, 0.4, 0.3]
    moved.calc = SinglePointCalculator(moved, **train[k].calc.results)
    train[k] = moved
    return train, test, {k}


def net_force(train, test):
    k = first(train, "vacancy")
    train[k] = relabelled(train[k], forces=train[k].get_forces() + np.array([0.05, 0.0, 0.0]))
    return train, test, {k}


def wrong_element(train, test):
    k = first(train, "hot")
    other = train[k].copy()
    other.numbers[2] = 32
    other.calc = SinglePointCalculator(other, **train[k].calc.results)
    train[k] = other
    return train, test, {k}


def new_test_element(train, test):
    other = test[0].copy()
    other.numbers[0] = 32
    other.calc = SinglePointCalculator(other, **test[0].calc.results)
    return train, [other, *test[1:]], {len(train)}


FEW_PAIRS = ("beta_tin", "fcc", "hexagonal_diamond", "simple_cubic", "simple_hexagonal", "bcc")

FAULTS = {
    "flipped stress": (scaled_stress(-1.0), "stress", "error", "sign"),
    "flipped stress of one group": (scaled_group(-1.0), "stress", "error", "sign"),
    "flipped stress of groups with few pairs": (scaled_group(-1.0, FEW_PAIRS), "stress", "error", "few pairs"),
    "kbar taken for GPa": (scaled_stress(10.0), "stress", "error", "kbar taken for GPa"),
    "kbar taken for GPa in one group": (scaled_group(10.0), "stress", "error", "kbar taken for GPa"),
    "stress in GPa": (scaled_stress(160.2176634), "stress", "error", "unit is GPa"),
    "leak": (leak, "duplicates", "error", "in train and test"),
    "shifted energy": (shifted_energy, "energies", "warning", "eV/atom off"),
    "missing forces": (lost_forces, "labels", "warning", "have no forces"),
    "overlap": (overlap, "distances", "error", "apart"),
    "net force": (net_force, "net forces", "error", "add up to"),
    "wrong element": (wrong_element, "elements", "error", "Ge is in 1 of"),
    "element of the test set alone": (new_test_element, "elements", "error", "test set alone"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_planted_fault(name):
    plant, check, severity, words = FAULTS[name]
    train, test, wanted = plant(*load_silicon())
    found = [f for f in check_data(train, test).findings if (f.check, f.severity) == (check, severity)]
    found = [f for f in found if words in f.seen]
    assert found
    if wanted is not None:
        assert set().union(*(f.structures for f in found)) == wanted
    assert all(f.wanted and f.advice and f.groups for f in found)


@pytest.mark.parametrize("load", [load_silicon, load_lithium_chloride])
def test_bundled_data_are_clean(load):
    report = check_data(*load())
    assert report.errors == ()
    assert {f.check for f in report.findings} >= {"labels", "coverage"}


@pytest.mark.parametrize("name", ["zuo_Si", "zuo_Mo", "zuo_Li"])
def test_published_data_are_clean(name):
    if not (SHARED / name).is_dir():
        pytest.skip(f"{SHARED / name} is not there")
    parts = [read_structures(SHARED / name / f"{part}.xyz.gz") for part in ("train", "test")]
    assert check_data(*parts).errors == ()


def strained(strain, displacement=0.0):
    """A crystal with the exact labels of E = V0 (K/2) eps:eps + (k/2) |u|²: no stress at fixed u."""
    atoms = bulk("Si", cubic=True)
    volume = atoms.get_volume()
    atoms.set_cell(atoms.cell.array @ (np.eye(3) + strain), scale_atoms=True)
    eps = 0.5 * (strain + strain.T)
    slope = volume * 0.6 * eps
    stress = slope @ (np.eye(3) + strain) / atoms.get_volume()
    energy = 0.5 * volume * 0.6 * np.sum(eps**2)
    stress = 0.5 * (stress + stress.T)
    voigt = stress[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]
    atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=np.zeros((8, 3)), stress=voigt)
    return atoms


@pytest.mark.parametrize("factor", [1.0, -1.0, 0.1, 160.0])
def test_work_of_a_known_solid(factor):
    structures = [strained(np.diag([e, 0.5 * e, 0.0])) for e in (-0.04, -0.02, 0.0, 0.02, 0.04)]
    structures = [relabelled(a, stress=a.get_stress() * factor) for a in structures]
    pairs = strain_pairs(DataSet(structures, read_labels(structures), len(structures)))
    assert len(pairs) >= 4
    assert measured_factor(pairs) == pytest.approx(1.0 / factor, rel=0.01)


def test_pressure_that_rises_with_volume_without_strain_pairs():
    rng = np.random.default_rng(0)
    for sign in (1.0, -1.0):
        structures = []
        for a in np.linspace(5.2, 5.8, 10):
            atoms = bulk("Si", cubic=True, a=a)
            atoms.positions += rng.normal(scale=0.3, size=(8, 3))  # too far apart for the work between them
            stress = sign * 0.6 * (a / 5.5 - 1.0) * np.array([1, 1, 1, 0, 0, 0])
            atoms.calc = SinglePointCalculator(atoms, energy=-40.0, stress=stress)
            structures.append(atoms)
        words = [f.seen for f in check_data(structures).errors if f.check == "stress"]
        assert any("rises with volume" in text for text in words) == (sign < 0)


def test_masked_forces_may_have_a_sum():
    atoms = Atoms("Si2", [[0, 0, 0], [0, 0, 2.4]])
    atoms.calc = SinglePointCalculator(atoms, energy=-8.0, forces=[[0, 0, 0.0], [0, 0, 3.0]])
    assert [f.check for f in check_data([atoms]).errors] == ["net forces"]
    atoms.arrays["force_mask"] = np.array([True, False])
    assert check_data([atoms]).errors == ()


def test_one_structure_with_two_energies():
    train, _ = load_silicon()
    k = first(train, "liquid")
    other = relabelled(train[k], energy=train[k].get_potential_energy() + 0.1)
    seen = [f for f in check_data([*train, other]).errors if f.check == "duplicates"]
    assert [f.structures for f in seen] == [(k, len(train))]


def test_errors_come_first():
    report = check_data(*wrong_element(*load_silicon())[:2])
    order = [SEVERITIES.index(f.severity) for f in report.findings]
    assert order == sorted(order)
    assert report.to_dict()["counts"]["error"] == len(report.errors) > 0
