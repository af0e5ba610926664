r"""Radial functions that single precision stands, by a recurrence.

Maps from raw to used radial functions have large entries that cancel (raw functions are nearly dependent), which single
precision does not stand. Functions :math:`q = T g` that are orthonormal under some distances are of the same span, and
maps from them have small entries. As raw functions are polynomials of x times :math:`f (1 - x)`, orthonormal ones obey

.. math:: q_k = (a_k x + b_k) q_{k-1} + c_k q_{k-2}, \qquad q_0 = T_{00} f (1 - x) / 2,

and need no more work than raw ones (G. H. Golub and J. H. Welsch, Math. Comp. 23, 221 (1969)).
"""

from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

import numpy as np

from linmlp.descriptors.ace.pair_plan import can_be_basis, map_from, uniform_basis
from linmlp.descriptors.ace.parameters import AceParameters
from linmlp.descriptors.ace.plan_center import MIN_RAW
from linmlp.units import FloatArray

TOLERANCE = 1e-7
"""Largest relative difference of a map and the functions of its recurrence for which the map counts as orthonormal."""


@dataclass(frozen=True)
class RadialRecurrence:
    """Radial functions by a recurrence.

    Parameters
    ----------
    coefficients : ndarray of shape (n_elements, n_elements, n, 3)
        a, b and c of every function; (T_00, 0, 0) of the first. n is at least `MIN_RAW`; functions that are not in the
        maps are zero.
    parameters : AceParameters
        The same functions of the neighbors, as maps from these radial functions.
    """

    coefficients: FloatArray
    parameters: AceParameters

    @classmethod
    def of(cls, parameters: AceParameters) -> "RadialRecurrence":
        """Return the recurrence for some parameters, that of before if it is known."""
        if parameters not in _known:
            _known[parameters] = cls._make(parameters)
        return _known[parameters]

    @classmethod
    def _make(cls, parameters: AceParameters) -> "RadialRecurrence":
        pair_map, radial_map = parameters.pair_map.copy(), parameters.radial_map.copy()
        uniform = uniform_basis(parameters)
        n = len(uniform)
        coefficients = np.zeros((*pair_map.shape[:2], max(n, MIN_RAW), 3))
        for ze in np.ndindex(*pair_map.shape[:2]):
            own = max((pair_map[ze], radial_map[ze][0]), key=len)
            found = [recurrence_of(matrix) for matrix in (uniform, own) if can_be_basis(matrix, n)]
            tried = [
                (of_matrix, map_from(exact, pair_map[ze], radial_map[ze]))
                for k, (of_matrix, exact, error) in enumerate(found)
                if k == 0 or error < TOLERANCE
            ]
            coefficients[ze][:n], (_, pair_map[ze], radial_map[ze]) = min(
                tried, key=lambda t: max(np.abs(t[1][1]).max(), np.abs(t[1][2]).max())
            )
        return cls(coefficients, replace(parameters, pair_map=pair_map, radial_map=radial_map))


_known: WeakKeyDictionary[AceParameters, RadialRecurrence] = WeakKeyDictionary()


def recurrence_of(matrix: FloatArray) -> tuple[FloatArray, FloatArray, float]:
    """Return the recurrence of functions that are orthonormal under some distances.

    Parameters
    ----------
    matrix : ndarray of shape (n, n)
        Lower-triangular map T from raw functions, none of the diagonal zero.

    Returns
    -------
    coefficients : ndarray of shape (n, 3)
        a, b and c.
    exact : ndarray of shape (n, n)
        The map to what the recurrence gives.
    error : float
        Largest difference of the two maps, relative to each row's largest entry: rounding where functions are
        orthonormal.
    """
    n = len(matrix)
    coefficients, exact = np.zeros((n, 3)), np.zeros((n, n))
    coefficients[0, 0] = exact[0, 0] = matrix[0, 0]
    for k in range(1, n):
        rest = _as_series(matrix[k])
        before = _as_series(exact[k - 1])
        parts = [_times_x(before), before]
        if k > 1:
            parts.append(_as_series(exact[k - 2]))
        for place, part in enumerate(parts):
            coefficients[k, place] = rest[k + 1 - place] / part[k + 1 - place]
            rest = rest - coefficients[k, place] * part
        exact[k] = _as_row(sum(value * part for value, part in zip(coefficients[k], parts, strict=False)), n)
    scale = np.abs(matrix).max(axis=1, keepdims=True)
    return coefficients, exact, float(np.max(np.abs(exact - matrix) / scale))


def _as_series(row: FloatArray) -> FloatArray:
    """Return the sum over k of row_k (1 - T_k+1) / 2 as a series of Chebyshev polynomials."""
    return np.concatenate([[0.5 * row.sum()], -0.5 * row])


def _times_x(series: FloatArray) -> FloatArray:
    """Return x times a series, whose last term is zero: x T_k = (T_k-1 + T_k+1) / 2."""
    product = np.zeros_like(series)
    product[1:] += 0.5 * series[:-1]
    product[:-1] += 0.5 * series[1:]
    product[1] += 0.5 * series[0]
    return product


def _as_row(series: FloatArray, n: int) -> FloatArray:
    """Return the row of a series that vanishes at x = 1."""
    return -2.0 * series[1 : n + 1]
