"""`linmlp transferability` on files: tables, JSON, a picture, and errors in one sentence."""

import json

import pytest
from ase.io import write


@pytest.fixture(scope="session")
def data(silicon_truth, tmp_path_factory):
    folder = tmp_path_factory.mktemp("transferability")
    for k, atoms in enumerate(silicon_truth.structures):
        atoms.info["run"] = k % 2
    write(folder / "train.xyz", silicon_truth.structures, format="extxyz")
    write(folder / "test.xyz", silicon_truth.structures[:4], format="extxyz")
    return folder


def test_tables_and_picture(run, data, model_file, tmp_path):
    code, out, err = run(
        "transferability", model_file, "--train", data / "train.xyz", "--test", data / "test.xyz", "--plot", "t.png"
    )
    assert (code, err) == (0, "")
    assert "predicted without being trained on (each group)" in out
    assert "not assessed: the potential has no grades" in out
    assert (tmp_path / "t.png").stat().st_size > 1000


def test_json(run, data, model_file):
    code, out, err = run(
        "transferability", model_file, "--train", data / "train.xyz", "--groups", "run", "--n-folds", "3", "--json"
    )
    assert (code, err) == (0, "")
    plain = json.loads(out)
    assert [row["name"] for row in plain["groups"]["rows"]] == ["0", "1"]
    assert plain["groups"]["n_folds"] == 3
    assert plain["missing"]["test"] == "no test structures were given"


def test_bad_input(run, data, model_file):
    code, _, err = run("transferability", model_file, "--train", data / "nothing.xyz")
    assert code == 2
    assert "nothing.xyz" in err
    code, _, err = run("transferability", model_file, "--train", data / "train.xyz", "--n-folds", "1")
    assert (code, "n_folds=1" in err) == (2, True)
