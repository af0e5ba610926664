r"""What the rows loops read: functions in, flat arrays of channels, couplings and entries out.

A function of order k is B = <product of k densities>. Its derivative with respect to the density of one of its channels
c, coupled from the other k - 1, is the same for every function that leaves the same rest: with

.. math:: Q_{q,M}, \quad q = (\text{rest}, L), \qquad
          \partial B_v / \partial A_{c,LM} = \kappa_v \overline{w_M Q_{q,M}}, \qquad w_0 = 1, \; w_{M>0} = 2,

the rest of order 2 is :math:`Q = A_b`, that of order 3 is :math:`A_a A_b` coupled with 3j symbols, which do not care
which of the three channels is taken out. A channel that occurs p times comes with :math:`A^p / p!`, so that every entry
of a function has the same factor :math:`\kappa_v`, which is applied once, when all neighbors are done. So

.. math:: \partial B_v/\partial r_j = \kappa_v \sum_{(q, n) \in v}
          R'_n X^{(0)}_q \hat u + R_n (X^{(1)}_q \hat\theta + X^{(2)}_q \hat\varphi),
          \quad X_q = \mathrm{Re} \sum_M \overline{w_M Q_{qM}} \{Y_{LM}, \nabla Y_{LM}\}.

Inside the loops the functions are sorted so that four in a row have entries for the same elements; columns are put
into the order of the user at the end.
"""

from math import factorial, sqrt

import numpy as np

from linmlp.descriptors.ace.basis import Channel
from linmlp.descriptors.ace.parameters import AceParameters
from linmlp.descriptors.ace.radial import envelope_polynomial, scaled_distance_polynomial
from linmlp.descriptors.ace.row_couplings import Rests, couplings, energies, kappa, number_densities
from linmlp.descriptors.ace.row_groups import adjoints, group_functions, radial_rows
from linmlp.descriptors.ace.row_layout import GROUP, RowCounts, RowPlan, integers
from linmlp.units import FloatArray, IntArray


def make_row_plan(parameters: AceParameters) -> tuple[RowPlan, RowCounts]:
    """Return the arrays of the loops and the amount of work in them.

    Parameters
    ----------
    parameters : AceParameters
        Functions and radial functions.

    Returns
    -------
    plan : RowPlan
        Arrays for the loops.
    counts : RowCounts
        Work per neighbor.
    """
    functions = parameters.functions
    n_elements = len(parameters.numbers)
    many = [f for f in functions if len(f) > 1]
    channels = sorted({c for f in many for c in f}, key=lambda c: (c[0], c[2], c[1]))
    max_l = max((l for _, _, l in channels), default=0)
    rests = Rests(functions, max_l)
    radial = radial_rows(parameters, channels)
    densities = number_densities(parameters, channels)
    order, groups, counts = group_functions(functions, n_elements, rests, radial)
    plan = RowPlan(
        max_l=max_l,
        n_functions=len(functions),
        n_groups=-(-len(functions) // GROUP),
        n_radial=radial.n_radial,
        n_pair=radial.n_pair,
        n_raw=radial.map.shape[-1],
        n_rests=rests.n_rests,
        n_slots=rests.n_slots,
        n_densities=densities.one + 1,
        cutoff=float(parameters.cutoff),
        distance_series=scaled_distance_polynomial(parameters.scaling),
        envelope_series=envelope_polynomial(),
        inner=_inner(parameters),
        radial_map=radial.map.reshape(-1),
        map_end=radial.end,
        legendre=_legendre(max_l),
        channel_first=_channel_first(channels, n_elements, max_l),
        channel_row=integers([radial.rows[n, l] for _, n, l in channels]),
        channel_density=integers([densities.place[c] for c in channels]),
        pair_density=densities.pair,
        **couplings(rests, densities),
        quad_first=integers(rests.quad_first),
        quad_slot=integers(rests.quad_slot),
        **energies(functions, rests, densities),
        **groups,
        **adjoints(functions, n_elements, max_l, channels, rests, radial),
        order=order,
        factor=np.array([kappa(f) for f in functions]),
    )
    return plan, counts


def _inner(parameters: AceParameters) -> FloatArray:
    width = parameters.inner_width
    slope = np.where(width > 0, 1 / np.where(width > 0, width, 1.0), 0.0)
    return np.ascontiguousarray(np.stack([slope, 1 - slope * parameters.inner], axis=-1))


def _legendre(max_l: int) -> FloatArray:
    """Return per (l, m) the factors of (l-m) Q_l^m = (2l-1) z Q_{l-1}^m - (l+m-1) Q_{l-2}^m, and the norm of Y_lm."""
    return np.array(
        [
            (
                (2 * l - 1) / max(l - m, 1),
                (l + m - 1) / max(l - m, 1),
                (-1) ** m * sqrt((2 * l + 1) * factorial(l - m) / factorial(l + m)),
            )
            for l in range(max_l + 1)
            for m in range(l + 1)
        ]
    )


def _channel_first(channels: list[Channel], n_elements: int, max_l: int) -> IntArray:
    keys = [(e, l) for e, _, l in channels]
    first = [[sum(key < (e, l) for key in keys) for l in range(max_l + 2)] for e in range(n_elements)]
    return integers(first)
