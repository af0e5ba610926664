r"""What the rows loops read: functions in, flat arrays of channels, couplings and entries out.

A function of order k is B = <product of k densities>. Its derivative with respect to the density of one of its channels
c, coupled from the other k - 1, is the same for every function that leaves the same rest: with

.. math:: Q_{q,M}, \quad q = (\text{rest}, L), \qquad
          \partial B_v / \partial A_{c,LM} = \kappa_v \overline{w_M Q_{q,M}}, \qquad w_0 = 1, \; w_{M>0} = 2,

the rest of order 2 is :math:`Q = A_b`, that of order 3 is :math:`A_a A_b` coupled with 3j symbols, which do not care
which of the three channels is taken out; order 4 has those of `linmlp.descriptors.ace.row_rests`. A channel that occurs
p times comes with :math:`A^p / p!` (in order 4 a pair of equal channels with :math:`Q / 2`), so that every entry of a
function has the same factor :math:`\kappa_v`, which is applied once, when all neighbors are done. So

.. math:: \partial B_v/\partial r_j = \kappa_v \sum_{(q, n) \in v}
          R'_n X^{(0)}_q \hat u + R_n (X^{(1)}_q \hat\theta + X^{(2)}_q \hat\varphi),
          \quad X_q = \mathrm{Re} \sum_M \overline{w_M Q_{qM}} \{Y_{LM}, \nabla Y_{LM}\}.

Inside the loops the functions are sorted so that four in a row have entries for the same elements; columns are put
into the order of the user at the end.
"""

from functools import lru_cache
from math import factorial, sqrt
from typing import Any

import numpy as np

from linmlp.descriptors.ace.basis import Channel, Function, factors, has_neighbors
from linmlp.descriptors.ace.parameters import AceParameters
from linmlp.descriptors.ace.radial import envelope_polynomial, scaled_distance_polynomial
from linmlp.descriptors.ace.row_couplings import Rests, couplings, energies, number_densities
from linmlp.descriptors.ace.row_groups import (
    Radial,
    RadialPlaces,
    adjoints,
    group_functions,
    radial_key,
    radial_rows,
)
from linmlp.descriptors.ace.row_layout import GROUP, RowCounts, RowPlan, integers
from linmlp.descriptors.ace.row_rests import kappa
from linmlp.descriptors.splines import RadialTable
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
    n_elements = len(parameters.numbers)
    radial = radial_rows(parameters, channels_of(parameters.functions))
    fields = {
        "n_raw": radial.map.shape[-1],
        "cutoff": float(parameters.cutoff),
        "distance_series": scaled_distance_polynomial(parameters.scaling),
        "envelope_series": envelope_polynomial(),
        "inner": _inner(parameters),
        "radial_map": radial.map.reshape(-1),
        "map_end": radial.end,
        "pieces_per_length": 0.0,
        "n_pieces": 0,
        "splines": np.zeros(1),
        "element_weight": np.ones(n_elements),
        "own_first": integers(np.zeros(n_elements + 1)),
        "own_density": integers([0]),
        "own_value": np.zeros(1),
    }
    return plan_rows(parameters.functions, n_elements, radial, fields)


def make_spline_row_plan(
    functions: tuple[Function, ...],
    n_elements: int,
    rows: dict[Channel, int],
    table: RadialTable,
    cutoff: float,
    element_weight: FloatArray,
    own: FloatArray,
) -> tuple[RowPlan, RowCounts]:
    """Return the same for radial functions that are splines.

    Parameters
    ----------
    functions : tuple of Function
        Of orders 2 and 3.
    n_elements : int
        Number of elements.
    rows : dict
        Place of the radial function of every channel, by its `radial_key`.
    table : RadialTable
        Splines up to the cutoff.
    cutoff : float
        Å.
    element_weight : ndarray of shape (n_elements,)
        Factor of the density of every element.
    own : ndarray of shape (n_functions_of_table,)
        What a center adds to the densities of its own element with l = 0, before that factor.

    Returns
    -------
    plan : RowPlan
        Arrays for the loops.
    counts : RowCounts
        Work per neighbor.
    """
    n_radial = table.coefficients.shape[-1]
    radial = Radial(rows, n_radial, 0, np.zeros((n_elements, n_elements, n_radial, 1)), integers(np.zeros(n_radial)))
    channels = channels_of(functions)
    densities = number_densities(channels, n_elements, 0)
    first, places, values = [0], list[int](), list[float]()
    for element in range(n_elements):
        for channel in channels:
            if has_neighbors(channel, element) and channel[2] == 0:
                places.append(densities.place[channel])
                values.append(float(element_weight[element] * own[rows[radial_key(channel)]]))
        first.append(len(places))
    fields = {
        "n_raw": 1,
        "cutoff": cutoff,
        "distance_series": np.zeros(1),
        "envelope_series": np.zeros(1),
        "inner": np.zeros((n_elements, n_elements, 2)),
        "radial_map": np.zeros(1),
        "map_end": radial.end,
        "pieces_per_length": table.per_piece,
        "n_pieces": len(table.coefficients),
        "splines": table.coefficients.reshape(-1),
        "element_weight": np.asarray(element_weight, dtype=float),
        "own_first": integers(first),
        "own_density": integers(places or [0]),
        "own_value": np.array(values or [0.0]),
    }
    return plan_rows(functions, n_elements, radial, fields)


def channels_of(functions: tuple[Function, ...]) -> list[Channel]:
    """Return the channels of functions of more than one factor, by element, l and n."""
    return sorted({c for f in functions if len(f) > 1 for c in factors(f)}, key=lambda c: (c[0], c[2], c[1]))


def plan_rows(
    functions: tuple[Function, ...], n_elements: int, radial: Radial, fields: dict[str, Any]
) -> tuple[RowPlan, RowCounts]:
    """Return the plan of functions whose radial functions stand in `fields`.

    Parameters
    ----------
    functions : tuple of Function
        All of them.
    n_elements : int
        Number of elements.
    radial : Radial
        Where the radial functions are.
    fields : dict
        What the loops need to make them.

    Returns
    -------
    plan : RowPlan
        Arrays for the loops.
    counts : RowCounts
        Work per neighbor.
    """
    structure, counts = _structure(functions, n_elements, tuple(radial.rows.items()), radial.n_radial, radial.n_pair)
    return RowPlan(**fields, **structure), counts


@lru_cache(maxsize=8)
def _structure(
    functions: tuple[Function, ...],
    n_elements: int,
    rows: tuple[tuple[Channel, int], ...],
    n_radial: int,
    n_pair: int,
) -> tuple[dict[str, Any], RowCounts]:
    """Return the fields of a plan that do not depend on the radial functions; a search over cutoffs needs them once."""
    channels = channels_of(functions)
    max_l = max((l for _, _, l in channels), default=0)
    rests = Rests(functions, max_l)
    densities = number_densities(channels, n_elements, n_pair, functions)
    radial = RadialPlaces(dict(rows), n_radial, n_pair)
    order, groups, counts = group_functions(functions, n_elements, rests, radial)
    summed = [
        [[c for c in channels if has_neighbors(c, e) and c[2] == l] for l in range(max_l + 1)]
        for e in range(n_elements)
    ]
    listed = [c for of_element in summed for of_l in of_element for c in of_l]
    fields = {
        "max_l": max_l,
        "n_functions": len(functions),
        "n_groups": -(-len(functions) // GROUP),
        "n_radial": n_radial,
        "n_pair": n_pair,
        "n_rests": rests.n_rests,
        "n_slots": rests.n_slots,
        "n_densities": densities.one + 1,
        "legendre": _legendre(max_l),
        "channel_first": _channel_first(summed),
        "channel_row": integers([radial.rows[radial_key(c)] for c in listed]),
        "channel_density": integers([densities.place[c] for c in listed]),
        "pair_density": densities.pair,
        **couplings(rests, densities),
        "quad_first": integers(rests.quad_first),
        "quad_slot": integers(rests.quad_slot),
        **energies(functions, rests, densities),
        **groups,
        **adjoints(functions, n_elements, max_l, channels, rests, radial),
        "order": order,
        "factor": np.array([kappa(f) for f in functions]),
    }
    return fields, counts


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


def _channel_first(summed: list[list[list[Channel]]]) -> IntArray:
    """Return where the channels of every element and l begin, (n_elements, max_l + 2)."""
    first, n = [], 0
    for of_element in summed:
        of_first = [n]
        for of_l in of_element:
            n += len(of_l)
            of_first.append(n)
        first.append(of_first)
    return integers(first)
