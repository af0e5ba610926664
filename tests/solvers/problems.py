"""Rows and targets, and the forms they are folded to, shared by the tests of the solvers."""

import numpy as np

from linmlp.system import GramSystem, QRSystem, RowSystem, SystemSum

FORMS = {
    "rows": RowSystem,
    "gram": GramSystem.from_rows,
    "qr": QRSystem.from_rows,
    "sum": lambda X, y: SystemSum([RowSystem(X[:4], y[:4]), QRSystem.from_rows(X[4:] / 2, y[4:] / 2)], [1.0, 4.0]),
}

UNSCALED = {"tall": (40, 9, 9), "wide": (7, 9, 7), "singular": (40, 9, 6)}
"""Rows, features and rank by shape, for `unscaled_problem`."""

DECOMPOSED = {"tall": (30, 8, 8), "singular": (30, 8, 5), "wide": (6, 8, 6)}
"""The same for `decomposed_problem`."""


def unscaled_problem(shape, seed=0):
    """Return X, whose columns have norms over four decades, and noisy y."""
    n_rows, n_features, rank = UNSCALED[shape]
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, rank)) @ rng.normal(size=(rank, n_features)) * np.logspace(-2, 2, n_features)
    return X, rng.normal(size=n_rows) + X @ rng.normal(size=n_features)


def decomposed_problem(shape, seed=0):
    """Return X, y and the singular value decomposition that X is made of."""
    n_rows, n_features, rank = DECOMPOSED[shape]
    rng = np.random.default_rng(seed)
    U = np.linalg.qr(rng.normal(size=(n_rows, rank)))[0]
    V = np.linalg.qr(rng.normal(size=(n_features, rank)))[0]
    s = np.logspace(0, -2, rank)
    return (U * s) @ V.T, rng.normal(size=n_rows), U, s, V
