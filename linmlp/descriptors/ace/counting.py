r"""How many ACE functions there are, without a list of them: degrees in, numbers out.

The functions of order k around an element are the invariants under rotations and inversion in the k-th symmetric power
of the space of channels. With :math:`\chi_l(\theta) = 1 + 2 \sum_{m=1}^{l} \cos m\theta` and the parity s, 1 or -1, the
power sums

.. math:: p_j(t, \theta, s) = N \sum_{nl} t^{j(n + l)} s^{jl} \chi_l(j\theta)

of N elements give the characters :math:`h_k = \frac1k \sum_{j=1}^{k} p_j h_{k-j}` of the powers, whose mean over both s
and over the angles, with the weight :math:`1 - \cos\theta`, is the number of invariants by degree [1]_.

References
----------
.. [1] G. Dusson et al., J. Comput. Phys. 454, 110946 (2022); W. Fulton and J. Harris, Representation Theory (1991).
"""

from functools import cache

import numpy as np

from linmlp.units import FloatArray


@cache
def count_invariants(order: int, n_elements: int, limit: int, max_l: int) -> int:
    """Return the number of independent functions of an order around one element.

    Parameters
    ----------
    order : int
        Correlation order, 1 or more.
    n_elements : int
        Number of elements that neighbors may have.
    limit : int
        Largest total degree sum(n + l).
    max_l : int
        Largest angular momentum.

    Returns
    -------
    int
        Exact for any order.
    """
    # A mean over more points than the degree of a trigonometric polynomial is its integral.
    n_angles = order * max_l + 3
    angles = 2 * np.pi * np.arange(n_angles) / n_angles
    total = 0.0
    for parity in (1, -1):
        power_sums = [_power_sum(j, angles, parity, n_elements, limit, max_l) for j in range(1, order + 1)]
        symmetric = [np.eye(1, limit + 1) * np.ones((n_angles, 1))]
        for k in range(1, order + 1):
            terms = [_multiply(power_sums[j - 1], symmetric[k - j]) for j in range(1, k + 1)]
            symmetric.append(np.mean(terms, axis=0))
        total += float(np.mean((1 - np.cos(angles)) * symmetric[-1].sum(axis=1)))
    return round(total / 2)


def _power_sum(j: int, angles: FloatArray, parity: int, n_elements: int, limit: int, max_l: int) -> FloatArray:
    """Return p_j as polynomials of t for every angle, (n_angles, limit + 1)."""
    total = np.zeros((len(angles), limit + 1))
    for l in range(min(max_l, limit // j) + 1):
        character = 1 + 2 * np.cos(np.outer(angles, j * np.arange(1, l + 1))).sum(axis=1)
        total[:, j * l :: j] += n_elements * parity ** (j * l) * character[:, None]
    return total


def _multiply(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return products of polynomials, cut off at the degree of both."""
    product = np.zeros_like(a)
    for k in range(a.shape[1]):
        product[:, k:] += a[:, k : k + 1] * b[:, : a.shape[1] - k]
    return product
