"""Ridge against known answers built from a singular value decomposition."""

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from linmlp.exceptions import SettingsError
from linmlp.solvers import Ridge, Status, ridge_path
from linmlp.system import RowSystem
from tests.solvers.problems import FORMS


@parametrize_with_checks([Ridge(), Ridge(alpha=0.0), Ridge(alpha=1.0, scale_columns=False)])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def svd_problem(singular_values, n_rows=30, n_features=8, seed=0):
    """Return X, y and the ridge solution for any alpha, by algebra from the SVD."""
    rng = np.random.default_rng(seed)
    rank = len(singular_values)
    U = np.linalg.qr(rng.normal(size=(n_rows, rank)))[0]
    V = np.linalg.qr(rng.normal(size=(n_features, rank)))[0]
    s = np.asarray(singular_values)
    a = rng.normal(size=rank)
    return (U * s) @ V.T, U @ a, lambda alpha: V @ (s / (s**2 + alpha) * a)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "shape", [(30, 8, np.logspace(0, -2, 8)), (30, 8, np.logspace(0, -2, 5)), (6, 8, np.logspace(0, -1, 6))]
)
@pytest.mark.parametrize("alpha", [10.0, 1e-2, 1e-6])
def test_known_solution(form, shape, alpha):
    n_rows, n_features, s = shape
    X, y, solution = svd_problem(s, n_rows, n_features)
    ridge = Ridge(alpha, scale_columns=False).fit_system(FORMS[form](X, y))
    np.testing.assert_allclose(ridge.coef_, solution(alpha), atol=1e-8 * np.abs(solution(alpha)).max())
    residual = np.linalg.norm(X @ solution(alpha) - y)
    assert ridge.solution_.residual_norm == pytest.approx(residual, abs=1e-7)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("rank", [8, 5])
def test_least_squares_limit_is_the_smallest_solution(form, rank):
    X, y, solution = svd_problem(np.logspace(0, -2, rank))
    ridge = Ridge(0.0, scale_columns=False).fit_system(FORMS[form](X, y))
    np.testing.assert_allclose(ridge.coef_, solution(0.0), rtol=0, atol=1e-9 * np.abs(solution(0.0)).max())
    assert ridge.solution_.rank == rank
    full = Status.LOW_RESIDUAL if form == "gram" else Status.SOLVED
    assert ridge.solution_.status is (full if rank == 8 else Status.RANK_DEFICIENT)


@pytest.mark.parametrize("form", FORMS)
def test_infinite_strength_gives_zero(form):
    X, y, _ = svd_problem(np.ones(8))
    assert np.abs(Ridge(1e16).fit_system(FORMS[form](X, y)).coef_).max() < 1e-14


@pytest.mark.parametrize("form", ["rows", "qr", "sum"])
@pytest.mark.parametrize("alpha", [1e-11, 1e-13, 1e-15, 1e-18])
def test_tiny_strengths_without_squaring_the_condition_number(form, alpha):
    X, y, solution = svd_problem(np.logspace(0, -6, 8))
    ridge = Ridge(alpha, scale_columns=False).fit_system(FORMS[form](X, y))
    # 1e6 is the condition number of X: 100 eps of it is what a backward stable method can promise.
    np.testing.assert_allclose(ridge.coef_, solution(alpha), rtol=0, atol=2e-8 * np.abs(solution(alpha)).max())


def test_gram_says_when_the_coefficients_are_lost():
    X, y, _ = svd_problem(np.logspace(0, -5, 8))
    gram, qr = (Ridge(1e-10, scale_columns=False).fit_system(FORMS[form](X, y)) for form in ("gram", "qr"))
    assert gram.solution_.status is Status.ILL_CONDITIONED
    assert 'form="qr"' in gram.solution_.message
    assert qr.solution_.success
    # The predictions agree all the same.
    np.testing.assert_allclose(X @ gram.coef_, X @ qr.coef_, rtol=0, atol=1e-7 * np.abs(y).max())


def dense_ridge(X, y, alpha, gamma):
    penalty = np.diag(np.sqrt(alpha) * gamma * np.linalg.norm(X, axis=0))
    return np.linalg.lstsq(np.vstack([X, penalty]), np.r_[y, np.zeros(X.shape[1])], rcond=None)[0]


@pytest.mark.parametrize("form", FORMS)
def test_scaled_columns_and_prior_against_augmented_least_squares(form):
    X, y, _ = svd_problem(np.logspace(0, -1, 8))
    X = X * np.logspace(-3, 3, 8)
    gamma = np.arange(8.0)
    path = ridge_path(FORMS[form](X, y), [1e-3, 1.0], prior=gamma)
    for solution, alpha in zip(path, [1e-3, 1.0], strict=True):
        np.testing.assert_allclose(solution.coef, dense_ridge(X, y, alpha, gamma), rtol=1e-9)


@pytest.mark.parametrize("form", FORMS)
def test_coefficients_of_scaled_columns_do_not_depend_on_units(form):
    X, y, _ = svd_problem(np.logspace(0, -1, 8))
    units = np.logspace(-4, 4, 8)
    plain = Ridge(1e-3).fit_system(FORMS[form](X, y))
    scaled = Ridge(1e-3).fit_system(FORMS[form](X * units, y))
    np.testing.assert_allclose(scaled.coef_ * units, plain.coef_, rtol=1e-9)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("alpha", [0.0, 1e-4])
def test_features_that_never_occur_get_zero(form, alpha):
    X, y, _ = svd_problem(np.logspace(0, -1, 8))
    X[:, [2, 6]] = 0.0
    used = [0, 1, 3, 4, 5, 7]
    ridge = Ridge(alpha).fit_system(FORMS[form](X, y))
    assert np.all(ridge.coef_[[2, 6]] == 0.0)
    np.testing.assert_allclose(ridge.coef_[used], Ridge(alpha).fit(X[:, used], y).coef_, rtol=1e-9)
    assert ridge.solution_.rank == 6


def test_weights_are_repetitions():
    X, y, _ = svd_problem(np.logspace(0, -1, 8))
    weight = np.ones(30)
    weight[:5], weight[-2:] = 2.0, 0.0
    listed = np.r_[np.arange(5), np.arange(28)]
    weighted = Ridge(1e-3).fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(weighted.coef_, Ridge(1e-3).fit(X[listed], y[listed]).coef_, rtol=1e-10)


def test_condition_number_is_right_within_the_estimate():
    X, y, _ = svd_problem(np.logspace(0, -2, 8))
    estimate = Ridge(1e-6, scale_columns=False).fit(X, y).solution_.condition_number
    true = np.linalg.cond(X.T @ X + 1e-6 * np.eye(8), 1)
    assert true / 3 < estimate < 3 * true


def test_no_rows_and_bad_settings():
    empty = RowSystem(np.empty((0, 3)), np.empty(0))
    assert Ridge().fit_system(empty).solution_.status is Status.EMPTY
    X, y, _ = svd_problem(np.ones(8))
    with pytest.raises(SettingsError, match="alpha is -1"):
        Ridge(-1.0).fit(X, y)
    with pytest.raises(SettingsError, match=r"prior has shape \(3,\); give 8"):
        Ridge(prior=np.ones(3)).fit(X, y)


def test_the_solution_is_a_minimum():
    X, y, _ = svd_problem(np.logspace(0, -2, 8))
    alpha = 1e-4
    coef = Ridge(alpha).fit(X, y).coef_

    def loss(c):
        return np.sum((X @ c - y) ** 2) + alpha * np.sum((np.linalg.norm(X, axis=0) * c) ** 2)

    for k in range(8):
        for factor in (0.999, 1.001):
            moved = coef.copy()
            moved[k] *= factor
            assert loss(moved) > loss(coef)
