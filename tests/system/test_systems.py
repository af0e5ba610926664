"""Compressed systems against the rows they were made of."""

import pickle

import numpy as np
import pytest

from linmlp.exceptions import SettingsError
from linmlp.system import GramSystem, QRSystem, RowSystem, SystemSum, empty_system, from_state, merge, rows_to_system

N_FEATURES = 7
FORMS = ["rows", "gram", "qr", "sum"]


def make_rows(n_rows=40, seed=0, noise=0.1):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, N_FEATURES)) * 10.0 ** rng.uniform(-2, 2, N_FEATURES)
    return X, X @ rng.normal(size=N_FEATURES) + noise * rng.normal(size=n_rows)


def make_system(form, X, y):
    if form == "rows":
        return RowSystem(X, y)
    if form == "sum":
        parts = [RowSystem(X[:5], y[:5]), QRSystem.from_rows(X[5:] / 2, y[5:] / 2)]
        return SystemSum(parts, [1.0, 4.0])
    return {"gram": GramSystem, "qr": QRSystem}[form].from_rows(X, y)


def direct(X, y, coef):
    return np.sum((X @ coef - y) ** 2)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("keep", [False, True])
def test_squared_residual_is_exact_for_any_coefficients(form, keep):
    X, y = make_rows()
    system = make_system(form, X, y)
    if keep:
        system.keep()
    coefs = np.random.default_rng(1).normal(size=(5, N_FEATURES))
    wanted = [direct(X, y, coef) for coef in coefs]
    np.testing.assert_allclose(system.squared_residual(coefs), wanted, rtol=1e-12)
    assert system.squared_residual(coefs[2]) == pytest.approx(wanted[2], rel=1e-12)
    assert isinstance(system.squared_residual(coefs[2]), float)
    assert system.n_rows == len(y)
    assert system.y_squared == pytest.approx(y @ y, rel=1e-13)
    np.testing.assert_allclose(
        system.normal_residual(coefs), (y - coefs @ X.T) @ X, rtol=1e-11, atol=1e-11 * np.abs(X.T @ X).max()
    )


@pytest.mark.parametrize("form", FORMS)
def test_gram_and_factor_give_the_same_residual(form):
    X, y = make_rows()
    system = make_system(form, X, y)
    gram, factor = system.to_gram(), system.to_factor()
    np.testing.assert_allclose(gram.matrix, X.T @ X, rtol=1e-11, atol=1e-12)
    np.testing.assert_array_equal(gram.matrix, gram.matrix.T)
    np.testing.assert_allclose(gram.vector, X.T @ y, rtol=1e-11)
    assert np.allclose(factor.R, np.triu(factor.R))
    coef = np.arange(1.0, N_FEATURES + 1)
    residual = factor.R @ coef - factor.z
    assert residual @ residual + factor.rho_squared == pytest.approx(direct(X, y, coef), rel=1e-10)


def test_qr_resolves_a_tiny_residual_and_gram_says_that_it_does_not():
    X, y = make_rows(noise=1e-9)
    coef = np.linalg.lstsq(X, y, rcond=None)[0]
    qr, gram = (make_system(form, X, y) for form in ("qr", "gram"))
    assert qr.squared_residual(coef) == pytest.approx(direct(X, y, coef), rel=1e-5)
    assert qr.residual_is_accurate(coef)
    assert not gram.residual_is_accurate(coef)
    assert gram.residual_is_accurate(np.zeros(N_FEATURES))


@pytest.mark.parametrize("form", FORMS)
def test_scaling_multiplies_squared_residuals(form):
    X, y = make_rows()
    system = make_system(form, X, y)
    coef = np.ones(N_FEATURES)
    assert system.scaled(2.5).squared_residual(coef) == pytest.approx(2.5 * direct(X, y, coef), rel=1e-12)
    assert system.squared_residual(coef) == pytest.approx(direct(X, y, coef), rel=1e-12)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("columns", [[4, 0, 2], list(range(N_FEATURES))[::-1], [3]])
def test_subset_and_permutation(form, columns):
    X, y = make_rows()
    subset = make_system(form, X, y).subset(columns)
    coef = np.random.default_rng(3).normal(size=len(columns))
    assert subset.n_features == len(columns)
    assert subset.squared_residual(coef) == pytest.approx(direct(X[:, columns], y, coef), rel=1e-11)


@pytest.mark.parametrize("form", ["gram", "qr"])
@pytest.mark.parametrize("cuts", [[], [3, 5], [1, 2, 30], [10, 20, 30], [39]])
def test_merging_pieces_of_any_size(form, cuts):
    X, y = make_rows()
    pieces = [rows_to_system(a, b, form=form) for a, b in zip(np.split(X, cuts), np.split(y, cuts), strict=True)]
    whole = rows_to_system(X, y, form=form)
    merged = merge(pieces)
    assert merged.form == form
    assert merged.n_rows == len(y)
    coef = np.random.default_rng(5).normal(size=N_FEATURES)
    assert merged.squared_residual(coef) == pytest.approx(whole.squared_residual(coef), rel=1e-12)
    for reordered in (merge(pieces[::-1]), pieces[0].merge(*pieces[1:])):
        assert reordered.squared_residual(coef) == pytest.approx(whole.squared_residual(coef), rel=1e-12)


@pytest.mark.parametrize("form", ["gram", "qr"])
def test_adding_rows_until_they_are_folded(form):
    X, y = make_rows(20)
    system = empty_system(N_FEATURES, form)
    forms = []
    for start in range(0, 20, 4):
        system = system.add_rows(X[start : start + 4], y[start : start + 4])
        forms.append(system.form)
    assert forms == ["rows", form, form, form, form]
    coef = np.ones(N_FEATURES)
    assert system.squared_residual(coef) == pytest.approx(direct(X, y, coef), rel=1e-12)
    assert (system + system).squared_residual(coef) == pytest.approx(2 * direct(X, y, coef), rel=1e-12)


@pytest.mark.parametrize("form", ["gram", "qr"])
def test_row_scale_doubles_and_removes_rows(form):
    X, y = make_rows()
    weight = np.ones(len(y))
    weight[:4], weight[-3:] = 2.0, 0.0
    y_masked = y.copy()
    y_masked[-1] = np.nan
    system = rows_to_system(X, y_masked, np.sqrt(weight), form)
    listed = np.r_[np.arange(4), np.arange(len(y) - 3)]
    coef = np.ones(N_FEATURES)
    assert system.n_rows == len(y) - 3
    assert system.squared_residual(coef) == pytest.approx(direct(X[listed], y[listed], coef), rel=1e-12)


@pytest.mark.parametrize("n_rows", [3, 40])
def test_padded_row_stride_is_read_right_and_caller_arrays_stay(n_rows):
    X, y = make_rows(n_rows)
    buffer = np.full((n_rows, N_FEATURES + 5), np.nan)
    view = buffer[:, :N_FEATURES]
    view[:] = X
    coef = np.ones(N_FEATURES)
    for form in ("gram", "qr"):
        system = rows_to_system(view, y, np.full(n_rows, 2.0), form)
        np.testing.assert_array_equal(view, X)
        view[:] = -1.0
        assert system.squared_residual(coef) == pytest.approx(4 * direct(X, y, coef), rel=1e-12)
        view[:] = X


@pytest.mark.parametrize("form", FORMS)
def test_state_and_pickle_round_trip(form):
    X, y = make_rows()
    system = make_system(form, X, y)
    coef = np.ones(N_FEATURES)
    wanted = system.squared_residual(coef)
    for copy in (from_state(system.to_state()), pickle.loads(pickle.dumps(system))):
        assert copy.squared_residual(coef) == pytest.approx(wanted, rel=1e-12)
        assert copy.n_rows == system.n_rows
        assert copy.n_features == N_FEATURES


def test_factor_of_a_singular_gram_matrix():
    X, y = make_rows()
    X[:, 3] = 2 * X[:, 1]
    X[:, 5] = 0.0
    factor = GramSystem.from_rows(X, y).to_factor()
    coef = np.ones(N_FEATURES)
    residual = factor.R @ coef - factor.z
    assert residual @ residual + factor.rho_squared == pytest.approx(direct(X, y, coef), rel=1e-8)


def test_wrong_shapes_are_told():
    X, y = make_rows()
    system = GramSystem.from_rows(X, y)
    with pytest.raises(SettingsError, match=r"shape \(3,\) do not fit a system of 7 features"):
        system.squared_residual(np.ones(3))
    with pytest.raises(SettingsError, match="cannot be merged"):
        system.merge(system.subset([0, 1]))
    with pytest.raises(SettingsError, match="'lu' is not a form"):
        empty_system(3, "lu")


def test_sum_without_weight_is_empty():
    X, y = make_rows()
    empty = SystemSum([RowSystem(X, y)], [0.0])
    assert empty.n_rows == 0
    assert empty.squared_residual(np.ones(N_FEATURES)) == 0.0
    assert empty.subset([1, 2]).n_features == 2
    assert np.all(empty.to_factor().R == 0.0)
