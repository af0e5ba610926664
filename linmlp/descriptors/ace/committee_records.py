"""The records of arrays that the loops of committees read, beside `linmlp.descriptors.ace.evaluator_records`."""
# mypy: allow-untyped-defs, allow-untyped-calls

from typing import NamedTuple

from numba import njit

from linmlp.descriptors.ace.combinations import Combinations
from linmlp.descriptors.ace.evaluator_records import Results
from linmlp.descriptors.ace.lane_loops import OPTIONS
from linmlp.descriptors.ace.plan import PairTerm, Plan
from linmlp.descriptors.ace.products import Products
from linmlp.descriptors.simd import pointer, shifted
from linmlp.units import FloatArray


class Members(NamedTuple):
    """Coefficients of the loops for every member, and how many there are."""

    n_members: int
    n_pair: int
    n_order_two: int
    n_real: int
    n_paired: int
    n_full: int
    pair: FloatArray  # (n_members, n_pair)
    order_two: FloatArray  # (n_members, n_order_two)
    real: FloatArray  # (n_members, n_real)
    paired: FloatArray  # (n_members, n_paired)
    full: FloatArray  # (n_members, n_full)


@njit(**OPTIONS)
def point_to_members(members):
    """Return pointers."""
    r = Members(*members)
    return Members(
        r.n_members,
        r.n_pair,
        r.n_order_two,
        r.n_real,
        r.n_paired,
        r.n_full,
        pointer(r.pair),
        pointer(r.order_two),
        pointer(r.real),
        pointer(r.paired),
        pointer(r.full),
    )


@njit(**OPTIONS)
def plan_of_member(plan, members, member):
    """Return the plan with the coefficients of a member."""
    pair, order_two = plan.pair, plan.order_two
    return Plan(
        plan.n_raw,
        plan.n_radial,
        plan.n_l,
        plan.raw_start,
        plan.raw_size,
        plan.used_size,
        plan.coupled_start,
        plan.to_used,
        Combinations(
            order_two.first_block,
            order_two.l,
            order_two.target,
            order_two.first_term,
            order_two.source,
            shifted(members.order_two, member * members.n_order_two),
        ),
        plan.to_raw,
        PairTerm(pair.first, pair.channel, shifted(members.pair, member * members.n_pair)),
        _products_with(plan.real, shifted(members.real, member * members.n_real)),
        _products_with(plan.paired, shifted(members.paired, member * members.n_paired)),
        _products_with(plan.full, shifted(members.full, member * members.n_full)),
        plan.coupled,
        plan.mixing,
    )


@njit(**OPTIONS)
def _products_with(products, coefficient):
    return Products(
        products.first_group,
        products.a,
        products.b,
        products.sign,
        products.first_term,
        products.c,
        coefficient,
    )


@njit(**OPTIONS)
def results_of_member(results, member, n_atoms):
    """Return where the results of a member are written."""
    return Results(
        shifted(results.energies, member * n_atoms),
        shifted(results.forces, member * 3 * (n_atoms + 1)),
        shifted(results.strain, member * 6 * n_atoms),
    )
