"""Phonons of a crystal of springs, whose frequencies are known; stability; what is asked of phonopy."""

import sys

import numpy as np
import pytest
from ase.build import bulk
from ase.units import _amu, _e

from linmlp.evaluation.mechanics import phonons
from linmlp.exceptions import InputError, SettingsError, StructureError

pytest.importorskip("phonopy")


@pytest.fixture
def springs(bonds, fcc):
    return phonons(bonds, fcc, supercell=(2, 2, 2), temperatures=(0.0, 3000.0))


def test_known_frequencies(springs, bonds):
    """Springs k between nearest neighbors of an fcc crystal: m w^2 = 8k, 4k, 4k at X and 8k, 2k, 2k at L."""
    # Second derivative of Lennard and Jones's potential at its minimum: 72 epsilon / r^2.
    k = 72.0 * bonds.parameters.epsilon / 2.5**2
    unit = np.sqrt(k * _e * 1e20 / (63.546 * _amu)) / (2.0 * np.pi) / 1e12
    np.testing.assert_allclose(springs.special["X"], unit * np.sqrt([4.0, 4.0, 8.0]), rtol=2e-3)
    np.testing.assert_allclose(springs.special["L"], unit * np.sqrt([2.0, 2.0, 8.0]), rtol=2e-3)
    np.testing.assert_allclose(springs.special["G"], 0.0, atol=1e-3)
    assert springs.is_stable
    assert "no imaginary modes" in str(springs)


def test_thermal_properties(springs):
    cold, hot = springs.thermal
    assert hot.heat_capacity == pytest.approx(3.0, rel=0.01)
    assert cold.heat_capacity == 0.0
    # Zero-point energy: half of h times the mean frequency, three modes per atom.
    mean = np.trapezoid(springs.dos * springs.dos_frequencies, springs.dos_frequencies)
    assert np.trapezoid(springs.dos, springs.dos_frequencies) == pytest.approx(3.0, rel=0.02)
    assert cold.free_energy == pytest.approx(0.5 * 4.135667696e-3 * mean, rel=0.02)


def test_imaginary_modes_are_stated(bonds):
    result = phonons(bonds, bulk("Cu", "sc", a=2.4), supercell=(3, 3, 3), relax_cell=False)
    assert not result.is_stable
    assert "IMAGINARY" in str(result)
    assert result.thermal == ()
    assert result.to_dict()["is_stable"] is False


def test_references(springs, bonds, fcc):
    named = phonons(bonds, fcc, {"X": [8.0, 5.0, 5.0]}, supercell=(2, 2, 2))
    assert [d.name for d in named.differences] == ["X 1", "X 2", "X 3"]
    assert named.differences[2].absolute == pytest.approx(springs.special["X"][2] - 8.0, abs=1e-6)
    same = phonons(bonds, fcc, bonds, supercell=(2, 2, 2))
    assert len(same.differences) == 3 * len(same.special)
    assert max(abs(d.absolute) for d in same.differences) < 1e-9
    with pytest.raises(SettingsError, match="reference names Q 1"):
        phonons(bonds, fcc, {"Q": [1.0]}, supercell=(2, 2, 2))


def test_a_fitted_potential_gives_optical_modes(small_silicon):
    result = phonons(small_silicon, bulk("Si"), supercell=(2, 2, 2), temperatures=())
    assert result.bands.shape[1] == 6
    np.testing.assert_allclose(result.special["G"][3:], result.special["G"][3:].mean(), rtol=1e-3)
    assert 13.0 < result.special["G"][5] < 18.0  # measured: 15.5 THz
    assert "k/atom" not in str(result)


def test_input_that_cannot_be_used(small_silicon, monkeypatch):
    with pytest.raises(SettingsError, match="displacement"):
        phonons(small_silicon, bulk("Si"), displacement=-1.0)
    with pytest.raises(StructureError, match="holds Ge"):
        phonons(small_silicon, bulk("Ge"))
    monkeypatch.setitem(sys.modules, "phonopy", None)
    with pytest.raises(InputError, match=r"pip install linmlp\[phonons\]"):
        phonons(small_silicon, bulk("Si"))
