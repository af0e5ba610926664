"""Functions of channels of elements, up to order 2, as sums of functions of all elements."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from linmlp.descriptors.ace.basis import MIXED, Function, channel_key
from linmlp.units import FloatArray, IntArray


@dataclass(frozen=True)
class ChannelExpansion:
    """Functions of channels as sums of functions of all elements, around one element.

    W[c, e] W[d, f] times the function `full` of all elements is a part of the function `reduced` of channels; pairs of
    functions of the pair term are the same.
    """

    n_full: int
    n_reduced: int
    full: IntArray
    reduced: IntArray
    c: IntArray
    e: IntArray
    d: IntArray
    f: IntArray
    pair_full: IntArray
    pair_reduced: IntArray

    @classmethod
    def of(cls, every: Sequence[Function], reduced: Sequence[Function], n_elements: int) -> "ChannelExpansion":
        """Return the expansion of functions of order 2 and the pair term."""
        place = {function: k for k, function in enumerate(every)}
        pairs = [(place[function], r) for r, function in enumerate(reduced) if len(function) == 1]
        parts = []
        for r, function in enumerate(reduced):
            if len(function) == 1:
                continue
            (c, *first), (d, *second) = function
            for e, f in np.ndindex(n_elements, n_elements):
                one, other = sorted([(MIXED + e, *first), (MIXED + f, *second)], key=channel_key)
                parts.append((place[one, other], r, c - MIXED, e, d - MIXED, f))
        return cls(len(every), len(reduced), *np.array(parts).T, *np.array(pairs).T)

    def matrix(self, W: FloatArray) -> csr_array:
        """Return T (n_full, n_reduced)."""
        values = np.concatenate([W[self.c, self.e] * W[self.d, self.f], np.ones(len(self.pair_full))])
        places = np.concatenate([self.full, self.pair_full]), np.concatenate([self.reduced, self.pair_reduced])
        return csr_array((values, places), shape=(self.n_full, self.n_reduced))

    def gradient(self, W: FloatArray, left: FloatArray, right: FloatArray) -> FloatArray:
        """Return the derivative of left @ T @ right with respect to W."""
        product = left[self.full] * right[self.reduced]
        total = np.zeros_like(W)
        np.add.at(total, (self.c, self.e), product * W[self.d, self.f])
        np.add.at(total, (self.d, self.f), product * W[self.c, self.e])
        return total
