"""What the loops in single precision read: the plan and constants of a potential, each number for two blocks of atoms.

Radial functions are those of `linmlp.descriptors.ace.radial_recurrence`, of which maps without cancellation are left.
"""

from typing import Any, NamedTuple

import numpy as np

from linmlp.descriptors.ace.evaluator_records import Functions
from linmlp.descriptors.ace.pair_plan import twice
from linmlp.descriptors.ace.parameters import AceParameters
from linmlp.descriptors.ace.plan import Plan, make_plan
from linmlp.descriptors.ace.radial_recurrence import RadialRecurrence
from linmlp.descriptors.simd import LANES
from linmlp.units import FloatArray


class SinglePlan(NamedTuple):
    """A potential for the loops in single precision."""

    parameters: AceParameters  # with maps from the radial functions of the recurrence
    plan: Plan  # all coefficients are pairs of equal numbers
    recurrence: FloatArray  # (n_elements, n_elements, n, 3) of the radial functions


def make_single_plan(parameters: AceParameters, coefficients: FloatArray) -> SinglePlan:
    """Return the plan for given coefficients.

    Parameters
    ----------
    parameters : AceParameters
        Functions and radial functions.
    coefficients : ndarray of shape (n_features,)
        Energy = features @ coefficients, eV.

    Returns
    -------
    SinglePlan
        Maps and coefficients are made in double precision and rounded once.
    """
    radial = RadialRecurrence.of(parameters)
    plan = make_plan(radial.parameters, np.asarray(coefficients, dtype=float), LANES)
    names = ("to_used", "order_two", "to_raw", "pair", "real", "paired", "full", "coupled")
    fields: dict[str, Any] = {name: getattr(plan, name) for name in names}
    fields = {name: of_kind._replace(coefficient=twice(of_kind.coefficient)) for name, of_kind in fields.items()}
    fields["full"] = fields["full"]._replace(sign=twice(plan.full.sign))
    fields["mixing"] = plan.mixing._replace(weight=twice(plan.mixing.weight))
    return SinglePlan(radial.parameters, plan._replace(**fields), radial.coefficients)


def in_single_precision(functions: Functions) -> Functions:
    """Return the functions with angular constants in single precision; radial functions remain in double precision."""
    pairs: Any = {name: twice(getattr(functions, name)) for name in ("recursion", "norms", "weights")}
    return functions._replace(**pairs)
