"""Sparse solvers against refitting every candidate, and against scikit-learn on the same rows."""

import itertools

import numpy as np
import pytest
from sklearn import linear_model
from sklearn.utils.estimator_checks import parametrize_with_checks

from linmlp.exceptions import SettingsError
from linmlp.solvers import (
    BackwardSelection,
    ForwardSelection,
    Lasso,
    OrthogonalMatchingPursuit,
    Ridge,
    ScikitLearnSolver,
    Status,
)
from linmlp.system import GramSystem, QRSystem, RowSystem, SystemSum

FORMS = {
    "rows": RowSystem,
    "gram": GramSystem.from_rows,
    "qr": QRSystem.from_rows,
    "sum": lambda X, y: SystemSum([RowSystem(X[:4], y[:4]), QRSystem.from_rows(X[4:] / 2, y[4:] / 2)], [1.0, 4.0]),
}
SHAPES = {"tall": (40, 9, 9), "wide": (7, 9, 7), "singular": (40, 9, 6)}
ALPHA = 1e-4


@parametrize_with_checks(
    [
        ForwardSelection(),
        BackwardSelection(),
        OrthogonalMatchingPursuit(),
        Lasso(),
        ScikitLearnSolver(linear_model.Ridge(fit_intercept=False)),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def problem(shape, seed=0):
    n_rows, n_features, rank = SHAPES[shape]
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, rank)) @ rng.normal(size=(rank, n_features)) * np.logspace(-2, 2, n_features)
    return X, rng.normal(size=n_rows) + X @ rng.normal(size=n_features)


def ridge(X, y, columns, alpha=ALPHA):
    """Return coefficients and penalized loss of some columns by one augmented least-squares problem."""
    columns = list(columns)
    A = np.vstack([X[:, columns], np.sqrt(alpha) * np.diag(np.linalg.norm(X[:, columns], axis=0))])
    b = np.r_[y, np.zeros(len(columns))]
    part = np.linalg.lstsq(A, b, rcond=None)[0]
    coef = np.zeros(X.shape[1])
    coef[columns] = part
    return coef, float(np.sum((A @ part - b) ** 2))


def naive_forward(X, y, size):
    chosen = []
    while len(chosen) < size:
        others = [j for j in range(X.shape[1]) if j not in chosen]
        chosen.append(min(others, key=lambda j: ridge(X, y, [*chosen, j])[1]))
    return chosen


def naive_pursuit(X, y, size):
    chosen = []
    norms = np.linalg.norm(X, axis=0)
    while len(chosen) < size:
        coef = ridge(X, y, chosen)[0] if chosen else np.zeros(X.shape[1])
        merit = np.abs(X.T @ (y - X @ coef)) / norms
        merit[chosen] = -1.0
        chosen.append(int(np.argmax(merit)))
    return chosen


def naive_backward(X, y, size):
    kept = list(range(X.shape[1]))
    while len(kept) > size:
        kept.remove(min(kept, key=lambda j: ridge(X, y, [k for k in kept if k != j])[1]))
    return kept


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("solver", "naive"),
    [
        (ForwardSelection(alpha=ALPHA), naive_forward),
        (OrthogonalMatchingPursuit(alpha=ALPHA), naive_pursuit),
        (BackwardSelection(alpha=ALPHA), naive_backward),
    ],
)
def test_every_size_is_the_one_found_by_refitting(form, shape, solver, naive):
    X, y = problem(shape)
    sizes = [5, 1, 3, 9]
    for size, solution in zip(sizes, solver.solve_path(FORMS[form](X, y), sizes), strict=True):
        chosen = naive(X, y, size)
        assert set(np.flatnonzero(solution.coef)) == set(chosen)
        expected = ridge(X, y, chosen)[0]
        scale = np.linalg.norm(X, axis=0)
        # 100 eps over alpha, the condition number of the normal equations, with room.
        np.testing.assert_allclose(scale * solution.coef, scale * expected, atol=1e-8 * np.abs(scale * expected).max())
        assert solution.rank == size
        assert solution.residual_norm == pytest.approx(np.linalg.norm(X @ expected - y), rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("solver", [ForwardSelection(6, ALPHA), OrthogonalMatchingPursuit(6, ALPHA)])
def test_order_of_choice(solver):
    X, y = problem("tall")
    naive = naive_forward if type(solver) is ForwardSelection else naive_pursuit
    assert solver.fit(X, y).order_.tolist() == naive(X, y, 6)


def test_long_paths_of_nearly_dependent_columns_stay_least_squares():
    rng = np.random.default_rng(1)
    X = np.vander(np.linspace(-1, 1, 300), 90) + 1e-3 * rng.normal(size=(300, 90))
    y = np.exp(X[:, -2]) + 1e-3 * rng.normal(size=300)
    for solver in (ForwardSelection(70), BackwardSelection(70)):
        chosen = np.flatnonzero(solver.fit(X, y).coef_)
        assert len(chosen) == 70
        np.testing.assert_allclose(
            X[:, chosen] @ solver.coef_[chosen], X[:, chosen] @ Ridge(1e-8).fit(X[:, chosen], y).coef_, atol=1e-9
        )


@pytest.mark.parametrize("solver", [ForwardSelection(9, 0.0), BackwardSelection(9, 0.0)])
def test_dependent_columns_are_left_out_without_a_ridge(solver):
    X, y = problem("singular")
    solution = solver.fit(X, y).solution_
    assert (solution.rank, solution.status) == (6, Status.RANK_DEFICIENT)
    assert solution.residual_norm == pytest.approx(np.linalg.norm(X @ np.linalg.lstsq(X, y)[0] - y), rel=1e-8)


def test_backward_selection_from_the_best_of_a_forward_one():
    X, y = problem("tall")
    forward = naive_forward(X, y, 6)
    started = np.flatnonzero(BackwardSelection(3, ALPHA, start=6).fit(X, y).coef_)
    best = np.array(sorted(forward))[naive_backward(X[:, sorted(forward)], y, 3)]
    assert started.tolist() == best.tolist()
    with pytest.raises(SettingsError, match="start is 2, but 3"):
        BackwardSelection(3, start=2).fit(X, y)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("shape", ["tall", "wide"])
@pytest.mark.parametrize("strength", [0.5, 0.05, 0.005])
def test_lasso_fulfills_the_conditions_of_its_minimum(form, shape, strength):
    X, y = problem(shape)
    solution = Lasso(strength, ALPHA, tol=1e-10).solve(FORMS[form](X, y))
    norms = np.linalg.norm(X, axis=0)
    u = norms * solution.coef
    pull = X.T @ (y - X @ solution.coef) / norms - ALPHA * u
    penalty = strength * np.abs(X.T @ y / norms).max()
    active = u != 0.0
    np.testing.assert_allclose(pull[active], penalty * np.sign(u[active]), rtol=1e-4)
    assert np.abs(pull).max() <= penalty * (1 + 1e-4)
    assert solution.status is not Status.NOT_CONVERGED


def test_lasso_against_scikit_learn():
    X, y = problem("tall")
    X = X / np.linalg.norm(X, axis=0)
    penalty = 0.01 * np.abs(X.T @ y).max()
    expected = linear_model.Lasso(penalty / len(y), fit_intercept=False, tol=1e-12, max_iter=100_000).fit(X, y).coef_
    lasso = Lasso(0.01, 0.0, tol=1e-12).fit(X, y)
    np.testing.assert_allclose(lasso.coef_, expected, atol=1e-5 * np.abs(expected).max())
    refitted = Lasso(0.01, ALPHA, refit=True).fit(X, y).coef_
    np.testing.assert_allclose(refitted, ridge(X, y, np.flatnonzero(refitted))[0], atol=1e-8 * np.abs(refitted).max())


def test_lasso_limits_and_honesty():
    X, y = problem("tall")
    assert not Lasso(1.0).fit(X, y).coef_.any()
    assert Lasso(1e-4, tol=1e-12, max_iter=1).fit(X, y).solution_.status is Status.NOT_CONVERGED
    with pytest.raises(SettingsError, match=r"strength is 0\.0"):
        Lasso(0.0).fit(X, y)


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
def test_scikit_learn_on_the_factor_is_scikit_learn_on_the_rows(form, regressor):
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
        ScikitLearnSolver(regressor).fit(*problem("tall"))


@pytest.mark.parametrize(
    "solver", [ForwardSelection(4), OrthogonalMatchingPursuit(4), BackwardSelection(4), Lasso(0.01)]
)
def test_weights_are_repetitions_and_empty_columns_stay_zero(solver):
    X, y = problem("tall")
    X[:, 2] = 0.0
    weight = np.ones(40)
    weight[:5], weight[-2:] = 2.0, 0.0
    listed = np.r_[np.arange(5), np.arange(38)]
    weighted = solver.fit(X, y, sample_weight=weight).coef_
    np.testing.assert_allclose(weighted, solver.fit(X[listed], y[listed]).coef_, rtol=1e-6, atol=1e-9)
    assert weighted[2] == 0.0


@pytest.mark.parametrize("size", [0, 10, 2.5, "all"])
def test_bad_sizes(size):
    for cls, name in itertools.product([ForwardSelection, BackwardSelection], ["n_features_to_select"]):
        with pytest.raises(SettingsError, match=f"{name} is .*1 to the 9 features"):
            cls(size).fit(*problem("tall"))
