"""ACE functions as sums of products of densities, what other codes read: functions in, coefficients out."""

from typing import NamedTuple

from linmlp.descriptors.ace.basis import Function, channel_key, factors, intermediate, order_of
from linmlp.descriptors.ace.coupling import expand_coupling
from linmlp.units import FloatArray, IntArray


class Expansion(NamedTuple):
    """A function as a sum over t of coefficients[t] times the product over k of A with e_k, n_k, l_k and ms[t, k].

    Nothing is conjugated, and the sum is real.
    """

    elements: tuple[int, ...]
    ns: tuple[int, ...]
    ls: tuple[int, ...]
    ms: IntArray  # (n_terms, order)
    coefficients: FloatArray  # (n_terms,)


def expand_function(function: Function) -> Expansion:
    r"""Return a function as a sum of products of densities.

    Parameters
    ----------
    function : Function
        Of any order, see `linmlp.descriptors.ace.basis`.

    Returns
    -------
    Expansion
        In terms of :math:`A_{enlm} = \sum_j R_n(r_j) Y_{lm}(\hat r_j)`, :math:`Y_{00} = 1`, for all m from -l to l.
    """
    # The pairs of order 4 are part of the function; the order of other factors is that of the formulas.
    channels = factors(function) if order_of(function) == 4 else tuple(sorted(function, key=channel_key))
    elements, ns, ls = (tuple(channel[k] for channel in channels) for k in range(3))
    return Expansion(elements, ns, ls, *expand_coupling(ls, intermediate(function)))
