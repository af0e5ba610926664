"""Radial distributions: an ideal gas gives 1, lattices their shells, and a double loop the same numbers."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from linmlp.evaluation.mechanics import radial_distribution
from linmlp.exceptions import SettingsError, StructureError


def gas(n_frames, symbols, seed, cell=((7.0, 0, 0), (1.0, 6.5, 0), (0, -1.0, 8.0))):
    rng = np.random.default_rng(seed)
    n = len(Atoms(symbols))
    return [Atoms(symbols, cell=cell, scaled_positions=rng.random((n, 3)), pbc=True) for _ in range(n_frames)]


def naive(frame, edges, a, b):
    """Return g by the definition, a loop over all pairs and images."""
    counts = np.zeros(len(edges) - 1)
    symbols, n = frame.get_chemical_symbols(), range(-2, 3)
    images = [np.array([i, j, k]) @ frame.cell.array for i in n for j in n for k in n]
    for i, first in enumerate(symbols):
        for j, second in enumerate(symbols):
            if (first, second) != (a, b) or i == j:
                continue
            for image in images:
                r = np.linalg.norm(frame.positions[j] + image - frame.positions[i])
                for k in range(len(counts)):
                    counts[k] += edges[k] <= r < edges[k + 1]
    n_a, n_b = symbols.count(a), symbols.count(b)
    shells = 4 / 3 * np.pi * (edges[1:] ** 3 - edges[:-1] ** 3)
    return counts * frame.get_volume() / (n_a * (n_b - (a == b)) * shells)


def test_an_ideal_gas_gives_one():
    """Few atoms, so that N instead of N - 1 would be seen; beyond half the cell, where images are counted, too."""
    result = radial_distribution(gas(1500, "Li3Cl5", 0), cutoff=6.4, n_bins=16, n_blocks=10)
    for pair in result.pairs:
        wide = result.edges[1:] > 1.5
        off = (pair.g - 1.0)[wide] / pair.errors[wide]
        assert np.abs(off).max() < 5.0
        weights = np.diff(result.edges**3)
        assert np.sum(weights * pair.g) / weights.sum() == pytest.approx(1.0, abs=0.01)
    assert [pair.name for pair in result.pairs] == ["Cl-Cl", "Cl-Li", "Li-Li"]


def test_errors_hold():
    off = []
    for seed in range(20):
        result = radial_distribution(gas(100, "Li4", seed), cutoff=6.0, n_bins=4, n_blocks=10)
        off.extend(((result.pairs[0].g - 1.0) / result.pairs[0].errors)[1:])
    assert np.std(off) == pytest.approx(1.0, abs=0.3)


def test_the_definition():
    (frame,) = gas(1, "Li4Cl3", 3)
    result = radial_distribution([frame], cutoff=6.0, n_bins=9)
    for pair in result.pairs:
        np.testing.assert_allclose(pair.g, naive(frame, result.edges, *pair.elements), rtol=1e-12)
        assert np.isnan(pair.errors).all()


def test_shells_of_lattices():
    copper = radial_distribution(bulk("Cu", a=3.6, cubic=True).repeat(3), cutoff=6.0, n_bins=600)
    shells = 3.6 * np.sqrt(np.arange(1, 6) / 2.0)
    counted = np.cumsum([12, 6, 24, 12, 24])
    (pair,) = copper.pairs
    for r, n in zip(shells, counted, strict=True):
        assert pair.neighbors[np.searchsorted(copper.edges, r + 0.02) - 1] == pytest.approx(n)
    assert set(np.flatnonzero(pair.g)) <= {
        k for r in shells for k in (np.searchsorted(copper.edges, r) - 1, np.searchsorted(copper.edges, r))
    }
    salt = radial_distribution(bulk("NaCl", "rocksalt", a=5.6, cubic=True).repeat(2), cutoff=3.0)
    last = {p.name: p.neighbors[-1] for p in salt.pairs}
    assert last == {"Cl-Cl": 0.0, "Cl-Na": 6.0, "Na-Na": 0.0}


def test_volumes_may_differ():
    frames = gas(400, "Li6", 1) + gas(400, "Li6", 2, cell=np.diag([9.0, 8.0, 7.0]))
    result = radial_distribution(frames, cutoff=6.0, n_bins=3)
    assert result.pairs[0].g[2] == pytest.approx(1.0, abs=0.02)


def test_reference():
    frames, others = gas(200, "Li6", 1), gas(200, "Li6", 2)
    same = radial_distribution(frames, cutoff=6.0, n_bins=6, reference=frames).deviation()["Li-Li"]
    assert same["largest"] == 0.0
    noise = radial_distribution(frames, cutoff=6.0, n_bins=6, reference=others)
    assert 0.0 < noise.deviation()["Li-Li"]["mean"] < 0.3
    assert "against the reference" in str(noise)
    assert noise.to_dict()["deviation"]["Li-Li"]["largest"] > 0.0
    with pytest.raises(SettingsError, match="other elements or other bins"):
        radial_distribution(frames, cutoff=6.0, n_bins=6, reference=radial_distribution(frames, cutoff=5.0))


def test_input_that_cannot_be_used():
    with pytest.raises(StructureError, match="no frames"):
        radial_distribution([])
    with pytest.raises(StructureError, match="periodic in all three"):
        radial_distribution([Atoms("Cu2", [[0, 0, 0], [2, 0, 0]])])
    with pytest.raises(StructureError, match="one composition"):
        radial_distribution([bulk("Cu"), bulk("Ag")])
    with pytest.raises(SettingsError, match=r"own periodic images at 2\.5"):
        radial_distribution([bulk("Cu", a=3.6)], cutoff=5.0)
    with pytest.raises(SettingsError, match="n_bins=0"):
        radial_distribution([bulk("Cu").repeat(3)], n_bins=0)
