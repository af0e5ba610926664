"""What features have in common with the coefficients of the loops: shares in, sparse matrices out."""

from typing import TypeAlias

import numpy as np
from scipy.sparse import csr_array

Share: TypeAlias = dict[int, float]
"""Factor by feature: a coefficient of the loops is the sum of factors times the coefficients of features."""


def share_matrix(shares: list[Share], n_features: int) -> csr_array:
    """Return the matrix that turns the coefficients of features into those of the loops.

    Parameters
    ----------
    shares : list of dict
        Factor by feature, for each coefficient of the loops.
    n_features : int
        Number of features.

    Returns
    -------
    csr_array of shape (len(shares), n_features)
        Its transpose turns what is multiplied by the coefficients of the loops into features.
    """
    first = np.cumsum([0, *map(len, shares)])
    features = np.array([feature for share in shares for feature in share], dtype=np.int64)
    factors = np.array([factor for share in shares for factor in share.values()], dtype=float)
    return csr_array((factors, features, first), shape=(len(shares), n_features))
