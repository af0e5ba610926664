"""Rows of structures as a source: the loss, the closed form, and no more than a block at a time."""

import numpy as np
import pytest

from linmlp.solvers import LSMR, Ridge
from linmlp.structures import ReferenceEnergies
from linmlp.system import LossWeights, TrainingData, assemble, validate
from linmlp.system.structure_rows import StructureRows
from tests.naive.toy_data import toy_labels, toy_structures, with_odd_weights
from tests.naive.toy_descriptor import ToyDescriptor

REFERENCE = ReferenceEnergies("lstsq", ("Si", "C"), np.array([-4.0, -3.5]))
LISTED = np.array([1.0, 2.0, 0.0] * 7)


@pytest.fixture(scope="module")
def data():
    descriptor = ToyDescriptor(("Si", "C"))
    structures = toy_structures(21, symbols=("Si", "C"))
    coef = np.random.default_rng(4).normal(size=descriptor.n_features_)
    return structures, with_odd_weights(toy_labels(structures, descriptor, coef)), descriptor


@pytest.mark.parametrize("per", ["structure", "atom", "sqrt_atom"])
@pytest.mark.parametrize("solve_reference", [True, False])
def test_squared_residual_is_that_of_the_training_problem(data, per, solve_reference):
    structures, labels, descriptor = data
    weights = LossWeights(3.0, 1.5, 20.0, per)
    rows = StructureRows(structures, labels, descriptor, weights, (), REFERENCE, LISTED, solve_reference, block_rows=20)
    assembled = assemble(structures, labels, descriptor, reference=REFERENCE, sample_weight=LISTED)
    problem = TrainingData(assembled, None, solve_reference).problem(weights)
    coef = np.random.default_rng(0).normal(size=descriptor.n_features_)
    assert rows.squared_residual(coef) == pytest.approx(problem.system.squared_residual(coef), rel=1e-10)
    recovered = rows.composition.recover(coef)
    np.testing.assert_allclose(recovered, problem.composition.recover(coef), rtol=1e-9, atol=1e-12)
    wanted = validate(assembled, [0], coef, recovered).loss(weights)[0]
    assert rows.fixed_reference_loss(coef, recovered) == pytest.approx(wanted, rel=1e-10)


def test_lsmr_on_structures_is_the_closed_form(data):
    structures, labels, descriptor = data
    weights = LossWeights(3.0, 1.5, 20.0)
    rows = StructureRows(structures, labels, descriptor, weights, (), REFERENCE, block_rows=20)
    assembled = assemble(structures, labels, descriptor, reference=REFERENCE)
    system = TrainingData(assembled).problem(weights).system
    solution, wanted = LSMR(1e-8).solve_source(rows), Ridge(1e-8).solve(system)
    assert system.squared_residual(solution.coef) == pytest.approx(system.squared_residual(wanted.coef), rel=1e-6)


def test_products_in_blocks_are_products(data):
    structures, labels, descriptor = data
    rows = StructureRows(structures, labels, descriptor, LossWeights(3.0, 1.5, 20.0), (), REFERENCE, block_rows=20)
    blocks = list(rows.all_rows())
    X, y = np.concatenate([b.X for b in blocks]), np.concatenate([b.y for b in blocks])
    assert X.shape == (rows.n_rows, rows.n_features)
    assert max(len(block.y) for block in blocks[1:]) < rows.n_rows / 4
    rng = np.random.default_rng(0)
    c, r = rng.normal(size=rows.n_features), rng.normal(size=rows.n_rows)
    np.testing.assert_allclose(rows.matvec(c), X @ c, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(rows.rmatvec(r), X.T @ r, rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(rows.targets(), y)
    one = rows.normal_pass(c)
    np.testing.assert_allclose(one.residual, X.T @ (y - X @ c), rtol=1e-11, atol=1e-11)
    assert one.squared == pytest.approx(np.sum((X @ c - y) ** 2), rel=1e-12)
    survey = rows.survey(10 * rows.n_rows, 0)
    np.testing.assert_allclose(survey.column_norms, np.linalg.norm(X, axis=0), rtol=1e-12)
    np.testing.assert_allclose(survey.gram, X.T @ X, rtol=1e-9, atol=1e-9)
    assert rows.survey(0, 0).gram.size == 0
    every = rows.weighted_sample(lambda X: np.ones(len(X)), 0)
    np.testing.assert_allclose(every, X.T @ X, rtol=1e-9, atol=1e-9)
    mean = np.mean([rows.weighted_sample(lambda X: np.full(len(X), 0.7), seed) for seed in range(400)], axis=0)
    np.testing.assert_allclose(mean, X.T @ X, atol=0.1 * np.abs(X.T @ X).max())
