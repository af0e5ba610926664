"""Radial functions for single precision: the same functions, and digits that survive."""

import numpy as np
import pytest

from linmlp import ACE
from linmlp.descriptors.ace.committee import AceCommittee
from linmlp.descriptors.ace.judging_evaluator import AceJudgingEvaluator
from linmlp.descriptors.ace.pair_plan import RadialBasis
from linmlp.descriptors.ace.plan import make_layout
from linmlp.descriptors.simd import LANES
from tests.descriptors.ace.test_evaluator import CASES, make_crystal
from tests.naive.quadratic_form import NaiveForm


@pytest.mark.parametrize("name", CASES)
def test_maps_from_the_basis_are_the_same_functions(name):
    parameters = CASES[name]
    basis = RadialBasis.of(parameters)
    assert RadialBasis.of(parameters) is basis
    for ze in np.ndindex(*parameters.pair_map.shape[:2]):
        matrix = basis.matrices[ze]
        assert not np.triu(matrix, 1).any()
        for old, new in (
            (parameters.pair_map[ze], basis.parameters.pair_map[ze]),
            (parameters.radial_map[ze], basis.parameters.radial_map[ze]),
        ):
            n = old.shape[-1]
            np.testing.assert_allclose(new @ matrix[:n, :n], old, rtol=0, atol=1e-6 * np.abs(old).max())


@pytest.mark.parametrize("name", CASES)
def test_the_basis_has_a_row_for_every_function_that_the_loops_make(name):
    """They make at least four, also where the maps know fewer: a missing row would be read from other memory."""
    parameters = CASES[name]
    layout = make_layout(parameters, np.ones(parameters.n_features, dtype=bool), LANES)
    assert RadialBasis.of(parameters).matrices.shape[-1] >= layout.plan.n_radial.max()


def many_radial_functions():
    """ACE with as many radial functions as by default: their maps have entries of a million that cancel."""
    crystals = [make_crystal(CASES["two elements"], seed=seed) for seed in range(3)]
    descriptor = ACE(cutoff=5.5, max_degree=(16, 14, 3), max_l=1).fit(crystals)
    assert np.abs(descriptor.parameters_.radial_map).max() > 1e5
    return descriptor, crystals


def test_orthonormal_functions_of_ace_are_the_basis():
    parameters = many_radial_functions()[0].parameters_
    mapped = RadialBasis.of(parameters).parameters
    identity = np.broadcast_to(np.eye(mapped.radial_map.shape[-1]), mapped.radial_map.shape)
    np.testing.assert_allclose(mapped.radial_map, identity, atol=1e-9)


def test_member_forces_keep_their_digits():
    descriptor, crystals = many_radial_functions()
    parameters, pairs = descriptor.parameters_, descriptor.pairs(crystals[0])
    features = np.concatenate([descriptor.compute_features(descriptor.pairs(atoms)) for atoms in crystals])
    members = np.random.default_rng(0).normal(size=(3, descriptor.n_features_out_)) / np.maximum(features.std(0), 1e-3)
    judged = AceJudgingEvaluator(parameters, members[0], members, NaiveForm.random(parameters)).compute(pairs)
    expected = AceCommittee(parameters, members).compute(pairs)[1]
    np.testing.assert_allclose(judged.member_forces, expected, rtol=0, atol=2e-6 * np.abs(expected).max())
