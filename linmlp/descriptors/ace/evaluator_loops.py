"""Compiled: energies, forces and strain derivatives of blocks of atoms."""
# mypy: allow-untyped-defs, allow-untyped-calls

from numba import njit

from linmlp.descriptors.ace.block_loops import add_block_forces, differentiate_energy, sum_block, write_sums
from linmlp.descriptors.ace.evaluator_records import (
    Sizes,
    point_to_blocks,
    point_to_functions,
    point_to_listed,
    point_to_plan,
    point_to_results,
    point_to_scratch,
)
from linmlp.descriptors.ace.lane_loops import OPTIONS
from linmlp.descriptors.simd import LANES, element, shifted


@njit(cache=True, **OPTIONS)
def evaluate_blocks(first, last, sizes, blocks, listed, functions, plan, scratch, results):
    """Write energies and strain derivatives of blocks first to last, and add to the forces.

    All but the first two arguments are records of `linmlp.descriptors.ace.evaluator_records`, as plain tuples.
    """
    _evaluate(
        first,
        last,
        Sizes(*sizes),
        point_to_blocks(blocks),
        point_to_listed(listed),
        point_to_functions(functions),
        point_to_plan(plan),
        point_to_scratch(scratch),
        point_to_results(results),
    )


@njit(**OPTIONS)
def _evaluate(first, last, sizes, blocks, listed, functions, plan, scratch, results):
    """Do the same with pointers for arrays."""
    for block in range(first, last):
        z = element(blocks.element, block)
        sum_block(block, sizes, blocks, listed, functions, plan, scratch)
        differentiate_energy(z, sizes.n_elements, plan, functions, scratch, scratch.raw)
        add_block_forces(z, sizes, plan, scratch, scratch.raw, results.forces)
        write_sums(shifted(blocks.atoms, block * LANES), scratch.sums, results)
