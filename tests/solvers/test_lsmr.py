"""LSMR against the closed form, on rows and on systems, and what it says when it has not converged."""

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from linmlp.exceptions import LinmlpWarning, SettingsError
from linmlp.solvers import LSMR, Ridge, Status
from linmlp.system.row_source import ArrayRows
from tests.solvers.test_ridge import FORMS, svd_problem


@parametrize_with_checks([LSMR(), LSMR(alpha=1e-3, preconditioner=None)])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def loss(X, y, coef, alpha):
    return np.sum((X @ coef - y) ** 2) + alpha * np.sum((np.linalg.norm(X, axis=0) * coef) ** 2)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("shape", [(30, 8, 8), (30, 8, 5), (6, 8, 6)], ids=["tall", "singular", "wide"])
@pytest.mark.parametrize("alpha", [1e-1, 1e-6])
@pytest.mark.parametrize("preconditioner", ["sample", None])
def test_same_loss_as_the_closed_form(form, shape, alpha, preconditioner):
    n_rows, n_features, rank = shape
    X, y, _ = svd_problem(np.logspace(0, -2, rank), n_rows, n_features)
    y = y + 0.1 * np.random.default_rng(1).normal(size=n_rows)
    solver = LSMR(alpha, preconditioner).fit_system(FORMS[form](X, y))
    wanted = Ridge(alpha).fit(X, y).coef_
    assert solver.solution_.status is Status.SOLVED
    assert loss(X, y, solver.coef_, alpha) == pytest.approx(loss(X, y, wanted, alpha), rel=1e-6)
    np.testing.assert_allclose(X @ solver.coef_, X @ wanted, atol=1e-6 * np.abs(y).max())


def test_ill_conditioned_rows_take_few_iterations_with_a_sample():
    rng = np.random.default_rng(0)
    X, y, _ = svd_problem(np.logspace(0, -8, 40), 2000, 40)
    y = y + 0.01 * rng.normal(size=2000)
    wanted = Ridge(1e-10).fit(X, y).coef_
    solver = LSMR(1e-10).fit(X, y)
    assert loss(X, y, solver.coef_, 1e-10) == pytest.approx(loss(X, y, wanted, 1e-10), rel=1e-6)
    with pytest.warns(LinmlpWarning, match="has not converged"):
        plain = LSMR(1e-10, None, max_iter=solver.n_iter_).fit(X, y)
    assert plain.solution_.status is Status.NOT_CONVERGED


class Counting(ArrayRows):
    """Rows that count how many are out at a time."""

    def __init__(self, X, y):
        super().__init__(X, y, block_rows=64)
        self.largest = self.passes = 0

    def stream(self, units=None):
        self.passes += 1
        for rows in super().stream(units):
            self.largest = max(self.largest, len(rows.y))
            yield rows


def test_a_source_is_never_held_whole():
    X, y, _ = svd_problem(np.logspace(0, -3, 20), 1000, 20)
    rows = Counting(X, y)
    solution = LSMR(1e-6).solve_source(rows)
    np.testing.assert_allclose(X @ solution.coef, X @ Ridge(1e-6).fit(X, y).coef_, atol=1e-8)
    assert solution.residual_norm == pytest.approx(np.linalg.norm(X @ solution.coef - y), rel=1e-6)
    assert rows.largest == 64
    assert rows.passes > 4


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"alpha": 0.0}, "alpha is 0.0"),
        ({"alpha": -1.0, "preconditioner": None}, "alpha is -1"),
        ({"preconditioner": "ilu"}, "preconditioner='ilu'"),
        ({"max_iter": 0}, "max_iter=0"),
    ],
)
def test_bad_settings_are_told(settings, message):
    X, y, _ = svd_problem(np.ones(8))
    with pytest.raises(SettingsError, match=message):
        LSMR(**settings).fit(X, y)
