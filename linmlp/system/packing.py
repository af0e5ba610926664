"""Packed triangles: the upper triangle of a square matrix, column after column, n(n+1)/2 numbers.

Element (i, j), i <= j, stands at ``i + j(j+1)/2``, as in LAPACK with ``uplo="U"``. With the target as last column, the
triangle of the features is the first part of the array and the column of the target is the last.
"""

import numpy as np

from linmlp.units import FloatArray


def packed_length(n: int) -> int:
    """Return the number of elements of a packed triangle.

    Parameters
    ----------
    n : int
        Rows of the square matrix.

    Returns
    -------
    int
        ``n(n+1)/2``.
    """
    return n * (n + 1) // 2


def pack(matrix: FloatArray, out: FloatArray) -> None:
    """Write the upper triangle of a matrix into a packed array.

    Parameters
    ----------
    matrix : ndarray of shape (n, n)
        Symmetric or upper triangular matrix.
    out : ndarray of shape (n(n+1)/2,)
        Is overwritten.
    """
    # Columns of a C-ordered matrix are rows of its transpose; asfortranarray makes the reads contiguous.
    columns = np.asfortranarray(matrix)
    start = 0
    for j in range(len(matrix)):
        out[start : start + j + 1] = columns[: j + 1, j]
        start += j + 1


def unpack_symmetric(packed: FloatArray, n: int) -> FloatArray:
    """Return the full symmetric matrix of a packed triangle.

    Parameters
    ----------
    packed : ndarray of shape (n(n+1)/2,)
        Upper triangle.
    n : int
        Rows of the matrix.

    Returns
    -------
    ndarray of shape (n, n)
        Symmetric matrix.
    """
    full = np.empty((n, n))
    start = 0
    for j in range(n):
        column = packed[start : start + j + 1]
        full[j, : j + 1] = column
        full[: j + 1, j] = column
        start += j + 1
    return full


def unpack_upper(packed: FloatArray, n: int) -> FloatArray:
    """Return the upper triangular matrix of a packed triangle.

    Parameters
    ----------
    packed : ndarray of shape (n(n+1)/2,)
        Upper triangle.
    n : int
        Rows of the matrix.

    Returns
    -------
    ndarray of shape (n, n)
        Upper triangular matrix in Fortran order.
    """
    full = np.zeros((n, n), order="F")
    start = 0
    for j in range(n):
        full[: j + 1, j] = packed[start : start + j + 1]
        start += j + 1
    return full
