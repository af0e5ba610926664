"""Each failure is found where it was planted, and nothing where there is none."""

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator
from ase.units import kB

from linmlp.evaluation.md.failures import Limits, Watcher, temperature_of


def crystal(forces=0.1, **results):
    atoms = bulk("Si", cubic=True).repeat(2)
    atoms.calc = SinglePointCalculator(atoms, energy=0.0, forces=np.full((len(atoms), 3), forces))
    atoms.calc.results |= results
    return atoms


def heated(atoms, temperature):
    rng = np.random.default_rng(0)
    momenta = rng.normal(size=(len(atoms), 3))
    momenta -= momenta.mean(axis=0)
    atoms.set_momenta(momenta)
    atoms.set_momenta(momenta * np.sqrt(temperature / temperature_of(atoms)))
    return atoms


def watcher(target=300.0, closest=2.2, **limits):
    return Watcher(Limits(**limits), ("Si",), np.array([[closest]]), 4.0, target)


def test_temperature_counts_what_moves():
    atoms = heated(crystal(), 300.0)
    energy = 0.5 * np.sum(atoms.get_momenta() ** 2 / atoms.get_masses()[:, None])
    assert temperature_of(atoms) == pytest.approx(2 * energy / ((3 * 64 - 3) * kB))


def test_a_quiet_crystal_passes():
    assert watcher().look(heated(crystal(), 300.0), 7, True) is None


def test_close_atoms_are_named():
    atoms = crystal()
    atoms.positions[5] = atoms.positions[0] + [1.2, 0.0, 0.0]
    failure = watcher().look(atoms, 7, True)
    assert failure.step == 7
    assert "1.20 Å apart, below 1.54 Å" in failure.reason
    assert "(Si-Si)" in failure.reason
    assert watcher().look(atoms, 7, False) is None  # distances are not looked at every step
    assert watcher(approach=None).look(atoms, 7, True) is None
    assert watcher(closest=np.nan).look(atoms, 7, True) is None


@pytest.mark.parametrize(
    ("atoms", "limits", "reason"),
    [
        (crystal(forces=80.0), {}, "a force of 139 eV/Å, above 100"),
        (crystal(forces=np.nan), {}, "not a finite number"),
        (heated(crystal(), 800.0), {}, "a temperature of 800 K, above 754 K"),
        (crystal(grade=3.0), {"grade": 2.0}, "grade of 3.0, above 2"),
    ],
)
def test_what_is_beyond_a_limit(atoms, limits, reason):
    assert reason in watcher(**limits).look(atoms, 1, False).reason


def test_a_lost_atom():
    atoms = crystal()
    atoms.pbc = False
    atoms.positions[3] += 50.0
    assert "atom 3 (Si) has no neighbor" in watcher().look(atoms, 1, True).reason
    assert watcher(lost=False).look(atoms, 1, True) is None
