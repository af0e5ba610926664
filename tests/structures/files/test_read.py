import bz2
import gzip
import lzma
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import read, write

from linmlp.exceptions import InputError, StructureError
from linmlp.structures import check_structures, fit_reference_energies, read_labels, read_structures

DATA = Path(__file__).parents[4] / "shared" / "data"


@pytest.fixture
def structures():
    found = []
    for k in range(3):
        atoms = bulk("Si") * (1, 1, k + 1)
        atoms.calc = SinglePointCalculator(atoms, energy=float(k), forces=np.full((len(atoms), 3), 0.1 * k))
        found.append(atoms)
    return found


@pytest.mark.parametrize("name", ["a.xyz", "a.extxyz", "a.xyz.gz", "a.xyz.bz2", "a.extxyz.xz", "a.traj"])
def test_formats(tmp_path, structures, name):
    path = tmp_path / name
    opener = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}.get(path.suffix)
    if opener is None:
        write(path, structures)
    else:
        with opener(path, "wt") as file:
            write(file, structures, format="extxyz")
    again = read_structures(path)
    assert [len(atoms) for atoms in again] == [2, 4, 6]
    assert [item.energy for item in read_labels(again)] == [0.0, 1.0, 2.0]
    assert len(read_structures(str(path), "1:")) == 2
    assert len(read_structures(path, "-1")) == 1


def test_bad_files(tmp_path):
    with pytest.raises(InputError, match="no file"):
        read_structures(tmp_path / "absent.xyz")
    for name, content in (("a.xyz", "three\natoms\n"), ("a.xyz.gz", "not packed"), ("a.unknown", "?")):
        (tmp_path / name).write_text(content)
        with pytest.raises(InputError, match="cannot be read as structures"):
            read_structures(tmp_path / name)
    (tmp_path / "empty.xyz").write_text("")
    with pytest.raises((InputError, StructureError), match=r"empty\.xyz"):
        read_structures(tmp_path / "empty.xyz")


def test_unknown_format(tmp_path):
    for name, content in (("a.dat", "1 2 3\n"), ("data", "energy 1\n"), ("a.json", "[1, 2]")):
        (tmp_path / name).write_text(content)
        with pytest.raises(InputError, match=r"cannot be read as structures: .*; give a file of extended XYZ, VASP"):
            read_structures(tmp_path / name)


def test_truncated_and_mixed_files_are_refused(tmp_path, structures):
    """One sentence for a file that ends within a structure, or goes on in another format."""
    write(tmp_path / "a.xyz", structures)
    text = (tmp_path / "a.xyz").read_text()
    other = "BEGIN_CFG\n Size\n 1\nEND_CFG\n"
    for name, content in (("a.xyz", text[: text.rindex("Si")]), ("a.xyz", text + other), ("a.cfg", other + text)):
        (tmp_path / name).write_text(content)
        with pytest.raises(InputError, match="cannot be read as structures") as caught:
            read_structures(tmp_path / name)
        assert "\n" not in str(caught.value)
    write(tmp_path / "a.traj", structures)
    content = (tmp_path / "a.traj").read_bytes()
    (tmp_path / "a.traj").write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"a\.traj cannot be read"):
        read_structures(tmp_path / "a.traj")


@pytest.mark.parametrize(
    ("name", "size", "undetermined"),
    [("zuo_Si", 214, False), ("zuo_Mo", 194, False), ("zuo_Li", 241, False), ("acac", 500, True)],
)
def test_published_sets(name, size, undetermined):
    path = DATA / name / "train.xyz.gz"
    if not path.is_file():
        pytest.skip(f"{path} is not here")
    structures = check_structures(read_structures(path))
    labels = read_labels(structures)
    assert labels.counts["energy"] == labels.counts["forces"] == size
    assert labels.counts["stress"] == (0 if name == "acac" else size)
    for atoms, item in list(zip(structures, labels, strict=True))[::40]:
        assert item.energy == atoms.get_potential_energy()
        np.testing.assert_array_equal(item.forces, atoms.get_forces(apply_constraint=False))
        if item.stress is not None:
            np.testing.assert_array_equal(item.stress, atoms.get_stress(apply_constraint=False))
    reference = fit_reference_energies("auto", structures, labels)
    assert reference.determined is not undetermined
    per_atom = [(item.energy - reference.energy(item.numbers)) / item.n_atoms for item in labels]
    assert np.abs(per_atom).max() < 2.0


def test_unpacked_reading_equals_ase():
    path = DATA / "zuo_Mo" / "test.xyz.gz"
    if not path.is_file():
        pytest.skip(f"{path} is not here")
    for mine, ases in zip(read_structures(path), read(path, ":"), strict=True):
        assert mine == ases
        assert mine.info == ases.info
