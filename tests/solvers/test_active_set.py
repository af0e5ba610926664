"""Active-set minimization against trying all signs, from bad starts, and on matrices that rounding made indefinite."""

import itertools

import numpy as np
import pytest

from linmlp.solvers.active_set import minimize_absolute
from linmlp.solvers.scaled_gram import ScaledGram
from linmlp.system import GramSystem, RowSystem
from linmlp.system.compressed import Gram


def objective(problem, u, penalty):
    return 0.5 * u @ problem.matrix @ u - problem.vector @ u + penalty * np.abs(u).sum()


def best_of_all_signs(problem, penalty):
    """Return the minimum among those of all signs that keep them."""
    n = len(problem.vector)
    found = [np.zeros(n)]
    for signs in map(np.array, itertools.product([-1.0, 0.0, 1.0], repeat=n)):
        active = signs != 0.0
        u = np.zeros(n)
        u[active] = np.linalg.solve(problem.matrix[np.ix_(active, active)], (problem.vector - penalty * signs)[active])
        if (np.sign(u) == signs).all():
            found.append(u)
    return min(found, key=lambda u: objective(problem, u, penalty))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("penalty", [1.0, 0.1, 0.01])
def test_the_best_of_all_signs(seed, penalty):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(8, 5)) + 3.0 * rng.normal(size=(8, 1))
    problem = ScaledGram(RowSystem(X, rng.normal(size=8)), 0.0)
    u, _, converged = minimize_absolute(problem, np.zeros(5), penalty, 1e-12, 100)
    assert converged
    np.testing.assert_allclose(u, best_of_all_signs(problem, penalty), rtol=0, atol=1e-9)


def test_the_start_does_not_matter():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 200)) + rng.normal(size=(300, 1))
    problem = ScaledGram(RowSystem(X, X[:, :9].sum(axis=1) + rng.normal(size=300)), 0.0)
    penalty = 0.05 * np.abs(problem.vector).max()
    expected, _, _ = minimize_absolute(problem, np.zeros(200), penalty, 1e-12, 100)
    assert 9 <= np.count_nonzero(expected) < 100
    # From here more leave than one factorization is used for.
    u, n_iter, converged = minimize_absolute(problem, rng.normal(size=200), penalty, 1e-12, 100)
    assert converged
    assert n_iter > 1
    np.testing.assert_allclose(u, expected, rtol=0, atol=1e-9)


def test_a_matrix_that_rounding_made_indefinite():
    rng = np.random.default_rng(0)
    half = rng.normal(size=(40, 6))
    X, y = np.hstack([half, half]), half @ np.ones(6) + rng.normal(size=40)
    error = 1e-7 * rng.normal(size=(12, 12))
    gram = Gram(X.T @ X * (1.0 + error + error.T), X.T @ y, float(y @ y))
    problem = ScaledGram(GramSystem.from_gram(gram, 40), 0.0)
    assert np.linalg.eigvalsh(problem.matrix)[0] < -1e-7
    penalty = 0.01 * np.abs(problem.vector).max()
    u, _, converged = minimize_absolute(problem, np.zeros(12), penalty, 1e-5, 100)
    assert converged
    best, _, _ = minimize_absolute(ScaledGram(RowSystem(X, y), 0.0), np.zeros(12), penalty, 1e-12, 100)
    assert objective(problem, u, penalty) == pytest.approx(objective(problem, best, penalty), rel=1e-5)


def test_numbers_that_are_not_finite_end_it():
    problem = ScaledGram(RowSystem(np.eye(3), np.ones(3)), 0.0)
    problem.matrix[0, 0] = -np.inf
    with pytest.raises(np.linalg.LinAlgError):
        minimize_absolute(problem, np.zeros(3), 0.1, 1e-6, 100)
