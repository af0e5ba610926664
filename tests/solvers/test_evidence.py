"""Evidence: planted noise levels, scikit-learn where the problem is the same, and the loss that goes with it."""

import numpy as np
import pytest
from sklearn.linear_model import BayesianRidge as SklearnBayesianRidge

from linmlp.exceptions import LinmlpWarning, SettingsError
from linmlp.solvers import Ridge, maximize_evidence
from linmlp.system import GramSystem, QRSystem, RowSystem, SystemSum

FORMS = {"rows": RowSystem, "gram": GramSystem.from_rows, "qr": QRSystem.from_rows}
COUNTS, NOISE = (2000, 1500, 1000), (0.03, 0.3, 2.0)


def planted(seed=0):
    rng = np.random.default_rng(seed)
    coef = rng.normal(size=10)
    X = [rng.normal(size=(n, 10)) for n in COUNTS]
    return X, [x @ coef + s * rng.normal(size=len(x)) for x, s in zip(X, NOISE, strict=True)]


@pytest.mark.parametrize("form", FORMS)
def test_planted_noise_of_three_kinds_is_recovered_and_ridge_agrees(form):
    parts = [FORMS[form](x, y) for x, y in zip(*planted(), strict=True)]
    evidence = maximize_evidence(parts, COUNTS)
    assert evidence.converged
    # A standard deviation from n rows is uncertain by 1/sqrt(2n), 2.2 % for the smallest part.
    np.testing.assert_allclose(np.sqrt(evidence.noise_variance), NOISE, rtol=0.08)
    assert evidence.n_determined.sum() == pytest.approx(10, abs=0.1)
    weighted = SystemSum(parts, 7.0 * evidence.weights)
    np.testing.assert_allclose(Ridge(evidence.alpha).fit_system(weighted).coef_, evidence.solution.coef, rtol=1e-7)


def test_one_part_is_the_bayesian_ridge_of_scikit_learn():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(60, 6))
    X /= np.linalg.norm(X, axis=0)
    y = X @ rng.normal(size=6) + 0.1 * rng.normal(size=60)
    theirs = SklearnBayesianRidge(
        fit_intercept=False, tol=1e-12, max_iter=1000, alpha_1=0, alpha_2=0, lambda_1=0, lambda_2=0, compute_score=True
    ).fit(X, y)
    ours = maximize_evidence([RowSystem(X, y)], [60], tol=1e-10)
    assert 1 / ours.noise_variance[0] == pytest.approx(theirs.alpha_, rel=1e-6)
    np.testing.assert_allclose(ours.solution.coef, theirs.coef_, rtol=1e-6)
    covariance = ours.noise_variance[0] * (np.eye(60) + X @ X.T / ours.alpha)
    dense = -0.5 * (60 * np.log(2 * np.pi) + np.linalg.slogdet(covariance)[1] + y @ np.linalg.solve(covariance, y))
    assert ours.log_evidence == pytest.approx(dense, rel=1e-8)


def test_says_when_it_has_not_converged_and_what_is_wrong():
    X, y = planted()
    with pytest.warns(LinmlpWarning, match="not converged within max_iter=1"):
        assert not maximize_evidence([RowSystem(X[0], y[0])], [2000], max_iter=1).converged
    with pytest.raises(SettingsError, match="for 1 parts"):
        maximize_evidence([RowSystem(X[0], y[0])], [2000, 3])
