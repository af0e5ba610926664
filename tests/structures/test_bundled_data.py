"""The data files that come with the package: complete, small, physically consistent."""

from collections import Counter
from functools import cache
from importlib.resources import as_file, files

import numpy as np
import pytest
from ase.io import read
from ase.neighborlist import neighbor_list

SETS = ("silicon", "lithium_chloride")
#: Below this distance (Angstrom) there is no pair, but in the group close_contact.
SHORTEST = {
    ("Si", "Si"): 1.9,
    ("Li", "Li"): 1.8,
    ("Cl", "Li"): 1.7,
    ("Cl", "Cl"): 2.6,
}
SHORTEST_CONTACT = {("Si", "Si"): 1.6, ("Li", "Li"): 1.6, ("Cl", "Li"): 1.55, ("Cl", "Cl"): 2.4}
GROUPS = {
    "silicon": {
        "diamond", "strained", "rattled", "vacancy", "beta_tin", "simple_cubic", "hexagonal_diamond",
        "simple_hexagonal", "bcc", "fcc", "hot", "liquid", "amorphous", "close_contact",
    },
    "lithium_chloride": {
        "rocksalt", "strained", "rattled", "vacancy", "antisite", "cscl", "zincblende", "wurtzite", "hot", "melt",
        "close_contact",
    },
}  # fmt: skip


@cache
def load(name, part):
    with as_file(files("linmlp.structures") / "data" / f"{name}_{part}.xyz.gz") as path:
        return read(path, ":", format="extxyz")


def whole(name):
    return load(name, "train") + load(name, "test")


def groups(structures):
    return Counter(atoms.info["config_type"] for atoms in structures)


@pytest.mark.parametrize("name", SETS)
def test_counts_and_sizes(name):
    n_train, n_test = len(load(name, "train")), len(load(name, "test"))
    assert n_train + n_test >= 150
    assert 0.13 <= n_test / (n_train + n_test) <= 0.22
    folder = files("linmlp.structures") / "data"
    assert sum(len((folder / f"{name}_{part}.xyz.gz").read_bytes()) for part in ("train", "test")) <= 400_000


@pytest.mark.parametrize("name", SETS)
def test_groups(name):
    train, test = groups(load(name, "train")), groups(load(name, "test"))
    assert set(train) == GROUPS[name]
    assert set(test) <= set(train)
    for group, count in train.items():
        if count + test[group] >= 8:
            assert test[group] >= 1, group


@pytest.mark.parametrize("name", SETS)
def test_labels_are_there_and_finite(name):
    for atoms in whole(name):
        assert atoms.pbc.all()
        results = atoms.calc.results
        assert {"energy", "forces", "stress"} <= set(results)
        assert np.isfinite(results["energy"])
        assert results["forces"].shape == (len(atoms), 3)
        assert results["stress"].shape == (6,)
        assert np.isfinite(results["forces"]).all()
        assert np.isfinite(results["stress"]).all()
        assert -12 < results["energy"] / len(atoms) < 5
        assert np.abs(results["stress"]).max() < 2
        np.testing.assert_allclose(results["forces"].sum(axis=0), 0.0, atol=0.02)


@pytest.mark.parametrize("name", SETS)
def test_no_atoms_too_close(name):
    for atoms in whole(name):
        limits = SHORTEST_CONTACT if atoms.info["config_type"] == "close_contact" else SHORTEST
        i, j, d = neighbor_list("ijd", atoms, 3.0)
        symbols = np.array(atoms.get_chemical_symbols())
        for (first, second), limit in limits.items():
            chosen = (symbols[i] == first) & (symbols[j] == second)
            assert d[chosen].min(initial=np.inf) > limit - 1e-3, (atoms.info, first, second)


def distance_spectrum(atoms, cutoff=6.0, width=0.1):
    """Return a smooth histogram of the pair distances per atom, the same for however the cell is laid out."""
    i, j, d = neighbor_list("ijd", atoms, cutoff)
    kind = atoms.numbers[i] + atoms.numbers[j]
    grid = np.arange(1.5, cutoff, width / 2)
    weight = (1 - (d / cutoff) ** 2) ** 2 / d**2
    parts = [
        (np.exp(-(((grid[:, None] - d[kind == k]) / width) ** 2)) * weight[kind == k]).sum(axis=1)
        for k in np.unique(2 * atoms.numbers if len(set(atoms.numbers)) == 1 else [6, 20, 34])
    ]
    return np.concatenate(parts) / len(atoms)


@pytest.mark.parametrize("name", SETS)
def test_no_duplicates_across_the_split(name):
    cells = [{tuple(np.round(a.cell.array.ravel(), 4)) for a in load(name, part)} for part in ("train", "test")]
    assert not cells[0] & cells[1]
    train = np.array([distance_spectrum(a) for a in load(name, "train")])
    test = np.array([distance_spectrum(a) for a in load(name, "test")])
    apart = np.linalg.norm(train[:, None] - test[None], axis=2)
    scale = np.linalg.norm(np.concatenate([train, test]), axis=1).mean()
    assert apart.min() > 0.01 * scale


@pytest.mark.parametrize(
    ("name", "group", "modulus"), [("silicon", "diamond", 88), ("lithium_chloride", "rocksalt", 32)]
)
def test_stress_is_the_slope_of_the_energy(name, group, modulus):
    series = sorted((a for a in whole(name) if a.info["config_type"] == group), key=lambda a: a.get_volume())
    assert len(series) >= 6
    volume = np.array([a.get_volume() for a in series])
    energy = np.array([a.get_potential_energy() for a in series])
    stress = np.array([a.get_stress()[:3].mean() for a in series])
    curve = np.polynomial.Polynomial.fit(volume ** (-1 / 3), energy, 4)
    slope = curve.deriv()(volume ** (-1 / 3)) * (-1 / 3) * volume ** (-4 / 3)
    # positive under tension, as the energy rises with the volume
    np.testing.assert_allclose(stress, slope, atol=0.02 * np.abs(slope).max())
    # and the bulk modulus (GPa) is about that of the crystal
    fine = np.linspace(volume.min(), volume.max(), 400)
    lowest = fine[np.argmin(curve(fine ** (-1 / 3)))]
    rise = np.polynomial.Polynomial.fit(volume, stress, 3).deriv()(lowest) * lowest * 160.21766
    assert rise == pytest.approx(modulus, rel=0.2)


@pytest.mark.parametrize("name", SETS)
def test_only_ideal_crystals_have_no_forces(name):
    ideal = [a for a in whole(name) if a.info["config_type"] in ("diamond", "rocksalt")]
    for atoms in ideal:
        assert np.abs(atoms.get_forces()).max() < 0.01
    moved = [a for a in whole(name) if a.info["config_type"] in ("rattled", "hot")]
    assert all(np.abs(a.get_forces()).max() > 0.02 for a in moved)
