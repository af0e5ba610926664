r"""Which intermediate angular momenta make independent functions of order 4: angular momenta in, lists of L out.

Four channels are coupled in pairs, :math:`B_L = \sum_M Q_{12,LM} \bar Q_{34,LM}`. While all channels differ, every L
that meets both triangle conditions is a function of its own. Where some are the same, what counts is the coupling
tensor made symmetric under their permutations, and fewer of these are independent [1]_. They do not depend on any data,
so neither does the choice.

References
----------
.. [1] G. Dusson et al., J. Comput. Phys. 454, 110946 (2022), section 4.
"""

from functools import cache
from itertools import permutations

import numpy as np

from linmlp.descriptors.ace.coupling import coupling_tensor

INDEPENDENT = 1e-9
"""Smallest squared norm of what a normalized tensor adds to those before; rounding leaves 1e-30, new ones have 0.1."""


@cache
def intermediate_momenta(ls: tuple[int, ...], kinds: tuple[int, ...]) -> tuple[int, ...]:
    """Return the intermediate angular momenta of four channels whose functions are linearly independent and complete.

    Parameters
    ----------
    ls : tuple of int
        Angular momenta of the four channels, their sum even.
    kinds : tuple of int
        Equal numbers for equal channels.

    Returns
    -------
    tuple of int
        Ascending; a larger one is left out where smaller ones make the same function.
    """
    lowest, highest = max(abs(ls[0] - ls[1]), abs(ls[2] - ls[3])), min(ls[0] + ls[1], ls[2] + ls[3])
    momenta = range(lowest, highest + 1)
    same = [p for p in permutations(range(4)) if all(kinds[p[k]] == kinds[k] for k in range(4))]
    if len(same) == 1:
        return tuple(momenta)
    chosen: list[int] = []
    basis: list[np.ndarray[tuple[int], np.dtype[np.float64]]] = []
    for momentum in momenta:
        tensor = coupling_tensor(ls, momentum) / np.sqrt(2 * momentum + 1)
        rest = np.mean([tensor.transpose(p) for p in same], axis=0).ravel()
        for _ in range(2):  # twice is enough for full precision
            for vector in basis:
                rest = rest - (vector @ rest) * vector
        square = rest @ rest
        if square > INDEPENDENT:
            chosen.append(momentum)
            basis.append(rest / np.sqrt(square))
    return tuple(chosen)
