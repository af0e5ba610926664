"""Sums of features beside the energy, against design rows and single evaluators."""

import numpy as np
import pytest
from ase import Atoms

from linmlp import ACE
from linmlp.descriptors import Descriptor
from linmlp.descriptors.ace.evaluator import AceEvaluator
from linmlp.descriptors.ace.rows import AceRows
from linmlp.descriptors.ace.summing_evaluator import AceSummingEvaluator
from linmlp.neighbors import find_pairs
from tests.descriptors.ace.test_evaluator import CASES, make_coefficients, make_crystal
from tests.naive import ace as naive


@pytest.fixture(params=CASES)
def parameters(request):
    return CASES[request.param]


def sums_of_rows(parameters, pairs):
    sums = np.empty(parameters.n_features)
    AceRows(parameters).write(pairs, sums, None, None)
    return sums


def check_sums(parameters, atoms, n_threads=1, features=None, coefficients=None):
    """Energies, forces and strain gradients are those of a plain evaluator, sums those of the energy row."""
    coefficients = make_coefficients(parameters) if coefficients is None else coefficients
    pairs = find_pairs(atoms, parameters.cutoff)
    *results, sums = AceSummingEvaluator(parameters, coefficients, features).compute(pairs, n_threads)
    for result, expected in zip(results, AceEvaluator(parameters, coefficients).compute(pairs), strict=True):
        assert result.shape == expected.shape
        np.testing.assert_allclose(result, expected, rtol=0, atol=1e-12 * np.abs(expected).max(initial=0.0))
    expected = sums_of_rows(parameters, pairs)
    scale = 1e-12 * np.abs(expected).max(initial=0.0)
    expected = expected if features is None else expected[features]
    assert sums.shape == expected.shape
    np.testing.assert_allclose(sums, expected, rtol=0, atol=scale)


def test_sums_match_formulas(parameters):
    atoms = make_crystal(parameters)
    p, pairs = parameters, find_pairs(atoms, parameters.cutoff)
    rest = (pairs, p.cutoff, p.radial_map, p.pair_map, p.inner, p.inner_width, p.mixing)
    expected = naive.features(p.functions, len(p.numbers), atoms.numbers, p.numbers, *rest).sum(axis=0)
    sums = AceSummingEvaluator(p, make_coefficients(p)).compute(pairs)[3]
    np.testing.assert_allclose(sums, expected, rtol=0, atol=1e-12 * np.abs(expected).max())


def test_energy_is_linear_in_the_sums(parameters):
    coefficients = make_coefficients(parameters)
    pairs = find_pairs(make_crystal(parameters), parameters.cutoff)
    energies, _, _, sums = AceSummingEvaluator(parameters, coefficients).compute(pairs)
    np.testing.assert_allclose(sums @ coefficients, energies.sum(), rtol=0, atol=1e-12 * np.abs(energies).sum())


def test_threads(parameters):
    atoms = make_crystal(parameters, repeat=3)
    for n_threads in (1, 2, 1000):
        check_sums(parameters, atoms, n_threads)


def test_small_structures(parameters):
    numbers = parameters.numbers
    check_sums(parameters, Atoms(), n_threads=3)
    check_sums(parameters, Atoms([numbers[0]], positions=[[1, 2, 3]]))
    check_sums(parameters, Atoms([numbers[-1]], cell=[2.4, 2.5, 2.6], pbc=True))
    positions = [[0, 0, 0], [0, 0, 2.3], [1.9, 0.2, 0.5], [30, 0, 0]]
    check_sums(parameters, Atoms(np.resize(numbers, 4), positions=positions))


def test_chosen_features(parameters):
    """Some features in any order, with and without a coefficient; others have one and are not summed."""
    rng = np.random.default_rng(4)
    atoms = make_crystal(parameters)
    coefficients = make_coefficients(parameters) * (rng.random(parameters.n_features) < 0.5)
    for n_summed in (0, 1, parameters.n_features // 2):
        features = rng.permutation(parameters.n_features)[:n_summed]
        check_sums(parameters, atoms, features=features, coefficients=coefficients)
    check_sums(parameters, atoms, coefficients=np.zeros(parameters.n_features))


def test_isolated_elements_do_not_mix():
    """Features around an element are sums over its own atoms."""
    p = CASES["two elements"]
    pairs = find_pairs(make_crystal(p, seed=3), p.cutoff)
    of_atoms = AceRows(p).compute_features(pairs)
    sums = AceSummingEvaluator(p, make_coefficients(p)).compute(pairs)[3].reshape(2, -1)
    for z, number in enumerate(p.numbers):
        expected = of_atoms[pairs.numbers == number].sum(axis=0).reshape(2, -1)[z]
        np.testing.assert_allclose(sums[z], expected, rtol=0, atol=1e-12 * np.abs(sums).max())


def test_descriptor():
    """ACE and a descriptor that knows no faster way agree with `transform`."""
    p = CASES["two elements"]
    atoms = make_crystal(p, seed=4)
    descriptor = ACE(cutoff=p.cutoff, max_degree=(3, 3, 2), max_l=2).fit([atoms])
    n = descriptor.n_features_out_
    pairs, coefficients = descriptor.pairs(atoms), np.random.default_rng(3).normal(size=n)
    (expected,) = descriptor.transform([atoms])
    np.testing.assert_array_equal(descriptor.feature_sums(pairs), expected)
    scale = 1e-12 * np.abs(expected).max()
    energies = descriptor.evaluator(coefficients).compute(pairs)[0]
    for features in (None, np.array([n - 1, 0, 5])):
        fast = descriptor.summing_evaluator(coefficients, features)
        assert isinstance(fast, AceSummingEvaluator)
        slow = Descriptor.summing_evaluator(descriptor, coefficients, features)
        for evaluator in (fast, slow):
            results = evaluator.compute(pairs)
            np.testing.assert_allclose(results[0], energies, rtol=0, atol=1e-12 * np.abs(energies).max())
            wanted = expected if features is None else expected[features]
            np.testing.assert_allclose(results[3], wanted, rtol=0, atol=scale)
