"""Radial functions of SOAP against numerical integrals, and splines against the functions."""

import numpy as np
import pytest

from linmlp.descriptors.soap.radial import padding, radial_functions
from linmlp.descriptors.splines import make_table
from linmlp.exceptions import SettingsError
from tests.naive import soap as naive


@pytest.mark.parametrize("basis", ["gto", "polynomial"])
@pytest.mark.parametrize("sigma", [0.4, 1.0])
def test_overlaps_are_the_integrals(basis, sigma):
    n_max, l_max, cutoff = 3, 3, 4.0
    distances = np.array([0.0, 0.3, 1.9, 3.8, 5.0])
    found = radial_functions(distances, basis, n_max, l_max, cutoff, sigma)
    for l in range(l_max + 1):
        functions, end = naive.basis_functions(basis, n_max, l, cutoff)
        for n, function in enumerate(functions):
            exact = [naive.overlap_with_gaussian(function, end, l, d, sigma) for d in distances]
            np.testing.assert_allclose(found[:, n, l], exact, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("basis", ["gto", "polynomial"])
def test_continuation_to_negative_distances(basis):
    distances = np.array([0.1, 0.7, 2.0])
    right, left = (radial_functions(d, basis, 2, 3, 4.0, 0.3) for d in (distances, -distances))
    np.testing.assert_allclose(left, right * (-1.0) ** np.arange(4), rtol=1e-12)


def test_narrow_gaussians_do_not_overflow():
    found = radial_functions(np.array([0.5, 4.0, 7.0]), "polynomial", 3, 6, 8.0, 0.05)
    assert np.isfinite(found).all()
    # A narrow Gaussian samples the basis at its place: (2 pi)^(3/2) sigma³ g(d).
    functions, _ = naive.basis_functions("polynomial", 3, 0, 8.0)
    sampled = [(2 * np.pi) ** 1.5 * 0.05**3 * function(4.0) for function in functions]
    np.testing.assert_allclose(found[1, :, 0], sampled, rtol=5e-3)


def test_padding_is_where_the_gaussian_is_gone():
    assert np.exp(-0.5 * (padding(0.7) / 0.7) ** 2) == pytest.approx(1e-3)


def test_too_many_functions():
    with pytest.raises(SettingsError, match=r"n_max=40 radial functions cannot be told apart"):
        radial_functions(np.array([1.0]), "polynomial", 40, 2, 4.0, 0.5)


class TestSplines:
    def test_values_and_derivatives(self):
        table = make_table(lambda x: np.stack([np.sin(3 * x), np.exp(-(x**2))], axis=1), 4.0)
        rng = np.random.default_rng(0)
        x = rng.uniform(0, 4, 200)
        place = x * table.per_piece
        piece, t = place.astype(int), place - place.astype(int)
        powers = t[:, None] ** np.arange(6)
        values = np.einsum("pk,pkn->pn", powers, table.coefficients[piece])
        np.testing.assert_allclose(values[:, 0], np.sin(3 * x), atol=2e-9)
        np.testing.assert_allclose(values[:, 1], np.exp(-(x**2)), atol=2e-9)
        slopes = np.einsum("pk,pkn->pn", powers[:, :5] * np.arange(1, 6), table.coefficients[piece][:, 1:])
        np.testing.assert_allclose(slopes[:, 0] * table.per_piece, 3 * np.cos(3 * x), atol=1e-6)

    def test_pieces_join(self):
        table = make_table(lambda x: np.cos(2 * x)[:, None], 3.0)
        ends = table.coefficients.sum(axis=1)
        np.testing.assert_allclose(ends[:-1], table.coefficients[1:, 0], atol=1e-13)
        slopes = np.einsum("k,pkn->pn", np.arange(6.0), table.coefficients)
        np.testing.assert_allclose(slopes[:-1], table.coefficients[1:, 1], atol=1e-13)

    def test_what_is_not_smooth(self):
        with pytest.raises(SettingsError, match="change too fast"):
            make_table(lambda x: np.abs(x - 1.0)[:, None], 3.0)
