"""The ASE calculator: sums, the Verlet skin, molecular dynamics."""

import numpy as np
import pytest
from ase import Atoms, units
from ase.build import bulk
from ase.calculators.calculator import PropertyNotImplementedError
from ase.md.velocitydistribution import thermalize_momenta
from ase.md.verlet import VelocityVerlet

from linmlp import LinearPotential
from linmlp.exceptions import SettingsError, StructureError
from tests.naive.known_model import small_ace


@pytest.fixture
def crystal():
    atoms = bulk("Si", cubic=True, a=5.2)
    atoms.symbols[::2] = "C"
    atoms.rattle(0.1, seed=1)
    return atoms


def assert_same(atoms, prediction, tolerance=1e-9):
    assert atoms.get_potential_energy() == pytest.approx(prediction.energy, abs=tolerance)
    np.testing.assert_allclose(atoms.get_forces(), prediction.forces, atol=tolerance)
    if atoms.cell.rank == 3:
        np.testing.assert_allclose(atoms.get_stress(), prediction.stress, atol=tolerance)


def test_parts_sum_to_the_whole(carbide_model, crystal):
    crystal.calc = carbide_model.calculator()
    energy = crystal.get_potential_energy()
    assert energy == carbide_model.predict([crystal])[0]
    assert crystal.get_potential_energies().sum() == pytest.approx(energy, abs=1e-12)
    assert crystal.get_potential_energy(force_consistent=True) == energy
    np.testing.assert_allclose(crystal.get_stresses().sum(0), crystal.get_stress(), atol=1e-12)
    np.testing.assert_allclose(crystal.get_forces().sum(0), 0.0, atol=1e-10)
    assert crystal.get_forces().shape == (8, 3)
    assert crystal.get_stresses().shape == (8, 6)
    assert crystal.get_stress(voigt=False).shape == (3, 3)
    np.testing.assert_allclose(crystal.get_stress(), carbide_model.predict_stress([crystal])[0], atol=1e-12)


def test_stress_needs_a_cell(carbide_model):
    molecule = Atoms("CSi", [[0, 0, 0], [0, 0, 2.0]], calculator=carbide_model.calculator())
    for name in ("stress", "stresses"):
        with pytest.raises(PropertyNotImplementedError, match="volume"):
            molecule.calc.get_property(name, molecule)
    molecule.get_potential_energy()
    with pytest.raises(PropertyNotImplementedError):
        molecule.get_stress()
    assert np.isfinite(molecule.get_forces()).all()
    molecule.set_cell([9, 9, 9])
    assert np.isfinite(molecule.get_stress()).all()


@pytest.mark.parametrize("skin", [0.0, 0.3, 1.0])
def test_the_skin_changes_nothing_along_a_walk(carbide_model, crystal, skin):
    rng = np.random.default_rng(3)
    predict = carbide_model.predictor()
    crystal.calc = carbide_model.calculator(skin=skin)
    for step in range(25):
        crystal.positions += rng.normal(0, 0.04, (8, 3))
        if step % 4 == 2:
            crystal.set_cell(crystal.cell.array @ (np.eye(3) + rng.normal(0, 0.02, (3, 3))), scale_atoms=step % 8 == 2)
        if step == 15:
            crystal.wrap()
        assert_same(crystal, predict(crystal))
    searches = crystal.calc._neighbors.n_searches
    assert searches == 25 if skin == 0 else 1 < searches < 25


def test_one_calculator_for_different_structures_in_turn(carbide_model, crystal):
    calculator, predict = carbide_model.calculator(), carbide_model.predictor()
    swapped = crystal.copy()
    swapped.symbols[:2] = swapped.symbols[1::-1]
    slab = crystal.copy()
    slab.pbc = (True, True, False)
    others = [crystal, swapped, slab, Atoms("Si"), Atoms("C2", [[0, 0, 0], [0, 0, 1.9]]), crystal.repeat((2, 1, 1))]
    for atoms in [*others, *others[::-1]]:
        atoms.calc = calculator
        assert_same(atoms, predict(atoms))


def test_every_change_counts(carbide_model, crystal):
    crystal.calc = carbide_model.calculator()
    before = crystal.get_potential_energy()
    crystal.positions[0, 0] += 1e-9
    assert crystal.calc.check_state(crystal)
    assert crystal.get_potential_energy() != before
    crystal.info["name"], crystal.arrays["tags"] = "new", np.ones(8, dtype=int)
    crystal.set_initial_magnetic_moments(np.ones(8))
    assert not crystal.calc.check_state(crystal)


def test_results_do_not_change_afterwards(carbide_model, crystal):
    crystal.calc = carbide_model.calculator()
    forces = crystal.get_forces()
    kept = forces.copy()
    crystal.rattle(0.1, seed=2)
    crystal.get_forces()
    np.testing.assert_array_equal(forces, kept)


def test_threads_agree(carbide_model, crystal):
    large = crystal.repeat((2, 2, 1))
    one, two = carbide_model.calculator(n_threads=1), carbide_model.calculator(n_threads=2)
    for name in ("energies", "forces", "stresses"):
        np.testing.assert_allclose(one.get_property(name, large), two.get_property(name, large), atol=1e-11)


def test_dynamics_conserve_the_energy(silicon_model):
    atoms = bulk("Si", cubic=True, a=5.2)
    atoms.calc = silicon_model.calculator(n_threads=1)
    thermalize_momenta(atoms, temperature_K=300, rng=np.random.default_rng(0))
    spread = {}
    for step in (1.0, 0.5):  # velocity Verlet: errors fall with the square of the step
        moving = atoms.copy()
        moving.calc, energies = atoms.calc, []
        md = VelocityVerlet(moving, timestep=step * units.fs)
        md.attach(lambda moving=moving, energies=energies: energies.append(moving.get_total_energy()))
        md.run(int(60 / step))
        spread[step] = np.ptp(energies)
    assert spread[1.0] < 0.02 * atoms.get_kinetic_energy()
    assert spread[0.5] == pytest.approx(spread[1.0] / 4, rel=0.3)


def test_bad_input(carbide_model, crystal):
    calculator = carbide_model.calculator()
    for atoms, words in (
        (Atoms("Ge2", [[0, 0, 0], [0, 0, 2.0]]), "Ge.*knows C, Si"),
        (Atoms("Si", pbc=True), "cell"),
        (Atoms("Si2", [[0, 0, 0], [0, 0, np.nan]]), "finite"),
    ):
        atoms.calc = calculator
        for _ in range(2):  # no result of another structure may be left the second time
            with pytest.raises(StructureError, match=words):
                atoms.get_potential_energy()
    crystal.calc = calculator
    assert_same(crystal, carbide_model.predictor()(crystal))
    for skin in (-0.1, np.nan, np.inf):
        with pytest.raises(SettingsError, match="skin"):
            carbide_model.calculator(skin=skin)
    for n_threads in (0, -1, 1.5):
        with pytest.raises(SettingsError, match="n_threads"):
            carbide_model.calculator(n_threads=n_threads)


def test_a_calculator_as_baseline_under_the_skin(silicon_truth):
    """The baseline is asked with the structure, also where neighbors are not searched anew."""
    from ase.calculators.lj import LennardJones

    model = LinearPotential(small_ace(), alpha=1e-6, energy_weight=1.0, force_weight=1.0, stress_weight=1.0)
    model.set_params(baseline=LennardJones(sigma=1.8, epsilon=0.1, rc=5.0), e0={"Si": -1.0})
    model.fit(silicon_truth.structures)
    atoms = silicon_truth.structures[0].copy()
    atoms.calc = model.calculator()
    for _ in range(3):
        atoms.positions[0] += 0.01
        assert_same(atoms, model.predictor()(atoms))
