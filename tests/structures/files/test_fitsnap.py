import json

import numpy as np
import pytest
from ase import Atoms

from linmlp.exceptions import InputError
from linmlp.structures import read_labels, read_structures, write_structures

# The layout of the examples of FitSNAP, a comment first.
BY_FITSNAP = """# file
{"Dataset": {"Data": [{"Stress": [[10000.0, 300.0, 0.0], [300.0, 20000.0, 0.0], [0.0, 0.0, -30000.0]],
 "Positions": [[0.0, 0.0, 0.0], [1.6, 1.6, 1.6]], "Energy": -22.5, "AtomTypes": ["Ta", "Ta"],
 "Lattice": [[3.2, 0.0, 0.0], [0.0, 3.2, 0.0], [0.0, 0.0, 3.2]], "NumAtoms": 2,
 "Forces": [[0.1, 0.0, 0.0], [-0.1, 0.0, 0.0]]}],
 "PositionsStyle": "angstrom", "AtomTypeStyle": "chemicalsymbol", "Label": "bcc", "LatticeStyle": "angstrom",
 "EnergyStyle": "electronvolt", "ForcesStyle": "electronvoltperangstrom", "StressStyle": "bar"}}
"""


@pytest.fixture
def crystals(silicon_truth):
    found = [atoms for atoms in silicon_truth.structures if atoms.pbc.all() and len(atoms) > 1][:3]
    for index, atoms in enumerate(found):
        atoms = found[index] = atoms.copy()
        atoms.calc = silicon_truth.structures[0].calc
        atoms.info = {"config_type": f"group{index % 2}", "energy": -1.5 * index, "stress": np.linspace(0, 1, 6)}
        atoms.arrays["forces"] = np.random.default_rng(index).normal(size=(len(atoms), 3))
        atoms.calc = None
    return found


def test_numbers_and_signs(tmp_path):
    (tmp_path / "a.json").write_text(BY_FITSNAP)
    (atoms,) = read_structures(tmp_path / "a.json")
    (label,) = read_labels([atoms])
    assert (label.energy, atoms.get_chemical_formula()) == (-22.5, "Ta2")
    np.testing.assert_array_equal(label.forces, [[0.1, 0, 0], [-0.1, 0, 0]])
    # bar, positive under compression; 1 eV/Å³ is 1.6021766e6 bar.
    np.testing.assert_allclose(label.stress, -np.array([1e4, 2e4, -3e4, 0, 0, 300]) / 1.602176634e6)


def test_one_file(tmp_path, crystals):
    write_structures(tmp_path / "a.json", crystals[1:2])
    text = (tmp_path / "a.json").read_text()
    assert set(json.loads(text.split("\n", 1)[1])["Dataset"]["Data"][0]) >= {"Energy", "Forces", "Stress", "NumAtoms"}
    (again,) = read_structures(tmp_path / "a.json")
    assert again.info == {"config_type": "group1"}
    _same([again], crystals[1:2])
    with pytest.raises(InputError, match=r"3 structures do not go into one FitSNAP file.*--format fitsnap"):
        write_structures(tmp_path / "b.json", crystals)
    assert not (tmp_path / "b.json").exists()


def test_folder(tmp_path, crystals):
    write_structures(tmp_path / "set", crystals, "fitsnap")
    files = sorted(path.relative_to(tmp_path / "set").as_posix() for path in (tmp_path / "set").rglob("*.json"))
    assert files == ["group0/0.json", "group0/2.json", "group1/1.json"]
    again = read_structures(tmp_path / "set")
    assert [atoms.info["config_type"] for atoms in again] == ["group0", "group0", "group1"]
    _same(again, [crystals[0], crystals[2], crystals[1]])
    with pytest.raises(InputError, match="set is a folder that exists"):
        write_structures(tmp_path / "set", crystals, "fitsnap", overwrite=True)
    assert len(read_structures(tmp_path / "set")) == 3


def test_left_handed_cells_are_turned(tmp_path, crystals):
    atoms = crystals[0]
    atoms.set_cell(atoms.cell.array[[1, 0, 2]])
    assert np.linalg.det(atoms.cell.array) < 0
    write_structures(tmp_path / "a.json", [atoms])
    (again,) = read_structures(tmp_path / "a.json")
    assert np.linalg.det(again.cell.array) > 0
    np.testing.assert_allclose(np.abs(again.cell.array), np.abs(atoms.cell.array))
    np.testing.assert_array_equal(again.positions, atoms.positions)


def test_what_does_not_fit(tmp_path, crystals):
    molecule = Atoms("H2", [[0, 0, 0], [0, 0, 0.8]], info={"energy": -1.0})
    with pytest.raises(InputError, match=r"structure 1 \(H2.*not periodic"):
        write_structures(tmp_path / "set", [crystals[0], molecule], "fitsnap")
    del crystals[1].info["energy"]
    with pytest.raises(InputError, match=r"structure 1 .*has no energy, which FitSNAP needs"):
        write_structures(tmp_path / "set", crystals, "fitsnap")
    crystals[0].info["config_type"] = "../up"
    with pytest.raises(InputError, match=r"'\.\./up' cannot name a folder"):
        write_structures(tmp_path / "set", crystals, "fitsnap")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t[:-40], "no whole FitSNAP file"),
        (lambda t: t.replace('"Lattice"', '"Latice"'), "no whole FitSNAP file .*Lattice"),
        (lambda t: t.replace('"bar"', '"gigapascal"'), "StressStyle 'gigapascal', but only 'bar' is read"),
    ],
)
def test_broken_files(tmp_path, change, message):
    (tmp_path / "a.json").write_text(change(BY_FITSNAP))
    with pytest.raises(InputError, match=message):
        read_structures(tmp_path / "a.json")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"empty cannot be read .*without \.json files"):
        read_structures(tmp_path / "empty")


def _same(found, wanted):
    for after, before in zip(read_labels(found), read_labels(wanted), strict=True):
        assert after.energy == before.energy
        np.testing.assert_array_equal(after.forces, before.forces)
        np.testing.assert_allclose(after.stress, before.stress, rtol=1e-14)
    for after, before in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(after.positions, before.positions)
        np.testing.assert_array_equal(after.cell.array, before.cell.array)
