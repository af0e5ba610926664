"""Coupling coefficients against orthogonality, ladder operators and complex arithmetic."""

import numpy as np
import pytest

from linmlp.descriptors.ace.coupling import clebsch_gordan_table, coupling_tensor, real_coupling
from tests.naive.ace import random_densities


@pytest.mark.parametrize(("l1", "l2"), [(0, 0), (1, 1), (1, 2), (3, 2), (6, 6)])
def test_coefficients_are_orthogonal_and_complete(l1, l2):
    tables = [clebsch_gordan_table(l1, l2, l).reshape(-1, 2 * l + 1) for l in range(abs(l1 - l2), l1 + l2 + 1)]
    matrix = np.concatenate(tables, axis=1)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(len(matrix)), atol=1e-12)


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
