"""Radial functions by recurrence: the same functions as by maps from raw ones."""

import numpy as np
import pytest

from linmlp import ACE
from linmlp.descriptors.ace.radial import orthonormal_map, raw_functions, scaled_distance
from linmlp.descriptors.ace.radial_recurrence import TOLERANCE, RadialRecurrence, recurrence_of
from tests.descriptors.ace.test_evaluator import CASES, make_crystal

CUTOFF = 5.0


def evaluate(coefficients, distances, scaling, cutoff=CUTOFF):
    """The recurrence written out."""
    x = scaled_distance(distances / cutoff, scaling)[0]
    q = [coefficients[0, 0] * np.cos(0.5 * np.pi * distances / cutoff) ** 2 * (1 - x) / 2]
    for a, b, c in coefficients[1:]:
        q.append((a * x + b) * q[-1] + (c * q[-2] if len(q) > 1 else 0.0))
    return np.stack(q, axis=-1)


@pytest.mark.parametrize("n", [1, 2, 3, 17])
def test_orthonormal_functions_obey_it(n):
    rng = np.random.default_rng(n)
    distances, weights = rng.uniform(1.8, CUTOFF, 300), rng.uniform(0.1, 1.0, 300)
    matrix = orthonormal_map(distances, weights, n, CUTOFF)
    coefficients, exact, error = recurrence_of(matrix)
    assert error < TOLERANCE
    np.testing.assert_allclose(exact, matrix, rtol=0, atol=TOLERANCE * np.abs(matrix).max())
    parameters = CASES["one element"]
    values = evaluate(coefficients, distances, parameters.scaling)
    # The sum over raw functions has large terms that cancel.
    expected = raw_functions(distances, n, CUTOFF)[0] @ exact.T
    np.testing.assert_allclose(values, expected, rtol=0, atol=1e-14 * np.abs(exact).max())
    scalar_products = values.T @ (weights[:, None] * values)
    np.testing.assert_allclose(scalar_products, np.eye(n), atol=1e-5)


def test_other_functions_do_not():
    matrix = np.tril(np.random.default_rng(0).normal(size=(5, 5))) + 2 * np.eye(5)
    assert recurrence_of(matrix)[2] > 1e-3


@pytest.mark.parametrize("name", CASES)
def test_maps_are_the_same_functions(name):
    parameters = CASES[name]
    radial = RadialRecurrence.of(parameters)
    assert RadialRecurrence.of(parameters) is radial
    distances = parameters.cutoff * np.linspace(0.4, 1.0, 40)
    for ze in np.ndindex(*parameters.pair_map.shape[:2]):
        values = evaluate(radial.coefficients[ze], distances, parameters.scaling, parameters.cutoff)
        for old, new in (
            (parameters.pair_map[ze], radial.parameters.pair_map[ze]),
            (parameters.radial_map[ze], radial.parameters.radial_map[ze]),
        ):
            n = old.shape[-1]
            expected = raw_functions(distances, n, parameters.cutoff)[0] @ np.swapaxes(old, -1, -2)
            result = values[:, :n] @ np.swapaxes(new, -1, -2)
            np.testing.assert_allclose(result, expected, rtol=0, atol=1e-8 * np.abs(expected).max())


def test_own_functions_of_ace_are_taken():
    """Then the maps are the identity."""
    crystals = [make_crystal(CASES["two elements"], seed=seed) for seed in range(3)]
    descriptor = ACE(cutoff=5.5, max_degree=(16, 14, 3), max_l=1).fit(crystals)
    mapped = RadialRecurrence.of(descriptor.parameters_).parameters
    identity = np.broadcast_to(np.eye(mapped.radial_map.shape[-1]), mapped.radial_map.shape)
    np.testing.assert_allclose(mapped.radial_map, identity, atol=1e-9)
