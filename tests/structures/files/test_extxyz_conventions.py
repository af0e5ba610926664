"""The same structure in extended XYZ as the codes of the field write it, through a file: one set of labels."""

import numpy as np
import pytest
from ase.io import read

from linmlp.structures import read_labels, read_structures, write_structures

STRESS = np.array([[0.01, 0.002, 0.003], [0.002, -0.02, 0.004], [0.003, 0.004, 0.03]])
VIRIAL = -STRESS * 4.0 * 4.0 * 5.0
FORCES = np.array([[0.1, -0.2, 0.3], [-0.3, 0.1, 0.2], [0.2, 0.1, -0.5]])  # three atoms, as many as rows of a tensor


def nine(tensor):
    return " ".join(f"{value:.12g}" for value in np.asarray(tensor).ravel())


CONVENTIONS = {
    "ASE": ("forces", f'energy=-7.5 stress="{nine(STRESS)}"'),
    "gap_fit": ("force", f'energy=-7.5 virial="{nine(VIRIAL)}" config_type=bulk'),
    "gap_fit, sigmas": ("force", f'energy=-7.5 virial="{nine(VIRIAL)}" energy_sigma=0.01 virial_sigma=0.2'),
    "MACE, stress": ("REF_forces", f'REF_energy=-7.5 REF_stress="{nine(STRESS)}" head=Default config_weight=2.0'),
    "MACE, virials": ("REF_forces", f'REF_energy=-7.5 REF_virials="{nine(VIRIAL)}"'),
    "ACEpotentials": ("Force", f'Energy=-7.5 Virial="{nine(VIRIAL)}"'),
    "published sets": ("dft_force", f'dft_energy=-7.5 dft_virial="{nine(VIRIAL)}" config_type=dia'),
    "GPUMD, virial": ("forces", f'energy=-7.5 virial="{nine(VIRIAL)}" weight=1.5'),
    "GPUMD, stress": ("forces", f'energy=-7.5 stress="{nine(STRESS)}"'),
    "both": ("forces", f'energy=-7.5 virial="{nine(VIRIAL)}" stress="{nine(STRESS)}"'),
}


@pytest.fixture(params=CONVENTIONS)
def path(request, tmp_path):
    column, entries = CONVENTIONS[request.param]
    rows = [f"Si {k} {0.5 * k} {1.1 * k} " + " ".join(map(str, force)) for k, force in enumerate(FORCES)]
    header = f'Lattice="4 0 0 0 4 0 0 0 5" Properties=species:S:1:pos:R:3:{column}:R:3 {entries} pbc="T T T"'
    (tmp_path / "a.xyz").write_text("\n".join(["3", header, *rows]) + "\n")
    return tmp_path / "a.xyz"


def test_labels(path):
    (label,) = read_labels(read_structures(path))
    assert label.energy == -7.5
    np.testing.assert_array_equal(label.forces, FORCES)
    np.testing.assert_allclose(label.stress, STRESS[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]], rtol=1e-10)


def test_written_in_one_convention(path):
    """What is written is what ASE itself reads as results, and nothing else that would be taken for a label."""
    before = read_structures(path)
    write_structures(path, before, overwrite=True)
    atoms = read(path)
    assert (atoms.get_potential_energy(), atoms.get_forces().tolist()) == (-7.5, FORCES.tolist())
    np.testing.assert_allclose(atoms.get_stress(voigt=False), STRESS, atol=1e-8)
    kept = {key for key in before[0].info if key in ("config_type", "config_weight", "weight", "head")}
    sigmas = {key for key in before[0].info if key.endswith("_sigma")}
    assert set(atoms.info) == kept | sigmas
    assert set(atoms.arrays) == {"numbers", "positions"}
