"""Least squares with rank reveal against answers built from a singular value decomposition."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from linmlp.exceptions import SettingsError
from linmlp.solvers import LeastSquares
from tests.solvers import checks
from tests.solvers.problems import DECOMPOSED, FORMS, unscaled_problem


@parametrize_with_checks([LeastSquares(), LeastSquares(scale_columns=False)])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("shape", DECOMPOSED)
@pytest.mark.parametrize("scale_columns", [True, False])
def test_smallest_solution(form, shape, scale_columns):
    checks.check_smallest_solution(LeastSquares(1e-5, scale_columns), form, shape)


def test_weights_are_repetitions_and_absent_features_get_zero():
    checks.check_weights_are_repetitions(LeastSquares(), rtol=1e-8)


def test_bad_threshold():
    with pytest.raises(SettingsError, match="rcond is 2"):
        LeastSquares(rcond=2).fit(*unscaled_problem("tall"))
