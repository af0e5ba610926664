"""The posterior against dense Bayesian linear regression."""

import numpy as np
import pytest

from linmlp.exceptions import SettingsError
from linmlp.potentials.uncertainty.posterior import Posterior
from linmlp.solvers import Ridge
from linmlp.system import GramSystem, RowSystem, rows_to_system

ALPHA = 1e-3


@pytest.fixture(params=["rows", "gram", "qr"])
def problem(request):
    """Rows with columns of very different norm, one of them empty, and their system."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(40, 6)) * np.array([1.0, 10.0, 0.1, 0.0, 3.0, 1.0])
    y = X @ rng.normal(size=6) + 0.3 * rng.normal(size=40)
    system = {
        "rows": RowSystem(X, y),
        "gram": GramSystem.from_rows(X, y),
        "qr": rows_to_system(X, y, None, form="qr"),
    }[request.param]
    return X, y, system


def dense(X, y, alpha, gamma=1.0):
    """Covariance of the coefficients that have rows, and s², written from the formulas."""
    used = np.linalg.norm(X, axis=0) > 0
    A = X[:, used]
    penalty = alpha * np.diag((np.linalg.norm(A, axis=0) * np.broadcast_to(gamma, len(used))[used]) ** 2)
    inverse = np.linalg.inv(A.T @ A + penalty)
    hat = A @ inverse @ A.T
    variance = np.sum((y - hat @ y) ** 2) / (len(y) - np.trace(hat))
    covariance = np.zeros((len(used), len(used)))
    covariance[np.ix_(used, used)] = inverse
    return covariance, variance


def test_energy_std_and_leverage_are_those_of_dense_bayesian_regression(problem):
    X, y, system = problem
    covariance, variance = dense(X, y, ALPHA)
    posterior = Posterior.of(system, ALPHA)
    b = np.random.default_rng(4).normal(size=(5, 6))
    quadratic = np.einsum("ij,jk,ik->i", b, covariance, b)
    np.testing.assert_allclose(posterior.leverage(b), quadratic, rtol=1e-9)
    np.testing.assert_allclose(posterior.noise_variance, variance, rtol=1e-9)
    np.testing.assert_allclose(posterior.energy_std(b), np.sqrt(variance * quadratic), rtol=1e-9)
    np.testing.assert_allclose(posterior.energy_std(b, noise=2.0), np.sqrt(variance * quadratic + 4.0), rtol=1e-9)


def test_prior_and_unscaled_columns_change_the_penalty_alone(problem):
    X, y, system = problem
    gamma = np.array([1.0, 2.0, 0.5, 1.0, 3.0, 1.0])
    covariance, _ = dense(X, y, 0.1, gamma)
    b = np.eye(6)
    np.testing.assert_allclose(Posterior.of(system, 0.1, prior=gamma).leverage(b), np.diag(covariance), rtol=1e-9)
    used = np.array([0, 1, 2, 4, 5])
    plain = np.linalg.inv(X[:, used].T @ X[:, used] + 0.1 * np.eye(5))
    unscaled = Posterior.of(system, 0.1, scale_columns=False).leverage(b)
    np.testing.assert_allclose(unscaled[used], np.diag(plain), rtol=1e-9)


def test_samples_have_the_covariance(problem):
    X, y, system = problem
    covariance, variance = dense(X, y, ALPHA)
    samples = Posterior.of(system, ALPHA).sample(20000, random_state=1)
    scale = np.sqrt(np.diag(covariance) * variance)
    scale[3] = 1.0
    # 20000 samples know a correlation to 1/sqrt(20000), 0.007; five times that is rare for any of 21 numbers.
    expected = variance * covariance / np.outer(scale, scale)
    np.testing.assert_allclose(np.cov(samples.T, bias=True) / np.outer(scale, scale), expected, atol=0.05)
    assert not samples[:, 3].any()


def test_samples_follow_the_seed(problem):
    posterior = Posterior.of(problem[2], ALPHA)
    np.testing.assert_array_equal(posterior.sample(3, 7), posterior.sample(3, 7))
    assert not np.allclose(posterior.sample(3, 7), posterior.sample(3, 8))


def test_reference_energies_follow_the_coefficients(problem):
    system = problem[2]
    composition = np.random.default_rng(5).normal(size=(2, 6))
    sums, counts = np.ones((1, 6)), np.array([[3.0, 2.0]])
    plain = Posterior.of(system, ALPHA)
    expected = plain.energy_std(sums - counts @ composition)
    np.testing.assert_allclose(Posterior.of(system, ALPHA, composition).energy_std(sums, counts), expected)


def test_nearly_dependent_columns_keep_their_digits_in_rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 4))
    X[:, 3] = X[:, 2] + 1e-7 * rng.normal(size=50)
    alpha = 1e-15
    unit = X / np.linalg.norm(X, axis=0)
    values, right = np.linalg.svd(unit)[1:]
    b = right[-1] * np.linalg.norm(X, axis=0)
    posterior = Posterior.of(RowSystem(X, X.sum(axis=1)), alpha)
    # In the direction of the smallest singular value, which the Gram matrix has lost but the rows have not.
    np.testing.assert_allclose(posterior.leverage(b[None, :]), 1.0 / (values[-1] ** 2 + alpha), rtol=1e-5)


def test_state_gives_the_same_numbers(problem):
    posterior = Posterior.of(problem[2], ALPHA, np.ones((1, 6)))
    again = Posterior.from_state(posterior.to_state())
    b = np.random.default_rng(1).normal(size=(3, 6))
    np.testing.assert_array_equal(again.energy_std(b, np.ones((3, 1))), posterior.energy_std(b, np.ones((3, 1))))
    np.testing.assert_array_equal(again.sample(2), posterior.sample(2))


def test_mean_of_the_posterior_is_the_ridge_solution(problem):
    X, y, system = problem
    covariance, _ = dense(X, y, ALPHA)
    np.testing.assert_allclose(Ridge(ALPHA).fit_system(system).coef_, covariance @ X.T @ y, rtol=1e-8, atol=1e-10)


def test_errors(problem):
    with pytest.raises(SettingsError, match="alpha is 0; the posterior needs a ridge strength above 0"):
        Posterior.of(problem[2], 0)
    with pytest.raises(SettingsError, match="no row constrains any feature"):
        Posterior.of(RowSystem(np.zeros((2, 3)), np.zeros(2)), ALPHA)
