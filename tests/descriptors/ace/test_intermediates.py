"""Independent couplings of four channels, against projections that know no Clebsch-Gordan coefficients."""

from itertools import permutations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from linmlp.descriptors.ace.coupling import coupling_tensor
from linmlp.descriptors.ace.intermediates import intermediate_momenta
from tests.naive.ace import spherical_harmonic

CASES = [
    ((0, 0, 0, 0), (0, 0, 0, 0)),
    ((0, 0, 1, 1), (0, 1, 2, 2)),
    ((0, 1, 1, 2), (0, 1, 1, 2)),
    ((0, 1, 1, 2), (0, 1, 2, 3)),
    ((1, 1, 1, 1), (0, 0, 0, 0)),
    ((1, 1, 1, 1), (0, 0, 0, 1)),
    ((1, 1, 1, 1), (0, 0, 1, 1)),
    ((1, 1, 1, 1), (0, 0, 1, 2)),
    ((1, 1, 1, 1), (0, 1, 1, 2)),
    ((1, 1, 1, 1), (0, 1, 2, 3)),
    ((1, 1, 2, 2), (0, 0, 1, 1)),
    ((1, 1, 2, 2), (0, 1, 2, 3)),
    ((1, 1, 1, 3), (0, 0, 0, 1)),
    ((1, 2, 2, 3), (0, 1, 1, 2)),
    ((2, 2, 2, 2), (0, 0, 0, 0)),
    ((2, 2, 2, 2), (0, 1, 1, 1)),
    ((2, 2, 2, 2), (0, 0, 1, 1)),
]


def same_channels(kinds):
    return [p for p in permutations(range(4)) if all(kinds[p[k]] == kinds[k] for k in range(4))]


def count_by_generators(ls, kinds):
    """Dimension of the tensors that the generators of rotations and the permutations of equal channels leave alone."""
    shape = [2 * l + 1 for l in ls]
    n = int(np.prod(shape))
    raising, z = np.zeros((n, n)), np.zeros((n, n))
    for axis, l in enumerate(ls):
        m = np.arange(-l, l)
        before, after = np.eye(int(np.prod(shape[:axis]))), np.eye(int(np.prod(shape[axis + 1 :])))
        for total, own in (
            (raising, np.diag(np.sqrt(l * (l + 1) - m * (m + 1)), -1)),
            (z, np.diag(np.arange(-l, l + 1))),
        ):
            total += np.kron(np.kron(before, own), after)
    numbers = np.arange(n).reshape(shape)
    exchanges = [np.eye(n)[numbers.transpose(p).ravel()] - np.eye(n) for p in same_channels(kinds)]
    singular = np.linalg.svd(np.concatenate([raising, z, *exchanges]), compute_uv=False)
    return int(np.sum(singular < 1e-9))


@pytest.mark.parametrize(("ls", "kinds"), CASES)
def test_count_is_that_of_the_invariant_tensors(ls, kinds):
    assert len(intermediate_momenta(ls, kinds)) == count_by_generators(ls, kinds)


def rotations(degree):
    """Rotations and weights whose mean is that over all rotations, for polynomials of matrices up to a degree."""
    angles = 2 * np.pi * np.arange(degree + 1) / (degree + 1)
    cosines, weights = np.polynomial.legendre.leggauss(degree // 2 + 1)
    a, b, c = np.meshgrid(angles, np.arccos(cosines), angles, indexing="ij")
    turns = Rotation.from_euler("ZYZ", np.stack([a, b, c], axis=-1).reshape(-1, 3))
    all_weights = np.broadcast_to(weights[:, None] / 2 / len(angles) ** 2, a.shape).ravel()
    return turns, all_weights


def densities_of(ls, kinds, radial, vectors):
    """A_lm of four channels, (2 l + 1,) each; equal kinds have the same radial functions (kind, neighbor)."""
    return [
        np.array([radial[kind] @ spherical_harmonic(l, m, vectors) for m in range(-l, l + 1)])
        for l, kind in zip(ls, kinds, strict=True)
    ]


@pytest.mark.parametrize(("ls", "kinds"), CASES)
def test_functions_span_all_averages_over_rotations(ls, kinds):
    """The mean of any product of densities over all rotations is a combination of the functions, which are needed all.

    The other way round, an average over rotations of environments is an invariant; none is missed.
    """
    rng = np.random.default_rng(0)
    turns, weights = rotations(sum(ls))
    tensors = [coupling_tensor(ls, momentum) for momentum in intermediate_momenta(ls, kinds)]
    functions, averages = [], []
    for _ in range(len(tensors) + 3):
        vectors = rng.normal(size=(5, 3))
        radial = rng.normal(size=(4, 5))
        own = densities_of(ls, kinds, radial, vectors)
        functions.append([np.einsum("abcd,a,b,c,d->", tensor, *own) for tensor in tensors])
        turned = [densities_of(ls, kinds, radial, turn.apply(vectors)) for turn in turns]
        products = [np.einsum("a,b,c,d->abcd", *densities).ravel() for densities in turned]
        averages.append(weights @ np.array(products))
    functions, averages = np.array(functions), np.array(averages)
    assert np.abs(functions.imag).max(initial=0.0) < 1e-10 * np.abs(functions).max(initial=1.0)
    scaled = functions.real / np.linalg.norm(functions.real, axis=0)
    assert np.linalg.svd(scaled, compute_uv=False).min(initial=1.0) > 1e-3
    left = averages - functions @ np.linalg.lstsq(functions, averages, rcond=None)[0]
    np.testing.assert_allclose(left, 0.0, atol=1e-10 * np.abs(averages).max())


def test_larger_angular_momenta_are_well_conditioned():
    """Greedy choice of the smallest momenta: angles between normalized symmetric tensors stay wide."""
    for ls, kinds in (((3, 3, 3, 3), (0, 0, 0, 0)), ((4, 4, 4, 4), (0, 0, 1, 1)), ((4, 4, 4, 4), (0, 1, 1, 1))):
        momenta = intermediate_momenta(ls, kinds)
        assert len(momenta) > 1 or len(set(kinds)) == 1
        tensors = []
        for momentum in momenta:
            tensor = np.mean([coupling_tensor(ls, momentum).transpose(p) for p in same_channels(kinds)], axis=0).ravel()
            tensors.append(tensor / np.linalg.norm(tensor))
        assert np.linalg.svd(tensors, compute_uv=False).min() > 0.1
