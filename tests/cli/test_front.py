"""`linmlp front` on files: table, page, JSON, the model it fits, and errors in one sentence."""

import json

import pytest
from ase.io import write

from linmlp import load
from linmlp.datasets import load_silicon

TINY = ("--cutoff", "4", "--pool", "5,4,2,1", "--sizes", "4,8", "--n-folds", "3", "--n-jobs", "1")


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("front")
    structures = load_silicon()[0][:36]
    for k, atoms in enumerate(structures):
        atoms.info["run"] = k // 3
    write(folder / "train.xyz", structures, format="extxyz")
    return folder / "train.xyz"


def test_table_page_and_model(run, data, tmp_path):
    code, out, err = run("front", data, *TINY, "-o", "front.html", "--fit", "best.linmlp")
    assert (code, err) == (0, "")
    assert "36 structures, 3 folds, cutoff 4 Å" in out
    name = out.split("Recommended: ")[1].split(" (")[0]
    selections = {f"{size} {way} functions" for size in (4, 8) for way in ("selected", "frugal", "thrifty")}
    assert name in {"degrees 5,4,2,1, 27 functions", *selections}
    assert "wrote best.linmlp" in out
    assert load("best.linmlp").descriptor_.max_degree_ == (5, 4, 2, 1)
    assert "Recommended" in (tmp_path / "front.html").read_text()


def test_json_and_groups(run, data):
    code, out, err = run("front", data, *TINY, "--groups", "run", "--json")
    assert (code, err) == (0, "")
    plain = json.loads(out)
    selections = [f"{size} {way}" for way in ("selected", "frugal", "thrifty") for size in (4, 8)]
    assert [point["name"] for point in plain["points"]] == ["degrees 5,4,2,1", *selections]
    assert plain["recommended"] in {point["name"] for point in plain["points"]}


def test_budget_that_nothing_meets_is_said_after_the_table(run, data, tmp_path):
    code, out, err = run("front", data, *TINY, "--budget", "1e-4", "-o", "front.json", "--fit", "best.linmlp")
    assert code == 2
    assert "8 selected" in out
    assert "linmlp: no potential takes 0.0001 µs per atom and step or less; the fastest found" in err
    assert json.loads((tmp_path / "front.json").read_text())["recommended"] is None
    assert not (tmp_path / "best.linmlp").exists()


def test_budget_gives_the_best_that_it_admits(run, data):
    code, out, err = run("front", data, *TINY, "--budget", "1e6", "--fit", "best.linmlp")
    assert (code, err) == (0, "")
    (best,) = (line for line in out.splitlines() if "+0.0 %" in line)
    name = " ".join(best.split()[:2])
    assert f"Recommended: {name}" in out
    assert "(the best that takes 1e+06 µs per atom and step or less)" in out
    assert load("best.linmlp").descriptor_.cutoff_ == 4.0


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--sizes", "4,x"), "--sizes 4,x: give whole numbers with commas in between"),
        (("--sizes", "4,10000"), "the size of the pool"),
        (("--pool", "5;4"), "--pool 5;4: give whole numbers"),
        (("--budget", "-1"), "budget=-1.0; give µs per atom and step, a positive number"),
        (("--cutoff", "wide"), "--cutoff wide: give a number of Å, or auto"),
        (("-o", "front.txt"), "its ending says what to write"),
        (("-o", "same.json", "--fit", "same.json"), "--output and --fit must be different files"),
    ],
)
def test_bad_input(options, told, run, data):
    code, _, err = run("front", data, *TINY, *options)
    assert code == 2
    assert told in err
