import json

import numpy as np
import pytest
from ase.build import bulk, molecule
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones
from ase.calculators.morse import MorsePotential

from linmlp.exceptions import ModelFileError, SettingsError
from linmlp.neighbors import find_pairs
from linmlp.structures.baselines import CalculatorBaseline, baseline_from_state


@pytest.mark.parametrize("make", [lambda: LennardJones(rc=5.0), EMT, lambda: MorsePotential(r0=2.6)])
def test_equals_the_calculator(make):
    atoms = bulk("Cu", cubic=True) * (2, 1, 1)
    atoms.rattle(0.1, seed=0)
    result = CalculatorBaseline(make()).compute(find_pairs(atoms, 3.0), atoms)
    atoms.calc = make()
    assert result.energies.sum() == pytest.approx(atoms.get_potential_energy(force_consistent=True))
    np.testing.assert_allclose(result.forces, atoms.get_forces())
    np.testing.assert_allclose(result.strain_gradient, atoms.get_volume() * atoms.get_stress(), atol=1e-10)
    np.testing.assert_allclose(result.atom_strain_gradient.sum(axis=0), result.strain_gradient, atol=1e-10)


def test_molecule_has_no_stress():
    atoms = molecule("H2O")
    result = CalculatorBaseline(LennardJones()).compute(find_pairs(atoms, 3.0), atoms)
    assert not result.strain_gradient.any()
    assert result.atom_strain_gradient.shape == (3, 6)


def test_structure_and_its_calculator_stay_as_they_are():
    atoms = bulk("Cu")
    CalculatorBaseline(EMT()).compute(find_pairs(atoms, 3.0), atoms)
    assert atoms.calc is None


def test_needs_the_structure():
    with pytest.raises(SettingsError, match=r"ase\.calculators\.emt\.EMT is a calculator and needs the structure"):
        CalculatorBaseline(EMT()).compute(find_pairs(bulk("Cu"), 3.0))


def test_must_be_passed_on_loading():
    state = json.loads(json.dumps(CalculatorBaseline(EMT()).to_state()))
    with pytest.raises(ModelFileError, match=r"pass it: linmlp\.load\(path, baseline=calculator\)"):
        baseline_from_state(state)
    with pytest.raises(ModelFileError, match=r"but got ase\.calculators\.lj\.LennardJones"):
        baseline_from_state(state, LennardJones())
    assert baseline_from_state(state, EMT()).report() == "calculator ase.calculators.emt.EMT"
    assert baseline_from_state(state, EMT()).name == "ase.calculators.emt.EMT"
    assert baseline_from_state(state, CalculatorBaseline(EMT())).name == "ase.calculators.emt.EMT"
