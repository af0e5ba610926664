"""Compiled: the features of one block of atoms from their terms, lane by lane."""
# mypy: allow-untyped-defs, allow-untyped-calls

from numba import njit

from linmlp.descriptors.ace.lane_loops import OPTIONS, load, splat, store
from linmlp.descriptors.ace.leverage_loops import CHUNK
from linmlp.descriptors.simd import LANES, element, narrow


@njit(**OPTIONS)
def add_features(z, rows, terms, sums, single):
    """Add the features of a central element to sums (n_rows, lane), and write them into a chunk in single precision.

    rows is a `linmlp.descriptors.ace.leverage_records.FeatureRows`, single the block's place in the chunk.
    """
    first = element(rows.first, z)
    for row in range(first, element(rows.first, z + 1)):
        feature = splat(0.0)
        for k in range(element(rows.first_term, row), element(rows.first_term, row + 1)):
            feature = feature + element(rows.factor, k) * load(terms, element(rows.term, k))
        store(sums, row * LANES, load(sums, row * LANES) + feature)
        store(single, (row - first) * CHUNK * LANES, narrow(feature))
