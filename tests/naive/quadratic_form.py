"""A quadratic form of features in plain numpy that fulfils the contract, with some features that do not matter."""

import numpy as np


class NaiveForm:
    def __init__(self, matrix):
        self.matrix = matrix  # W: the form is |W b|²

    @classmethod
    def random(cls, parameters, matters=None):
        """Lower triangular for the features of each element, well-conditioned, zero for what does not matter."""
        rng = np.random.default_rng(8)
        n = len(parameters.functions)
        matrix = np.zeros((parameters.n_features, parameters.n_features))
        for z in range(len(parameters.numbers)):
            own = slice(z * n, (z + 1) * n)
            matrix[own, own] = np.tril(rng.normal(size=(n, n))) / np.sqrt(n) + 2 * np.eye(n)
        if matters is not None:
            matrix[~matters] = 0.0
            matrix[:, ~matters] = 0.0
        return cls(matrix)

    def __call__(self, features):
        return np.sum((features @ self.matrix.T) ** 2, axis=1)

    def triangle(self, columns):
        return self.matrix[np.ix_(columns, columns)]
