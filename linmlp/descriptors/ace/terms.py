r"""Sums of features as sums of terms: a layout in, flat lists for the loops and a sparse matrix out.

A *term* is what a coefficient of the loops is multiplied by in the energy of an atom: a raw sum of the pair term, a
product :math:`\mathrm{Re} \sum_m A_{lm} \bar A'_{lm}` of order 2, the same of two coupled pairs for order 4, or the
product of three columns of order 3. Features
are sparse linear combinations of terms, the same for all atoms of an element.
"""

from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from scipy.sparse import csr_array, vstack

from linmlp.descriptors.ace.plan import Layout
from linmlp.descriptors.ace.shares import Share, share_matrix
from linmlp.units import IntArray


class Terms(NamedTuple):
    """Terms of orders 2 and 4, and where the terms of each kind start."""

    first: IntArray  # (n_elements + 1,) products of orders 2 and 4 of each central element
    a: IntArray  # (n_products,) offset of the first column of the first factor, a channel or a coupled pair
    b: IntArray  # (n_products,) offset of the first column of the second factor
    l: IntArray  # (n_products,)
    start: IntArray  # (6,) pair term, orders 2 and 4, the three kinds of order 3, end


_known: WeakKeyDictionary[Layout, tuple[Terms, csr_array]] = WeakKeyDictionary()


def make_terms(layout: Layout, n_features: int, lanes: int) -> tuple[Terms, csr_array]:
    """Return the terms of a layout, not to be written to.

    Parameters
    ----------
    layout : Layout
        Functions that are not left out.
    n_features : int
        Number of features, left out or not.
    lanes : int
        Doubles per column.

    Returns
    -------
    terms : Terms
        Flat lists.
    to_features : csr_array of shape (n_features, n_terms)
        Turns terms into features.
    """
    if layout not in _known:
        _known[layout] = _make_terms(layout, n_features, lanes)
    return _known[layout]


def _make_terms(layout: Layout, n_features: int, lanes: int) -> tuple[Terms, csr_array]:
    squares = [square for center in layout.centers for square in center.squares()]
    shares: list[Share] = [{feature: 1.0} for feature, _, _, _ in squares]
    maps = layout.maps._replace(order_two=share_matrix(shares, n_features))
    columns = np.array(squares, dtype=np.int64).reshape(-1, 4).T
    terms = Terms(
        np.cumsum([0, *(len(center.squares()) for center in layout.centers)], dtype=np.int64),
        columns[1] * lanes,
        columns[2] * lanes,
        columns[3].copy(),
        np.cumsum([0, *(matrix.shape[0] for matrix in maps)], dtype=np.int64),
    )
    return terms, csr_array(vstack(maps).T)
