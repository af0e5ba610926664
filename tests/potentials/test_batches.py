"""Predictions of many structures: the same numbers for any number of threads, threads only where they pay."""

import threading
import time

import joblib
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT

from linmlp import SOAP, LinearPotential, SparseKernelPotential
from linmlp.exceptions import StructureError
from linmlp.potentials import batches
from linmlp.potentials.batches import map_structures
from tests.naive.known_model import WEIGHTS, small_ace


class Recorder:
    """A predictor that remembers which threads it ran in, and how many structures at a time."""

    def __init__(self):
        self.threads, self.sizes = set(), []

    def predict_all(self, structures):
        self.threads.add(threading.get_ident())
        self.sizes.append(len(structures))
        time.sleep(0.002)
        return [float(atoms.positions.sum()) for atoms in structures]


@pytest.fixture
def impatient(monkeypatch):
    """Threads from the first batch on, and small batches."""
    monkeypatch.setattr(batches, "PATIENCE", 0.0)
    monkeypatch.setattr(batches, "BATCH_ATOMS", 20)
    monkeypatch.setattr(batches, "THREADS_FROM", 8)


def crystals(n):
    rng = np.random.default_rng(0)
    found = [bulk("Si", cubic=True) for _ in range(n)]
    for atoms in found:
        atoms.positions += rng.normal(0, 0.05, atoms.positions.shape)
    return found


def threads_of(n_jobs):
    recorder = Recorder()
    found = map_structures(recorder, crystals(60), n_jobs)
    assert found == [float(atoms.positions.sum()) for atoms in crystals(60)]
    return len(recorder.threads), threading.get_ident() in recorder.threads


def test_all_cores_by_default(impatient, monkeypatch):
    monkeypatch.setattr(
        "joblib.parallel.ThreadingBackend.effective_n_jobs", lambda _, n_jobs: 3 if n_jobs < 0 else n_jobs
    )
    assert threads_of(None)[0] == 3
    assert threads_of(2) == (2, False)
    assert threads_of(1) == (1, True)


def test_small_structures_stay_in_one_thread_by_default(impatient, monkeypatch):
    monkeypatch.setattr(batches, "THREADS_FROM", 9)  # these have 8 atoms
    assert threads_of(None) == (1, True)
    assert threads_of(2) == (2, False)


def test_joblib_decides_where_it_was_asked(impatient):
    for n_jobs, n_threads in ((1, 1), (2, 2), (4, 4)):
        with joblib.parallel_config(backend="threading", n_jobs=n_jobs):
            assert threads_of(None)[0] == n_threads
    inside = joblib.Parallel(n_jobs=2, prefer="threads")(joblib.delayed(threads_of)(None) for _ in range(2))
    assert inside == [(1, True), (1, True)]  # one level of threads


def test_small_tasks_start_no_threads():
    recorder = Recorder()
    map_structures(recorder, crystals(3), None)
    assert recorder.threads == {threading.get_ident()}
    assert recorder.sizes == [3]  # evaluated together


@pytest.mark.parametrize("n_jobs", [2, 3, None])
def test_same_bits_for_any_number_of_threads(impatient, fitted_case, n_jobs):
    model, structures = fitted_case.model, fitted_case.truth.structures * 3
    settings = model.get_params()["n_jobs"]
    try:
        model.set_params(n_jobs=1)
        serial = model.predict(structures), model.predict_forces(structures), model.predict_stress(structures)
        table = model.evaluate(structures).to_dict()
        model.set_params(n_jobs=n_jobs)
        np.testing.assert_array_equal(model.predict(structures), serial[0])
        for found, wanted in zip(model.predict_forces(structures), serial[1], strict=True):
            np.testing.assert_array_equal(found, wanted)
        np.testing.assert_array_equal(model.predict_stress(structures), serial[2])
        assert model.evaluate(structures).to_dict() == table
    finally:
        model.set_params(n_jobs=settings)


def test_same_bits_from_processes(impatient, silicon_model, silicon_truth):
    """Predictors travel to the workers of any backend of joblib."""
    structures = silicon_truth.structures * 3
    serial = silicon_model.predict(structures)
    with joblib.parallel_config(backend="loky", n_jobs=2):
        np.testing.assert_array_equal(silicon_model.predict(structures), serial)


def check_against_one_by_one(model, structures, tolerance=1e-12):
    predictor = model.predictor()
    together = model.predict(structures), model.predict_forces(structures), model.predict_stress(structures)
    for k, atoms in enumerate(structures):
        alone = predictor(atoms)
        assert together[0][k] == pytest.approx(alone.energy, abs=tolerance)
        np.testing.assert_allclose(together[1][k], alone.forces, atol=tolerance)
        np.testing.assert_allclose(together[2][k], alone.stress, atol=tolerance)


def test_together_as_alone(fitted_case):
    check_against_one_by_one(fitted_case.model, fitted_case.truth.structures)


@pytest.mark.parametrize("kind", ["soap", "kernel", "calculator"])
def test_together_as_alone_for_other_potentials(silicon_truth, kind):
    structures = silicon_truth.structures
    if kind == "soap":
        model = LinearPotential(SOAP(cutoff=4.0, n_max=3, l_max=2), alpha=1e-6, fill_holes=False, **WEIGHTS)
    elif kind == "kernel":
        model = SparseKernelPotential(SOAP(cutoff=4.0, n_max=3, l_max=2), n_sparse=10, zeta=2, alpha=1e-6, **WEIGHTS)
    else:
        structures = [atoms.copy() for atoms in structures if atoms.pbc.all()]
        rng = np.random.default_rng(0)
        for atoms in structures:
            atoms.numbers[:] = 13
            atoms.arrays["forces"] = rng.normal(size=(len(atoms), 3))
        model = LinearPotential(small_ace(), alpha=1e-6, baseline=EMT(), fill_holes=False, e0={"Al": 0.0}, **WEIGHTS)
    # Weights of kernels are large and of both signs.
    check_against_one_by_one(model.fit(structures), structures, 1e-8 if kind == "kernel" else 1e-11)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_bad_structures_are_named(impatient, silicon_model, silicon_truth, n_jobs):
    bad = [
        (bulk("Ge"), r"structure 17 \(Ge2, config_type \"default\"\): .*Ge"),
        (Atoms("Si2", [[0, 0, 0], [0, 0, 0.01]]), r"structure 17 \(Si2, .*0\.01 Å apart"),
        (Atoms("Si", [[np.nan, 0, 0]]), r"structure 17 \(Si, .*positions must be finite"),
        (Atoms(), "structure 17 .*has no atoms"),
    ]
    silicon_model.set_params(n_jobs=n_jobs)
    try:
        for atoms, message in bad:
            structures = [*crystals(17), atoms, *crystals(5)]
            for predict in (silicon_model.predict, silicon_model.predict_forces, silicon_model.predict_stress):
                with pytest.raises(StructureError, match=message):
                    predict(structures)
    finally:
        silicon_model.set_params(n_jobs=None)
