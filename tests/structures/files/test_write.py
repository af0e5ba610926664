import os
import resource

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator
from ase.constraints import FixAtoms
from ase.db import connect
from ase.io import read

from linmlp.exceptions import InputError, LabelError, LinmlpWarning
from linmlp.structures import read_labels, read_structures, write_structures

NAMES = ("a.xyz", "a.extxyz", "a.cfg", "a.traj")


@pytest.fixture
def structures():
    """Crystals with labels of several conventions, a constraint, weights, a mask and a group."""
    found = []
    for k, keys in enumerate([("REF_energy", "REF_forces", "REF_stress"), ("dft_energy", "dft_force", "dft_virial")]):
        atoms = bulk("NaCl", "rocksalt", a=5.6) * (1, 1, k + 1)
        energy, force, stress = keys
        volume = atoms.get_volume() if "virial" in stress else 1.0
        atoms.info = {energy: -3.0 - k, stress: np.diag([0.01, 0.02, 0.03]) * volume, "config_type": f"set{k}"}
        atoms.info |= {"energy": 99.0, "energy_weight": 2.0}
        atoms.arrays[force] = np.full((len(atoms), 3), 0.1 + k)
        atoms.arrays["force_mask"] = np.arange(len(atoms)) == 0
        atoms.set_constraint(FixAtoms([0]))
        found.append(atoms)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_labels_survive(tmp_path, structures, name):
    if name.endswith("xyz"):
        write_structures(tmp_path / name, structures)
    else:
        with pytest.warns(LinmlpWarning, match="force_mask of the structures has no place in the format"):
            write_structures(tmp_path / name, structures)
    again = read_structures(tmp_path / name)
    for after, before in zip(read_labels(again), read_labels(structures), strict=True):
        assert after.energy == before.energy
        np.testing.assert_allclose(after.forces, before.forces)
        np.testing.assert_allclose(after.stress, before.stress, atol=1e-9)
        assert (after.config_type, after.energy_weight) == (before.config_type, 2.0)
        assert not name.endswith("xyz") or (after.force_weight == before.force_weight).all()
    assert not any(atoms.constraints for atoms in again)
    assert structures[0].constraints  # the user's structures are as before
    assert structures[0].info["energy"] == 99.0


def test_stress_of_slabs_is_not_lost_silently(tmp_path, structures):
    del structures[0].arrays["force_mask"]
    structures[0].pbc = [True, True, False]
    with pytest.warns(LinmlpWarning, match="the stress of slabs and wires of the structures has no place"):
        write_structures(tmp_path / "a.cfg", structures[:1])
    write_structures(tmp_path / "a.xyz", structures[:1])
    assert read_labels(read_structures(tmp_path / "a.xyz"))[0].stress is not None


def test_keys_of_extended_xyz(tmp_path, structures):
    write_structures(tmp_path / "a.xyz", structures)
    header = (tmp_path / "a.xyz").read_text().splitlines()[1]
    for words in ("energy=-3.0", "forces:R:3", "stress=", "config_type=set0", "force_mask:L:1"):
        assert words in header
    assert "REF_" not in header
    assert read(tmp_path / "a.xyz").get_potential_energy() == -4.0


def test_named_keys(tmp_path, structures):
    write_structures(tmp_path / "a.xyz", structures[:1], energy_key="energy")
    (label,) = read_labels(read_structures(tmp_path / "a.xyz"))
    assert label.energy == 99.0
    with pytest.raises(LabelError, match="energy_key='E'"):
        write_structures(tmp_path / "b.xyz", structures, energy_key="E")


def test_free_energy_is_the_one_that_is_written(tmp_path):
    atoms = bulk("Si")
    atoms.calc = SinglePointCalculator(atoms, energy=-1.0, free_energy=-1.2, forces=np.zeros((2, 3)))
    write_structures(tmp_path / "a.xyz", [atoms])
    assert read(tmp_path / "a.xyz").get_potential_energy() == -1.2


def test_targets(tmp_path, structures):
    (tmp_path / "a.xyz").write_text("mine")
    with pytest.raises(InputError, match=r"a\.xyz exists; choose another name, or say --overwrite"):
        write_structures(tmp_path / "a.xyz", structures)
    assert (tmp_path / "a.xyz").read_text() == "mine"
    write_structures(tmp_path / "a.xyz", structures, overwrite=True)
    assert len(read_structures(tmp_path / "a.xyz")) == 2
    for name, message in (("a.pdb", r"ending of .*a\.pdb belongs to no format"), ("no/a.xyz", "cannot write")):
        with pytest.raises(InputError, match=message):
            write_structures(tmp_path / name, structures)
    with pytest.raises(InputError, match="no format 'pdb' to write; choose one of extxyz"):
        write_structures(tmp_path / "a.xyz", structures, "pdb", overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["a.xyz"]
    assert (tmp_path / "a.xyz").stat().st_mode & 0o777 == 0o666 & ~_umask()


@pytest.mark.parametrize("name", NAMES)
def test_a_disk_that_fills(tmp_path, structures, name):
    """Files may not grow beyond 2000 bytes, as if the disk were full."""
    (tmp_path / name).write_text("mine")
    for atoms in structures:
        del atoms.arrays["force_mask"]
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limits[1]))
    try:
        with pytest.raises(InputError, match=f"cannot write .*{name}: .*; nothing was changed"):
            write_structures(tmp_path / name, structures * 20, overwrite=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "mine"


def test_a_disk_that_fills_under_a_folder(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    structures = [bulk("Si")]
    structures[0].info["energy"] = -1.0
    monkeypatch.setattr("linmlp.structures.files.write.write_fitsnap_folder", fail)
    with pytest.raises(InputError, match="No space left on device; nothing was changed"):
        write_structures(tmp_path / "set", structures, "fitsnap")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["a.db", "a.json"])
def test_databases_keep_their_groups(tmp_path, structures, name):
    with connect(tmp_path / name) as database:
        for k in range(3):
            atoms = bulk("Si") * (1, 1, k + 1)
            atoms.set_constraint(FixAtoms([0]))
            atoms.calc = SinglePointCalculator(atoms, energy=float(k), forces=np.full((len(atoms), 3), 0.5))
            database.write(atoms, config_type=f"set{k}", config_weight=0.5)
    again = read_structures(tmp_path / name)
    labels = read_labels(again)
    assert [label.config_type for label in labels] == ["set0", "set1", "set2"]
    assert [label.energy for label in labels] == [0.0, 1.0, 2.0]
    assert labels[0].energy_weight == 0.5
    assert (labels[0].forces == 0.5).all()  # that of the fixed atom, too


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask
