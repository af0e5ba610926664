"""The core repulsion of ML-PACE: its formula, derivatives, and what it keeps."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from ase import Atoms

from linmlp.exceptions import SettingsError
from linmlp.neighbors import find_pairs
from linmlp.structures.baselines import Baseline, PaceCore, baseline_from_state
from tests.battery import check_forces, check_stress

PREFACTOR, EXPONENT = np.array([[3.0, 2.0], [2.5, 1.0]]), np.array([[0.5, 0.8], [0.6, 1.0]])
OUTER, INNER, WIDTH = np.array([[4.0, 3.5], [3.0, 4.0]]), np.full((2, 2), 2.0), np.array([[0.0, 0.8], [0.5, 0.0]])
CORE = PaceCore(["H", "O"], PREFACTOR, EXPONENT, OUTER, INNER, WIDTH)


def predict(atoms):
    pairs = find_pairs(atoms, CORE.cutoff)
    result = CORE.compute(pairs, atoms)
    stress = None if pairs.volume is None else result.strain_gradient / pairs.volume
    return SimpleNamespace(energy=result.energies.sum(), forces=result.forces, stress=stress)


def mixture():
    rng = np.random.default_rng(4)
    cell = np.eye(3) * 4 + rng.normal(size=(3, 3)) * 0.2
    return Atoms("H3O3", scaled_positions=rng.random((6, 3)), cell=cell, pbc=True)


@pytest.mark.parametrize("r", [0.5, 1.3, 1.45, 1.7, 2.2, 3.2, 3.9])
@pytest.mark.parametrize(("a", "b"), [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_formula(r, a, b):
    """Of the first atom, whose element is the center."""
    x = np.clip((r - INNER[a, b] + WIDTH[a, b]) / WIDTH[a, b], 0, 1) if WIDTH[a, b] else 0.0
    switched = 1 - (6 * x**5 - 15 * x**4 + 10 * x**3)
    cosine = 0.5 * (1 + np.cos(np.pi * r / OUTER[a, b])) if r < OUTER[a, b] else 0.0
    expected = PREFACTOR[a, b] * np.exp(-EXPONENT[a, b] * r**2) / r * cosine * switched
    atoms = Atoms([CORE.elements[a], CORE.elements[b]], [[0, 0, 0], [0, r, 0]])
    assert CORE.compute(find_pairs(atoms, 4.5)).energies[0] == pytest.approx(expected, rel=1e-13, abs=1e-16)


def test_forces_and_stress_are_derivatives():
    check_forces(predict, mixture(), np.random.default_rng(0))
    check_stress(predict, mixture())


def test_large_exponent_is_zero():
    core = PaceCore(["H"], [[5.0]], [[30.0]], [[4.0]], [[0.0]], [[0.0]])
    near, far = (Atoms("H2", [[0, 0, 0], [0, 0, r]]) for r in (1.0, 1.3))
    assert core.compute(find_pairs(near, 4.0)).energies[0] > 0
    assert core.compute(find_pairs(far, 4.0)).energies[0] == 0


def test_state():
    assert isinstance(CORE, Baseline)
    again = baseline_from_state(json.loads(json.dumps(CORE.to_state())))
    pairs = find_pairs(mixture(), CORE.cutoff)
    np.testing.assert_array_equal(again.compute(pairs).forces, CORE.compute(pairs).forces)
    assert "H 3" in CORE.report()


def test_arrays_that_cannot_be_used():
    good = [[[1.0]]] * 5
    for place, bad in enumerate([[[-1.0]], [[np.inf]], [[1.0, 2.0]]]):
        arrays = [bad if k == place else array for k, array in enumerate(good)]
        with pytest.raises(SettingsError, match="must be finite, not negative"):
            PaceCore(["H"], *arrays)
