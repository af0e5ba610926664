"""What the rank-revealing solvers share: the triangular factor on scaled columns, without columns that are zero."""

from __future__ import annotations

import numpy as np

from linmlp.exceptions import SettingsError
from linmlp.system.compressed import CompressedSystem
from linmlp.units import FloatArray

RCONDS = {
    "gram": tuple(10.0**power for power in range(-7, -1)),
    "qr": tuple(10.0**power for power in range(-13, -1)),
}
"""Relative thresholds to try, by form of the compressed systems: the Gram form does not resolve less than 1e-7."""


class ScaledFactor:
    """``‖Rc − z‖² = ‖Mu − z‖²`` with u = c · scale, for the features that occur.

    Parameters
    ----------
    system : CompressedSystem
        Rows and targets, folded.
    scale_columns : bool
        Whether columns of M are scaled to unit norm.
    """

    def __init__(self, system: CompressedSystem, scale_columns: bool) -> None:
        factor = system.to_factor()
        norms = np.linalg.norm(factor.R, axis=0)
        self.n_features = system.n_features
        self.used = np.flatnonzero(norms > 0.0)
        self.scale = norms[self.used] if scale_columns else np.ones(len(self.used))
        self.matrix = factor.R[:, self.used] / self.scale
        self.target = factor.z

    def unscale(self, u: FloatArray) -> FloatArray:
        """Return coefficients of all features.

        Parameters
        ----------
        u : ndarray of shape (n_used,)
            Coefficients of the scaled columns.

        Returns
        -------
        ndarray of shape (n_features,)
            0 for features that never occur.
        """
        coef = np.zeros(self.n_features)
        coef[self.used] = u / self.scale
        return coef


def resolve_rcond(rcond: float | None, system: CompressedSystem) -> float:
    """Return a relative threshold; None is the rounding error of the form.

    Parameters
    ----------
    rcond : float or None
        0 or more and less than 1. None means ``n_features ε``, and the root of that where the form has squared the
        condition number.
    system : CompressedSystem
        The system.

    Returns
    -------
    float
        The threshold.
    """
    if rcond is None:
        rounding = max(system.n_features, 1) * float(np.finfo(float).eps)
        return rounding if system.keeps_condition else float(np.sqrt(rounding))
    if not 0.0 <= rcond < 1.0:
        raise SettingsError(f"rcond is {rcond}; it must be 0 or more and less than 1, or None for rounding error")
    return float(rcond)
