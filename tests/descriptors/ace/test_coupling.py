"""Coupling coefficients against orthogonality, the formulas of the functions, and complex arithmetic."""

from itertools import pairwise

import numpy as np
import pytest

from linmlp.descriptors.ace.basis import enumerate_functions, factors, intermediate
from linmlp.descriptors.ace.coupling import clebsch_gordan_table, coupling_tensor, expand_coupling, real_coupling
from tests.naive import ace as naive


@pytest.mark.parametrize(("l1", "l2"), [(0, 0), (1, 1), (1, 2), (3, 2), (6, 6)])
def test_coefficients_are_orthogonal_and_complete(l1, l2):
    tables = [clebsch_gordan_table(l1, l2, l).reshape(-1, 2 * l + 1) for l in range(abs(l1 - l2), l1 + l2 + 1)]
    matrix = np.concatenate(tables, axis=1)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(len(matrix)), atol=1e-12)


def random_densities(ls, rng):
    """A_lm, m ascending, of real densities."""
    densities = []
    for l in ls:
        a = rng.normal(size=2 * l + 1) + 1j * rng.normal(size=2 * l + 1)
        m = np.arange(-l, l + 1)
        densities.append(a + np.where(m % 2 == 0, 1, -1) * np.conj(a[::-1]))
    return densities


def test_expansions_in_products_of_densities_give_the_functions():
    """What an export writes: coefficients, projections and nothing else, for every order."""
    rng = np.random.default_rng(0)
    functions = enumerate_functions(1, (1, 4, 5, 6), 4)
    for function in functions:
        ls = tuple(l for _, _, l in factors(function))
        densities = dict(zip(factors(function), random_densities(ls, rng), strict=True))
        ms, coefficients = expand_coupling(ls, intermediate(function))
        assert np.all(ms.sum(axis=1) == 0)
        of_factors = [densities[c][c[2] + ms[:, k]] for k, c in enumerate(factors(function))]
        total = coefficients @ np.prod(of_factors, axis=0)
        if len(function) > 1:  # the formula of the pair term knows radial functions only
            expected = naive._invariant(function, lambda c, m: densities[c][c[2] + m], None, None, None)  # noqa: B023
            np.testing.assert_allclose(total, expected, atol=1e-12)
        else:
            np.testing.assert_array_equal(total, densities[function[0]][0])
    lengths = [len(factors(function)) for function in functions]
    assert sorted(set(lengths)) == [1, 2, 3, 4]
    assert all(a <= b for a, b in pairwise(lengths))


@pytest.mark.parametrize(
    ("l1", "l2", "l"), [(0, 0, 0), (0, 2, 2), (1, 1, 0), (1, 1, 1), (2, 3, 4), (2, 1, 3), (3, 3, 2)]
)
def test_real_coupling_is_the_complex_one(l1, l2, l):
    a, b = random_densities((l1, l2), np.random.default_rng(1))
    expected = np.einsum("abm,a,b->m", clebsch_gordan_table(l1, l2, l), a, b)[l:]

    def columns(x):
        return np.concatenate([[x[0].real], *((v.real, v.imag) for v in x[1:])])

    found = np.einsum("abm,a,b->m", real_coupling(l1, l2, l), columns(a[l1:]), columns(b[l2:]))
    is_odd = (l1 + l2 + l) % 2 == 1
    zeroth = expected[0].imag if is_odd else expected[0].real
    np.testing.assert_allclose(found, [zeroth, *columns(expected)[1:]], atol=1e-13)
    assert abs(expected[0].real if is_odd else expected[0].imag) < 1e-13


def test_tensors_do_not_change_when_all_factors_are_rotated():
    """Lowering all projections of an invariant gives nothing."""
    for ls, momentum in (((2,), 0), ((2, 2), 0), ((1, 2, 3), 0), ((1, 2, 2, 1), 2), ((1, 1, 1, 1), 1)):
        tensor = coupling_tensor(ls if len(ls) > 1 else (0,), momentum)
        total = np.zeros_like(tensor)
        for axis, size in enumerate(tensor.shape):
            l = size // 2
            m = np.arange(-l, l)
            lowering = np.diag(np.sqrt(l * (l + 1) - m * (m + 1)), 1)
            total += np.moveaxis(np.tensordot(lowering, tensor, (1, axis)), 0, axis)
        np.testing.assert_allclose(total, 0.0, atol=1e-13)
        assert np.abs(tensor).max() > 0.1
