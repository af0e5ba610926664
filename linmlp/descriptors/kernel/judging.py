"""A kernel potential and, from the same kernel values, what tells how far it may be trusted."""

from collections.abc import Sequence
from weakref import WeakKeyDictionary

import numpy as np
from scipy.linalg.blas import dtrmm

from linmlp.descriptors.evaluators import Judged, QuadraticForm
from linmlp.descriptors.kernel.evaluator import KernelCommittee, KernelParts
from linmlp.descriptors.kernel.representatives import Representatives
from linmlp.descriptors.threads import blas_threads
from linmlp.neighbors import Pairs
from linmlp.units import FloatArray, IntArray


class KernelSummingEvaluator:
    """Energies, forces and strain gradients of a kernel potential, and its features summed over atoms.

    Parameters
    ----------
    parts : KernelParts
        Of the kernel.
    coefficients : sequence of ndarray of shape (n_kept,)
        Of the whitened kernel values of every element, eV.
    features : ndarray of int or None
        Features to sum; None for all.
    """

    def __init__(
        self, parts: KernelParts, coefficients: Sequence[FloatArray], features: IntArray | None = None
    ) -> None:
        self._parts = parts
        self._one = KernelCommittee(parts, [of_element[None] for of_element in coefficients])
        self._features = slice(None) if features is None else np.asarray(features)

    def compute(self, pairs: Pairs, n_threads: int = 1) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Return what an evaluator does, and the sums."""
        energies, slopes = self._one.allocate(pairs)
        sums = _Sums(self._parts.representatives)
        with blas_threads(n_threads):
            for visited in self._one.visit(pairs, energies, slopes):
                sums.add(visited.element, visited.powers)
        forces, strain = self._parts.descriptor.pull_back_own(pairs, slopes)
        return energies[0], forces[0], strain[0], sums.whitened()[self._features]


class KernelJudgingEvaluator:
    """Energies, forces and strain gradients of a kernel potential, forces of a committee, a form of atoms' features.

    Parameters
    ----------
    parts : KernelParts
        Of the kernel.
    coefficients : sequence of ndarray of shape (1 + n_members, n_kept)
        Of the whitened kernel values of every element, eV: those of the potential, then those of the committee.
    form : QuadraticForm
        Of the features of an atom.
    features : ndarray of int or None
        Features to sum over atoms; None for all.
    """

    def __init__(
        self,
        parts: KernelParts,
        coefficients: Sequence[FloatArray],
        form: QuadraticForm,
        features: IntArray | None = None,
    ) -> None:
        self._parts = parts
        self._all = KernelCommittee(parts, coefficients)
        self._features = slice(None) if features is None else np.asarray(features)
        self._forms = _triangles(form, parts.representatives)

    def compute(self, pairs: Pairs, n_threads: int = 1) -> Judged:
        """Return the prediction and what is beside it."""
        energies, slopes = self._all.allocate(pairs)
        leverages, sums = np.zeros(len(pairs.numbers)), _Sums(self._parts.representatives)
        with blas_threads(n_threads):
            for z, atoms, powers in self._all.visit(pairs, energies, slopes):
                sums.add(z, powers)
                shifted = np.asfortranarray((powers - self._parts.representatives[z].lone_values).T)
                shaped = dtrmm(1.0, self._forms[z], shifted, overwrite_b=1)
                leverages[atoms] = np.einsum("si,si->i", shaped, shaped)
        forces, strain = self._parts.descriptor.pull_back_own(pairs, slopes)
        wanted, whitened = np.zeros(sum(r.n_kept for r in self._parts.representatives)), sums.whitened()
        wanted[self._features] = whitened[self._features]
        return Judged(energies[0], forces[0], strain[0], forces[1:], wanted, leverages)


class _Sums:
    """Kernel values summed over atoms, element by element."""

    def __init__(self, representatives: Sequence[Representatives]) -> None:
        self._representatives = representatives
        self._totals = [np.zeros(len(r.vectors)) for r in representatives]

    def add(self, z: int, powers: FloatArray) -> None:
        """Count some atoms of an element in."""
        self._totals[z] += (powers - self._representatives[z].lone_values).sum(axis=0)

    def whitened(self) -> FloatArray:
        """Return the features (n_features,) summed over the atoms."""
        pairs = zip(self._totals, self._representatives, strict=True)
        return np.concatenate([total @ r.whitening for total, r in pairs])


_known: WeakKeyDictionary[QuadraticForm, WeakKeyDictionary[Representatives, FloatArray]] = WeakKeyDictionary()


def _triangles(form: QuadraticForm, representatives: Sequence[Representatives]) -> list[FloatArray]:
    """Return the form for the kernel values to the representatives of every element; it takes as long as many atoms."""
    known = _known.setdefault(form, WeakKeyDictionary())
    first = np.cumsum([0, *(r.n_kept for r in representatives)])
    with blas_threads(1):
        for z, r in enumerate(representatives):
            if r not in known:
                known[r] = _triangle(r, form.triangle(np.arange(first[z], first[z + 1], dtype=np.int64)))
    return [known[r] for r in representatives]


def _triangle(r: Representatives, form: FloatArray) -> FloatArray:
    """Return R (n_sparse, n_sparse), upper triangular, whose |R k|² is the form of the features of kernel values k."""
    upper = np.linalg.qr(form @ r.whitening.T, mode="r")
    square = np.zeros((len(r.vectors), len(r.vectors)), order="F")
    square[: len(upper)] = upper
    return square
