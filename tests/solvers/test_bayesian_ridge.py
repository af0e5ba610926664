"""Bayesian ridge: the evidence at its maximum, scikit-learn where the problem is the same, weights that repeat rows."""

import numpy as np
import pytest
from sklearn.linear_model import BayesianRidge as SklearnBayesianRidge
from sklearn.utils.estimator_checks import parametrize_with_checks

from linmlp.exceptions import LinmlpWarning, SettingsError
from linmlp.solvers import BayesianRidge, Ridge, Status
from linmlp.system import RowSystem
from tests.solvers.problems import FORMS


@parametrize_with_checks([BayesianRidge(), BayesianRidge(scale_columns=False)])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def problem(n_rows=80, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, 6)) * np.logspace(-1, 1, 6)
    return X, X @ (rng.normal(size=6) / np.logspace(-1, 1, 6)) + 0.3 * rng.normal(size=n_rows)


def log_evidence(X, y, alpha, noise):
    """Return the logarithm of the density of y, from its covariance."""
    scaled = X / np.linalg.norm(X, axis=0)
    covariance = noise * (np.eye(len(y)) + scaled @ scaled.T / alpha)
    _, log_determinant = np.linalg.slogdet(covariance)
    return -0.5 * (len(y) * np.log(2 * np.pi) + log_determinant + y @ np.linalg.solve(covariance, y))


@pytest.mark.parametrize("form", FORMS)
def test_no_other_strength_or_noise_level_is_more_probable(form):
    X, y = problem()
    model = BayesianRidge(tol=1e-10).fit_system(FORMS[form](X, y))
    best = log_evidence(X, y, model.alpha_, model.noise_variance_)
    assert model.log_evidence_ == pytest.approx(best, rel=1e-8)
    for factor in (0.9, 1.1):
        assert log_evidence(X, y, factor * model.alpha_, model.noise_variance_) < best
        assert log_evidence(X, y, model.alpha_, factor * model.noise_variance_) < best
    np.testing.assert_allclose(model.coef_, Ridge(model.alpha_).fit(X, y).coef_, rtol=1e-9)
    assert model.solution_.alpha == model.alpha_


def test_is_that_of_scikit_learn_without_scaled_columns():
    X, y = problem()
    theirs = SklearnBayesianRidge(
        fit_intercept=False, tol=1e-12, max_iter=1000, alpha_1=0, alpha_2=0, lambda_1=0, lambda_2=0
    ).fit(X, y)
    ours = BayesianRidge(scale_columns=False, tol=1e-10).fit(X, y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-6)
    assert 1 / ours.noise_variance_ == pytest.approx(theirs.alpha_, rel=1e-6)


def test_weight_two_is_listed_twice_and_counts_as_two_observations():
    X, y = problem()
    weight = np.random.default_rng(1).integers(0, 4, size=len(y))
    weighted = BayesianRidge(tol=1e-9).fit(X, y, sample_weight=weight)
    listed = BayesianRidge(tol=1e-9).fit(np.repeat(X, weight, axis=0), np.repeat(y, weight))
    assert weighted.alpha_ == pytest.approx(listed.alpha_, rel=1e-6)
    assert weighted.noise_variance_ == pytest.approx(listed.noise_variance_, rel=1e-6)


def test_a_prior_of_zero_is_not_penalized():
    X, y = problem()
    y = y + 1e3 * X[:, 0]
    free = BayesianRidge(prior=np.array([0.0, 1, 1, 1, 1, 1])).fit(X, y)
    others = BayesianRidge().fit(X, y)
    assert free.alpha_ > 10 * others.alpha_  # the large coefficient says nothing of the size of the others


def test_says_when_it_has_not_converged_and_what_is_wrong():
    X, y = problem()
    with pytest.warns(LinmlpWarning, match="not converged within max_iter=1"):
        assert BayesianRidge(max_iter=1).fit(X, y).solution_.status is Status.NOT_CONVERGED
    with pytest.raises(SettingsError, match="tol=-1"):
        BayesianRidge(tol=-1).fit(X, y)
    with pytest.raises(SettingsError, match="finds its strength itself"):
        BayesianRidge().solve_path(RowSystem(X, y), [1.0])
