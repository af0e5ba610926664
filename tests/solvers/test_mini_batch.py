"""Mini-batch gradient descent against the closed form, its learning curve, and what it says where it fails."""

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from linmlp.exceptions import LinmlpWarning, SettingsError
from linmlp.solvers import LSMR, MiniBatchGradientDescent, Ridge, Status
from tests.solvers.test_lsmr import Counting, loss
from tests.solvers.test_ridge import FORMS, svd_problem


@parametrize_with_checks([MiniBatchGradientDescent(), MiniBatchGradientDescent(batch_size=8, momentum=0.5)])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def noisy_problem(singular_values, n_rows, n_features):
    X, y, _ = svd_problem(singular_values, n_rows, n_features)
    return X, y + 0.05 * np.random.default_rng(1).normal(size=n_rows)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("shape", [(40, 8, 8), (40, 8, 5), (6, 8, 6)], ids=["tall", "singular", "wide"])
@pytest.mark.parametrize("alpha", [1e-1, 1e-6])
def test_same_loss_as_the_closed_form(form, shape, alpha):
    n_rows, n_features, rank = shape
    X, y = noisy_problem(np.logspace(0, -2, rank), n_rows, n_features)
    solver = MiniBatchGradientDescent(alpha, batch_size=4).fit_system(FORMS[form](X, y))
    assert solver.solution_.status is Status.SOLVED
    wanted = loss(X, y, Ridge(alpha).fit(X, y).coef_, alpha)
    assert loss(X, y, solver.coef_, alpha) == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize("settings", [{}, {"momentum": 0.5}, {"batch_size": 16}, {"batch_size": 100_000}])
def test_ill_conditioned_rows_that_the_sample_does_not_hold(settings):
    # 2000 rows of 20 features: the sample for the preconditioner has 80 of them
    X, y = noisy_problem(np.logspace(0, -8, 20), 2000, 20)
    solver = MiniBatchGradientDescent(1e-10, **settings).fit(X, y)
    assert solver.solution_.status is Status.SOLVED
    wanted = loss(X, y, Ridge(1e-10).fit(X, y).coef_, 1e-10)
    assert loss(X, y, solver.coef_, 1e-10) == pytest.approx(wanted, rel=1e-6)
    losses = [epoch.training_loss for epoch in solver.learning_curve_]
    assert len(losses) == solver.n_iter_
    assert losses[-1] <= losses[0]


@pytest.mark.parametrize("solver", [LSMR(1e-10, max_iter=60), MiniBatchGradientDescent(1e-10)])
def test_rows_that_alone_speak_of_some_directions(solver):
    # Ten of 5000 rows hold half of the features; a sample drawn from all rows alike has none of most of them.
    rng = np.random.default_rng(0)
    X = np.zeros((5000, 20))
    X[:, :10] = rng.normal(size=(5000, 10)) * np.logspace(0, -4, 10)
    X[::500] = rng.normal(size=(10, 20))
    y = X @ rng.normal(size=20) + 0.01 * rng.normal(size=5000)
    solver.fit(X, y)
    assert solver.solution_.status is Status.SOLVED
    wanted = loss(X, y, Ridge(1e-10).fit(X, y).coef_, 1e-10)
    assert loss(X, y, solver.coef_, 1e-10) == pytest.approx(wanted, rel=1e-6)


def test_the_same_seed_gives_the_same_numbers():
    X, y = noisy_problem(np.logspace(0, -2, 8), 300, 8)
    one, two, other = (MiniBatchGradientDescent(random_state=seed).fit(X, y) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one.coef_, two.coef_)
    assert one.learning_curve_ == two.learning_curve_
    assert not np.array_equal(one.coef_, other.coef_)


def test_early_stopping_keeps_the_coefficients_that_validate_best():
    # nearly as many features as rows: the fit to the training rows goes on long after the validation rows got worse
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 40))
    y = X[:, 0] + rng.normal(size=60)
    solver = MiniBatchGradientDescent(
        1e-6,
        learning_rate=0.05,
        batch_size=10,
        early_stopping=True,
        validation_fraction=0.3,
        patience=4,
    )
    solver.fit(X, y)
    curve = np.array(solver.learning_curve_)
    best = int(curve[:, 2].argmin())
    assert solver.n_iter_ == best + 5
    assert np.isfinite(curve).all()
    assert curve[-1, 1] < curve[best, 1]
    assert solver.solution_.status is Status.SOLVED


def test_what_has_not_converged_says_so():
    X, y = noisy_problem(np.logspace(0, -3, 8), 500, 8)
    with pytest.warns(LinmlpWarning, match="after max_epochs=2; raise it"):
        short = MiniBatchGradientDescent(max_epochs=2, learning_rate=1e-3).fit(X, y)
    assert short.solution_.status is Status.NOT_CONVERGED
    with pytest.warns(LinmlpWarning, match="it diverges with learning_rate 50; lower it"):
        wild = MiniBatchGradientDescent(learning_rate=50.0).fit(X, y)
    assert wild.solution_.status is Status.NOT_CONVERGED
    assert np.isfinite(wild.coef_).all()


def test_a_source_is_never_held_whole():
    X, y = noisy_problem(np.logspace(0, -3, 10), 1000, 10)
    rows = Counting(X, y)
    solver = MiniBatchGradientDescent(1e-6)
    solution = solver.solve_source(rows)
    assert loss(X, y, solution.coef, 1e-6) == pytest.approx(loss(X, y, Ridge(1e-6).fit(X, y).coef_, 1e-6), rel=1e-6)
    assert rows.largest == 64


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"alpha": 0.0}, "alpha is 0.0"),
        ({"learning_rate": "fast"}, "learning_rate='fast'"),
        ({"learning_rate": -1.0}, "learning_rate=-1"),
        ({"momentum": 1.0}, "momentum=1"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"early_stopping": True, "validation_fraction": 1.5}, "validation_fraction=1.5"),
        ({"early_stopping": True, "validation_fraction": 0.999}, "nothing to train on"),
    ],
)
def test_bad_settings_are_told(settings, message):
    X, y, _ = svd_problem(np.ones(8))
    with pytest.raises(SettingsError, match=message):
        MiniBatchGradientDescent(**settings).fit(X, y)
