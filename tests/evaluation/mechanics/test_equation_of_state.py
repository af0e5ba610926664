"""Curves of energy over volume: known parameters, ASE's own fit, derivatives of the pressure."""

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from ase.eos import EquationOfState as AseEquation
from ase.eos import birchmurnaghan

from linmlp.evaluation.mechanics import elastic_constants, equation_of_state, fit_equation_of_state
from linmlp.evaluation.mechanics.crystal import pressure_of
from linmlp.exceptions import LabelError, SettingsError, StructureError
from linmlp.units import EV_PER_A3_IN_GPA


@pytest.fixture(scope="module")
def copper():
    return equation_of_state(EMT(), bulk("Cu"))


def test_known_parameters_come_back():
    volumes = np.linspace(18.0, 23.0, 9)
    energies = birchmurnaghan(volumes, -5.4, 90.0 / EV_PER_A3_IN_GPA, 4.3, 20.4)
    result = fit_equation_of_state(volumes[::-1], energies[::-1])
    assert result.volume == pytest.approx(20.4)
    assert result.energy == pytest.approx(-5.4)
    assert result.bulk_modulus == pytest.approx(90.0)
    assert result.bulk_modulus_derivative == pytest.approx(4.3)
    assert result.residual < 1e-9
    np.testing.assert_allclose(result.curve(volumes), energies)


def test_agrees_with_ase(copper):
    v0, e0, b0 = AseEquation(copper.volumes, copper.energies, eos="birchmurnaghan").fit()
    assert copper.volume == pytest.approx(v0, rel=1e-6)
    assert copper.energy == pytest.approx(e0, rel=1e-6)
    assert copper.bulk_modulus == pytest.approx(b0 * EV_PER_A3_IN_GPA, rel=1e-5)


def test_bulk_modulus_is_that_of_the_elastic_constants():
    result = equation_of_state(EMT(), bulk("Cu"), volume_range=(0.98, 1.02))
    elastic = elastic_constants(EMT(), bulk("Cu"), energies=False)
    assert result.bulk_modulus == pytest.approx(elastic.tensor.moduli().bulk_modulus, rel=1e-3)
    assert result.volume == pytest.approx(elastic.volume, rel=1e-4)


def test_derivative_is_that_of_the_pressure():
    result = equation_of_state(EMT(), bulk("Cu"), volume_range=(0.98, 1.02))
    a = (4.0 * result.volume) ** (1.0 / 3.0)

    def pressure(ratio):
        atoms = bulk("Cu", a=a * ratio ** (1.0 / 3.0))
        atoms.calc = EMT()
        return pressure_of(atoms)

    def modulus(ratio, d=1e-3):
        return -ratio * (pressure(ratio + d) - pressure(ratio - d)) / (2 * d)

    slope = (modulus(0.995) - modulus(1.005)) / (pressure(0.995) - pressure(1.005))
    assert result.bulk_modulus_derivative == pytest.approx(slope, rel=0.02)


def test_ions_and_shape_are_relaxed_where_asked(copper):
    atoms = bulk("Cu", a=(4.0 * copper.volume) ** (1.0 / 3.0), cubic=True)
    atoms.set_cell(atoms.cell.array @ np.diag([0.97, 1.0, 1.0 / 0.97]), scale_atoms=True)
    atoms.positions[0] += 0.1
    curves = [
        equation_of_state(EMT(), atoms, relax_cell=False, relaxed=relaxed, n_points=5)
        for relaxed in ("none", "positions", "shape")
    ]
    fixed, ions, shape = (curve.energies for curve in curves)
    assert (ions < fixed - 1e-4).all()
    assert (shape < ions - 1e-4).all()
    cubic = equation_of_state(EMT(), bulk("Cu"), n_points=5)
    np.testing.assert_allclose(shape, cubic.energies, atol=5e-5)
    assert "ions and shape relaxed" in str(curves[2])


def test_references(copper):
    named = equation_of_state(EMT(), bulk("Cu"), {"bulk_modulus": 100.0})
    assert named.differences[0].per_cent == pytest.approx(copper.bulk_modulus - 100.0)
    computed = equation_of_state(EMT(), bulk("Cu"), EMT())
    assert len(computed.differences) == 4
    assert all(abs(d.absolute) < 1e-9 for d in computed.differences)
    structures = []
    for volume, energy in zip(copper.volumes, copper.energies, strict=True):
        atoms = bulk("Cu", a=(4.0 * volume) ** (1.0 / 3.0))
        atoms.calc = SinglePointCalculator(atoms, energy=energy)
        structures.append(atoms)
    labelled = equation_of_state(EMT(), bulk("Cu"), structures)
    assert all(abs(d.absolute) < 1e-6 for d in labelled.differences)
    assert labelled.to_dict()["reference"]["volume"] == pytest.approx(copper.volume)
    for atoms in structures:
        atoms.calc = SinglePointCalculator(atoms, forces=np.zeros((1, 3)))
    with pytest.raises(LabelError, match="need an energy"):
        equation_of_state(EMT(), bulk("Cu"), structures)


def test_input_that_cannot_be_used(small_silicon):
    with pytest.raises(SettingsError, match=r"no minimum between.*lowest at"):
        equation_of_state(EMT(), bulk("Cu"), relax_cell=False, volume_range=(1.2, 1.4))
    with pytest.raises(SettingsError, match="n_points=3"):
        equation_of_state(EMT(), bulk("Cu"), n_points=3)
    with pytest.raises(SettingsError, match="4 volumes"):
        fit_equation_of_state([1, 2, 3, 4], [1, 2, 3, 4])
    with pytest.raises(SettingsError, match="finite"):
        fit_equation_of_state([1, 2, 3, 4, 5], [1, 2, 3, 4, np.nan])
    with pytest.raises(SettingsError, match="give numbers by name"):
        equation_of_state(EMT(), bulk("Cu"), "dft.json")
    with pytest.raises(StructureError, match="holds C"):
        equation_of_state(small_silicon, bulk("C"))
