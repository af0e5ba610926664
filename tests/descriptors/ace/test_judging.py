"""Predictions with member forces, sums of features and leverages, against evaluators and features of every atom."""

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
from ase import Atoms

from linmlp import ACE
from linmlp.descriptors import Descriptor
from linmlp.descriptors.ace.evaluator import AceEvaluator
from linmlp.descriptors.ace.judging_evaluator import AceJudgingEvaluator
from linmlp.descriptors.ace.judging_loops import evaluate_and_judge
from linmlp.descriptors.ace.rows import AceRows
from linmlp.exceptions import SettingsError
from linmlp.neighbors import VerletList, find_pairs
from tests.descriptors.ace.test_evaluator import CASES, make_coefficients, make_crystal
from tests.naive.quadratic_form import NaiveForm


@pytest.fixture(params=CASES)
def parameters(request):
    return CASES[request.param]


def make_members(parameters, n_members=3):
    return np.stack([make_coefficients(parameters, seed) for seed in range(10, 10 + n_members)])


def check(parameters, atoms, n_threads=1, coefficients=None, members=None, form=None, summed=None):
    """Everything is what it is on its own: an evaluator for each member, features of every atom."""
    coefficients = make_coefficients(parameters) if coefficients is None else coefficients
    members = make_members(parameters) if members is None else members
    form = NaiveForm.random(parameters) if form is None else form
    pairs = find_pairs(atoms, parameters.cutoff)
    judged = AceJudgingEvaluator(parameters, coefficients, members, form, summed).compute(pairs, n_threads)
    expected = AceEvaluator(parameters, coefficients).compute(pairs)
    for result, wanted in zip(judged[:3], expected, strict=True):
        np.testing.assert_allclose(result, wanted, rtol=0, atol=1e-12 * np.abs(wanted).max(initial=0.0))
    assert judged.member_forces.shape == (len(members), len(atoms), 3)
    for result, member in zip(judged.member_forces, members, strict=True):
        energies, wanted, _ = AceEvaluator(parameters, member).compute(pairs)
        # Single precision: 6e-8 times the size of the terms, which cancel; to nothing where symmetry fixes the force.
        atol = 1e-6 * max(1.0, np.abs(energies).max(initial=0.0)) + 1e-5 * np.abs(wanted).max(initial=0.0)
        np.testing.assert_allclose(result, wanted, rtol=0, atol=atol)
    features = AceRows(parameters).compute_features(pairs)
    sums = features.sum(axis=0)
    if summed is not None:
        sums[np.setdiff1d(np.arange(len(sums)), summed)] = 0.0
    np.testing.assert_allclose(judged.feature_sums, sums, rtol=0, atol=1e-12 * np.abs(sums).max(initial=0.0))
    leverages = form(features)
    assert judged.leverages.shape == leverages.shape
    # Single precision, and a well-conditioned form.
    np.testing.assert_allclose(judged.leverages, leverages, rtol=2e-5, atol=1e-5 * leverages.max(initial=0.0))


def test_pieces_are_what_they_are_alone(parameters):
    check(parameters, make_crystal(parameters))


def test_threads_and_more_atoms_than_a_chunk(parameters):
    atoms = make_crystal(parameters, repeat=3)
    for n_threads in (1, 2, 1000):
        check(parameters, atoms, n_threads)


@pytest.mark.parametrize("n_members", [1, 2, 5])
def test_even_and_odd_numbers_of_members(n_members):
    parameters = CASES["two elements"]
    check(parameters, make_crystal(parameters), members=make_members(parameters, n_members))


def test_small_structures(parameters):
    numbers = parameters.numbers
    check(parameters, Atoms(), n_threads=3)
    check(parameters, Atoms([numbers[0]], positions=[[1, 2, 3]]))
    check(parameters, Atoms([numbers[-1]], cell=[2.4, 2.5, 2.6], pbc=True))
    positions = [[0, 0, 0], [0, 0, 2.3], [1.9, 0.2, 0.5], [30, 0, 0]]
    check(parameters, Atoms(np.resize(numbers, 4), positions=positions))


def test_features_that_do_not_matter(parameters):
    """Features with and without a coefficient, that matter in the form or not, summed or not; elements without any."""
    rng = np.random.default_rng(4)
    keep = rng.random((3, parameters.n_features)) < 0.4
    summed = rng.permutation(parameters.n_features)[: parameters.n_features // 3]
    coefficients = make_coefficients(parameters) * keep[0]
    members = make_members(parameters) * keep[1]
    atoms = make_crystal(parameters)
    form = NaiveForm.random(parameters, keep[2])
    check(parameters, atoms, coefficients=coefficients, members=members, form=form, summed=summed)
    keep[2].reshape(len(parameters.numbers), -1)[0] = False
    form = NaiveForm.random(parameters, keep[2])
    check(parameters, atoms, coefficients=coefficients, members=members, form=form, summed=summed[:0])
    nothing = NaiveForm.random(parameters, np.zeros(parameters.n_features, dtype=bool))
    check(parameters, atoms, coefficients=0 * coefficients, form=nothing)
    check(parameters, atoms, coefficients=0 * coefficients, form=nothing, summed=summed[:0])


def test_pairs_beyond_the_cutoff_are_left_out():
    parameters = CASES["two elements"]
    atoms = make_crystal(parameters)
    evaluator = AceJudgingEvaluator(
        parameters, make_coefficients(parameters), make_members(parameters), NaiveForm.random(parameters)
    )
    near = evaluator.compute(find_pairs(atoms, parameters.cutoff))
    far = evaluator.compute(VerletList(parameters.cutoff, skin=0.6).pairs(atoms))
    for one, two in zip(near, far, strict=True):
        np.testing.assert_allclose(two, one, rtol=1e-6, atol=1e-5 * np.abs(one).max())


def test_descriptor():
    """ACE and a descriptor that knows no faster way agree, and refuse the same."""
    parameters = CASES["two elements"]
    atoms = make_crystal(parameters, seed=4)
    descriptor = ACE(cutoff=parameters.cutoff, max_degree=(3, 3, 2), max_l=2).fit([atoms])
    n = descriptor.n_features_out_
    coefficients, *members = np.random.default_rng(3).normal(size=(4, n))
    form = NaiveForm.random(descriptor.parameters_)
    fast = descriptor.judging_evaluator(coefficients, members, form)
    slow = Descriptor.judging_evaluator(descriptor, coefficients, members, form)
    assert isinstance(fast, AceJudgingEvaluator)
    assert not isinstance(slow, AceJudgingEvaluator)
    pairs = descriptor.pairs(atoms)
    for one, two in zip(fast.compute(pairs), slow.compute(pairs), strict=True):
        np.testing.assert_allclose(one, two, rtol=2e-5, atol=1e-5 * np.abs(two).max())
    for make in (descriptor.judging_evaluator, lambda *a: Descriptor.judging_evaluator(descriptor, *a)):
        with pytest.raises(SettingsError, match=rf"\(n_members, {n}\)"):
            make(coefficients, np.zeros((2, n - 1)), form)


def test_cache_does_not_depend_on_where_classes_live():
    parameters = CASES["one element"]
    check(parameters, make_crystal(parameters))
    assert evaluate_and_judge.signatures
    assert b"linmlp" not in pickle.dumps(evaluate_and_judge.signatures)


SCRIPT = """
import sys
import numpy as np
from ase import Atoms
from linmlp.descriptors.ace.judging_evaluator import AceJudgingEvaluator
from linmlp.neighbors import find_pairs
from tests.descriptors.ace.test_evaluator import make_coefficients, make_parameters
from tests.descriptors.ace.test_judging import make_members
from tests.naive.quadratic_form import NaiveForm
p = make_parameters(2, (3, 4, 3, 2), 2, n_channels=1)
atoms = Atoms([3, 14, 14], positions=[[0, 0, 0], [0, 0.3, 2.3], [1.9, 0.2, 0.5]], cell=[4.2, 5, 6], pbc=[1, 0, 0])
evaluator = AceJudgingEvaluator(p, make_coefficients(p), make_members(p, 2), NaiveForm.random(p))
np.savez(sys.argv[1], *evaluator.compute(find_pairs(atoms, p.cutoff)))
"""


def test_bounds_checked_run_gives_the_same(tmp_path):
    """Without compilation every load and store is a checked slice."""
    results = []
    for disabled in ("0", "1"):
        file = tmp_path / f"{disabled}.npz"
        environment = os.environ | {"NUMBA_DISABLE_JIT": disabled}
        subprocess.run([sys.executable, "-W", "error", "-c", SCRIPT, str(file)], env=environment, check=True)
        with np.load(file) as data:
            results.append([data[name] for name in data.files])
    for k, (without, compiled) in enumerate(zip(*results, strict=True)):
        digits = 1e-5 if k in (3, 5) else 1e-12  # member forces and leverages are in single precision
        np.testing.assert_allclose(without, compiled, rtol=0, atol=digits * np.abs(compiled).max())
