"""Compiled: what a potential predicts for blocks of atoms, and what tells how far that may be trusted, in one pass."""
# mypy: allow-untyped-defs, allow-untyped-calls

from numba import njit

from linmlp.descriptors.ace.block_loops import (
    add_block_forces,
    differentiate,
    differentiate_energy,
    sum_block,
    write_sums,
)
from linmlp.descriptors.ace.committee_records import plan_of_member, point_to_members
from linmlp.descriptors.ace.evaluator_records import (
    Sizes,
    point_to_blocks,
    point_to_functions,
    point_to_listed,
    point_to_plan,
    point_to_results,
    point_to_scratch,
)
from linmlp.descriptors.ace.feature_loops import add_features
from linmlp.descriptors.ace.judging_records import point_to_judgement, point_to_memory
from linmlp.descriptors.ace.lane_loops import OPTIONS
from linmlp.descriptors.ace.leverage_loops import CHUNK, place_of_block, square_norms, write_leverages
from linmlp.descriptors.ace.leverage_records import point_to_rows, point_to_whitening
from linmlp.descriptors.ace.pair_loops import add_pair_forces, double_block
from linmlp.descriptors.ace.term_loops import write_terms
from linmlp.descriptors.ace.term_records import point_to_terms
from linmlp.descriptors.simd import LANES, element, pointer, shifted


@njit(cache=True, **OPTIONS)
def evaluate_and_judge(
    first, last, sizes, blocks, listed, functions, plan, scratch, committee, features, memory, results, judgement
):
    """Do as `linmlp.descriptors.ace.evaluator_loops.evaluate_blocks`; add member forces, and sums and leverages.

    All but the first two arguments are records as plain tuples. committee are the memory, the functions, the plan, the
    coefficients and the radial basis of pairs of members; features are terms, rows of features, and whitening.
    """
    pairs, pair_functions, pair_plan, members, basis = committee
    terms, rows, whitening = features
    _evaluate(
        first,
        last,
        Sizes(*sizes),
        point_to_blocks(blocks),
        point_to_listed(listed),
        point_to_functions(functions),
        point_to_plan(plan),
        point_to_scratch(scratch),
        (
            point_to_scratch(pairs),
            point_to_functions(pair_functions),
            point_to_plan(pair_plan),
            point_to_members(members),
            pointer(basis),
            basis.shape[3],
        ),
        (point_to_terms(terms), point_to_rows(rows), point_to_whitening(whitening)),
        point_to_memory(memory),
        point_to_results(results),
        point_to_judgement(judgement),
    )


@njit(**OPTIONS)
def _evaluate(
    first, last, sizes, blocks, listed, functions, plan, scratch, committee, features, memory, results, judgement
):
    """Do the same with pointers for arrays."""
    n_filled = 0
    for block in range(first, last):
        z = element(blocks.element, block)
        atoms = shifted(blocks.atoms, block * LANES)
        sum_block(block, sizes, blocks, listed, functions, plan, scratch)
        if element(features[1].first, z + 1) > element(features[1].first, z):
            write_terms(z, plan, features[0], scratch.raw, scratch.A, memory.terms)
            add_features(z, features[1], memory.terms, judgement.sums, place_of_block(memory.features, n_filled))
            n_filled += 1
            is_last = block + 1 == last
            if not is_last:
                is_last = element(blocks.element, block + 1) != z
            if is_last or n_filled == CHUNK:
                of_chunk = shifted(blocks.atoms, (block + 1 - n_filled) * LANES)
                _judge_chunk(z, n_filled, of_chunk, features[2], memory, judgement)
                n_filled = 0
        differentiate_energy(z, sizes.n_elements, plan, functions, scratch, scratch.raw)
        add_block_forces(z, sizes, plan, scratch, scratch.raw, results.forces)
        write_sums(atoms, scratch.sums, results)
        _add_member_forces(z, atoms, sizes, listed.n_atoms, scratch, committee, memory, judgement)


@njit(**OPTIONS)
def _judge_chunk(z, n_blocks, atoms, whitening, memory, judgement):
    """Write the leverages of the atoms of a chunk."""
    matrix = shifted(whitening.numbers, element(whitening.start, z))
    square_norms(element(whitening.n_rows, z), matrix, memory.features, memory.norms)
    write_leverages(n_blocks, atoms, memory.norms, judgement.leverages)


@njit(**OPTIONS)
def _add_member_forces(z, atoms, sizes, n_atoms, scratch, committee, memory, judgement):
    """Add the forces of all members, two at a time."""
    pairs, functions, plan, members, basis, n_basis = committee
    double_block(z, sizes, plan, scratch, pairs, basis, n_basis)
    step = 3 * (n_atoms + 1)
    for pair in range(members.n_members):
        differentiate(z, sizes.n_elements, plan_of_member(plan, members, pair), functions, pairs, memory.derivatives)
        one = shifted(judgement.member_forces, 2 * pair * step)
        two = shifted(one, step)
        add_pair_forces(z, atoms, sizes, plan, scratch, pairs, memory.derivatives, one, two)
