"""`linmlp conductivity`: tables and JSON of trajectories and of runs, and sentences for what cannot be used."""

import json

import pytest
from ase.build import bulk
from ase.io import write

from linmlp import ACE, LinearPotential
from linmlp.datasets import load_lithium_chloride
from linmlp.evaluation.transport import compute_transport, regression
from tests.naive.transport import walkers

CHARGES = ("--charges", "Li=1,Cl=-1")


@pytest.fixture(autouse=True)
def short_chains(monkeypatch):
    monkeypatch.setattr(regression, "N_BURN", 100)
    monkeypatch.setattr(regression, "N_SAMPLES", 100)


@pytest.fixture(scope="module")
def walk(tmp_path_factory):
    path = tmp_path_factory.mktemp("walk") / "walk.traj"
    write(path, walkers("Li6Cl6", 300, {"Li": 0.3, "Cl": 0.2}, seed=0))
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    train, _ = load_lithium_chloride()
    settings = {"energy_weight": 100.0, "force_weight": 1.0, "stress_weight": 100.0, "alpha": 1e-6}
    LinearPotential(ACE(cutoff=4.5, order=2, max_degree=(6, 4)), **settings).fit(train).save(folder / "m.linmlp")
    write(folder / "licl.xyz", bulk("LiCl", "rocksalt", a=5.4, cubic=True))
    return folder / "m.linmlp", folder / "licl.xyz"


def test_trajectory(run, walk):
    options = ("--trajectory", walk, "--timestep", 2, "--frame-interval", 10, "-T", 1000, *CHARGES)
    code, printed, err = run("conductivity", *options)
    assert (code, err) == (0, "")
    for words in (
        "Cl6Li6, 12 atoms in 12.00 x 12.00 x 12.00 Å",
        "1000 K",
        "D(Li), cm²/s",
        "conductivity, S/cm",
        "Haven",
    ):
        assert words in printed
    code, printed, _ = run("conductivity", *options, "--json")
    (told,) = json.loads(printed)["results"]
    wanted = compute_transport(walk, timestep=2.0, every=10, temperature=1000.0, charges={"Li": 1, "Cl": -1})
    assert told == wanted.to_dict()
    code, printed, _ = run("conductivity", *options[:-2], "--mobile", "Li", "--json")
    assert list(json.loads(printed)["results"][0]["diffusion"]) == ["Li"]


def test_runs(run, files, tmp_path):
    options = ("--time", 0.6, "--equilibration", 0.1, "--timestep", 2, "--frame-interval", 2, *CHARGES)
    code, printed, err = run("conductivity", *files, "-T", "1500,2500", *options, "--start", 0.05)
    assert (code, err) == (0, "")
    assert "2500 K" in printed
    assert (tmp_path / "conductivity" / "run_0" / "rescaled_1500K.traj").is_file()


def test_what_cannot_be_used(run, walk, files):
    for arguments, words in [
        ((), "give a model, a structure and --temperatures, or --trajectory"),
        ((*files,), "--temperatures"),
        ((*files, "--trajectory", walk), "not both"),
        ((*files, "-T", "500", "--skip", 1), "--skip and --unwrapped are for --trajectory"),
        (("--trajectory", walk, "-T", 1000), "give timestep="),
        (("--trajectory", walk, "--timestep", 1), "no velocities"),
        (("--trajectory", walk, "--timestep", 1, "-T", "900,1000"), "of one temperature"),
        (("--trajectory", walk, "--timestep", 1, "-T", "hot"), "--temperatures hot"),
        (("--trajectory", walk, "--timestep", 1, "-T", 900, "--charges", "Li"), "--charges Li: give a charge"),
        (("--trajectory", walk, "--timestep", 1, "-T", 900, "--charges", "Li=2,Cl=-1"), "a net charge of"),
        (("--trajectory", "absent.traj", "--timestep", 1, "-T", 900), "there is no file"),
    ]:
        code, _, err = run("conductivity", *arguments)
        assert code == 2
        assert words in err
        assert err.count("\n") == 1
