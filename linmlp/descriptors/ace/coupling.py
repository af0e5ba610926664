"""Clebsch-Gordan coefficients and what they make: angular momenta in, coupling coefficients out."""

from functools import cache
from math import factorial, sqrt

import numpy as np

from linmlp.units import FloatArray, IntArray


@cache
def clebsch_gordan(l1: int, m1: int, l2: int, m2: int, l: int, m: int) -> float:
    r"""Return the Clebsch-Gordan coefficient <l1 m1 l2 m2 | l m>, Condon-Shortley phase.

    Parameters
    ----------
    l1, m1, l2, m2, l, m : int
        Angular momenta and their projections.

    Returns
    -------
    float
        The coefficient; 0 where the selection rules are not met.

    References
    ----------
    Racah's closed sum: Varshalovich, Moskalev, Khersonskii, Quantum Theory of Angular Momentum (1988), eq. 8.2.1(3).
    """
    if m1 + m2 != m or not abs(l1 - l2) <= l <= l1 + l2 or abs(m1) > l1 or abs(m2) > l2 or abs(m) > l:
        return 0.0
    f = factorial
    triangle = (2 * l + 1) * f(l + l1 - l2) * f(l - l1 + l2) * f(l1 + l2 - l) / f(l1 + l2 + l + 1)
    projections = f(l + m) * f(l - m) * f(l1 - m1) * f(l1 + m1) * f(l2 - m2) * f(l2 + m2)
    total = 0.0
    for k in range(l1 + l2 - l + 1):
        arguments = (k, l1 + l2 - l - k, l1 - m1 - k, l2 + m2 - k, l - l2 + m1 + k, l - l1 - m2 + k)
        if min(arguments) >= 0:
            denominator = 1
            for argument in arguments:
                denominator *= f(argument)
            total += (-1) ** k / denominator
    return sqrt(triangle * projections) * total


@cache
def clebsch_gordan_table(l1: int, l2: int, l: int) -> FloatArray:
    """Return all coefficients of three angular momenta, not to be written to.

    Parameters
    ----------
    l1, l2, l : int
        Angular momenta.

    Returns
    -------
    ndarray of shape (2 l1 + 1, 2 l2 + 1, 2 l + 1)
        <l1 m1 l2 m2 | l m>, projections ascending.
    """
    table = np.zeros((2 * l1 + 1, 2 * l2 + 1, 2 * l + 1))
    for m1 in range(-l1, l1 + 1):
        for m2 in range(max(-l2, -l - m1), min(l2, l - m1) + 1):
            table[l1 + m1, l2 + m2, l + m1 + m2] = clebsch_gordan(l1, m1, l2, m2, l, m1 + m2)
    return table


def coupling_tensor(ls: tuple[int, ...], intermediate: int = 0) -> FloatArray:
    r"""Return the coefficients that make an invariant of products of densities.

    Parameters
    ----------
    ls : tuple of int
        Angular momenta of one to four factors, in the order of the function's channels.
    intermediate : int, default=0
        Angular momentum L of the pairs of order 4.

    Returns
    -------
    ndarray of shape (2 l_1 + 1, ..., 2 l_k + 1)
        C in :math:`B = \sum_{m_1 \ldots m_k} C_{m_1 \ldots m_k} \prod_t A_{n_t l_t m_t}`, projections ascending;
        nothing is conjugated, since :math:`\bar A_{lm} = (-1)^m A_{l,-m}`.
    """
    if len(ls) == 1:
        return np.ones(1)
    if len(ls) == 2:
        return np.asarray(np.diag(_signs(ls[0]))[:, ::-1])
    if len(ls) == 3:
        return np.asarray((_signs(ls[2]) * clebsch_gordan_table(*ls))[:, :, ::-1])
    first, second = (clebsch_gordan_table(*pair, intermediate) for pair in (ls[:2], ls[2:]))
    return np.asarray(np.einsum("abm,cdm->abcd", first * _signs(intermediate), second[::-1, ::-1]))


def expand_coupling(ls: tuple[int, ...], intermediate: int = 0) -> tuple[IntArray, FloatArray]:
    """Return the same as a list of the terms that are not zero.

    Parameters
    ----------
    ls : tuple of int
        Angular momenta.
    intermediate : int, default=0
        Angular momentum L of the pairs of order 4.

    Returns
    -------
    ms : ndarray of int, shape (n_terms, order)
        Projections of the factors.
    coefficients : ndarray of shape (n_terms,)
        Coefficients of the products.
    """
    tensor = coupling_tensor(ls, intermediate)
    # sums of roots of rational numbers that are zero come out as some 1e-17
    places = np.argwhere(np.abs(tensor) > 1e-13)
    return places - np.array(ls), tensor[tuple(places.T)]


def _signs(l: int) -> FloatArray:
    """Return (-1)^m for m from -l to l."""
    return np.where((np.arange(2 * l + 1) - l) % 2 == 0, 1.0, -1.0)


@cache
def real_coupling(l1: int, l2: int, l: int) -> FloatArray:
    r"""Return how columns of two channels make the columns of a coupled pair, not to be written to.

    Parameters
    ----------
    l1, l2, l : int
        Angular momenta of the two factors and of the pair.

    Returns
    -------
    ndarray of shape (2 l1 + 1, 2 l2 + 1, 2 l + 1)
        Coefficients of products of columns: m = 0, then real and imaginary part for m = 1, 2, ... Where l1 + l2 + l is
        odd, :math:`Q_0` is imaginary, and its column is the imaginary part.
    """
    first, second = _columns_to_projections(l1), _columns_to_projections(l2)
    coupled = np.einsum("abm,ac,bd->cdm", clebsch_gordan_table(l1, l2, l)[:, :, l:], first, second)
    columns = np.empty((2 * l1 + 1, 2 * l2 + 1, 2 * l + 1))
    columns[..., 0] = coupled[..., 0].imag if (l1 + l2 + l) % 2 else coupled[..., 0].real
    columns[..., 1::2] = coupled[..., 1:].real
    columns[..., 2::2] = coupled[..., 1:].imag
    return np.where(np.abs(columns) > 1e-13, columns, 0.0)


def _columns_to_projections(l: int) -> np.ndarray[tuple[int, int], np.dtype[np.complex128]]:
    """Return the matrix (2 l + 1, 2 l + 1) that makes A_m, m ascending, of columns: A_-m = (-1)^m conj(A_m)."""
    matrix = np.zeros((2 * l + 1, 2 * l + 1), dtype=complex)
    matrix[l, 0] = 1.0
    for m in range(1, l + 1):
        matrix[l + m, 2 * m - 1 : 2 * m + 1] = 1.0, 1.0j
        matrix[l - m] = (-1) ** m * matrix[l + m].conj()
    return matrix
