"""Energies, forces and strain gradients of kernel potentials: one, several, and what tells how far they can be trusted.

Kernel values to the representatives are computed once for all sets of coefficients. Whitening is undone in the
coefficients, so that an atom costs two products with the representatives, and one more for each further set.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from linmlp.descriptors.base import Descriptor
from linmlp.descriptors.kernel.representatives import Representatives
from linmlp.descriptors.threads import blas_threads
from linmlp.neighbors import Pairs
from linmlp.units import FloatArray, IntArray

CHUNK = 128
"""Atoms whose kernel values are at hand at a time: they stay in the cache."""


class KernelParts(NamedTuple):
    """What a kernel is made of.

    Attributes
    ----------
    descriptor : Descriptor
        That atoms are compared by.
    representatives : sequence of Representatives
        Of every element.
    scale : ndarray of shape (n_functions,)
        Factor of the features in the kernel.
    """

    descriptor: Descriptor
    representatives: Sequence[Representatives]
    scale: FloatArray


class Visited(NamedTuple):
    """Some atoms of one element.

    Attributes
    ----------
    element : int
        Element index.
    atoms : ndarray of int, shape (n,)
        The atoms.
    powers : ndarray of shape (n, n_sparse)
        Their kernel values.
    """

    element: int
    atoms: IntArray
    powers: FloatArray


class KernelCommittee:
    """Energies of kernel values to representatives, for several sets of coefficients.

    Parameters
    ----------
    parts : KernelParts
        Of the kernel.
    coefficients : sequence of ndarray of shape (n_members, n_kept)
        Of the whitened kernel values of every element, eV.
    """

    def __init__(self, parts: KernelParts, coefficients: Sequence[FloatArray]) -> None:
        self._parts, self.n_members = parts, len(coefficients[0])
        pairs = list(zip(parts.representatives, coefficients, strict=True))
        self._weights = [np.ascontiguousarray(of_element @ r.whitening.T) for r, of_element in pairs]
        lone = zip(parts.representatives, self._weights, strict=True)
        self._constants = [-(weights @ r.lone_values) for r, weights in lone]
        self._vectors = [r.vectors * parts.scale for r in parts.representatives]

    def compute(self, pairs: Pairs, n_threads: int = 1) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return energies (n_members, n_atoms), forces (n_members, n_atoms, 3), strain gradients per atom (..., 6)."""
        energies, slopes = self.allocate(pairs)
        with blas_threads(n_threads):
            for _ in self.visit(pairs, energies, slopes):
                pass
        return energies, *self._parts.descriptor.pull_back_own(pairs, slopes)

    def visit(self, pairs: Pairs, energies: FloatArray, slopes: FloatArray) -> Iterator[Visited]:
        """Yield the atoms, after writing their energies and the derivatives of these with respect to their features.

        Parameters
        ----------
        pairs : Pairs
            Pairs of a structure.
        energies : ndarray of shape (n_members, n_atoms)
            Is overwritten.
        slopes : ndarray of shape (n_members, n_atoms, n_functions)
            Is overwritten.

        Yields
        ------
        Visited
            At most `CHUNK` atoms.
        """
        descriptor, representatives, scale = self._parts
        kinds = descriptor.element_indices(pairs.numbers)
        features = descriptor.environment_features(pairs)
        n = features.shape[1] // len(descriptor.elements_)
        for z, r in enumerate(representatives):
            of_element = np.flatnonzero(kinds == z)
            for start in range(0, len(of_element), CHUNK):
                atoms = of_element[start : start + CHUNK]
                own = features[atoms, z * n : (z + 1) * n] * scale
                cosines, lengths = r.cosines(own)
                powers, steepness = r.powers(cosines)
                steepness /= lengths[:, None]
                along, own = self._weights[z] @ (steepness * cosines).T / lengths, own * scale
                for m, weights in enumerate(self._weights[z]):
                    # In single precision nothing would be left: coefficients of like environments cancel.
                    slopes[m, atoms] = (steepness * weights) @ self._vectors[z] - along[m][:, None] * own
                energies[:, atoms] = self._weights[z] @ powers.T + self._constants[z][:, None]
                yield Visited(z, atoms, powers)

    def allocate(self, pairs: Pairs) -> tuple[FloatArray, FloatArray]:
        """Return arrays for `visit`."""
        n, shape = len(self._parts.scale), (self.n_members, len(pairs.numbers))
        return np.empty(shape), np.empty((*shape, n))


class KernelEvaluator:
    """Energy of kernel values to representatives, for fixed coefficients.

    Parameters
    ----------
    parts : KernelParts
        Of the kernel.
    coefficients : sequence of ndarray of shape (n_kept,)
        Of the whitened kernel values of every element, eV.
    """

    def __init__(self, parts: KernelParts, coefficients: Sequence[FloatArray]) -> None:
        self._one = KernelCommittee(parts, [of_element[None] for of_element in coefficients])

    def compute(self, pairs: Pairs, n_threads: int = 1) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return energies (n_atoms,), forces (n_atoms, 3) and strain gradients per atom (n_atoms, 6)."""
        energies, forces, strain = self._one.compute(pairs, n_threads)
        return energies[0], forces[0], strain[0]
