"""Lasso against the conditions of its minimum, and against scikit-learn on the same rows."""

import numpy as np
import pytest
from sklearn import linear_model
from sklearn.utils.estimator_checks import parametrize_with_checks

from linmlp.exceptions import SettingsError
from linmlp.solvers import Lasso, Status
from linmlp.solvers.lasso import STRENGTHS
from tests.naive.selection import ridge
from tests.solvers import checks
from tests.solvers.problems import FORMS, unscaled_problem

ALPHA = 1e-4


@parametrize_with_checks([Lasso()])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def relative_gap(X, y, coef, strength, alpha):
    """Return the duality gap as a part of the objective, by rows alone, ridge as more rows."""
    norms = np.linalg.norm(X, axis=0)
    A, b = np.vstack([X / norms, np.sqrt(alpha) * np.eye(len(norms))]), np.r_[y, np.zeros(len(norms))]
    penalty = strength * np.abs(A.T @ b).max()
    residual = b - A @ (norms * coef)
    objective = 0.5 * residual @ residual + penalty * np.abs(norms * coef).sum()
    dual = residual * min(1.0, penalty / np.abs(A.T @ residual).max())
    return (objective - 0.5 * b @ b + 0.5 * (b - dual) @ (b - dual)) / objective


def ill_conditioned(name):
    """Return rows and targets whose Gram matrix has a condition number of 1e10."""
    rng = np.random.default_rng(4)
    if name == "Hilbert":
        gram = 1.0 / (1.0 + np.arange(8)[:, None] + np.arange(8))
        X = np.vstack([np.linalg.cholesky(gram).T, np.zeros((20, 8))])
    else:
        left, right = (np.linalg.qr(rng.normal(size=(n, 60)))[0] for n in (200, 60))
        X = (left * np.logspace(0, -5, 60)) @ right.T
    assert np.linalg.cond(X) ** 2 > 0.99e10
    return X, X @ rng.normal(size=X.shape[1]) + 1e-3 * rng.normal(size=len(X))


def check_conditions(X, y, coef, strength, alpha):
    """Correlations are the penalty where coefficients are not 0, with their sign, and nowhere more."""
    norms = np.linalg.norm(X, axis=0)
    u = norms * coef
    pull = X.T @ (y - X @ coef) / norms - alpha * u
    penalty = strength * np.abs(X.T @ y / norms).max()
    active = u != 0.0
    np.testing.assert_allclose(pull[active], penalty * np.sign(u[active]), rtol=1e-4)
    assert np.abs(pull).max() <= penalty * (1 + 1e-4)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("shape", ["tall", "wide"])
@pytest.mark.parametrize("strength", [0.5, 0.05, 0.005])
def test_fulfills_the_conditions_of_its_minimum(form, shape, strength):
    X, y = unscaled_problem(shape)
    solution = Lasso(strength, ALPHA, tol=1e-10).solve(FORMS[form](X, y))
    check_conditions(X, y, solution.coef, strength, ALPHA)
    assert relative_gap(X, y, solution.coef, strength, ALPHA) < 2e-10
    assert solution.status is not Status.NOT_CONVERGED


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("alpha", [0.0, 1e-8])
@pytest.mark.parametrize("name", ["Hilbert", "random"])
@pytest.mark.parametrize(("strengths", "tol"), [((0.1, 1e-3, 1e-5), 1e-9), ((*STRENGTHS, 1e-9), 1e-6)])
def test_the_gap_closes_where_columns_are_nearly_dependent(strengths, tol, name, alpha, form):
    X, y = ill_conditioned(name)
    path = Lasso(alpha=alpha, tol=tol).solve_path(FORMS[form](X, y), strengths)
    for strength, solution in zip(strengths, path, strict=True):
        assert solution.status is not Status.NOT_CONVERGED
        assert relative_gap(X, y, solution.coef, strength, alpha) < 2 * tol
        if tol == 1e-9:
            check_conditions(X, y, solution.coef, strength, alpha)


@pytest.mark.parametrize("form", FORMS)
def test_features_listed_twice(form):
    X, y = unscaled_problem("tall")
    solution = Lasso(0.01, 0.0, tol=1e-10).solve(FORMS[form](np.hstack([X, X]), y))
    once = Lasso(0.01, 0.0, tol=1e-10).solve(FORMS[form](X, y))
    merged = solution.coef[:9] + solution.coef[9:]
    np.testing.assert_allclose(merged, once.coef, rtol=0, atol=1e-6 * np.abs(once.coef).max())
    assert (solution.coef[:9] * solution.coef[9:] >= 0.0).all()


@pytest.mark.parametrize("strength", [0.3, 0.01, 1e-4])
def test_against_scikit_learn(strength):
    X, y = unscaled_problem("tall")
    X = X / np.linalg.norm(X, axis=0)
    penalty = strength * np.abs(X.T @ y).max()
    expected = linear_model.Lasso(penalty / len(y), fit_intercept=False, tol=1e-12, max_iter=100_000).fit(X, y).coef_
    lasso = Lasso(strength, 0.0, tol=1e-12).fit(X, y)
    np.testing.assert_allclose(lasso.coef_, expected, atol=1e-5 * np.abs(expected).max())


def test_refit_is_ridge_on_the_chosen():
    X, y = unscaled_problem("tall")
    refitted = Lasso(0.01, ALPHA, refit=True).fit(X, y).coef_
    expected = ridge(X, y, np.flatnonzero(refitted), ALPHA)[0]
    np.testing.assert_allclose(refitted, expected, atol=1e-8 * np.abs(refitted).max())


def test_a_path_is_its_strengths_one_by_one():
    X, y = unscaled_problem("tall")
    strengths = [1e-4, 0.3, 0.01]
    for strength, solution in zip(strengths, Lasso().solve_path(FORMS["qr"](X, y), strengths), strict=True):
        np.testing.assert_allclose(solution.coef, Lasso(strength).fit(X, y).coef_, rtol=1e-6)


def test_limits_and_honesty():
    X, y = unscaled_problem("tall")
    assert not Lasso(1.0).fit(X, y).coef_.any()
    assert Lasso(1e-4, tol=1e-12, max_iter=1).fit(X, y).solution_.status is Status.NOT_CONVERGED
    with pytest.raises(SettingsError, match=r"strength is 0\.0"):
        Lasso(0.0).fit(X, y)


def test_ends_where_rounding_keeps_the_gap_open():
    X, y = ill_conditioned("random")
    lasso = Lasso(1e-3, tol=1e-300).fit(X, y)
    assert lasso.solution_.status is Status.NOT_CONVERGED
    assert lasso.n_iter_ < lasso.max_iter
    assert relative_gap(X, y, lasso.coef_, 1e-3, lasso.alpha) < 1e-10


def test_weights_are_repetitions_and_empty_columns_stay_zero():
    checks.check_weights_are_repetitions(Lasso(0.01), rtol=1e-6, atol=1e-9)
