"""Energies, forces and strain gradients of a kernel potential."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

from linmlp.descriptors.base import Descriptor
from linmlp.descriptors.kernel.representatives import Representatives
from linmlp.neighbors import Pairs
from linmlp.units import FloatArray


class KernelEvaluator:
    """Energy of kernel values to representatives, for fixed coefficients.

    Parameters
    ----------
    descriptor : Descriptor
        That the kernel compares atoms by.
    representatives : sequence of Representatives
        Of every element.
    coefficients : sequence of ndarray
        Of the whitened kernel values of every element, eV.
    scale : ndarray of shape (n_functions,)
        Factor of the features in the kernel.
    """

    def __init__(
        self,
        descriptor: Descriptor,
        representatives: Sequence[Representatives],
        coefficients: Sequence[FloatArray],
        scale: FloatArray,
    ) -> None:
        self._descriptor, self._representatives, self._scale = descriptor, list(representatives), scale
        self._n = descriptor.n_features_out_ // len(descriptor.elements_)
        # Whitening is undone once, so that an atom costs two products with the representatives.
        pairs = list(zip(representatives, coefficients, strict=True))
        self._weights = [r.whitening @ of_element for r, of_element in pairs]
        self._constants = [-float(r.lone_values @ w) for r, w in zip(self._representatives, self._weights, strict=True)]

    def compute(self, pairs: Pairs, n_threads: int = 1) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return energies (n_atoms,), forces (n_atoms, 3) and strain gradients per atom (n_atoms, 6)."""
        kinds = self._descriptor.element_indices(pairs.numbers)
        features = self._descriptor.environment_features(pairs)
        energies, slopes = np.zeros(len(kinds)), np.zeros_like(features)
        with _controller().limit(limits=n_threads, user_api="blas"):
            for z, representatives in enumerate(self._representatives):
                centers, block = np.flatnonzero(kinds == z), slice(z * self._n, (z + 1) * self._n)
                if len(centers):
                    own = features[centers, block] * self._scale
                    energies[centers], slopes[centers, block] = self._of_element(z, representatives, own)
        forces, strain = self._descriptor.pull_back(pairs, slopes)
        return energies, forces, strain

    def _of_element(self, z: int, r: Representatives, features: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return energies of atoms and their derivatives with respect to the features of the descriptor."""
        cosines, lengths = r.cosines(features)
        powers, slopes = r.powers(cosines)
        slopes *= self._weights[z] / lengths[:, None]
        along = np.einsum("is,is->i", slopes, cosines) / lengths
        gradient = self._scale * (slopes @ r.vectors - along[:, None] * features)
        return powers @ self._weights[z] + self._constants[z], gradient


@cache
def _controller() -> Any:
    """Return what controls the threads of BLAS; to look for its libraries takes longer than an evaluation."""
    return ThreadpoolController()
