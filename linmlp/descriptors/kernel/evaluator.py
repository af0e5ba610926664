"""Energies, forces and strain gradients of kernel potentials: one, several, and what tells how far they can be trusted.

Kernel values to the representatives are computed once for all sets of coefficients. Whitening is undone in the
coefficients, so that an atom costs two products with the representatives, and one more for each further set.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np

from linmlp.descriptors.base import Descriptor
from linmlp.descriptors.kernel.representatives import Representatives
from linmlp.descriptors.threads import blas_threads, map_threads
from linmlp.neighbors import Pairs
from linmlp.units import FloatArray, IntArray

T = TypeVar("T")

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
        return self.compute_with(pairs, n_threads, lambda z, atoms, powers: None)[0]

    def compute_with(
        self, pairs: Pairs, n_threads: int, visit: Callable[[int, IntArray, FloatArray], T]
    ) -> tuple[tuple[FloatArray, FloatArray, FloatArray], list[T]]:
        """Return what `compute` does, and what is made of the kernel values on the way.

        Parameters
        ----------
        pairs : Pairs
            Pairs of a structure.
        n_threads : int
            Threads.
        visit : callable
            Is called, in any of the threads, with an element index, at most `CHUNK` atoms, and their kernel values to
            the representatives (n, n_sparse).

        Returns
        -------
        results : tuple of ndarray
            Energies, forces and strain gradients.
        visited : list
            What `visit` returned, by element and atom.
        """
        descriptor, _, scale = self._parts
        kinds, shape = descriptor.element_indices(pairs.numbers), (self.n_members, len(pairs.numbers))
        features = descriptor.environment_features(pairs)
        energies, slopes = np.empty(shape), np.empty((*shape, len(scale)))

        def work(chunk: tuple[int, IntArray]) -> T:
            return visit(*chunk, self._write(*chunk, features, energies, slopes))

        # Several threads of BLAS for products of this size spin longer than they work where cores are busy.
        with blas_threads(1):
            visited = map_threads(work, _chunks(kinds, len(descriptor.elements_), n_threads), n_threads)
        return (energies, *descriptor.pull_back_own(pairs, slopes)), visited

    def _write(
        self, z: int, atoms: IntArray, features: FloatArray, energies: FloatArray, slopes: FloatArray
    ) -> FloatArray:
        """Write energies of atoms and derivatives with respect to their features; return their kernel values."""
        r, scale, n = self._parts.representatives[z], self._parts.scale, slopes.shape[2]
        own = features[atoms, z * n : (z + 1) * n] * scale
        cosines, lengths = r.cosines(own)
        powers, steepness = r.powers(cosines)
        steepness /= lengths[:, None]
        along, own = self._weights[z] @ (steepness * cosines).T / lengths, own * scale
        for m, weights in enumerate(self._weights[z]):
            # In single precision nothing would be left: coefficients of like environments cancel.
            slopes[m, atoms] = (steepness * weights) @ self._vectors[z] - along[m][:, None] * own
        energies[:, atoms] = self._weights[z] @ powers.T + self._constants[z][:, None]
        return powers


def _chunks(kinds: IntArray, n_elements: int, n_threads: int) -> list[tuple[int, IntArray]]:
    """Return elements, each with at most `CHUNK` of its atoms; less, down to a quarter, where threads would idle."""
    size = min(CHUNK, max(-(-len(kinds) // n_threads), CHUNK // 4))
    found = []
    for z in range(n_elements):
        atoms = np.flatnonzero(kinds == z)
        found += [(z, atoms[start : start + size]) for start in range(0, len(atoms), size)]
    return found


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
