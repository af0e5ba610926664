"""Coordinate descent on the normal equations of a quadratic with an absolute-value penalty."""

from __future__ import annotations

import numba
import numpy as np

from linmlp.units import FloatArray


@numba.njit(cache=True)
def descend(matrix: FloatArray, u: FloatArray, correlations: FloatArray, strength: float, active_only: bool) -> None:
    """Minimize ``½ uᵀGu − bᵀu + strength ‖u‖₁`` along each coordinate in turn, once.

    ``matrix`` G (n, n), ``u`` (n,) and ``correlations`` b − Gu (n,), the last two overwritten. With ``active_only``
    coefficients that are 0 stay 0.
    """
    n = len(u)
    for j in range(n):
        diagonal = matrix[j, j]
        if active_only and u[j] == 0.0:
            continue
        pull = correlations[j] + diagonal * u[j]
        new = np.sign(pull) * max(abs(pull) - strength, 0.0) / diagonal
        step = new - u[j]
        if step != 0.0:
            u[j] = new
            for i in range(n):
                correlations[i] -= step * matrix[j, i]
