import json
import pickle

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones
from ase.calculators.morse import MorsePotential

from linmlp.exceptions import InputError, ModelFileError, SettingsError
from linmlp.neighbors import find_pairs
from linmlp.structures.baselines import (
    ZBL,
    Baseline,
    CalculatorBaseline,
    PairTable,
    baseline_from_state,
    closest_approaches,
)
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


class TestClosestApproaches:
    def test_against_single_structures(self):
        structures = [molecule("H2O"), molecule("CH4"), molecule("CO"), molecule("O2")]
        closest = closest_approaches((find_pairs(atoms, 3.0) for atoms in structures), ("H", "C", "O"))
        np.testing.assert_array_equal(closest, closest.T)
        distances = [atoms.get_all_distances() for atoms in structures]
        assert closest[0, 0] == pytest.approx(min(distances[0][1, 2], distances[1][1, 2:].min()))
        assert closest[0, 1] == pytest.approx(distances[1][0, 1])
        assert closest[0, 2] == pytest.approx(distances[0][0, 1])
        assert closest[1, 2] == pytest.approx(distances[2][0, 1])
        assert closest[2, 2] == pytest.approx(distances[3][0, 1])
        assert closest[1, 1] == np.inf

    def test_periodic_images_count(self):
        assert closest_approaches([find_pairs(bulk("Cu", a=3.6), 3.0)], ("Cu",))[0, 0] == pytest.approx(3.6 / 2**0.5)

    def test_unknown_element(self):
        with pytest.raises(InputError, match="does not know the element H"):
            closest_approaches([find_pairs(molecule("H2O"), 2.0)], ("O",))


class TestPairTable:
    def test_against_the_naive_sums(self):
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

    def test_forces_are_derivatives(self):
        atoms, h = mixture(1), 1e-4
        forces = TABLE.compute(find_pairs(atoms, 4.0)).forces
        for i, axis in ((0, 0), (3, 1), (7, 2)):
            energies = []
            for sign in (-1, 1):
                moved = atoms.copy()
                moved.positions[i, axis] += sign * h
                energies.append(TABLE.compute(find_pairs(moved, 4.0)).energies.sum())
            assert -(energies[1] - energies[0]) / (2 * h) == pytest.approx(forces[i, axis], abs=1e-5)

    def test_goes_on_along_the_tangent(self):
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
    def test_bad_tables(self, distances, energies, message):
        with pytest.raises(SettingsError, match=message):
            PairTable(["H"], distances, energies)

    def test_asymmetric_table(self):
        with pytest.raises(SettingsError, match="same for A-B and B-A"):
            PairTable(["H", "O"], R, np.array([[1, 2], [3, 4]])[..., None] * (R - 4.0) ** 2)


class TestCalculatorBaseline:
    @pytest.mark.parametrize("make", [lambda: LennardJones(rc=5.0), EMT, lambda: MorsePotential(r0=2.6)])
    def test_equals_the_calculator(self, make):
        atoms = bulk("Cu", cubic=True) * (2, 1, 1)
        atoms.rattle(0.1, seed=0)
        result = CalculatorBaseline(make()).compute(find_pairs(atoms, 3.0), atoms)
        atoms.calc = make()
        assert result.energies.sum() == pytest.approx(atoms.get_potential_energy(force_consistent=True))
        np.testing.assert_allclose(result.forces, atoms.get_forces())
        np.testing.assert_allclose(result.strain_gradient, atoms.get_volume() * atoms.get_stress(), atol=1e-10)
        np.testing.assert_allclose(result.atom_strain_gradient.sum(axis=0), result.strain_gradient, atol=1e-10)

    def test_molecule_has_no_stress(self):
        atoms = molecule("H2O")
        result = CalculatorBaseline(LennardJones()).compute(find_pairs(atoms, 3.0), atoms)
        assert not result.strain_gradient.any()
        assert result.atom_strain_gradient.shape == (3, 6)

    def test_structure_and_its_calculator_stay_as_they_are(self):
        atoms = bulk("Cu")
        CalculatorBaseline(EMT()).compute(find_pairs(atoms, 3.0), atoms)
        assert atoms.calc is None

    def test_needs_the_structure(self):
        with pytest.raises(SettingsError, match=r"ase\.calculators\.emt\.EMT is a calculator and needs the structure"):
            CalculatorBaseline(EMT()).compute(find_pairs(bulk("Cu"), 3.0))

    def test_must_be_passed_on_loading(self):
        state = json.loads(json.dumps(CalculatorBaseline(EMT()).to_state()))
        with pytest.raises(ModelFileError, match=r"pass it: linmlp\.load\(path, baseline=calculator\)"):
            baseline_from_state(state)
        with pytest.raises(ModelFileError, match=r"but got ase\.calculators\.lj\.LennardJones"):
            baseline_from_state(state, LennardJones())
        assert baseline_from_state(state, EMT()).name == "ase.calculators.emt.EMT"
        assert baseline_from_state(state, CalculatorBaseline(EMT())).name == "ase.calculators.emt.EMT"


@pytest.mark.parametrize("baseline", [TABLE, ZBL(["H", "O"], np.ones((2, 2)), np.full((2, 2), 2.0))])
def test_states_survive_json_and_pickle(baseline):
    assert isinstance(baseline, Baseline)
    pairs = find_pairs(mixture(), 4.0)
    expected = baseline.compute(pairs)
    for again in (
        baseline_from_state(json.loads(json.dumps(baseline.to_state()))),
        pickle.loads(pickle.dumps(baseline)),
    ):
        np.testing.assert_array_equal(again.compute(pairs).forces, expected.forces)
        assert again.cutoff == baseline.cutoff
        assert again.report() == baseline.report()


def test_unknown_kind():
    with pytest.raises(ModelFileError, match="of kind 'magic'"):
        baseline_from_state({"kind": "magic"})
