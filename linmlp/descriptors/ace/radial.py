r"""Radial functions: distances in, values and derivatives out.

The raw functions are the family ``ChebExpCos`` of ML-PACE [1]_ (with ``dcut = 0``),

.. math::
    x(r) = 1 - 2 \frac{e^{-\lambda r/r_c} - e^{-\lambda}}{1 - e^{-\lambda}}, \qquad
    f(r) = \tfrac12 (1 + \cos(\pi r / r_c)), \qquad
    g_0 = f, \quad g_k = \tfrac12 (1 - T_k(x)) f,

where x runs from -1 at r = 0 to 1 at the cutoff. Since :math:`1 - T_k(1) = 0`, every g_k with k >= 1 vanishes like
:math:`(r_c - r)^3` and is twice differentiable there; g_0 alone is only once. The potential uses k >= `FIRST`.

Below the closest approach of the training data each pair of elements may have an inner switch: a quintic smoothstep
from 0 at ``inner - width`` to 1 at ``inner``, which ML-PACE carries as ``rcut_in`` and ``dcut_in``.

References
----------
.. [1] Y. Lysogorskiy et al., npj Comput. Mater. 7, 97 (2021), and the source of ML-PACE.
"""

import numpy as np
from numpy.polynomial import chebyshev

from linmlp.units import FloatArray

FIRST = 1
"""Degree of the first raw function in use."""

SCALING = 0.01
"""Exponent lambda of the scaled distance: as good as linear, which won in trials over transformed distances."""


def scaled_distance(t: FloatArray, scaling: float = SCALING) -> tuple[FloatArray, FloatArray]:
    """Return x and dx/dt for t = r / cutoff."""
    tail = np.exp(-scaling)
    x = 1 - 2 * (np.exp(-scaling * t) - tail) / (1 - tail)
    return x, 2 * scaling * np.exp(-scaling * t) / (1 - tail)


def raw_functions(
    distances: FloatArray, n_functions: int, cutoff: float, scaling: float = SCALING, first: int = FIRST
) -> tuple[FloatArray, FloatArray]:
    """Return the raw radial functions g_first, g_first+1, ... and their derivatives.

    Parameters
    ----------
    distances : ndarray of shape (n_pairs,)
        Distances in Å.
    n_functions : int
        Number of functions.
    cutoff : float
        Cutoff radius in Å.
    scaling : float
        Exponent lambda.
    first : int
        Degree of the first function, 0 or 1.

    Returns
    -------
    values, derivatives : ndarray of shape (n_pairs, n_functions)
        Dimensionless, and in 1/Å. Both vanish beyond the cutoff.
    """
    distances = np.asarray(distances, dtype=float)
    t = np.minimum(distances / cutoff, 1.0)
    x, dx = scaled_distance(t, scaling)
    n_degrees = n_functions + first
    unit = np.eye(n_degrees)
    polynomials = chebyshev.chebvander(x, n_degrees - 1)
    slopes = np.stack([chebyshev.chebval(x, chebyshev.chebder(unit[k])) for k in range(n_degrees)], axis=-1)
    values, derivatives = 0.5 * (1 - polynomials), -0.5 * slopes * dx[..., None]
    values[..., 0], derivatives[..., 0] = 1.0, 0.0
    envelope = np.cos(0.5 * np.pi * t)[..., None] ** 2
    slope = -0.5 * np.pi * np.sin(np.pi * t)[..., None]
    derivatives = (derivatives * envelope + values * slope) / cutoff
    inside = (distances < cutoff)[..., None]
    return (values * envelope * inside)[..., first:], (derivatives * inside)[..., first:]


def inner_switch(distances: FloatArray, inner: FloatArray, width: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the quintic smoothstep that rises from 0 at ``inner - width`` to 1 at `inner`, and its derivative.

    Parameters
    ----------
    distances, inner, width : ndarray, broadcast together
        In Å; where `width` is 0 the switch is 1 everywhere.

    Returns
    -------
    values, derivatives : ndarray
        Dimensionless, and in 1/Å.
    """
    slope = np.where(np.asarray(width) > 0, 1 / np.where(np.asarray(width) > 0, width, 1.0), 0.0)
    t = np.where(slope > 0, np.clip(1 + (distances - inner) * slope, 0.0, 1.0), 1.0)
    values = t**3 * (10 + t * (6 * t - 15))
    return np.asarray(values), np.asarray(30 * t**2 * (1 - t) ** 2 * slope)


def scaled_distance_polynomial(scaling: float = SCALING, tolerance: float = 1e-16) -> FloatArray:
    """Return coefficients of x as a power series in t = r / cutoff (0 <= t <= 1), for the loops.

    The degree is the smallest at which the neglected terms of the exponential are below `tolerance`.
    """
    coefficients = [1.0]
    while abs(coefficients[-1]) > tolerance * (1 - np.exp(-scaling)) / 2:
        coefficients.append(-coefficients[-1] * scaling / len(coefficients))
    series = -2 * np.array(coefficients) / -np.expm1(-scaling)
    # x(0) = -1 exactly: 1 - 2 (1 - exp(-scaling)) / (1 - exp(-scaling))
    series[0] = -1.0
    return np.asarray(series)


def envelope_polynomial() -> FloatArray:
    """Return coefficients of cos(pi t / 2), whose square is the envelope, as a power series in t² (0 <= t <= 1)."""
    terms = [1.0]
    while abs(terms[-1]) > 1e-18:
        k = len(terms)
        terms.append(-terms[-1] * (0.5 * np.pi) ** 2 / ((2 * k - 1) * (2 * k)))
    return np.array(terms)


def orthonormal_map(distances: FloatArray, weights: FloatArray, n_functions: int, cutoff: float) -> FloatArray:
    r"""Return the lower-triangular map from raw to orthonormal functions, in order of degree.

    Parameters
    ----------
    distances : ndarray of shape (n_points,)
        Distances in Å.
    weights : ndarray of shape (n_points,)
        Weights of the scalar product.
    n_functions : int
        Number of functions.
    cutoff : float
        Cutoff radius in Å.

    Returns
    -------
    ndarray of shape (n_functions, n_functions)
        C with :math:`R_n = \sum_k C_{nk} g_k` and
        :math:`\sum_p w_p R_n(r_p) R_{n'}(r_p) = \delta_{nn'}`, positive diagonal.
    """
    values, _ = raw_functions(distances, n_functions, cutoff)
    factor = np.linalg.qr(values * np.sqrt(weights)[:, None], mode="r")
    factor = factor * np.sign(np.diag(factor))[:, None]
    return np.asarray(np.linalg.solve(factor, np.eye(n_functions)).T)
