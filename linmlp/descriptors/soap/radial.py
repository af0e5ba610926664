r"""Radial functions of SOAP: the distance of a neighbor in, its overlap with every radial basis function out.

A neighbor at distance d is a Gaussian :math:`\exp(-|\mathbf r - \mathbf d|^2 / 2\sigma^2)`, which expands into
:math:`4\pi e^{-(r^2+d^2)/2\sigma^2} \sum_{lm} i_l(rd/\sigma^2) Y_{lm}(\hat{\mathbf r}) Y_{lm}(\hat{\mathbf d})` with
the modified spherical Bessel functions i_l. Its coefficient in the basis :math:`g_{nl}(r) Y_{lm}(\hat{\mathbf r})` is
:math:`F_{nl}(d)\, Y_{lm}(\hat{\mathbf d})`,

.. math:: F_{nl}(d) = 4\pi \int r^2 g_{nl}(r)\, e^{-(r^2+d^2)/2\sigma^2}\, i_l(rd/\sigma^2)\, dr .

*gto*: :math:`g_{nl} = \sum_k \beta_{nkl}\, r^l e^{-\alpha_{kl} r^2}`, where the k-th function has fallen to 0.001 at
one of n_max radii from 1 Å to the cutoff; the integral up to infinity is, with :math:`\eta = 1/2\sigma^2` and
:math:`\gamma = \alpha + \eta`,

.. math::
    F_{nl}(d) = \pi^{3/2} \sum_k \beta_{nkl}\, (\eta d)^l \gamma_{kl}^{-l-3/2} e^{-\alpha_{kl}\eta d^2/\gamma_{kl}} .

*polynomial*: :math:`g_n = \sum_k \beta_{nk} (r_c - r)^{k+2}` for k = 1 ... n_max up to the cutoff, by quadrature.

Both are made orthonormal, :math:`\int r^2 g_{nl} g_{n'l}\, dr = \delta_{nn'}` (gto up to infinity), by the inverse
square root of the overlaps S: :math:`\beta = S^{-1/2}`. These are the definitions that dscribe has [1]_, [2]_.

References
----------
.. [1] A. P. Bartók, R. Kondor, G. Csányi, Phys. Rev. B 87, 184115 (2013).
.. [2] L. Himanen et al., Comput. Phys. Commun. 247, 106949 (2020); J. Laakso et al., J. Chem. Phys. 158, 234802 (2023).
"""

from typing import Literal

import numpy as np
from scipy.special import gamma, roots_legendre, spherical_in

from linmlp.exceptions import SettingsError
from linmlp.units import FloatArray

RadialBasis = Literal["gto", "polynomial"]

DECAY = 1e-3
"""Value at which a Gaussian counts as gone."""

FIRST_RADIUS = 1.0
"""Radius of the narrowest gto, Å."""

N_QUADRATURE = 200
"""Points of the quadrature: that of smooth functions over a few widths of the Gaussians has converged with fewer."""

SMALLEST_OVERLAP = 1e-13
"""Smallest eigenvalue of the scaled overlaps that leaves three digits of the inverse square root."""


def padding(sigma: float) -> float:
    """Return how far beyond a radius the Gaussian of an atom still reaches into it, Å.

    Parameters
    ----------
    sigma : float
        Width of the Gaussians, Å.

    Returns
    -------
    float
        Distance at which it has fallen to `DECAY`.
    """
    return float(sigma * np.sqrt(-2.0 * np.log(DECAY)))


def radial_functions(
    distances: FloatArray, basis: RadialBasis, n_max: int, l_max: int, cutoff: float, sigma: float
) -> FloatArray:
    """Return the overlaps F_nl of Gaussians at some distances with the radial basis.

    Parameters
    ----------
    distances : ndarray of shape (n_points,)
        Å; at negative ones are the analytic continuations.
    basis : {"gto", "polynomial"}
        Radial basis.
    n_max : int
        Number of radial functions.
    l_max : int
        Largest angular momentum.
    cutoff : float
        Cutoff of the basis, Å.
    sigma : float
        Width of the Gaussians, Å.

    Returns
    -------
    ndarray of shape (n_points, n_max, l_max + 1)
        Å^{3/2}.

    Raises
    ------
    SettingsError
        If the functions are too many to be told apart.
    """
    if basis == "gto":
        return _gto(np.asarray(distances, dtype=float), n_max, l_max, cutoff, sigma)
    return _polynomial(np.asarray(distances, dtype=float), n_max, l_max, cutoff, sigma)


def _gto(distances: FloatArray, n_max: int, l_max: int, cutoff: float, sigma: float) -> FloatArray:
    radii = np.linspace(FIRST_RADIUS, cutoff, n_max)
    eta = 0.5 / sigma**2
    values = np.empty((len(distances), n_max, l_max + 1))
    for l in range(l_max + 1):
        alphas = -np.log(DECAY / radii**l) / radii**2
        overlaps = 0.5 * gamma(l + 1.5) * (alphas[:, None] + alphas) ** (-l - 1.5)
        gammas = alphas + eta
        primitive = (eta * distances[:, None]) ** l * gammas ** (-l - 1.5)
        primitive = primitive * np.exp(-alphas * eta / gammas * distances[:, None] ** 2)
        values[:, :, l] = np.pi**1.5 * primitive @ _inverse_square_root(overlaps, n_max, cutoff)
    return values


def _polynomial(distances: FloatArray, n_max: int, l_max: int, cutoff: float, sigma: float) -> FloatArray:
    nodes, weights = roots_legendre(N_QUADRATURE)
    r, weights = 0.5 * cutoff * (nodes + 1.0), 0.5 * cutoff * weights
    powers = np.arange(1, n_max + 1)
    p = powers[:, None] + powers
    overlaps = 2.0 * cutoff ** (7.0 + p) / ((5.0 + p) * (6.0 + p) * (7.0 + p))
    basis = (cutoff - r[:, None]) ** (powers + 2.0) @ _inverse_square_root(overlaps, n_max, cutoff)
    d = distances[:, None]
    argument = np.abs(r * d) / sigma**2
    gaussian = np.exp(-0.5 * (r - np.abs(d)) ** 2 / sigma**2)  # what i_l grows by is divided out of it
    values = np.empty((len(distances), n_max, l_max + 1))
    for l in range(l_max + 1):
        bessel = _scaled_bessel(l, argument) * np.where(d < 0.0, (-1.0) ** l, 1.0)
        values[:, :, l] = 4.0 * np.pi * (gaussian * bessel * (weights * r**2)) @ basis
    return values


def _scaled_bessel(l: int, x: FloatArray) -> FloatArray:
    """Return exp(-x) i_l(x)."""
    # Where i_l would overflow, the series in 1/x ends after l terms, but for a part exp(-2x).
    large = x > 500.0
    small = np.where(large, 1.0, x)
    found = np.exp(-small) * spherical_in(l, small)
    term, series = np.ones_like(x), np.ones_like(x)
    safe = np.where(large, x, 1.0)
    for k in range(1, l + 1):
        term = term * -(l + k) * (l - k + 1) / (2.0 * k * safe)
        series = series + term
    return np.asarray(np.where(large, series / (2.0 * safe), found))


def _inverse_square_root(overlaps: FloatArray, n_max: int, cutoff: float) -> FloatArray:
    """Return S^{-1/2}, symmetric."""
    scale = 1.0 / np.sqrt(np.diag(overlaps))
    if np.linalg.eigvalsh(overlaps * scale[:, None] * scale)[0] < SMALLEST_OVERLAP:
        raise SettingsError(
            f"n_max={n_max} radial functions cannot be told apart within the cutoff of {cutoff:g} Å in double "
            "precision; give a smaller n_max or a larger cutoff"
        )
    eigenvalues, vectors = np.linalg.eigh(overlaps)
    return np.asarray((vectors / np.sqrt(eigenvalues)) @ vectors.T)
