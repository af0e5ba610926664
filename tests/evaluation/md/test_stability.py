"""MD runs of a small potential: conserved, held, written, gone on with, and stopped where they fail."""

import numpy as np
import pytest
from ase.build import bulk
from ase.io import Trajectory, read

from linmlp import ACE, LinearPotential
from linmlp.datasets import load_silicon
from linmlp.evaluation.md import Limits, Run, Trace, check_stability
from linmlp.exceptions import InputError, SettingsError, StructureError


@pytest.fixture(scope="module")
def model():
    train, _ = load_silicon()
    settings = {"energy_weight": 1000.0, "energy_per": "atom", "alpha": 1e-6}
    return LinearPotential(ACE(cutoff=4.5, order=2, max_degree=(8, 6)), **settings).fit(train[::2])


@pytest.fixture(scope="module")
def atoms():
    return bulk("Si", cubic=True)


def count_frames(path):
    with Trajectory(path) as trajectory:
        return len(trajectory)


def test_energy_is_conserved_in_nve(model, atoms):
    (run,) = check_stability(model, atoms, [300.0], "nve", time=0.4, every=5, equilibration=0.0).runs
    assert run.failure is None
    total = run.trace["total_energy"]
    assert len(total) == 81
    assert np.ptp(total) < 1e-3 * np.ptp(run.trace["potential_energy"]) + 1e-4
    half = check_stability(model, atoms, [300.0], "nve", time=0.4, timestep=0.5, every=10, equilibration=0.0).runs[0]
    # The fluctuation of velocity Verlet goes with the square of the time step.
    ratio = np.std(total) / np.std(half.trace["total_energy"])
    assert ratio == pytest.approx(4.0, rel=0.4)
    assert "drift" in str(run)


def test_temperature_is_held(model, atoms):
    report = check_stability(model, atoms, [200.0, 400.0], "nvt", time=2.0)
    assert list(report.survival) == [200.0, 400.0]
    for run in report.runs:
        assert run.failure is None
        assert run.trace["temperature"][40:].mean() == pytest.approx(run.temperature, rel=0.25)
    again = check_stability(model, atoms, [200.0], "nvt", time=0.1)
    np.testing.assert_array_equal(again.runs[0].trace["temperature"], report.runs[0].trace["temperature"][:11])


@pytest.mark.parametrize(("time", "offset", "passes"), [(1.0, 20.0, True), (100.0, 20.0, False), (100.0, 5.0, True)])
def test_short_runs_may_be_off_by_more(time, offset, passes):
    # Eight atoms at 300 K: a canonical spread of 93 K, whose slow half is known to sqrt(0.1 ps / settled time).
    rows = [(t, 300.0 + offset, 0.0, 0.0, 0.0, 20.0) for t in np.linspace(0.0, time, 50)]
    assert Run(300.0, "nvt", Trace(rows), None, bulk("Si", cubic=True)).passed == passes


def test_volume_follows_the_pressure(model, atoms):
    free, pressed = (
        check_stability(model, atoms, [100.0], "npt", time=2.0, pressure=pressure).runs[0] for pressure in (0.0, 10.0)
    )
    assert pressed.trace["volume"][100:].mean() < free.trace["volume"][100:].mean() - 0.5
    assert "volume" in str(free)


def test_the_last_frame_can_go_on_in_another_ensemble(model, atoms):
    last = check_stability(model, atoms, [300.0], "nvt", time=0.1).runs[0].last
    assert not last.constraints
    assert check_stability(model, last, [300.0], "npt", time=0.1).runs[0].failure is None


def test_a_run_is_written_and_gone_on_with(model, atoms, tmp_path):
    first = check_stability(model, atoms, [300.0], "nve", time=0.1, folder=tmp_path)
    path = tmp_path / "nve_300K.traj"
    assert count_frames(path) == 11
    with path.open("ab") as file:
        file.write(b"half a frame")
    seen = []
    longer = check_stability(
        model, atoms, [300.0], "nve", time=0.2, folder=tmp_path, progress=lambda told: seen.append(told[2:4])
    )
    assert count_frames(path) == 21
    assert seen[0] == (100, 200)
    assert seen[-1] == (200, 200)
    whole = check_stability(model, atoms, [300.0], "nve", time=0.2)
    energies = [report.runs[0].trace["potential_energy"] for report in (first, longer, whole)]
    np.testing.assert_allclose(energies[1], energies[2], rtol=1e-9)
    np.testing.assert_allclose(energies[1][:11], energies[0], rtol=1e-9)
    np.testing.assert_allclose(longer.runs[0].trace["time"], 0.01 * np.arange(21), atol=1e-12)


def test_a_finished_run_is_read_and_another_structure_refused(model, atoms, tmp_path):
    first = check_stability(model, atoms, [300.0], "nve", time=0.1, folder=tmp_path)
    again = check_stability(model, atoms, [300.0], "nve", time=0.05, folder=tmp_path)
    assert count_frames(tmp_path / "nve_300K.traj") == 11
    for name in ("time", "potential_energy"):
        np.testing.assert_allclose(again.runs[0].trace[name], first.runs[0].trace[name], rtol=1e-12)
    with pytest.raises(SettingsError, match="holds a run of Si8, which cannot go on with Si16"):
        check_stability(model, atoms.repeat((2, 1, 1)), [300.0], "nve", time=0.1, folder=tmp_path)


def test_a_failure_is_caught_with_its_frame(model, atoms, tmp_path):
    report = check_stability(model, atoms, [300.0], "nvt", time=0.1, limits=Limits(force=0.05), folder=tmp_path)
    (run,) = report.runs
    assert not report.passed
    assert run.failure.step < 100
    assert f"step {run.failure.step}: a force of" in str(report)
    assert "brought to the temperature" in str(report)
    frame = read(tmp_path / "nvt_300K_failed.xyz")
    np.testing.assert_allclose(frame.positions, run.last.positions, atol=1e-6)
    assert np.sqrt((run.last.get_forces() ** 2).sum(axis=1)).max() > 0.05


def test_runs_that_do_not_belong_together(model, atoms, tmp_path):
    check_stability(model, atoms, [300.0], "nve", time=0.1, folder=tmp_path)
    with pytest.raises(SettingsError, match=r"holds a run with .*'every': 10.* cannot go on with .*'every': 5"):
        check_stability(model, atoms, [300.0], "nve", time=0.2, every=5, folder=tmp_path)
    other = LinearPotential(ACE(cutoff=4.5, order=1, max_degree=8), energy_weight=1000.0, alpha=1e-6)
    other.fit(load_silicon()[0][::4])
    with pytest.raises(SettingsError, match="a run of another one"):
        check_stability(other, atoms, [300.0], "nve", time=0.2, folder=tmp_path)
    (tmp_path / "nve_300K.traj").write_text("nothing")
    with pytest.raises(InputError, match="cannot be read"):
        check_stability(model, atoms, [300.0], "nve", time=0.2, folder=tmp_path)


def test_a_start_without_equilibration_ends_at_half_the_temperature(model, atoms):
    settings = {"ensemble": "nve", "time": 1.0, "every": 5}
    cold, warm = (
        check_stability(model, atoms.repeat((2, 1, 1)), [400.0], equilibration=equilibration, **settings).runs[0]
        for equilibration in (0.0, 2.0)
    )
    assert cold.means()["temperature"].value == pytest.approx(200.0, abs=60.0)
    assert warm.means()["temperature"].value > 280.0


def test_an_explosion_in_the_first_steps(model, atoms, tmp_path):
    squeezed = atoms.copy()
    squeezed.positions[1] = squeezed.positions[0] + 0.3 * (squeezed.positions[1] - squeezed.positions[0])
    report = check_stability(model, squeezed, [300.0], "nve", time=0.1, folder=tmp_path, every=1)
    (run,) = report.runs
    assert run.failure.step <= 3
    assert "Å apart, below" in run.failure.reason or "a force of" in run.failure.reason
    assert count_frames(tmp_path / "nve_300K.traj") == run.failure.step + 1
    assert report.to_dict()["runs"][0]["failed_at_step"] == run.failure.step


def test_bad_input(model, atoms):
    for settings, message in [
        ({"ensemble": "nvp"}, "ensemble='nvp'"),
        ({"temperatures": []}, "give at least one"),
        ({"temperatures": [-1.0]}, "all above 0 K"),
        ({"time": 0.0}, "all must be above 0"),
        ({"equilibration": -1.0}, "may be 0"),
        ({"time": 0.01}, "three records or more"),
        ({"limits": Limits(grade=2.0)}, "fitted with uncertainty=True"),
    ]:
        with pytest.raises(SettingsError, match=message):
            check_stability(model, atoms, **{"temperatures": [300.0], **settings})
    with pytest.raises(StructureError, match="holds Ge"):
        check_stability(model, bulk("Ge"), [300.0])
    slab = atoms.copy()
    slab.pbc = (True, True, False)
    with pytest.raises(StructureError, match="periodic in all three"):
        check_stability(model, slab, [300.0], "npt")
