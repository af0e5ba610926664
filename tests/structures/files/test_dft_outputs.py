"""Outputs of DFT codes; how the samples were made stands beside them."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from ase.units import Bohr, GPa, Hartree, Rydberg

from linmlp.exceptions import InputError, LinmlpWarning
from linmlp.structures import read_labels, read_structures, write_structures
from linmlp.units import voigt_from_matrix
from tests.structures.files.vasp_texts import outcar, vasprun

SAMPLES = Path(__file__).parent / "samples"
CELL = np.array([[0.081, 2.7, 2.727], [2.754, 0.108, 2.7], [2.835, 2.754, 0.027]])
POSITIONS = np.array([[0.0, 0.0, 0.0], [1.4675, 1.3605, 1.4035]])
"""The structure of all samples."""


def step(**changes):
    """A step of the same structure with numbers that differ in every component."""
    kbar = np.array([[12.0, 1.0, -2.0], [1.0, 15.0, 3.0], [-2.0, 3.0, 9.0]])
    forces = np.array([[0.1, -0.2, 0.3], [-0.1, 0.2, -0.3]])
    values = {"scaled": POSITIONS @ np.linalg.inv(CELL), "forces": forces, "kbar": kbar, "free": -10.5, "zero": -10.4}
    return {**values, "n_electronic": 8, "is_converged": True, **changes}


WRITERS = {"vasprun.xml": vasprun, "OUTCAR": outcar, "run_7.xml": vasprun, "run_7.txt": outcar}


@pytest.mark.parametrize(("name", "n_steps"), [("espresso.pwo", 2), ("gpaw.txt", 2), ("gpaw.gpw", 1), ("cp2k.out", 1)])
def test_same_structure_from_every_code(name, n_steps):
    structures = read_structures(SAMPLES / name)
    assert len(structures) == n_steps
    first = structures[0]
    assert first.get_chemical_formula() == "Si2"
    assert first.pbc.all()
    np.testing.assert_allclose(first.cell.array, CELL, atol=2e-6)
    np.testing.assert_allclose(first.positions, POSITIONS, atol=2e-6)
    label = read_labels(structures)[0]
    # All codes push the atoms apart along about the same direction, and all but LCAO without stress squeeze out.
    assert label.forces[0] @ [1, -0.75, 1.4] > 0.9 * np.linalg.norm(label.forces[0]) * np.linalg.norm([1, -0.75, 1.4])
    assert name == "gpaw.gpw" or label.stress[:3].sum() < 0.0


def test_numbers_as_printed():
    """Numbers typed off the samples, in the units in which they stand there."""
    espresso, gpaw, cp2k, gpw = (
        read_labels(read_structures(SAMPLES / name))[0] for name in ("espresso.pwo", "gpaw.txt", "cp2k.out", "gpaw.gpw")
    )
    assert espresso.energy == pytest.approx(-15.65589702 * Rydberg)
    assert espresso.forces[0, 2] == pytest.approx(0.05090126 * Rydberg / Bohr)
    assert espresso.stress[5] == pytest.approx(81.79 * 0.1 * GPa, rel=1e-4)
    assert gpaw.energy == -10.327898  # "Free energy", not "Extrapolated"
    assert gpaw.forces[0].tolist() == [1.02931, -0.93798, 1.29153]
    assert gpaw.stress[3] == 0.075322
    assert gpw.energy > gpaw.energy  # other settings
    assert cp2k.energy == pytest.approx(-7.806857535292995 * Hartree)
    assert cp2k.forces[0, 2] == pytest.approx(0.03564891 * Hartree / Bohr)
    assert cp2k.stress[5] == pytest.approx(17.9488188828 * GPa, rel=1e-6)


def test_stress_of_cp2k_is_the_derivative_of_its_energy():
    """Energies of the cell scaled by 0.99 and 1.01, by the same input, give the trace with the sign of tension."""
    energies = {0.99: -7.80396540, 1.01: -7.80880397}  # Hartree
    derivative = (energies[1.01] - energies[0.99]) * Hartree / 0.02 / 3
    volume = abs(np.linalg.det(CELL))
    assert derivative / volume == pytest.approx(
        read_labels(read_structures(SAMPLES / "cp2k.out"))[0].stress[:3].mean(), rel=0.02
    )


@pytest.mark.parametrize("name", WRITERS)
def test_vasp(tmp_path, name):
    (tmp_path / name).write_text(WRITERS[name](CELL, ["Si", "Si"], [step(), step(free=-11.0)]))
    structures = read_structures(tmp_path / name)
    first, second = read_labels(structures)
    np.testing.assert_allclose(structures[0].positions, POSITIONS, atol=1e-8)
    assert (first.energy, second.energy) == (-10.5, -11.0)  # the free energy, to which forces belong
    assert structures[0].get_potential_energy() == pytest.approx(-10.4)
    np.testing.assert_allclose(first.forces, step()["forces"])
    # Compressed (positive kbar) is negative here.
    np.testing.assert_allclose(first.stress, -voigt_from_matrix(step()["kbar"]) * 0.1 * GPa, rtol=1e-6)


@pytest.mark.parametrize("name", ["vasprun.xml", "OUTCAR"])
def test_vasp_steps_that_did_not_converge(tmp_path, name):
    bad = step(free=-1.0, n_electronic=60, is_converged=False)
    (tmp_path / name).write_text(WRITERS[name](CELL, ["Si", "Si"], [step(), bad, step(free=-11.0)]))
    with pytest.warns(LinmlpWarning, match="did not converge are left out, 1 of them; 2 others are read"):
        structures = read_structures(tmp_path / name)
    assert [label.energy for label in read_labels(structures)] == [-10.5, -11.0]
    (tmp_path / name).write_text(WRITERS[name](CELL, ["Si", "Si"], [bad]))
    with pytest.raises(InputError, match="there are no others; converge the run"):
        read_structures(tmp_path / name)


@pytest.mark.parametrize("name", ["vasprun.xml", "OUTCAR"])
def test_vasp_runs_that_were_cut_short(tmp_path, name):
    text = WRITERS[name](CELL, ["Si", "Si"], [step(), step(free=-11.0)])
    second = text.index("<calculation>" if name.endswith("xml") else "Iteration", text.index("-10.5"))
    for end in (second + 60, second + 300):
        (tmp_path / name).write_text(text[:end])
        with pytest.warns(LinmlpWarning, match="cut short; its 1 complete steps are read"):
            structures = read_structures(tmp_path / name)
        assert [label.energy for label in read_labels(structures)] == [-10.5]


def test_other_codes_that_were_cut_short(tmp_path):
    for name, word in (("espresso.pwo", "End of BFGS"), ("gpaw.txt", "Memory usage")):
        text = (SAMPLES / name).read_text()
        (tmp_path / name).write_text(text[: text.index(word)])
        with pytest.warns(LinmlpWarning, match="cut short; its 2 complete steps"):
            read_structures(tmp_path / name)


@pytest.mark.parametrize("name", ["espresso_unconverged.pwo", "gpaw_unconverged.txt", "cp2k_unconverged.out"])
def test_unconverged_runs(tmp_path, name):
    with pytest.raises(InputError, match="did not converge are left out, 1 of them, and there are no others"):
        read_structures(SAMPLES / name)
    if name.startswith(("espresso", "cp2k")):  # codes whose outputs can stand one after another in a file
        good = SAMPLES / name.replace("_unconverged", "")
        (tmp_path / name).write_text(good.read_text() + (SAMPLES / name).read_text())
        with pytest.warns(LinmlpWarning, match="left out, 1 of them"):
            structures = read_structures(tmp_path / name)
        assert len(structures) == len(read_structures(good))


def test_cp2k_says_what_it_lacks(tmp_path):
    text, path = (SAMPLES / "cp2k.out").read_text(), tmp_path / "cp2k.out"
    energy = next(line for line in text.splitlines() if "ENERGY|" in line)
    for changed, message in (
        (text.replace(energy, f"{energy}\n{energy}"), "2 energies, but CP2K prints coordinates of the first"),
        (text.replace("ATOMIC COORDINATES", "x"), "no coordinates or no cell; run CP2K with PRINT_LEVEL MEDIUM"),
        (text.replace("ATOMIC FORCES", "FORCES| Atomic forces").replace("\n FORCES|", "\n  FORCES|"), "newer CP2K"),
    ):
        path.write_text(changed)
        with pytest.raises(InputError, match=message):
            read_structures(path)
    path.write_text(text.replace("XYZ", "XY"))
    assert read_structures(path)[0].pbc.tolist() == [True, True, False]


@pytest.mark.parametrize("name", ["vasprun.xml", "OUTCAR", "espresso.pwo", "gpaw.txt", "cp2k.out", "a.cfg", "a.json"])
def test_packed(tmp_path, name):
    if name in WRITERS:
        (tmp_path / name).write_text(WRITERS[name](CELL, ["Si", "Si"], [step()]))
    elif name.startswith("a."):
        write_structures(tmp_path / name, read_structures(SAMPLES / "cp2k.out"))
    else:
        (tmp_path / name).write_bytes((SAMPLES / name).read_bytes())
    with gzip.open(tmp_path / f"{name}.gz", "wb") as file:
        file.write((tmp_path / name).read_bytes())
    plain, packed = (read_labels(read_structures(tmp_path / found)) for found in (name, f"{name}.gz"))
    assert [label.energy for label in packed] == [label.energy for label in plain]


def test_one_structure_through_all_formats(tmp_path):
    """The same labels from VASP's two files and from every format that is written."""
    for name in ("vasprun.xml", "OUTCAR"):
        (tmp_path / name).write_text(WRITERS[name](CELL, ["Si", "Si"], [step()]))
    (source,) = read_structures(tmp_path / "vasprun.xml")
    for name in ("a.xyz", "a.cfg", "a.json", "a.traj"):
        write_structures(tmp_path / name, [source])
    wanted = read_labels([source])[0]
    for name in ("OUTCAR", "a.xyz", "a.cfg", "a.json", "a.traj"):
        (found,) = read_labels(read_structures(tmp_path / name))
        assert found.energy == pytest.approx(wanted.energy, abs=1e-12)
        np.testing.assert_allclose(found.forces, wanted.forces, atol=1e-8)
        np.testing.assert_allclose(found.stress, wanted.stress, atol=1e-8)
        np.testing.assert_allclose(found.volume, wanted.volume, rtol=1e-7)
