r"""Radial functions of ML-PACE, from the formulas: distances in, values and derivatives out.

=============  =============================================  =========================================================
ChebExpCos     g_1 = f, g_k = (1 - T_{k-1}(x)) / 2 f          x = 1 - 2 (e^{-λ r/rc} - e^{-λ}) / (1 - e^{-λ}),
                                                              f = (1 + cos(π r/rc)) / 2, and a cosine over the last dcut
ChebPow        g_k = (1 - T_k(x)) / 2                         x = 1 - 2 (1 - r/rc)^λ
ChebLinear     g_k = (1 - T_k(x)) / 2                         x = 1 - r/rc
SBessel        orthogonalized sums of two sin(aπr/rc) / r     Kocer, Mason, Erturk, AIP Adv. 10, 015021 (2020)
=============  =============================================  =========================================================

With an inner cutoff of type "distance" all of them rise with a quintic smoothstep from ``inner - inner_width`` to
`inner`, and the core repulsion ``prefactor exp(-exponent r²) / r`` (1 + cos(π r/rc)) / 2 is there where they are not;
with type "density" neither is switched. Everything is zero from rc on.
"""

import numpy as np
from numpy.polynomial import chebyshev

from linmlp.export.yace_file import Bond
from linmlp.units import FloatArray

Derived = tuple[FloatArray, FloatArray]


def bond_functions(bond: Bond, r: FloatArray) -> Derived:
    """Return the functions g_k and, last, the core repulsion of a bond.

    Parameters
    ----------
    bond : Bond
        Radial functions.
    r : ndarray of shape (n,)
        Distances, Å.

    Returns
    -------
    values, derivatives : ndarray of shape (n, n_base + 1)
        g_k without unit and core in eV, and per Å.
    """
    n, inside = bond.coefficients.shape[2], (r < bond.cutoff)[:, None]
    near = np.where(inside[:, 0], r, 0.5 * bond.cutoff)  # stands in where all is zero
    g, dg = _FAMILIES[bond.family](bond, near, n)
    core, d_core = _core(bond, near)
    if bond.inner_type == "distance":
        switch, d_switch = _smoothstep(bond, near)
        dg = dg * switch[:, None] + g * d_switch[:, None]
        g = g * switch[:, None]
        core, d_core = core * (1 - switch), d_core * (1 - switch) - core * d_switch
    values, slopes = np.column_stack([g, core]), np.column_stack([dg, d_core])
    return np.where(inside, values, 0.0), np.where(inside, slopes, 0.0)


def bessel_coefficients(n: int) -> FloatArray:
    """Return the triangular matrix that makes SBessel functions from the sums of two sin(aπr/rc) / r.

    Parameters
    ----------
    n : int
        Number of functions.

    Returns
    -------
    ndarray of shape (n, n)
        g = matrix @ sums.
    """
    matrix, before = np.eye(n), 1.0
    for k in range(1, n):
        e = k**2 * (k + 2) ** 2 / (4 * (k + 1) ** 4 + 1)
        d = 1 - e / before
        matrix[k] = (matrix[k] + np.sqrt(e / before) * matrix[k - 1]) / np.sqrt(d)
        before = d
    return matrix


def bessel_factor(k: int, cutoff: float) -> float:
    """Return the factor of sinc((k + 1) π r/rc) + sinc((k + 2) π r/rc) in sum k, with sinc(x) = sin(x) / x."""
    norm = np.sqrt((k + 1) ** 2 + (k + 2) ** 2)
    return float((-1) ** k * np.sqrt(2) * np.pi / cutoff**1.5 * (k + 1) * (k + 2) / norm)


def _cheb_exp_cos(bond: Bond, r: FloatArray, n: int) -> Derived:
    lam, cutoff = bond.scaling, bond.cutoff
    x = 1 - 2 * (np.exp(-lam * r / cutoff) - np.exp(-lam)) / (1 - np.exp(-lam))
    dx = 2 * lam / cutoff * np.exp(-lam * r / cutoff) / (1 - np.exp(-lam))
    g, dg = _chebyshev(x, dx, n - 1)
    g, dg = np.column_stack([np.ones(len(r)), g]), np.column_stack([np.zeros(len(r)), dg])
    f, df = _cosine(r / cutoff, 1 / cutoff)
    if bond.cutoff_width > 0:
        t = (r - cutoff + bond.cutoff_width) / bond.cutoff_width
        last, d_last = _cosine(np.maximum(t, 0), np.where(t > 0, 1 / bond.cutoff_width, 0))
        f, df = f * last, df * last + f * d_last
    return g * f[:, None], dg * f[:, None] + g * df[:, None]


def _cheb_pow(bond: Bond, r: FloatArray, n: int) -> Derived:
    y = 1 - r / bond.cutoff
    return _chebyshev(1 - 2 * y**bond.scaling, 2 * bond.scaling / bond.cutoff * y ** (bond.scaling - 1), n)


def _cheb_linear(bond: Bond, r: FloatArray, n: int) -> Derived:
    return _chebyshev(1 - r / bond.cutoff, np.full(len(r), -1 / bond.cutoff), n)


def _bessel(bond: Bond, r: FloatArray, n: int) -> Derived:
    sums, d_sums = np.zeros((2, len(r), n))
    for k in range(n):
        factor = bessel_factor(k, bond.cutoff)
        for a in (np.pi * (k + 1) / bond.cutoff, np.pi * (k + 2) / bond.cutoff):
            sums[:, k] += factor * np.sinc(a * r / np.pi)
            d_sums[:, k] += factor * (np.cos(a * r) * a * r - np.sin(a * r)) / (a * r**2)
    matrix = bessel_coefficients(n)
    return sums @ matrix.T, d_sums @ matrix.T


def _chebyshev(x: FloatArray, dx: FloatArray, n: int) -> Derived:
    """Return (1 - T_k(x)) / 2 for k = 1 to n and their derivatives, (n_points, n)."""
    values = chebyshev.chebvander(x, n)[:, 1:]
    slopes = [chebyshev.chebval(x, chebyshev.chebder([0.0] * k + [1.0])) * dx for k in range(1, n + 1)]
    return (1 - values) / 2, -np.array(slopes).reshape(n, len(x)).T / 2


def _cosine(t: FloatArray, dt: FloatArray | float) -> Derived:
    return (1 + np.cos(np.pi * t)) / 2, -np.pi / 2 * np.sin(np.pi * t) * dt


def _smoothstep(bond: Bond, r: FloatArray) -> Derived:
    if bond.inner_width <= 0:
        return (r > bond.inner).astype(float), np.zeros(len(r))
    t = np.clip(1 + (r - bond.inner) / bond.inner_width, 0, 1)
    return t**3 * (10 - 15 * t + 6 * t**2), 30 * t**2 * (1 - t) ** 2 / bond.inner_width


def _core(bond: Bond, r: FloatArray) -> Derived:
    if bond.core_prefactor == 0:
        return np.zeros(len(r)), np.zeros(len(r))
    exponent, safe = abs(bond.core_exponent) * r**2, np.maximum(r, 1e-12)
    value = abs(bond.core_prefactor) * np.where(exponent < 50, np.exp(-exponent), 0) / safe
    f, df = _cosine(r / bond.cutoff, 1 / bond.cutoff)
    return value * f, -value * (2 * exponent + 1) / safe * f + value * df


_FAMILIES = {"ChebExpCos": _cheb_exp_cos, "ChebPow": _cheb_pow, "ChebLinear": _cheb_linear, "SBessel": _bessel}
