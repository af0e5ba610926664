"""MD and what it gives: the same as its trajectory, gone on with after an interruption, failures told."""

import numpy as np
import pytest
from ase.build import bulk

from linmlp import ACE, LinearPotential
from linmlp.datasets import load_lithium_chloride
from linmlp.evaluation.md import Limits
from linmlp.evaluation.transport import compute_transport, regression, run_transport
from linmlp.exceptions import InputError, SettingsError, StructureError

SETTINGS = {"time": 0.6, "equilibration": 0.1, "timestep": 2.0, "every": 2, "charges": {"Li": 1, "Cl": -1}}


@pytest.fixture(autouse=True)
def short_chains(monkeypatch):
    monkeypatch.setattr(regression, "N_BURN", 100)
    monkeypatch.setattr(regression, "N_SAMPLES", 100)


@pytest.fixture(scope="module")
def model():
    train, _ = load_lithium_chloride()
    settings = {"energy_weight": 100.0, "force_weight": 1.0, "stress_weight": 100.0, "alpha": 1e-6}
    return LinearPotential(ACE(cutoff=4.5, order=2, max_degree=(6, 4)), **settings).fit(train)


@pytest.fixture(scope="module")
def atoms():
    return bulk("LiCl", "rocksalt", a=5.4, cubic=True)


def test_the_result_is_that_of_the_trajectory(model, atoms, tmp_path):
    series = run_transport(model, atoms, [1500.0], n_runs=2, folder=tmp_path, **SETTINGS)
    (found,) = series.results
    assert (found.n_runs, found.n_atoms) == (2, 8)
    assert found.time == pytest.approx(1.2)
    paths = [tmp_path / f"run_{k}" / "rescaled_1500K.traj" for k in (0, 1)]
    read = compute_transport(*paths, timestep=2.0, every=2, temperature=1500.0, charges=SETTINGS["charges"])
    assert read.to_dict() == found.to_dict()
    measured = compute_transport(*paths, timestep=2.0, every=2)
    assert measured.is_measured
    assert measured.temperature.value == pytest.approx(1500.0, rel=0.5)


def test_an_interrupted_run_goes_on(model, atoms, tmp_path):
    longer = {**SETTINGS, "time": 0.8, "ensemble": "nve"}
    run_transport(model, atoms, [1000.0], folder=tmp_path, **{**longer, "time": 0.4})
    (found,) = run_transport(model, atoms, [1000.0], folder=tmp_path, **longer).results
    (whole,) = run_transport(model, atoms, [1000.0], **longer).results
    assert found.time == pytest.approx(0.8)
    assert found.is_measured
    for element in ("Li", "Cl"):
        np.testing.assert_allclose(
            found.diffusion[element].displacements, whole.diffusion[element].displacements, rtol=1e-6
        )


def test_rescaling_holds_the_temperature_and_conserves_momentum(model, atoms, tmp_path):
    supercell = atoms.repeat((2, 1, 1))
    (found,) = run_transport(
        model, supercell, [800.0], folder=tmp_path, **{**SETTINGS, "time": 6.0, "every": 10}
    ).results
    assert found.temperature.value == 800.0
    path = tmp_path / "run_0" / "rescaled_800K.traj"
    measured = compute_transport(path, timestep=2.0, every=10).temperature
    assert abs(measured.value - 800.0) < 4.0 * measured.error
    from ase.io import read

    momenta = np.array([frame.get_momenta().sum(axis=0) for frame in read(path, ":")])
    np.testing.assert_allclose(momenta, 0.0, atol=1e-9)


def test_several_temperatures_give_arrhenius_fits(model, atoms):
    settings = {**SETTINGS, "start": 0.05}
    series = run_transport(model, atoms, [1500.0, 2500.0], **settings)
    fits = series.arrhenius()
    assert set(series.to_dict()) == {"results", "arrhenius"}
    resolved = {f"D({e})" for e in ("Li", "Cl") if all(r.diffusion[e].is_resolved for r in series.results)}
    assert resolved
    assert resolved <= set(fits)
    assert str(series).count("activation energy") == len(fits)


def test_what_cannot_be_run(model, atoms):
    for settings, message in [
        ({"ensemble": "npt"}, "a barostat changes the cell"),
        ({"temperatures": []}, "at least one"),
        ({"temperatures": [-1.0]}, "above 0 K"),
        ({"time": -1.0}, "all must be above 0"),
        ({"time": 0.1}, "26 frames, 2 steps of 2 fs apart; at least 50"),
        ({"n_runs": 0}, "all must be above 0"),
        ({"charges": {"Li": 1, "Cl": 1}}, "a net charge of"),
        ({"mobile": ["Na"]}, "name one or more"),
    ]:
        with pytest.raises(SettingsError, match=message):
            run_transport(model, atoms, **{"temperatures": [500.0], **SETTINGS, **settings})
    with pytest.raises(StructureError, match="holds Na"):
        run_transport(model, bulk("NaCl", "rocksalt", a=5.6), [500.0], **SETTINGS)
    slab = atoms.copy()
    slab.pbc = (True, True, False)
    with pytest.raises(StructureError, match="periodic in all three"):
        run_transport(model, slab, [500.0], **SETTINGS)
    with pytest.raises(InputError, match=r"MD at 900 K failed at step .* a force of"):
        run_transport(model, atoms, [900.0], limits=Limits(force=0.01), **SETTINGS)
