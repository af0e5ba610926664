"""Compiled: energies, forces and strain derivatives of blocks of atoms for several sets of coefficients."""
# mypy: allow-untyped-defs, allow-untyped-calls

from numba import njit

from linmlp.descriptors.ace.block_loops import add_block_forces, differentiate_energy, sum_block, write_sums
from linmlp.descriptors.ace.committee_records import plan_of_member, point_to_members, results_of_member
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
from linmlp.descriptors.simd import LANES, element, pointer, shifted


@njit(cache=True, **OPTIONS)
def evaluate_members(first, last, sizes, blocks, listed, functions, plan, scratch, members, derivatives, results):
    """Write energies and strain derivatives of blocks first to last, and add to the forces, for every member."""
    _evaluate(
        first,
        last,
        Sizes(*sizes),
        point_to_blocks(blocks),
        point_to_listed(listed),
        point_to_functions(functions),
        point_to_plan(plan),
        point_to_scratch(scratch),
        point_to_members(members),
        pointer(derivatives),
        point_to_results(results),
    )


@njit(**OPTIONS)
def _evaluate(first, last, sizes, blocks, listed, functions, plan, scratch, members, derivatives, results):
    """Do the same with pointers for arrays."""
    for block in range(first, last):
        z = element(blocks.element, block)
        atoms = shifted(blocks.atoms, block * LANES)
        sum_block(block, sizes, blocks, listed, functions, plan, scratch)
        for member in range(members.n_members):
            of_member = results_of_member(results, member, listed.n_atoms)
            differentiate_energy(
                z, sizes.n_elements, plan_of_member(plan, members, member), functions, scratch, derivatives
            )
            add_block_forces(z, sizes, plan, scratch, derivatives, of_member.forces)
            write_sums(atoms, scratch.sums, of_member)
