"""Committees against single evaluators."""

import os
import pickle
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms

from linmlp import ACE
from linmlp.descriptors import Descriptor
from linmlp.descriptors.ace.committee import AceCommittee
from linmlp.descriptors.ace.committee_loops import evaluate_members
from linmlp.descriptors.ace.evaluator import AceEvaluator
from linmlp.descriptors.ace.plan import make_plan
from linmlp.descriptors.simd import LANES
from linmlp.exceptions import SettingsError
from linmlp.neighbors import find_pairs
from tests.descriptors.ace.test_evaluator import CASES, make_coefficients, make_crystal


@pytest.fixture(params=CASES)
def parameters(request):
    return CASES[request.param]


def make_members(parameters, n_members):
    return np.stack([make_coefficients(parameters, seed) for seed in range(n_members)])


def check_members(parameters, atoms, coefficients, n_threads=1):
    """Every member gives what its own evaluator gives, but for rounding."""
    pairs = find_pairs(atoms, parameters.cutoff)
    together = AceCommittee(parameters, coefficients).compute(pairs, n_threads)
    shapes = (len(atoms),), (len(atoms), 3), (len(atoms), 6)
    for result, shape in zip(together, shapes, strict=True):
        assert result.shape == (len(coefficients), *shape)
    for member, of_member in enumerate(coefficients):
        alone = AceEvaluator(parameters, of_member).compute(pairs)
        for result, expected in zip(together, alone, strict=True):
            atol = 1e-12 * np.abs(expected).max(initial=0.0)
            np.testing.assert_allclose(result[member], expected, rtol=0, atol=atol)


@pytest.mark.parametrize("n_members", [1, 2, 3, 10])
def test_members_equal_single_evaluators(parameters, n_members):
    check_members(parameters, make_crystal(parameters), make_members(parameters, n_members))


def test_more_threads_than_cores(parameters):
    atoms = make_crystal(parameters, repeat=3)
    for n_threads in (2, 1000):
        check_members(parameters, atoms, make_members(parameters, 3), n_threads)


def test_small_structures(parameters):
    coefficients = make_members(parameters, 3)
    numbers = parameters.numbers
    check_members(parameters, Atoms(), coefficients, n_threads=3)
    check_members(parameters, Atoms([numbers[0]], positions=[[1, 2, 3]]), coefficients)
    check_members(parameters, Atoms([numbers[-1]], cell=[2.4, 2.5, 2.6], pbc=True), coefficients)
    positions = [[0, 0, 0], [0, 0, 2.3], [1.9, 0.2, 0.5], [30, 0, 0]]
    check_members(parameters, Atoms(np.resize(numbers, 4), positions=positions), coefficients)


def test_members_that_lack_functions(parameters):
    """Functions that some members do not have, that none has, and a member without any."""
    coefficients = make_members(parameters, 3)
    coefficients *= np.random.default_rng(5).random(coefficients.shape) < 0.4
    coefficients[:, ::3] = 0.0
    coefficients[1] = 0.0
    check_members(parameters, make_crystal(parameters), coefficients)


def test_same_committee_for_other_structures():
    parameters = CASES["two elements"]
    committee = AceCommittee(parameters, make_members(parameters, 3))
    first, second = (find_pairs(make_crystal(parameters, seed=seed), parameters.cutoff) for seed in (1, 7))
    expected = committee.compute(first)
    assert not np.allclose(committee.compute(second)[0], expected[0])
    for result, wanted in zip(committee.compute(first), expected, strict=True):
        np.testing.assert_array_equal(result, wanted)


def fitted(parameters):
    descriptor = ACE(cutoff=parameters.cutoff, order=3, max_degree=(3, 3, 2), max_l=2)
    return descriptor.fit([make_crystal(parameters)])


def test_descriptor_makes_committees():
    """ACE and a descriptor that knows no faster way agree."""
    parameters = CASES["two elements"]
    descriptor = fitted(parameters)
    coefficients = np.random.default_rng(3).normal(size=(3, descriptor.n_features_out_))
    pairs = descriptor.pairs(make_crystal(parameters, seed=4))
    committee = descriptor.committee(coefficients)
    assert isinstance(committee, AceCommittee)
    in_turn = Descriptor.committee(descriptor, coefficients)
    assert not isinstance(in_turn, AceCommittee)
    for result, expected in zip(committee.compute(pairs), in_turn.compute(pairs), strict=True):
        assert result.shape == expected.shape
        np.testing.assert_allclose(result, expected, rtol=0, atol=1e-12 * np.abs(expected).max())


def test_wrong_shapes():
    descriptor = fitted(CASES["two elements"])
    n = descriptor.n_features_out_
    for shape in ((n,), (2, n - 1), (0, n)):
        for make in (descriptor.committee, lambda c: Descriptor.committee(descriptor, c)):
            with pytest.raises(SettingsError, match=rf"\(n_members, {n}\)"):
                make(np.zeros(shape))


def count_terms(plan):
    return sum(len(rows.source) for rows in (plan.to_used, plan.order_two, plan.to_raw)) + sum(
        len(products.c) for products in (plan.real, plan.paired, plan.full)
    )


def test_zero_coefficients_leave_no_trace():
    """The plan of a few functions is that of a potential which knows no others."""
    parameters = CASES["one element"]
    coefficients = make_coefficients(parameters)
    keep = np.random.default_rng(6).random(len(coefficients)) < 0.3
    assert np.any([len(f) == 3 for f, kept in zip(parameters.functions, keep, strict=True) if kept])
    few = tuple(f for f, kept in zip(parameters.functions, keep, strict=True) if kept)
    sparse = make_plan(parameters, np.where(keep, coefficients, 0.0), LANES)
    alone = make_plan(replace(parameters, functions=few), coefficients[keep], LANES)
    assert count_terms(sparse) == count_terms(alone)
    assert count_terms(sparse) < 0.7 * count_terms(make_plan(parameters, coefficients, LANES))
    assert sparse.raw_size == alone.raw_size
    committee = AceCommittee(parameters, np.where(keep, make_members(parameters, 3), 0.0))
    assert count_terms(committee._plan) == count_terms(alone)


def test_cache_does_not_depend_on_where_classes_live():
    """As for single evaluators: a cache that cannot be unpickled any more would be an error."""
    parameters = CASES["one element"]
    check_members(parameters, make_crystal(parameters), make_members(parameters, 2))
    assert evaluate_members.signatures
    assert b"linmlp" not in pickle.dumps(evaluate_members.signatures)


SCRIPT = """
import sys
import numpy as np
from ase import Atoms
from linmlp.descriptors.ace.committee import AceCommittee
from linmlp.descriptors.ace.summing_evaluator import AceSummingEvaluator
from linmlp.neighbors import find_pairs
from tests.descriptors.ace.test_committee import make_members
from tests.descriptors.ace.test_evaluator import make_parameters
p = make_parameters(2, (3, 4, 3, 2), 2)
atoms = Atoms([3, 14, 14], positions=[[0, 0, 0], [0, 0.3, 2.3], [1.9, 0.2, 0.5]], cell=[4.2, 5, 6], pbc=[1, 0, 0])
pairs = find_pairs(atoms, p.cutoff)
members = make_members(p, 3)
np.savez(sys.argv[1], *AceCommittee(p, members).compute(pairs), *AceSummingEvaluator(p, members[0]).compute(pairs))
"""


def test_bounds_checked_run_gives_the_same(tmp_path):
    """Without compilation every load and store is a checked slice; sums of features too."""
    results = []
    for disabled in ("0", "1"):
        file = tmp_path / f"{disabled}.npz"
        environment = os.environ | {"NUMBA_DISABLE_JIT": disabled}
        subprocess.run([sys.executable, "-W", "error", "-c", SCRIPT, str(file)], env=environment, check=True)
        with np.load(file) as data:
            results.append([data[name] for name in data.files])
    for compiled, checked in zip(*results, strict=True):
        np.testing.assert_allclose(checked, compiled, rtol=0, atol=1e-12 * np.abs(compiled).max())


def test_single_evaluator_does_not_compile_the_committee():
    script = """
from ase import Atoms
from linmlp.descriptors.ace import committee_loops, evaluator_loops, summing_loops
from linmlp.descriptors.ace.evaluator import AceEvaluator
from linmlp.neighbors import find_pairs
from tests.descriptors.ace.test_evaluator import CASES, make_coefficients
p = CASES["order 2"]
AceEvaluator(p, make_coefficients(p)).compute(find_pairs(Atoms([3, 3], positions=[[0, 0, 0], [2, 0, 0]]), p.cutoff))
assert evaluator_loops.evaluate_blocks.signatures
assert not committee_loops.evaluate_members.signatures
assert not summing_loops.evaluate_and_sum.signatures
"""
    subprocess.run([sys.executable, "-c", script], check=True, env=os.environ | {"NUMBA_DISABLE_JIT": "0"})
