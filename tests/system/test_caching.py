"""Assembled data on disk: what changes the hash, how often rows are computed, broken files."""

from dataclasses import replace

import joblib
import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV

from linmlp import ACE, LinearPotential
from linmlp.exceptions import SettingsError
from linmlp.structures import ReferenceEnergies, read_labels
from linmlp.system import Assembly, assemble_cached
from linmlp.system.caching import assembly_hash
from tests.naive.known_model import WEIGHTS, small_ace


@pytest.fixture
def rows_written(monkeypatch):
    """Grows by one with each structure whose rows are computed."""
    calls, write = [], ACE.write_rows
    monkeypatch.setattr(ACE, "write_rows", lambda self, *args: (calls.append(1), write(self, *args))[1])
    return calls


@pytest.fixture
def assembly(silicon_truth):
    structures = [atoms.copy() for atoms in silicon_truth.structures]
    return Assembly(structures, read_labels(silicon_truth.structures), silicon_truth.descriptor)


def test_the_hash_is_of_content(assembly):
    again = replace(
        assembly, structures=[a.copy() for a in assembly.structures], labels=list(assembly.labels), n_jobs=2
    )
    assert assembly_hash(again) == assembly_hash(assembly)


def test_all_that_matters_is_in_the_hash(assembly):
    n = len(assembly.structures)
    moved = [a.copy() for a in assembly.structures]
    moved[3].positions[0, 0] += 1e-9
    labels = list(assembly.labels)
    labels[2] = replace(labels[2], energy_weight=0.5)
    regrouped = list(assembly.labels)
    regrouped[2] = replace(regrouped[2], config_type="other")
    changes = [
        {},
        {"structures": moved},
        {"labels": labels},
        {"labels": regrouped},
        {"descriptor": small_ace().set_params(max_degree=(4, 3, 3)).fit(assembly.structures)},
        {"reference": ReferenceEnergies("given", ("Si",), np.array([1.0]))},
        {"folds": np.arange(n) % 2},
        {"sample_weight": np.ones(n)},
        {"group_weights": {"bulk": 2.0}},
        {"groups_apart": True},
        {"form": "qr"},
        {"block_rows": 100},
    ]
    assert len({assembly_hash(replace(assembly, **change)) for change in changes}) == len(changes)


@pytest.mark.parametrize("as_memory", [str, lambda path: path, lambda path: joblib.Memory(path, verbose=0)])
def test_second_run_reads(as_memory, assembly, rows_written, tmp_path):
    memory = as_memory(tmp_path)
    first = assemble_cached(assembly, memory)
    n = len(rows_written)
    second = assemble_cached(assembly, memory)
    assert len(rows_written) == n == len(assembly.structures)
    np.testing.assert_array_equal(first.energy.X, second.energy.X)
    for kind in ("force", "stress"):
        for key, system in getattr(first, kind).items():
            coef = np.ones(first.n_features)
            assert getattr(second, kind)[key].system.squared_residual(coef) == system.system.squared_residual(coef)


def test_broken_entries_are_computed_again(assembly, rows_written, tmp_path):
    first = assemble_cached(assembly, tmp_path)
    (entry,) = tmp_path.rglob("output.pkl")
    entry.write_bytes(b"junk")
    second = assemble_cached(assembly, tmp_path)
    assert len(rows_written) == 2 * len(assembly.structures)
    np.testing.assert_array_equal(first.energy.X, second.energy.X)


def test_a_search_over_alpha_computes_the_rows_of_a_fold_once(silicon_truth, rows_written, tmp_path):
    model = LinearPotential(small_ace(), **WEIGHTS, baseline=None)
    grid = {"alpha": [1e-8, 1e-7, 1e-6]}
    search = GridSearchCV(model, grid, cv=2, refit=False).fit(silicon_truth.structures)
    without = len(rows_written)
    rows_written.clear()
    cached = GridSearchCV(model.set_params(memory=tmp_path), grid, cv=2, refit=False).fit(silicon_truth.structures)
    assert without == 3 * len(rows_written) > 0
    np.testing.assert_array_equal(cached.cv_results_["mean_test_score"], search.cv_results_["mean_test_score"])


def test_other_memories_are_refused(silicon_truth):
    with pytest.raises(SettingsError, match=r"joblib\.Memory"):
        LinearPotential(small_ace(), memory=3).fit(silicon_truth.structures)
