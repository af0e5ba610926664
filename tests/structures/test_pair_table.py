import json
import pickle

import numpy as np
import pytest
from ase import Atoms

from linmlp.exceptions import SettingsError
from linmlp.neighbors import find_pairs
from linmlp.structures.baselines import Baseline, PairTable, baseline_from_state
from tests.naive.baselines import naive_pair_sums

R = np.linspace(1.0, 4.0, 301)


def well(r, depth):
    """Smooth pair energy that vanishes with two derivatives at 4 Å."""
    return np.where(r < 4.0, depth * (np.exp(-3 * (r - 2)) - 2 * np.exp(-1.5 * (r - 2))) * (1 - r / 4.0) ** 3, 0.0)


DEPTHS = np.array([[1.0, 0.4], [0.4, 2.0]])
TABLE = PairTable(("H", "O"), R, DEPTHS[..., None] * well(R, 1.0))


def mixture(seed=0):
    rng = np.random.default_rng(seed)
    atoms = Atoms(
        "H4O4", scaled_positions=rng.random((8, 3)), cell=np.eye(3) * 4 + rng.normal(size=(3, 3)) * 0.2, pbc=True
    )
    assert find_pairs(atoms, 4.0).distances.min() > 0.5
    return atoms


def test_against_the_naive_sums():
    pairs = find_pairs(mixture(), 4.5)
    depth = {(1, 1): 1.0, (1, 8): 0.4, (8, 1): 0.4, (8, 8): 2.0}
    start = {z: well(1.0, d) for z, d in depth.items()}
    slope = {z: (well(1.0 + 1e-6, d) - well(1.0 - 1e-6, d)) / 2e-6 for z, d in depth.items()}

    def energy_of(r, a, b):
        z = int(a), int(b)
        return well(r, depth[z]) if r >= 1.0 else start[z] + slope[z] * (r - 1.0)

    result = TABLE.compute(pairs)
    for mine, theirs in zip(
        (result.energies, result.forces, result.atom_strain_gradient),
        naive_pair_sums(pairs, energy_of),
        strict=True,
    ):
        # A cubic spline of spacing 0.01 Å follows the slope to about 1e-5 at its first knot.
        np.testing.assert_allclose(mine, theirs, atol=3e-5 * np.abs(theirs).max())
    assert result.energies.sum() == pytest.approx(naive_pair_sums(pairs, energy_of)[0].sum(), rel=3e-5)


def test_forces_are_derivatives():
    atoms, h = mixture(1), 1e-4
    forces = TABLE.compute(find_pairs(atoms, 4.0)).forces
    for i, axis in ((0, 0), (3, 1), (7, 2)):
        energies = []
        for sign in (-1, 1):
            moved = atoms.copy()
            moved.positions[i, axis] += sign * h
            energies.append(TABLE.compute(find_pairs(moved, 4.0)).energies.sum())
        assert -(energies[1] - energies[0]) / (2 * h) == pytest.approx(forces[i, axis], abs=1e-5)


def test_goes_on_along_the_tangent():
    def energy(r):
        return TABLE.compute(find_pairs(Atoms("H2", positions=[[0, 0, 0], [0, 0, r]]), 4.0)).energies.sum()

    assert energy(0.5) - energy(0.4) == pytest.approx(energy(0.9) - energy(0.8))
    assert energy(0.4) > energy(0.9) > energy(1.0)
    assert energy(1.0 - 1e-9) == pytest.approx(energy(1.0 + 1e-9), rel=1e-6)
    assert energy(3.999999) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("distances", "energies", "message"),
    [
        (R[:3], np.zeros((1, 1, 3)), "at least four growing positive"),
        (R**2, np.zeros((1, 1, 301)), "evenly spaced"),
        (R, np.zeros((1, 301)), "of shape"),
        (R, np.ones((1, 1, 301)), "zero at the last distance"),
    ],
)
def test_bad_tables(distances, energies, message):
    with pytest.raises(SettingsError, match=message):
        PairTable(["H"], distances, energies)


def test_asymmetric_table():
    with pytest.raises(SettingsError, match="same for A-B and B-A"):
        PairTable(["H", "O"], R, np.array([[1, 2], [3, 4]])[..., None] * (R - 4.0) ** 2)


def test_states_survive_json_and_pickle():
    assert isinstance(TABLE, Baseline)
    pairs = find_pairs(mixture(), 4.0)
    expected = TABLE.compute(pairs)
    for again in (baseline_from_state(json.loads(json.dumps(TABLE.to_state()))), pickle.loads(pickle.dumps(TABLE))):
        np.testing.assert_array_equal(again.compute(pairs).forces, expected.forces)
        assert again.cutoff == TABLE.cutoff
        assert again.report() == TABLE.report()


def test_energies_of_pairs():
    """Those of dimers: below the table, inside, at its end and beyond."""
    distances = np.array([0.4, 1.0, 1.234, 3.9, 4.0, 5.0])
    energies, forces = TABLE.pair_energies("H", "O", distances)
    for r, energy, force in zip(distances, energies, forces, strict=True):
        dimer = TABLE.compute(find_pairs(Atoms("HO", [[0, 0, 0], [0, 0, r]]), 4.5))
        assert energy == pytest.approx(dimer.energies.sum(), abs=1e-14)
        assert force == pytest.approx(dimer.forces[1, 2], abs=1e-13)
