"""`linmlp md`: runs, verdicts, what a killed run and a full disk leave behind."""

import json
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from ase.io import Trajectory, write

from linmlp import ACE, LinearPotential
from linmlp.datasets import load_silicon


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A model file and a structure."""
    folder = tmp_path_factory.mktemp("md")
    train, _ = load_silicon()
    settings = {"energy_weight": 1000.0, "energy_per": "atom", "alpha": 1e-6}
    model = LinearPotential(ACE(cutoff=4.5, order=2, max_degree=(8, 6)), **settings).fit(train[::2])
    model.save(folder / "si.linmlp")
    write(folder / "si.xyz", bulk("Si", cubic=True))
    return folder / "si.linmlp", folder / "si.xyz"


def frames_of(path):
    with Trajectory(path) as trajectory:
        return list(trajectory)


def command(*arguments):
    return [Path(sys.executable).with_name("linmlp"), "md", *map(str, arguments)]


def test_verdicts_and_trajectories(run, files, tmp_path):
    code, printed, _ = run("md", *files, "-T", "200,300", "--time", "1", "--supercell", "2,1,1", "--ensemble", "nve")
    assert code == 0
    assert printed.count("passed") == 2
    assert "drift" in printed
    for kelvin in (200, 300):
        frames = frames_of(tmp_path / "md" / f"nve_{kelvin}K.traj")
        assert len(frames) == 101
        assert len(frames[0]) == 16


def test_json_and_exit_code_of_a_failure(run, files):
    code, printed, _ = run("md", *files, "--time", "0.1", "--max-force", "0.05", "--json")
    (told,) = json.loads(printed)["runs"]
    assert code == 1
    assert not told["passed"]
    assert told["failed_at_step"] < 100
    assert "a force of" in told["reasons"][0]


def test_single_precision(run, files, tmp_path):
    """The same run but for rounding, which is there."""
    forces = {}
    for precision in ("double", "single"):
        code, _, _ = run("md", *files, "--time", "0.05", "--every", "1", "--precision", precision, "-o", precision)
        assert code == 0
        forces[precision] = np.array([f.get_forces() for f in frames_of(tmp_path / precision / "nvt_300K.traj")])
    np.testing.assert_allclose(forces["single"], forces["double"], rtol=0, atol=1e-3)
    assert not np.array_equal(forces["single"], forces["double"])
    code, printed, _ = run("md", *files, "--time", "0.3", "--timesteps", "1,2", "--precision", "single", "--json")
    assert code == 0
    assert json.loads(printed)["order"]["value"] == pytest.approx(2.0, abs=0.5)


def test_time_steps(run, files):
    code, printed, _ = run("md", *files, "--time", "0.3", "--timesteps", "1,2", "--json")
    assert code == 0
    assert json.loads(printed)["order"]["value"] == pytest.approx(2.0, abs=0.5)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--temperature", "hot"), ["--temperature hot", "300,600"]),
        (("--supercell", "2,2"), ["--supercell 2,2", "three"]),
        (("--ensemble", "nph"), ["ensemble='nph'", "nve"]),
        (("--max-grade", "5"), ["uncertainty=True"]),
        (("--precision", "half"), ["precision='half'", "single"]),
        (("--precision", "half", "--timesteps", "1,2", "--time", "1"), ["precision='half'", "single"]),
    ],
)
def test_options_that_cannot_be_used(run, files, options, words):
    code, _, told = run("md", *files, *options)
    assert code == 2
    assert all(word in told for word in words)


def test_an_element_that_the_model_lacks(run, files, tmp_path):
    write(tmp_path / "ge.xyz", bulk("Ge"))
    code, _, told = run("md", files[0], tmp_path / "ge.xyz")
    assert code == 2
    assert "the structure holds Ge" in told


def test_a_killed_run_goes_on(run, files, tmp_path):
    path = tmp_path / "md" / "nve_300K.traj"
    options = ("--ensemble", "nve", "--time", "60", "--every", "2")
    process = subprocess.Popen(command(*files, *options), cwd=tmp_path, stdout=subprocess.DEVNULL)
    while process.poll() is None and (not path.exists() or path.stat().st_size < 20_000):
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    before = frames_of(path)
    assert len(before) > 3
    picoseconds = (2 * len(before) + 20) * 1e-3
    _, printed, _ = run("md", *files, *options[:2], "--time", picoseconds, "--every", "2")
    after = frames_of(path)
    assert "NVE 300 K" in printed
    assert len(after) == len(before) + 11
    np.testing.assert_array_equal(after[len(before) - 1].positions, before[-1].positions)
    total = [frame.get_total_energy() for frame in after]
    assert np.ptp(total) < 0.1 * np.ptp([frame.get_potential_energy() for frame in after])


def test_a_full_disk(files, tmp_path):
    def limit_files():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write beyond the limit is then an error, as on a full disk
        resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, 3_000_000))

    done = subprocess.run(
        command(*files, "--time", "10", "--every", "1", "--ensemble", "nve", "--supercell", "2"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        preexec_fn=limit_files,
    )
    assert done.returncode == 2
    assert "cannot write to" in done.stderr
    assert "make room" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert len(frames_of(tmp_path / "md" / "nve_300K.traj")) > 3
