"""What the loops over features and leverages read: a quadratic form of features in, flat lists out."""
# mypy: allow-untyped-defs, allow-untyped-calls

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_array

from linmlp.descriptors.ace.lane_loops import OPTIONS
from linmlp.descriptors.ace.leverage_loops import ROWS
from linmlp.descriptors.simd import pointer
from linmlp.units import FloatArray, IntArray


class FeatureRows(NamedTuple):
    """Features as sums of terms."""

    first: IntArray  # (n_elements + 1,) features of each central element
    first_term: IntArray  # (n_rows + 1,)
    term: IntArray  # (n_entries,) offset
    factor: FloatArray  # (n_entries,)


class Whitening(NamedTuple):
    """Lower triangular matrices of central elements, four rows at a time; leverage is the squared norm."""

    n_rows: IntArray  # (n_elements,) rounded up to whole fours
    start: IntArray  # (n_elements + 1,)
    numbers: NDArray[np.float32]


def make_feature_rows(to_features: csr_array, features: list[IntArray], lanes: int) -> tuple[FeatureRows, IntArray]:
    """Return features as rows of terms.

    Parameters
    ----------
    to_features : csr_array of shape (n_features, n_terms)
        Turns terms into features.
    features : list of ndarray of int
        Features around each central element that are wanted.
    lanes : int
        Doubles per term.

    Returns
    -------
    rows : FeatureRows
        Flat lists.
    order : ndarray of int, shape (n_rows,)
        Feature of each row.
    """
    order = np.concatenate([np.empty(0, dtype=np.int64), *features]).astype(np.int64)
    chosen = to_features[order]
    first = np.cumsum([0, *map(len, features)], dtype=np.int64)
    first_term, term = (np.array(indices, dtype=np.int64) for indices in (chosen.indptr, chosen.indices))
    return FeatureRows(first, first_term, term * lanes, np.array(chosen.data, dtype=float)), order


def make_whitening(matrices: list[FloatArray]) -> Whitening:
    """Return matrices in the order in which the loops read them.

    Parameters
    ----------
    matrices : list of ndarray of shape (n, n)
        Lower triangular, for each central element.

    Returns
    -------
    Whitening
        In single precision.
    """
    n_rows, start, numbers = [], [0], [np.empty(0, dtype=np.float32)]
    for matrix in matrices:
        n = -(-len(matrix) // ROWS) * ROWS
        padded = np.zeros((n, n), dtype=np.float32)
        padded[: len(matrix), : len(matrix)] = matrix
        panels = [padded[r : r + ROWS, : r + ROWS].T.ravel() for r in range(0, n, ROWS)]
        n_rows.append(n)
        start.append(start[-1] + sum(map(len, panels)))
        numbers += panels
    return Whitening(np.array(n_rows, dtype=np.int64), np.array(start, dtype=np.int64), np.concatenate(numbers))


@njit(**OPTIONS)
def point_to_rows(rows: Any) -> Any:
    """Return pointers."""
    r = FeatureRows(*rows)
    return FeatureRows(pointer(r.first), pointer(r.first_term), pointer(r.term), pointer(r.factor))


@njit(**OPTIONS)
def point_to_whitening(whitening: Any) -> Any:
    """Return pointers."""
    r = Whitening(*whitening)
    return Whitening(pointer(r.n_rows), pointer(r.start), pointer(r.numbers))
