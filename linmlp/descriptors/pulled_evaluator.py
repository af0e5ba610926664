"""Evaluation of a linear energy of any descriptor: features, then the pull-back of its coefficients."""

from typing import TYPE_CHECKING

import numpy as np

from linmlp.neighbors import Pairs
from linmlp.units import FloatArray

if TYPE_CHECKING:
    from linmlp.descriptors.base import Descriptor


class PulledEvaluator:
    """Energies, forces and strain gradients of a linear combination of features.

    Parameters
    ----------
    descriptor : Descriptor
        Fitted.
    coefficients : ndarray of shape (n_features,)
        Energy of an atom = its features @ coefficients, eV.
    """

    def __init__(self, descriptor: "Descriptor", coefficients: FloatArray) -> None:
        self._descriptor = descriptor
        self._coefficients = np.asarray(coefficients, dtype=float)

    def compute(self, pairs: Pairs, n_threads: int = 1) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return energies (n_atoms,), forces (n_atoms, 3) and strain gradients per atom (n_atoms, 6)."""
        energies = self._descriptor.compute_features(pairs) @ self._coefficients
        weights = np.broadcast_to(self._coefficients, (len(pairs.numbers), len(self._coefficients)))
        forces, strain = self._descriptor.pull_back(pairs, weights)
        return energies, forces, strain
