"""`linmlp properties`: tables, JSON, references, and what cannot be used."""

import json
import sys

import pytest
from ase.build import bulk
from ase.io import write

from linmlp import ACE, LinearPotential
from linmlp.cli import main
from linmlp.datasets import load_silicon


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("properties")
    train, _ = load_silicon()
    settings = {"energy_weight": 1000.0, "stress_weight": 300.0, "energy_per": "atom", "alpha": 1e-6}
    model = LinearPotential(ACE(cutoff=4.5, order=2, max_degree=(8, 6)), **settings).fit(train[::2])
    model.save(folder / "si.linmlp")
    write(folder / "si.xyz", bulk("Si"))
    write(folder / "ge.xyz", bulk("Ge"))
    return folder


@pytest.fixture
def run(files, monkeypatch, capsys):
    def call(*arguments, structure="si.xyz"):
        command = ["linmlp", "properties", str(files / "si.linmlp"), str(files / structure), *arguments]
        monkeypatch.setattr(sys, "argv", command)
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return ended.value.code or 0, captured.out, captured.err

    return call


def test_defaults(run):
    code, out, _ = run()
    assert code == 0
    assert "equation of state" in out
    assert "elastic constants: cubic" in out
    assert "vacancies in Si" in out
    assert "surface energies" not in out


def test_json_with_references(run, files):
    reference = files / "reference.json"
    reference.write_text(json.dumps({"elastic": {"C11": 150.0}, "eos": {"volume": 20.0}}))
    code, out, _ = run("--elastic", "--eos", "--clamped", "--reference", str(reference), "--json")
    assert code == 0
    found = json.loads(out)
    assert list(found) == ["eos", "elastic"]
    assert found["elastic"]["differences"][0]["name"] == "C11"
    assert found["elastic"]["ions_relaxed"] is False
    assert found["eos"]["differences"][0]["reference"] == 20.0


def test_surfaces_and_phonons(run):
    pytest.importorskip("phonopy")
    code, out, _ = run("--surfaces", "1-10", "--phonons")
    assert code == 0
    assert "(1 -1 0)" in out
    assert "phonons, supercell" in out
    assert "elastic" not in out


def test_input_that_cannot_be_used(run, files):
    code, _, err = run("--surfaces", "1x0")
    assert code == 2
    assert "three digits" in err
    code, _, err = run("--elastic", structure="ge.xyz")
    assert code == 2
    assert "holds Ge" in err
    reference = files / "bad.json"
    reference.write_text("{")
    code, _, err = run("--reference", str(reference))
    assert code == 2
    assert "give a JSON file" in err
    reference.write_text('{"phonons": {"X": [1]}}')
    code, _, err = run("--eos", "--reference", str(reference))
    assert code == 2
    assert "names phonons" in err
    reference.write_text("[1]")
    assert "by property and name" in run("--reference", str(reference))[2]
