"""What several solvers have to fulfill; each of their tests calls these with its own solver."""

import numpy as np
import pytest

from linmlp.exceptions import SettingsError
from linmlp.solvers import Ridge, Status
from tests.naive.selection import ridge
from tests.solvers.problems import DECOMPOSED, FORMS, decomposed_problem, unscaled_problem


def check_sizes(solver, naive, form, shape):
    """Every size of a path is the one found by refitting all candidates, and solved as a ridge."""
    X, y = unscaled_problem(shape)
    sizes = [5, 1, 3, 9]
    for size, solution in zip(sizes, solver.solve_path(FORMS[form](X, y), sizes), strict=True):
        chosen = naive(X, y, size, solver.alpha)
        assert set(np.flatnonzero(solution.coef)) == set(chosen)
        expected = ridge(X, y, chosen, solver.alpha)[0]
        scale = np.linalg.norm(X, axis=0)
        # 100 eps over alpha, the condition number of the normal equations, with room.
        np.testing.assert_allclose(scale * solution.coef, scale * expected, atol=1e-8 * np.abs(scale * expected).max())
        assert solution.rank == size
        assert solution.residual_norm == pytest.approx(np.linalg.norm(X @ expected - y), rel=1e-5, abs=1e-5)


def check_long_path(solver):
    """Seventy of ninety nearly dependent columns still fit as ridge on them does."""
    rng = np.random.default_rng(1)
    X = np.vander(np.linspace(-1, 1, 300), 90) + 1e-3 * rng.normal(size=(300, 90))
    y = np.exp(X[:, -2]) + 1e-3 * rng.normal(size=300)
    chosen = np.flatnonzero(solver.fit(X, y).coef_)
    assert len(chosen) == 70
    np.testing.assert_allclose(
        X[:, chosen] @ solver.coef_[chosen], X[:, chosen] @ Ridge(1e-8).fit(X[:, chosen], y).coef_, atol=1e-9
    )


def check_dependent_columns_are_left_out(solver):
    """Asked for all of nine columns of rank six without a ridge, a selection keeps six."""
    X, y = unscaled_problem("singular")
    solution = solver.fit(X, y).solution_
    assert (solution.rank, solution.status) == (6, Status.RANK_DEFICIENT)
    assert solution.residual_norm == pytest.approx(np.linalg.norm(X @ np.linalg.lstsq(X, y)[0] - y), rel=1e-8)


def check_bad_size(solver):
    """A number of features that there are not is refused."""
    with pytest.raises(SettingsError, match=f"{solver.path_parameter} is .*1 to the 9 features"):
        solver.fit(*unscaled_problem("tall"))


def check_weights_are_repetitions(solver, rtol, atol=0.0):
    """A weight of 2 is a row listed twice, 0 one that is absent; a column of zeros has coefficient 0."""
    X, y = unscaled_problem("tall")
    X[:, 2] = 0.0
    weight = np.ones(40)
    weight[:5], weight[-2:] = 2.0, 0.0
    listed = np.r_[np.arange(5), np.arange(38)]
    weighted = solver.fit(X, y, sample_weight=weight).coef_
    np.testing.assert_allclose(weighted, solver.fit(X[listed], y[listed]).coef_, rtol=rtol, atol=atol)
    assert weighted[2] == 0.0


def check_smallest_solution(solver, form, shape):
    """Where columns depend on each other, the solution is the one of smallest (scaled) norm."""
    X, y, *_ = decomposed_problem(shape)
    scale = np.linalg.norm(X, axis=0) if solver.scale_columns else np.ones(8)
    expected = np.linalg.pinv(X / scale, rcond=1e-9) @ y / scale
    fitted = solver.fit_system(FORMS[form](X, y))
    # The Gram form squares a condition number of 1e2 to 1e3.
    np.testing.assert_allclose(fitted.coef_, expected, rtol=0, atol=1e-7 * np.abs(expected).max())
    assert fitted.solution_.rank == DECOMPOSED[shape][2]
    assert fitted.solution_.residual_norm == pytest.approx(np.linalg.norm(X @ expected - y), abs=1e-5)
