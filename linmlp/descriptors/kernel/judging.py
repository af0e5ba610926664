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
        representatives = self._parts.representatives
        (energies, forces, strain), totals = self._one.compute_with(
            pairs, n_threads, lambda z, _, powers: (z, _shifted(representatives[z], powers).sum(axis=0))
        )
        return energies[0], forces[0], strain[0], _whitened(representatives, totals)[self._features]


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
        representatives, leverages = self._parts.representatives, np.zeros(len(pairs.numbers))

        def visit(z: int, atoms: IntArray, powers: FloatArray) -> tuple[int, FloatArray]:
            shifted = _shifted(representatives[z], powers)
            total = shifted.sum(axis=0)
            shaped = dtrmm(1.0, self._forms[z], shifted.T, overwrite_b=1)
            leverages[atoms] = np.einsum("si,si->i", shaped, shaped)
            return z, total

        (energies, forces, strain), totals = self._all.compute_with(pairs, n_threads, visit)
        whitened = _whitened(representatives, totals)
        sums = np.zeros(len(whitened))
        sums[self._features] = whitened[self._features]
        return Judged(energies[0], forces[0], strain[0], forces[1:], sums, leverages)


def _shifted(r: Representatives, powers: FloatArray) -> FloatArray:
    """Return kernel values above those of a lone atom."""
    return np.asarray(powers - r.lone_values)


def _whitened(representatives: Sequence[Representatives], totals: Sequence[tuple[int, FloatArray]]) -> FloatArray:
    """Return the features (n_features,) of kernel values, summed over parts of the elements."""
    sums = [np.zeros(len(r.vectors)) for r in representatives]
    for z, total in totals:
        sums[z] += total
    return np.concatenate([of_element @ r.whitening for of_element, r in zip(sums, representatives, strict=True)])


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
