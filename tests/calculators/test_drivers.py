"""The calculator under programs that others wrote: ASE's optimizers, filters and bands, phonopy, matcalc."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.filters import FrechetCellFilter, UnitCellFilter
from ase.mep import NEB
from ase.optimize import BFGS, FIRE, LBFGS
from ase.phonons import Phonons

from linmlp import ACE, LinearPotential
from linmlp.datasets import load_silicon

OPTIMIZERS = {"BFGS": BFGS, "FIRE": FIRE, "LBFGS": LBFGS}


@pytest.fixture(scope="module")
def model():
    """A small potential of a real crystal."""
    train, _ = load_silicon()
    weights = {"energy_weight": 100.0, "force_weight": 1.0, "stress_weight": 100.0}
    return LinearPotential(ACE(cutoff=4.5, order=2, max_degree=(8, 6)), alpha=1e-7, fill_holes=False, **weights).fit(
        train
    )


@pytest.fixture
def crystal(model):
    atoms = bulk("Si", cubic=True, a=5.43)
    atoms.rattle(0.05, seed=1)
    atoms.calc = model.calculator()
    return atoms


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_find_the_crystal(model, crystal, name):
    before = crystal.get_potential_energy()
    assert OPTIMIZERS[name](crystal, logfile=None).run(fmax=1e-3, steps=200)
    assert crystal.get_potential_energy() < before
    np.testing.assert_allclose(model.predict_forces([crystal])[0], 0.0, atol=1e-3)


@pytest.mark.parametrize("cell_filter", [FrechetCellFilter, UnitCellFilter])
def test_cells_relax_to_zero_stress(model, crystal, cell_filter):
    strain = np.array([[0.02, 0.01, 0], [0.01, -0.02, 0], [0, 0, 0.01]])
    crystal.set_cell(crystal.cell.array @ (np.eye(3) + strain), True)
    assert FIRE(cell_filter(crystal), logfile=None).run(fmax=5e-3, steps=300)
    np.testing.assert_allclose(model.predict_stress([crystal])[0], 0.0, atol=5e-4)
    # A cell to which it returns from elsewhere, too.
    volume = crystal.get_volume()
    crystal.set_cell(0.98 * crystal.cell.array, True)
    FIRE(cell_filter(crystal), logfile=None).run(fmax=5e-3, steps=300)
    assert crystal.get_volume() == pytest.approx(volume, rel=1e-2)


class TestBands:
    @pytest.fixture
    def ends(self, model):
        """An atom that moves by a fifth of a bond, and back."""
        found = [bulk("Si", cubic=True, a=5.43) for _ in range(2)]
        found[1].positions[0] += 0.5
        return found

    def band(self, ends, calculators, **settings):
        images = [ends[0].copy(), *(ends[0].copy() for _ in range(3)), ends[1].copy()]
        for atoms, calculator in zip(images, calculators, strict=True):
            atoms.calc = calculator
        band = NEB(images, method="improvedtangent", **settings)
        band.interpolate()
        FIRE(band, logfile=None).run(fmax=0.05, steps=15)
        return images

    def test_one_calculator_per_image_or_one_for_all(self, model, ends):
        own = self.band(ends, [model.calculator() for _ in range(5)])
        shared = self.band(ends, [model.calculator()] * 5, allow_shared_calculator=True)
        parallel = self.band(ends, [model.calculator(n_threads=1) for _ in range(5)], parallel=True)
        for images in (own, shared, parallel):
            energies = [atoms.get_potential_energy() for atoms in images]
            np.testing.assert_allclose(energies, model.predict(images), atol=1e-9)
            np.testing.assert_allclose(energies, [a.get_potential_energy() for a in own], atol=1e-6)

    def test_sharing_must_be_said(self, model, ends):
        with pytest.raises(ValueError, match="share the same calculator"):
            self.band(ends, [model.calculator()] * 5)


def test_phonons_of_ase_and_phonopy(model, tmp_path, monkeypatch):
    phonopy = pytest.importorskip("phonopy")
    from phonopy.structure.atoms import PhonopyAtoms

    monkeypatch.chdir(tmp_path)
    crystal = bulk("Si", a=5.43)
    by_ase = Phonons(crystal, model.calculator(), supercell=(2, 2, 2), delta=0.01)
    by_ase.run()
    by_ase.read(acoustic=True)
    wave = [0.5, 0.5, 0.0]
    unit = PhonopyAtoms(symbols=crystal.symbols, cell=crystal.cell, scaled_positions=crystal.get_scaled_positions())
    phonon = phonopy.Phonopy(unit, 2 * np.eye(3, dtype=int))
    phonon.generate_displacements(distance=0.01)
    displaced = [
        Atoms(c.symbols, cell=c.cell, scaled_positions=c.scaled_positions, pbc=True)
        for c in phonon.supercells_with_displacements
    ]
    phonon.forces = model.predict_forces(displaced)
    phonon.produce_force_constants()
    in_thz = by_ase.band_structure([wave])[0] * 241.7989242
    np.testing.assert_allclose(in_thz, phonon.run_qpoints([wave]).frequencies[0], atol=0.05)


def test_matcalc(model):
    """Relaxation and elasticity by matcalc, which takes any ASE calculator."""
    matcalc = pytest.importorskip("matcalc", reason="matcalc is not installed (pip install matcalc)")
    crystal = bulk("Si", cubic=True, a=5.43)
    found = matcalc.RelaxCalc(model.calculator(), fmax=1e-3, relax_cell=True).calc(crystal)
    relaxed = found["final_structure"].to_ase_atoms()
    assert found["energy"] == pytest.approx(model.predict([relaxed])[0], abs=1e-6)
    np.testing.assert_allclose(model.predict_stress([relaxed])[0], 0.0, atol=1e-4)
