"""Compiled: energies, forces and strain derivatives of blocks of atoms, and the terms of features beside them."""
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
    with_densities,
)
from linmlp.descriptors.ace.lane_loops import OPTIONS
from linmlp.descriptors.ace.term_records import point_to_terms
from linmlp.descriptors.ace.term_sum_loops import BUNDLE, add_bundle, add_pair_terms, clear_densities
from linmlp.descriptors.simd import LANES, element, pointer, shifted


@njit(cache=True, **OPTIONS)
def evaluate_and_sum(first, last, sizes, blocks, listed, functions, plan, scratch, terms, bundle, sums, results):
    """Do as `linmlp.descriptors.ace.evaluator_loops.evaluate_blocks`, and add terms to sums (n_terms, lane), flat.

    The densities of a bundle of blocks are kept in bundle (BUNDLE, n_columns, lane), flat.
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
        point_to_terms(terms),
        len(bundle) // BUNDLE,
        pointer(bundle),
        pointer(sums),
        point_to_results(results),
    )


@njit(**OPTIONS)
def _evaluate(first, last, sizes, blocks, listed, functions, plan, scratch, terms, stride, bundle, sums, results):
    """Do the same with pointers for arrays."""
    n_filled = 0
    for block in range(first, last):
        z = element(blocks.element, block)
        work = with_densities(scratch, shifted(bundle, n_filled * stride))
        sum_block(block, sizes, blocks, listed, functions, plan, work)
        add_pair_terms(z, plan.pair, work.raw, sums)
        differentiate_energy(z, sizes.n_elements, plan, functions, work, work.raw)
        add_block_forces(z, sizes, plan, work, work.raw, results.forces)
        write_sums(shifted(blocks.atoms, block * LANES), work.sums, results)
        n_filled += 1
        is_last = block + 1 == last
        if not is_last:
            is_last = element(blocks.element, block + 1) != z
        if is_last or n_filled == BUNDLE:
            clear_densities(element(plan.used_size, z), n_filled, stride, bundle)
            add_bundle(z, plan, terms, stride, bundle, sums)
            n_filled = 0
