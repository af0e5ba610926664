"""Least squares with rank reveal and truncated SVD against answers built from a singular value decomposition."""

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from linmlp.exceptions import SettingsError
from linmlp.solvers import LeastSquares, TruncatedSVDRegression
from linmlp.system import GramSystem, QRSystem, RowSystem, SystemSum

SOLVERS = [LeastSquares, TruncatedSVDRegression]
FORMS = {
    "rows": RowSystem,
    "gram": GramSystem.from_rows,
    "qr": QRSystem.from_rows,
    "sum": lambda X, y: SystemSum([RowSystem(X[:4], y[:4]), QRSystem.from_rows(X[4:] / 2, y[4:] / 2)], [1.0, 4.0]),
}
SHAPES = {"tall": (30, 8, 8), "singular": (30, 8, 5), "wide": (6, 8, 6)}


@parametrize_with_checks([solver(scale_columns=scale) for solver in SOLVERS for scale in (True, False)])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def problem(shape, seed=0):
    n_rows, n_features, rank = SHAPES[shape]
    rng = np.random.default_rng(seed)
    U = np.linalg.qr(rng.normal(size=(n_rows, rank)))[0]
    V = np.linalg.qr(rng.normal(size=(n_features, rank)))[0]
    s = np.logspace(0, -2, rank)
    return (U * s) @ V.T, rng.normal(size=n_rows), U, s, V


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("scale_columns", [True, False])
def test_smallest_solution(solver, form, shape, scale_columns):
    X, y, *_ = problem(shape)
    scale = np.linalg.norm(X, axis=0) if scale_columns else np.ones(8)
    expected = np.linalg.pinv(X / scale, rcond=1e-9) @ y / scale
    fitted = solver(rcond=1e-5, scale_columns=scale_columns).fit_system(FORMS[form](X, y))
    # The Gram form squares a condition number of 1e2 to 1e3.
    np.testing.assert_allclose(fitted.coef_, expected, rtol=0, atol=1e-7 * np.abs(expected).max())
    assert fitted.solution_.rank == SHAPES[shape][2]
    assert fitted.solution_.residual_norm == pytest.approx(np.linalg.norm(X @ expected - y), abs=1e-5)


@pytest.mark.parametrize("form", FORMS)
def test_truncated_path_drops_one_direction_after_the_other(form):
    X, y, U, s, V = problem("tall")
    middle = np.sqrt(s[1:] * s[:-1])
    path = TruncatedSVDRegression(scale_columns=False).solve_path(FORMS[form](X, y), middle)
    for kept, solution in enumerate(path, start=1):
        expected = V[:, :kept] @ (U[:, :kept].T @ y / s[:kept])
        np.testing.assert_allclose(solution.coef, expected, rtol=0, atol=1e-9 * np.abs(expected).max())
        assert solution.rank == kept


@pytest.mark.parametrize("solver", SOLVERS)
def test_weights_are_repetitions_and_absent_features_get_zero(solver):
    X, y, *_ = problem("tall")
    X[:, 3] = 0.0
    weight = np.ones(30)
    weight[:5], weight[-2:] = 2.0, 0.0
    listed = np.r_[np.arange(5), np.arange(28)]
    weighted = solver().fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(weighted.coef_, solver().fit(X[listed], y[listed]).coef_, rtol=1e-8)
    assert weighted.coef_[3] == 0.0
    with pytest.raises(SettingsError, match="rcond is 2"):
        solver(rcond=2).fit(X, y)
