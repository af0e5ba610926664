"""Truncated singular value decomposition against answers built from one."""

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from linmlp.exceptions import SettingsError
from linmlp.solvers import TruncatedSVDRegression
from tests.solvers import checks
from tests.solvers.problems import DECOMPOSED, FORMS, decomposed_problem, unscaled_problem


@parametrize_with_checks([TruncatedSVDRegression(), TruncatedSVDRegression(scale_columns=False)])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("shape", DECOMPOSED)
@pytest.mark.parametrize("scale_columns", [True, False])
def test_smallest_solution(form, shape, scale_columns):
    checks.check_smallest_solution(TruncatedSVDRegression(1e-5, scale_columns), form, shape)


@pytest.mark.parametrize("form", FORMS)
def test_path_drops_one_direction_after_the_other(form):
    X, y, U, s, V = decomposed_problem("tall")
    middle = np.sqrt(s[1:] * s[:-1])
    path = TruncatedSVDRegression(scale_columns=False).solve_path(FORMS[form](X, y), middle)
    for kept, solution in enumerate(path, start=1):
        expected = V[:, :kept] @ (U[:, :kept].T @ y / s[:kept])
        np.testing.assert_allclose(solution.coef, expected, rtol=0, atol=1e-9 * np.abs(expected).max())
        assert solution.rank == kept


def test_weights_are_repetitions_and_absent_features_get_zero():
    checks.check_weights_are_repetitions(TruncatedSVDRegression(), rtol=1e-8)


def test_bad_threshold():
    with pytest.raises(SettingsError, match="rcond is 2"):
        TruncatedSVDRegression(rcond=2).fit(*unscaled_problem("tall"))
