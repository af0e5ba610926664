"""scikit-learn regressors on the factor against the same on the rows."""

import numpy as np
import pytest
from sklearn import linear_model
from sklearn.utils.estimator_checks import parametrize_with_checks

from linmlp.exceptions import SettingsError
from linmlp.solvers import ScikitLearnSolver
from tests.solvers.problems import FORMS, unscaled_problem


@parametrize_with_checks([ScikitLearnSolver(linear_model.Ridge(fit_intercept=False))])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


EXACT = [
    linear_model.LinearRegression(fit_intercept=False),
    linear_model.Ridge(0.3, fit_intercept=False),
    linear_model.Lasso(0.1, fit_intercept=False, tol=1e-12, max_iter=100_000),
    linear_model.ElasticNet(0.1, fit_intercept=False, tol=1e-12, max_iter=100_000),
    linear_model.LassoLars(0.1, fit_intercept=False),
    linear_model.Lars(fit_intercept=False, n_nonzero_coefs=4),
    linear_model.OrthogonalMatchingPursuit(fit_intercept=False, n_nonzero_coefs=4),
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("regressor", EXACT, ids=lambda r: type(r).__name__)
def test_on_the_factor_is_on_the_rows(form, regressor):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(40, 9))
    y = X @ rng.normal(size=9) + rng.normal(size=40)
    expected = regressor.fit(X, y).coef_
    solver = ScikitLearnSolver(regressor).fit_system(FORMS[form](X, y))
    np.testing.assert_allclose(solver.coef_, expected, atol=1e-6)
    assert solver.solution_.rank == np.count_nonzero(solver.coef_)


@pytest.mark.parametrize(
    ("regressor", "message"),
    [
        (linear_model.RidgeCV(fit_intercept=False), "RidgeCV .* use linmlp.solvers.Ridge"),
        (linear_model.HuberRegressor(), "HuberRegressor cannot"),
        (linear_model.ARDRegression(), "ARDRegression .* number of rows"),
        (linear_model.Ridge(), "Ridge has fit_intercept=True"),
        (linear_model.OrthogonalMatchingPursuit(tol=0.1, fit_intercept=False), "tol=0.1"),
    ],
)
def test_refused_by_name(regressor, message):
    with pytest.raises(SettingsError, match=message):
        ScikitLearnSolver(regressor).fit(*unscaled_problem("tall"))
