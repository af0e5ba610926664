"""Clebsch-Gordan coefficients: angular momenta in, coupling coefficients out."""

from functools import cache
from math import factorial, sqrt


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
