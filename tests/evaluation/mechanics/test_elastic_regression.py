"""Constants regressed from strained structures: recovered, with errors that hold, from supercells and models alike."""

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator

from linmlp.evaluation.mechanics import elastic_constants, regress_elastic
from linmlp.evaluation.mechanics.strains import deform, deformation
from linmlp.exceptions import LabelError, SettingsError, StructureError
from linmlp.units import EV_PER_A3_IN_GPA
from tests.naive.elastic_toy import ElasticToy

CUBIC = np.diag([160.0] * 3 + [70.0] * 3)
CUBIC[:3, :3] += 60.0 * (1.0 - np.eye(3))


def strained(ground, n, size, seed, noise=0.0, repeat=(1, 1, 1)):
    """Structures at random strains, labelled by the toy, with noise on the stress (GPa)."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(n):
        atoms = deform(ground.repeat(repeat), deformation(size * rng.normal(size=6)))
        atoms.calc = ElasticToy(ground, CUBIC)
        stress = atoms.get_stress() + noise / EV_PER_A3_IN_GPA * rng.normal(size=6)
        atoms.calc = SinglePointCalculator(atoms, energy=atoms.get_potential_energy(), stress=stress)
        found.append(atoms)
    return found


@pytest.mark.parametrize("order", [2, 3, 4])
def test_the_toy_is_recovered(order):
    ground = bulk("Cu", cubic=True)
    result = regress_elastic(strained(ground, 20, 0.02, 0), ground, order=order)
    np.testing.assert_allclose(result.tensor.matrix, CUBIC, atol=1e-5)
    assert result.residual < 1e-6
    assert result.moved == pytest.approx(0.0, abs=1e-9)
    larger = regress_elastic(strained(ground, 20, 0.02, 0, repeat=(2, 1, 1)), ground, order=order)
    np.testing.assert_allclose(larger.tensor.matrix, CUBIC, atol=1e-5)


def test_errors_hold():
    ground = bulk("Cu", cubic=True)
    off = []
    for seed in range(30):
        result = regress_elastic(strained(ground, 15, 0.02, seed, noise=0.3), ground, order=2)
        for name, true in (("C11", 160.0), ("C12", 60.0), ("C44", 70.0)):
            value, error = result.constants[name]
            off.append((value - true) / error)
    assert np.std(off) == pytest.approx(1.0, abs=0.2)
    assert abs(np.mean(off)) < 0.4


def test_a_model_is_asked_on_the_same_structures():
    """EMT copper: the regression at finite strains of clamped ions meets the derivatives at the ground state."""
    known = elastic_constants(EMT(), bulk("Cu"), relax_ions=False, energies=False)
    ground = bulk("Cu", a=(4.0 * known.volume) ** (1.0 / 3.0))
    result = regress_elastic(strained(ground, 40, 0.01, 1), ground, EMT())
    np.testing.assert_allclose(result.tensor.matrix, known.tensor.matrix, atol=0.5)
    assert abs(result.tensor.constants["C11"] - 160.0) > 5.0  # labels say 160
    labels = elastic_constants(
        EMT(), bulk("Cu"), strained(bulk("Cu", a=ground.cell.lengths()[0] * 2**0.5), 40, 0.01, 1)
    )
    (c11,) = [d for d in labels.differences if d.name == "C11"]
    assert c11.reference == pytest.approx(160.0, abs=0.5)
    assert c11.value == pytest.approx(known.tensor.constants["C11"], abs=0.5)
    assert "regressed from the same 40 structures" in str(labels)


def test_moved_ions_are_measured():
    ground = bulk("Si", cubic=True)
    structures = strained(ground, 10, 0.01, 0)
    moves = np.random.default_rng(1).normal(scale=0.02, size=(8, 3))
    moves -= moves.mean(axis=0)
    for atoms in structures:
        atoms.positions += moves
        atoms.positions += [1.0, 2.0, 0.5]
        atoms.wrap()
        atoms.calc = SinglePointCalculator(atoms, stress=atoms.calc.results["stress"])
    assert regress_elastic(structures, ground, order=2).moved == pytest.approx(np.sqrt((moves**2).sum(axis=1).mean()))


def test_input_that_cannot_be_used():
    ground = bulk("Cu", cubic=True)
    structures = strained(ground, 10, 0.02, 0)
    with pytest.raises(SettingsError, match="none of 10 structures"):
        regress_elastic(structures, ground, max_strain=1e-6)
    with pytest.raises(SettingsError, match="do not determine"):
        regress_elastic(structures[:1], ground, order=4)
    with pytest.raises(SettingsError, match="order=7"):
        regress_elastic(structures, ground, order=7)
    with pytest.raises(StructureError, match="no strained copies"):
        regress_elastic([bulk("Cu")], ground)
    bare = [atoms.copy() for atoms in structures]
    for atoms in bare:
        atoms.info["energy"] = 1.0
    with pytest.raises(LabelError, match="have no stress"):
        regress_elastic(bare, ground)
