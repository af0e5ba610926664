"""Automatic relevance determination: a local maximum of the evidence, and features that mean nothing dropped."""

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from linmlp.exceptions import LinmlpWarning, SettingsError
from linmlp.solvers import ARD, Status
from linmlp.system import RowSystem
from tests.solvers.problems import FORMS

TRUE = np.array([1.0, 0.0, 0.0, -2.0, 0.0, 0.5, 0.0, 0.0])


@parametrize_with_checks([ARD()])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def problem(n_rows=200, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, len(TRUE))) * np.logspace(-2, 2, len(TRUE))
    return X, X @ (TRUE / np.logspace(-2, 2, len(TRUE))) + 0.1 * rng.normal(size=n_rows)


def log_evidence(X, y, precision, noise):
    """Return the logarithm of the density of y from its covariance; precisions as `ARD.precision_`, on unit columns."""
    scaled = X / np.linalg.norm(X, axis=0) / np.sqrt(precision)
    covariance = noise * (np.eye(len(y)) + scaled @ scaled.T)
    _, log_determinant = np.linalg.slogdet(covariance)
    return -0.5 * (len(y) * np.log(2 * np.pi) + log_determinant + y @ np.linalg.solve(covariance, y))


@pytest.mark.parametrize("form", FORMS)
def test_the_evidence_falls_in_every_direction(form):
    X, y = problem()
    model = ARD(tol=1e-9, max_iter=10000).fit_system(FORMS[form](X, y))
    precision, noise = model.precision_, model.noise_variance_
    best = log_evidence(X, y, precision, noise)
    for factor in (0.8, 1.25):
        assert log_evidence(X, y, precision, factor * noise) < best
        for j in np.flatnonzero(np.isfinite(precision)):
            other = precision.copy()
            other[j] *= factor
            assert log_evidence(X, y, other, noise) < best
    for j in np.flatnonzero(np.isinf(precision)):
        for back in (1e-3, 1.0, 1e3):
            other = precision.copy()
            other[j] = back
            assert log_evidence(X, y, other, noise) < best
    kept = np.isfinite(precision)
    np.testing.assert_array_equal(kept, model.coef_ != 0.0)
    assert set(np.flatnonzero(TRUE)) <= set(np.flatnonzero(kept))
    assert model.solution_.rank == np.count_nonzero(kept) < len(TRUE)


def test_coefficients_are_the_mean_of_the_posterior():
    X, y = problem()
    model = ARD().fit(X, y)
    kept = np.isfinite(model.precision_)
    A = X[:, kept]
    penalty = np.diag(model.precision_[kept] * np.sum(A**2, axis=0))
    np.testing.assert_allclose(model.coef_[kept], np.linalg.solve(A.T @ A + penalty, A.T @ y), rtol=1e-8)


def test_weight_two_is_listed_twice_and_counts_as_two_observations():
    X, y = problem()
    weight = np.random.default_rng(1).integers(0, 4, size=len(y))
    weighted = ARD(tol=1e-8).fit(X, y, sample_weight=weight)
    listed = ARD(tol=1e-8).fit(np.repeat(X, weight, axis=0), np.repeat(y, weight))
    assert weighted.noise_variance_ == pytest.approx(listed.noise_variance_, rel=1e-6)
    np.testing.assert_allclose(weighted.coef_, listed.coef_, rtol=1e-6)


def test_targets_of_noise_alone_leave_next_to_nothing():
    rng = np.random.default_rng(3)
    model = ARD().fit(rng.normal(size=(300, 20)), rng.normal(size=300))
    assert np.count_nonzero(model.coef_) < 10
    assert model.noise_variance_ == pytest.approx(1.0, rel=0.2)


def test_says_when_it_has_not_converged_and_what_is_wrong():
    X, y = problem()
    with pytest.warns(LinmlpWarning, match="not converged within max_iter=1"):
        assert ARD(max_iter=1).fit(X, y).solution_.status is Status.NOT_CONVERGED
    with pytest.raises(SettingsError, match="max_iter=0"):
        ARD(max_iter=0).fit(X, y)
    with pytest.raises(SettingsError, match="finds its strength itself"):
        ARD().solve_path(RowSystem(X, y), [1.0])
