"""The records of arrays that the energy and force loops read and write, and the same records of pointers.

Inside the loops every array is a pointer (`linmlp.descriptors.simd.pointer`): the arrays stay with the caller. Records
enter compiled code as plain tuples (`plain`): the cache of compiled code could not be read any more after one of the
classes is moved.
"""
# mypy: allow-untyped-defs, allow-untyped-calls

from typing import Any, NamedTuple

from numba import njit

from linmlp.descriptors.ace.combinations import Combinations
from linmlp.descriptors.ace.lane_blocks import Blocks
from linmlp.descriptors.ace.lane_loops import OPTIONS
from linmlp.descriptors.ace.plan import Mixing, PairTerm, Plan
from linmlp.descriptors.ace.products import Products
from linmlp.descriptors.simd import pointer
from linmlp.units import FloatArray, IntArray


class Functions(NamedTuple):
    """Radial and angular functions."""

    cutoff: float
    n_distance: int
    n_envelope: int
    distance: FloatArray  # (n_elements, n_elements, n_distance) x(t) as a power series in t = r / cutoff of the pair
    envelope: FloatArray  # (n_elements, n_elements, n_envelope) envelope / (1 - t²) as a power series in t²
    pairs: FloatArray  # (n_elements, n_elements, PAIR_FIELDS)
    recursion: FloatArray  # (n_lm, 2) factors of z Q_(l-1)m and Q_(l-2)m
    norms: FloatArray  # (n_l²,) F_lm of each column
    weights: FloatArray  # (max_L + 1)², with the angular momenta of coupled pairs: 1 for m = 0, else 2


class Listed(NamedTuple):
    """Positions and pairs."""

    n_atoms: int
    positions: FloatArray  # (n_atoms, 3)
    j: IntArray  # (n_pairs,)
    shift: FloatArray  # (n_pairs, 3)
    segments: IntArray  # (n_atoms * n_elements + 1,)


class Sizes(NamedTuple):
    """Numbers that place things in memory."""

    n_elements: int
    n_l: int
    stride: int  # radial functions
    capacity: int  # slots


class Scratch(NamedTuple):
    """Memory for one block of atoms, flat, the lane innermost; shapes as in the loops that use it."""

    geometry: FloatArray
    radial: FloatArray
    slope: FloatArray
    legendre: FloatArray
    phase: FloatArray
    columns: FloatArray
    force: FloatArray
    raw: FloatArray
    A: FloatArray
    G: FloatArray
    h: FloatArray
    radial_part: FloatArray
    sums: FloatArray  # (10,): sums of dE/dr and of r (x) dE/dr, the energy
    neighbors: IntArray  # (capacity, lanes)
    counts: IntArray  # (lanes,)
    begin: IntArray  # (n_elements,)
    end: IntArray  # (n_elements,)


class Results(NamedTuple):
    """What is computed."""

    energies: FloatArray  # (n_atoms,)
    forces: FloatArray  # (n_atoms + 1, 3)
    strain: FloatArray  # (n_atoms, 6)


def plain(record: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return a record, and the records in it, as plain tuples."""
    return tuple(plain(field) if isinstance(field, tuple) else field for field in record)


@njit(**OPTIONS)
def point_to_blocks(blocks):
    """Return pointers."""
    r = Blocks(*blocks)
    return Blocks(pointer(r.element), pointer(r.atoms), pointer(r.slots), pointer(r.segments))


@njit(**OPTIONS)
def point_to_listed(listed):
    """Return pointers."""
    r = Listed(*listed)
    return Listed(
        r.n_atoms,
        pointer(r.positions),
        pointer(r.j),
        pointer(r.shift),
        pointer(r.segments),
    )


@njit(**OPTIONS)
def point_to_functions(functions):
    """Return pointers."""
    r = Functions(*functions)
    return Functions(
        r.cutoff,
        r.n_distance,
        r.n_envelope,
        pointer(r.distance),
        pointer(r.envelope),
        pointer(r.pairs),
        pointer(r.recursion),
        pointer(r.norms),
        pointer(r.weights),
    )


@njit(**OPTIONS)
def point_to_plan(plan):
    """Return pointers."""
    r = Plan(*plan)
    return Plan(
        pointer(r.n_raw),
        pointer(r.n_radial),
        pointer(r.n_l),
        pointer(r.raw_start),
        pointer(r.raw_size),
        pointer(r.used_size),
        pointer(r.coupled_start),
        _point_to_combinations(r.to_used),
        _point_to_combinations(r.order_two),
        _point_to_combinations(r.to_raw),
        _point_to_pair(r.pair),
        _point_to_products(r.real),
        _point_to_products(r.paired),
        _point_to_products(r.full),
        _point_to_products(r.coupled),
        _point_to_mixing(r.mixing),
    )


@njit(**OPTIONS)
def _point_to_mixing(mixing):
    r = Mixing(*mixing)
    return Mixing(r.n_channels, pointer(r.start), pointer(r.size), pointer(r.weight))


@njit(**OPTIONS)
def _point_to_combinations(rows):
    r = Combinations(*rows)
    return Combinations(
        pointer(r.first_block),
        pointer(r.l),
        pointer(r.target),
        pointer(r.first_term),
        pointer(r.source),
        pointer(r.coefficient),
    )


@njit(**OPTIONS)
def _point_to_products(products):
    r = Products(*products)
    return Products(
        pointer(r.first_group),
        pointer(r.a),
        pointer(r.b),
        pointer(r.sign),
        pointer(r.first_term),
        pointer(r.c),
        pointer(r.coefficient),
    )


@njit(**OPTIONS)
def _point_to_pair(pair):
    r = PairTerm(*pair)
    return PairTerm(pointer(r.first), pointer(r.channel), pointer(r.coefficient))


@njit(**OPTIONS)
def point_to_scratch(scratch):
    """Return pointers."""
    r = Scratch(*scratch)
    return Scratch(
        pointer(r.geometry),
        pointer(r.radial),
        pointer(r.slope),
        pointer(r.legendre),
        pointer(r.phase),
        pointer(r.columns),
        pointer(r.force),
        pointer(r.raw),
        pointer(r.A),
        pointer(r.G),
        pointer(r.h),
        pointer(r.radial_part),
        pointer(r.sums),
        pointer(r.neighbors),
        pointer(r.counts),
        pointer(r.begin),
        pointer(r.end),
    )


@njit(**OPTIONS)
def with_densities(scratch, A):
    """Return the record with A in another place."""
    r = scratch
    return Scratch(
        r.geometry,
        r.radial,
        r.slope,
        r.legendre,
        r.phase,
        r.columns,
        r.force,
        r.raw,
        A,
        r.G,
        r.h,
        r.radial_part,
        r.sums,
        r.neighbors,
        r.counts,
        r.begin,
        r.end,
    )


@njit(**OPTIONS)
def point_to_results(results):
    """Return pointers."""
    r = Results(*results)
    return Results(pointer(r.energies), pointer(r.forces), pointer(r.strain))
