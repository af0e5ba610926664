"""Orthogonal matching pursuit: the feature that correlates most with the residual comes next."""

from __future__ import annotations

import numpy as np

from linmlp.solvers.forward_selection import ForwardSelection
from linmlp.solvers.greedy import GreedyPath
from linmlp.solvers.scaled_gram import ScaledGram


class OrthogonalMatchingPursuit(ForwardSelection):
    """Ridge regression on features chosen one by one, each the one that correlates most with the residual.

    It differs from `ForwardSelection` in the choice alone: how much of a column is already spanned by those chosen does
    not count, so that of nearly dependent features the needed small remainder is found late. Columns are scaled to
    unit norm first. See Pati, Rezaiifar and Krishnaprasad, 27th Asilomar Conf. (1993), p. 40.

    Parameters
    ----------
    n_nonzero_coefs : int or "auto", default="auto"
        Number of features; "auto" is half of them.
    alpha : float, default=1e-8
        Ridge strength on scaled columns, in the choice and in the coefficients alike.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        Coefficients; exactly 0 for features that were not chosen.
    order_ : ndarray of shape (n_chosen,), int
        Features in the order in which they were chosen.
    solution_ : Solution
        Coefficients, number of features, condition number, residual norm and status.
    n_features_in_ : int
        Number of features.

    Examples
    --------
    >>> import numpy as np
    >>> from linmlp.solvers import OrthogonalMatchingPursuit
    >>> X = np.array([[1.0, 0.0, 0.1], [0.0, 1.0, 0.1], [1.0, 1.0, 0.0], [1.0, -1.0, 0.2]])
    >>> OrthogonalMatchingPursuit(1, alpha=0.0).fit(X, X[:, 1] * 2).coef_.round(6)
    array([0., 2., 0.])
    """

    def __init__(self, n_nonzero_coefs: int | str = "auto", alpha: float = 1e-8) -> None:
        self.n_nonzero_coefs = n_nonzero_coefs
        self.alpha = alpha

    @property
    def path_parameter(self) -> str:
        """Name of the parameter that `solve_path` varies."""
        return "n_nonzero_coefs"

    def _choose(self, problem: ScaledGram, n_most: int) -> GreedyPath:
        """Return the features in the order of choice."""
        # Scaled columns have the same norm.
        return GreedyPath(problem, n_most, lambda correlations, pivots: np.abs(correlations))
