"""Scans of dimers and of compressed crystals, and what is said of them."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from linmlp import LinearPotential
from linmlp.evaluation import CompressionScan, plot_compression, plot_dimers, scan_compression, scan_dimers
from linmlp.exceptions import SettingsError, StructureError
from linmlp.neighbors import find_pairs
from tests.naive.known_model import WEIGHTS, small_ace

mpl.use("Agg")


@pytest.fixture(autouse=True)
def _no_figures_left():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def bare(carbide_truth):
    """Without a repulsive core."""
    model = LinearPotential(small_ace(), alpha=1e-6, baseline=None, **WEIGHTS)
    return model.fit(carbide_truth.structures)


def test_scan_is_energies_and_forces_of_dimers(carbide_model):
    scan = scan_dimers(carbide_model, n_points=30)
    assert [dimer.name for dimer in scan.dimers] == ["C-C", "C-Si", "Si-Si"]
    for dimer in scan.dimers:
        r = dimer.distances[7]
        atoms = Atoms(dimer.elements, [[0, 0, 0], [0, 0, r]], calculator=carbide_model.calculator())
        separate = sum(carbide_model.e0_[element] for element in dimer.elements)
        assert dimer.energies[7] == pytest.approx(atoms.get_potential_energy() - separate, abs=1e-8)
        assert dimer.forces[7] == pytest.approx(atoms.get_forces()[1, 2], abs=1e-8)
        step = 1e-5
        energies = []
        for distance in (r - step, r + step):
            atoms.positions[1, 2] = distance
            energies.append(
                sum(baseline.compute(*_pairs(atoms)).energies.sum() for baseline in carbide_model.baselines_)
            )
        assert dimer.baseline_forces[7] == pytest.approx(-np.diff(energies)[0] / (2 * step), rel=1e-4, abs=1e-6)


def _pairs(atoms):
    return find_pairs(atoms, 8.0), atoms


def test_closest_approaches_are_those_of_the_structures(bare, carbide_truth):
    scan = scan_dimers(bare, carbide_truth.structures, n_points=10)
    for dimer in scan.dimers:
        a, b = dimer.elements
        found = []
        for atoms in carbide_truth.structures:
            big = atoms.repeat([2 if p else 1 for p in atoms.pbc])
            distances = big.get_all_distances(mic=True) + 1e3 * np.eye(len(big))
            at, to = (np.flatnonzero(np.array(big.get_chemical_symbols()) == symbol) for symbol in (a, b))
            found.append(distances[np.ix_(at, to)].min(initial=np.inf))
        assert dimer.closest == pytest.approx(min(found), abs=1e-6)


def test_a_core_is_seen_and_its_absence_is_told(carbide_model, bare, carbide_truth):
    safe = scan_dimers(carbide_model)
    assert safe.is_safe
    assert "repels everywhere below the closest approach" in str(safe)
    assert "leans on the baseline alone" in str(safe)
    spoilt = scan_dimers(bare, carbide_truth.structures)
    assert not spoilt.is_safe
    assert "ATTRACTS at" in str(spoilt)
    attracting = [dimer for dimer in spoilt.dimers if np.isfinite(dimer.attraction)]
    for dimer in attracting:
        at = int(np.searchsorted(dimer.distances, dimer.attraction))
        assert dimer.forces[at] <= 0.0
        assert (dimer.forces[(dimer.distances > dimer.attraction) & (dimer.distances < dimer.closest)] > 0.0).all()
        assert np.isnan(dimer.leans_below)
    unknown = scan_dimers(bare)
    assert not unknown.is_safe
    assert "pass the training structures" in str(unknown)


def test_compression_is_the_potential_at_scaled_cells(silicon_model):
    atoms = bulk("Si", cubic=True)
    scan = scan_compression(silicon_model, atoms, [1.1, 0.9])
    np.testing.assert_array_equal(scan.factors, [0.9, 1.1])
    atoms.set_cell(0.9 * atoms.cell.array, scale_atoms=True)
    atoms.calc = silicon_model.calculator()
    assert scan.energies[0] == pytest.approx(atoms.get_potential_energy() / 8)
    assert scan.volumes[0] == pytest.approx(atoms.get_volume() / 8)
    assert scan.nearest[0] == pytest.approx(0.9 * 5.43 * np.sqrt(3) / 4, rel=1e-6)
    assert scan.pressures[0] == pytest.approx(-atoms.get_stress()[:3].mean() * 160.2176634, rel=1e-6)


def test_what_is_said_of_compression():
    factors = np.linspace(0.6, 1.4, 9)
    volumes = 20.0 * factors**3
    energies = (factors - 1.1) ** 2
    firm = CompressionScan(factors, volumes, energies, 100.0 * (1.1 - factors), 2.35 * factors)
    assert firm.equilibrium == pytest.approx(20.0 * 1.1**3)
    assert np.isnan(firm.collapse)
    assert firm.statement().startswith("withstands compression")
    pressures = np.where(factors < 0.75, -50.0, firm.pressures)
    soft = CompressionScan(factors, volumes, np.where(factors < 0.75, -9.0, energies), pressures, firm.nearest)
    assert soft.equilibrium == firm.equilibrium  # the lowest energy of all lies behind the barrier
    assert soft.collapse == pytest.approx(20.0 * 0.7**3)
    assert "COLLAPSES below 6.86" in soft.statement()


def test_plots_show_the_scan(carbide_model):
    scan = scan_dimers(carbide_model, n_points=20)
    axes = plot_dimers(scan)
    assert [ax.get_title() for ax in axes] == ["C-C", "C-Si", "Si-Si"]
    np.testing.assert_array_equal(axes[1].lines[0].get_ydata(), scan.dimers[1].energies)
    compression = scan_compression(carbide_model, bulk("SiC", "zincblende", a=4.36), np.linspace(0.8, 1.2, 5))
    energy, pressure = plot_compression(compression, closest=1.7)
    np.testing.assert_array_equal(energy.lines[0].get_ydata(), compression.energies)
    np.testing.assert_array_equal(pressure.lines[0].get_ydata(), compression.pressures)


def test_bad_input(silicon_model):
    with pytest.raises(SettingsError, match="n_points=1"):
        scan_dimers(silicon_model, n_points=1)
    with pytest.raises(StructureError, match="must be periodic in all three"):
        scan_compression(silicon_model, Atoms("Si2", [[0, 0, 0], [2, 0, 0]]))
    with pytest.raises(SettingsError, match="lengths above 0"):
        scan_compression(silicon_model, bulk("Si"), [0.0, 1.0])
