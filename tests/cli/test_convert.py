"""`linmlp convert`, and the formats as data of the other commands."""

import pytest

from linmlp.structures import read_labels, read_structures, write_structures
from tests.structures.files.test_mlip_cfg import BY_MLIP

SMALL = ("--cutoff", "4", "--order", "1", "--max-degree", "3", "--alpha", "1e-6", "--energy-weight", "2")


@pytest.fixture
def data(silicon_truth, tmp_path):
    structures = [atoms for atoms in silicon_truth.structures if atoms.pbc.all() or not atoms.pbc.any()][:10]
    write_structures(tmp_path / "a.xyz", structures[:6])
    write_structures(tmp_path / "b.traj", structures[6:])
    return structures


def test_files_of_several_formats_into_one(run, data):
    code, out, err = run("convert", "a.xyz", "b.traj", "all.cfg")
    assert (code, err) == (0, "")
    for words in ("a.xyz: 6 structures", "b.traj: 3 structures", "9 structures, ", "wrote all.cfg (cfg)"):
        assert words in out
    again = read_labels(read_structures("all.cfg"))
    assert [label.energy for label in again] == [label.energy for label in read_labels(data)]
    assert again.config_types == read_labels(data).config_types
    assert run("convert", "all.cfg", "last.xyz", "--index=-1")[0] == 0
    assert len(read_structures("last.xyz")) == 1


def test_targets(run, data, tmp_path):
    (tmp_path / "mine.xyz").write_text("mine")
    for arguments, message in (
        (("a.xyz", "mine.xyz"), "mine.xyz exists"),
        (("a.xyz", "a.xyz", "--overwrite"), "a.xyz is read from"),
        (("a.xyz", "b.pdb"), "belongs to no format"),
        (("a.xyz", "set", "--format", "pdb"), "no format 'pdb'"),
        (("absent.xyz", "b.xyz"), "there is no file absent.xyz"),
        (("a.xyz", "b.xyz", "--energy-key", "E"), "energy_key='E'"),
    ):
        code, _, err = run("convert", *arguments)
        assert (code, err.count("\n")) == (2, 1), err
        assert message in err
    assert (tmp_path / "mine.xyz").read_text() == "mine"
    assert {path.name for path in tmp_path.iterdir()} == {"mine.xyz", "a.xyz", "b.traj"}
    assert run("convert", "a.xyz", "mine.xyz", "--overwrite")[0] == 0


def test_elements(run, tmp_path):
    (tmp_path / "a.cfg").write_text(BY_MLIP)
    code, _, err = run("convert", "a.cfg", "a.xyz")
    assert (code, err.count("\n")) == (2, 1)
    assert "say which elements these are" in err
    assert run("convert", "a.cfg", "a.xyz", "--elements", "Li, Cl")[0] == 0
    assert read_structures("a.xyz")[0].get_chemical_formula() == "ClLi"
    assert run("convert", "a.xyz", "b.cfg", "--elements", "Cl,Li")[0] == 0
    assert read_structures("b.cfg")[0].get_chemical_formula() == "ClLi"


def test_formats_are_data(run, data):
    """The same fit and the same findings from any format."""
    assert run("convert", "a.xyz", "b.traj", "all.cfg")[0] == 0
    assert run("convert", "a.xyz", "b.traj", "all.xyz")[0] == 0
    tables, checks = [], []
    for name in ("all.xyz", "all.cfg"):
        assert run("fit", name, "-o", f"{name}.linmlp", *SMALL)[0] == 0
        tables.append(run("evaluate", f"{name}.linmlp", name)[1])
        checks.append(run("check", name, "--json")[1])
    assert tables[0] == tables[1]
    assert checks[0] == checks[1]


def test_a_folder_of_fitsnap_is_data(run, silicon_truth):
    structures = [atoms for atoms in silicon_truth.structures if atoms.pbc.all()]
    write_structures("crystals.xyz", structures)
    code, out, err = run("convert", "crystals.xyz", "set", "--format", "fitsnap")
    assert (code, err) == (0, "")
    assert "wrote set (fitsnap)" in out
    assert run("convert", "set", "again.xyz")[0] == 0
    for name in ("crystals.xyz", "set"):
        assert run("check", name, "--json")[0] in (0, 1)
    found, wanted = (sorted(label.energy for label in read_labels(read_structures(p))) for p in ("set", "crystals.xyz"))
    assert found == wanted
