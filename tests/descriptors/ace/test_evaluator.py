"""Energies, forces and strain derivatives against the formulas, finite differences and symmetries."""

import os
import pickle
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from scipy.spatial.transform import Rotation

from linmlp.descriptors.ace.basis import enumerate_functions
from linmlp.descriptors.ace.evaluator import AceEvaluator
from linmlp.descriptors.ace.evaluator_loops import evaluate_blocks
from linmlp.descriptors.ace.lane_blocks import make_blocks
from linmlp.descriptors.ace.parameters import AceParameters
from linmlp.descriptors.ace.radial import SCALING
from linmlp.neighbors import VerletList, find_pairs
from linmlp.units import VOIGT
from tests.battery import central_difference
from tests.naive import ace as naive

NUMBERS = (3, 14, 22, 72)
CUTOFF = 4.1


def make_parameters(n_elements, max_degree, max_l, full_map=False, seed=0, n_channels=None):
    """Random radial maps that differ with l, and mixtures that differ with the center.

    Inner switches act on typical distances, and one is off.
    """
    rng = np.random.default_rng(seed)
    n_pair, n_radial = max_degree[0] + 1, max([1, *(d + 1 for d in max_degree[1:])])
    radial_map = rng.normal(size=(n_elements, n_elements, max_l + 1, n_radial, n_radial + full_map))
    if n_channels is not None:
        radial_map[:] = radial_map[:, :1]
    width = rng.uniform(0.3, 1.0, (n_elements, n_elements))
    width[0, 0] = 0.0
    return AceParameters(
        numbers=NUMBERS[:n_elements],
        cutoff=CUTOFF,
        scaling=SCALING,
        functions=tuple(enumerate_functions(n_elements, max_degree, max_l, n_channels)),
        radial_map=radial_map if full_map else np.tril(radial_map),
        pair_map=rng.normal(size=(n_elements, n_elements, n_pair, n_pair)),
        inner=rng.uniform(2.2, 2.8, (n_elements, n_elements)),
        inner_width=width,
        mixing=None if n_channels is None else rng.normal(size=(n_elements, n_channels, n_elements)),
    )


def make_coefficients(parameters, seed=2):
    return np.random.default_rng(seed).normal(size=parameters.n_features) / np.sqrt(parameters.n_features)


def make_crystal(parameters, repeat=1, seed=1):
    """A disordered crystal with every element around some atom."""
    rng = np.random.default_rng(seed)
    atoms = bulk("Si", cubic=True, a=5.2) * repeat
    atoms.positions += rng.normal(0, 0.1, atoms.positions.shape)
    atoms.numbers = rng.permutation(np.resize(parameters.numbers, len(atoms)))
    return atoms


CASES = {
    "one element": make_parameters(1, (7, 7, 6), 4),
    "one element, high l": make_parameters(1, (2, 12, 9), 6),
    "two elements": make_parameters(2, (5, 4, 3), 2),
    "three elements, general maps": make_parameters(3, (3, 3, 2), 2, full_map=True),
    "four elements": make_parameters(4, (2, 2, 2), 1),
    "pairs only": make_parameters(2, (6,), 0),
    "order 2": make_parameters(2, (3, 4), 3),
    "order 4": make_parameters(1, (2, 2, 2, 6), 3),
    "order 4, L above max_l": make_parameters(1, (1, 1, 1, 6), 1, full_map=True),
    "one channel": make_parameters(2, (7, 6, 5), 3, n_channels=1),
    "two channels, three elements": make_parameters(3, (3, 3, 2), 2, full_map=True, n_channels=2),
    "three channels, four elements": make_parameters(4, (2, 2, 2), 1, n_channels=3),
    "order 4, two channels": make_parameters(3, (2, 2, 2, 3), 2, n_channels=2),
    "order 4, two elements": make_parameters(2, (2, 2, 2, 3), 2),
}


@pytest.fixture(params=CASES)
def parameters(request):
    return CASES[request.param]


def evaluate(parameters, atoms, n_threads=1, coefficients=None):
    coefficients = make_coefficients(parameters) if coefficients is None else coefficients
    return AceEvaluator(parameters, coefficients).compute(find_pairs(atoms, parameters.cutoff), n_threads)


def naive_energies(p, atoms, coefficients):
    pairs = find_pairs(atoms, p.cutoff)
    rest = (pairs, p.cutoff, p.radial_map, p.pair_map, p.inner, p.inner_width, p.mixing)
    return naive.features(p.functions, len(p.numbers), atoms.numbers, p.numbers, *rest) @ coefficients


def check_energies(parameters, atoms, n_threads=1):
    coefficients = make_coefficients(parameters)
    energies = evaluate(parameters, atoms, n_threads, coefficients)[0]
    expected = naive_energies(parameters, atoms, coefficients)
    # sums of some hundred products with rounding errors of 1e-16 each
    np.testing.assert_allclose(energies, expected, rtol=0, atol=1e-12 * max(1.0, np.abs(expected).max()))


def test_energies_match_formulas(parameters):
    check_energies(parameters, make_crystal(parameters))


def test_energies_of_molecules(parameters):
    positions = [[0, 0, 0], [0, 0, 2.3], [1.9, 0.2, 0.5], [-2.0, 1.0, -0.4], [30, 0, 0]]
    for n in range(1, 6):
        check_energies(parameters, Atoms(np.resize(parameters.numbers, n), positions=positions[:n]))


def test_cell_smaller_than_the_cutoff(parameters):
    check_energies(parameters, Atoms([parameters.numbers[-1]], cell=[2.4, 2.5, 2.6], pbc=True))


def test_isolated_atom_and_no_atoms(parameters):
    for atoms in (Atoms([parameters.numbers[0]], positions=[[1, 2, 3]]), Atoms()):
        energies, forces, strain = evaluate(parameters, atoms, n_threads=3)
        assert energies.shape == (len(atoms),)
        assert forces.shape == (len(atoms), 3)
        assert strain.shape == (len(atoms), 6)
        assert not np.any(energies)
        assert not np.any(forces)
        assert not np.any(strain)


def test_unusual_function_sets():
    """Functions without coefficients, functions with gaps in n and l, and no functions at all."""
    p = CASES["one element"]
    atoms = make_crystal(p)
    coefficients = np.where(np.random.default_rng(5).random(p.n_features) < 0.1, make_coefficients(p), 0.0)
    energies = evaluate(p, atoms, coefficients=coefficients)[0]
    np.testing.assert_allclose(energies, naive_energies(p, atoms, coefficients), rtol=0, atol=1e-12)
    odd = replace(p, functions=(((0, 3, 1), (0, 0, 1)), ((0, 1, 1), (0, 2, 2), (0, 0, 3)), ((0, 6, 0),) * 3))
    energies = evaluate(odd, atoms, coefficients=np.array([0.3, -1.2, 0.1]))[0]
    expected = naive_energies(odd, atoms, np.array([0.3, -1.2, 0.1]))
    np.testing.assert_allclose(energies, expected, rtol=1e-12)
    assert not np.any(evaluate(p, atoms, coefficients=np.zeros(p.n_features))[1])


def test_elements_that_do_not_matter():
    """A center whose coefficients are all zero, and neighbors that no function sees."""
    p = CASES["two elements"]
    atoms = make_crystal(p)
    coefficients = make_coefficients(p)
    coefficients[: len(p.functions)] = 0.0
    coefficients[[len(p.functions) + k for k, f in enumerate(p.functions) if any(e == 0 for e, _, _ in f)]] = 0.0
    energies, forces, _ = evaluate(p, atoms, coefficients=coefficients)
    np.testing.assert_allclose(energies, naive_energies(p, atoms, coefficients), rtol=0, atol=1e-12)
    of_first = atoms.numbers == p.numbers[0]
    assert not np.any(energies[of_first])
    assert not np.any(forces[of_first])


def check_derivatives(parameters, atoms, rng):
    _, forces, strain = evaluate(parameters, atoms)
    evaluator = AceEvaluator(parameters, make_coefficients(parameters))

    def energy(moved):
        return evaluator.compute(find_pairs(moved, parameters.cutoff))[0].sum()

    for atom, axis in zip(rng.integers(len(atoms), size=4), rng.integers(3, size=4), strict=True):

        def displaced(x, atom=atom, axis=axis):
            moved = atoms.copy()
            moved.positions[atom, axis] += x
            return energy(moved)

        assert abs(central_difference(displaced, 5e-4) + forces[atom, axis]) < 1e-8 * np.abs(forces).max()
    for component, (a, b) in enumerate(VOIGT):

        def strained(x, a=a, b=b):
            deformation = np.eye(3)
            deformation[a, b] += x / 2
            deformation[b, a] += x / 2
            moved = atoms.copy()
            moved.set_cell(atoms.cell.array @ deformation, scale_atoms=True)
            return energy(moved)

        total = strain.sum(axis=0)
        assert abs(central_difference(strained, 2e-4) - total[component]) < 1e-8 * np.abs(total).max()


def test_derivatives(parameters):
    atoms = make_crystal(parameters)
    distances = find_pairs(atoms, 1.1 * CUTOFF).distances
    # the raw functions are three times differentiable only where no neighbor passes the cutoff
    cutoff = float(np.mean(np.sort(distances)[_widest_gap(distances)]))
    check_derivatives(replace(parameters, cutoff=cutoff), atoms, np.random.default_rng(3))


def _widest_gap(distances):
    ordered = np.sort(distances)
    gaps = np.where(ordered[:-1] > 0.85 * CUTOFF, np.diff(ordered), 0.0)
    assert gaps.max() > 0.01
    return [int(gaps.argmax()), int(gaps.argmax()) + 1]


def test_rotation_reflection_and_permutation(parameters):
    atoms = make_crystal(parameters)
    energies, forces, strain = evaluate(parameters, atoms)
    scale = np.abs(forces).max()
    turn = -Rotation.random(rng=np.random.default_rng(4)).as_matrix()
    turned = Atoms(atoms.numbers, positions=atoms.positions @ turn.T, cell=atoms.cell.array @ turn.T, pbc=True)
    new = evaluate(parameters, turned)
    np.testing.assert_allclose(new[0], energies, rtol=0, atol=1e-12 * max(1.0, np.abs(energies).max()))
    np.testing.assert_allclose(new[1], forces @ turn.T, rtol=0, atol=1e-11 * scale)
    order = np.random.default_rng(4).permutation(len(atoms))
    new = evaluate(parameters, atoms[order])
    np.testing.assert_allclose(new[0], energies[order], rtol=0, atol=1e-12 * max(1.0, np.abs(energies).max()))
    np.testing.assert_allclose(new[1], forces[order], rtol=0, atol=1e-11 * scale)
    np.testing.assert_allclose(new[2], strain[order], rtol=0, atol=1e-11 * np.abs(strain).max())


def test_forces_add_up_to_zero(parameters):
    forces = evaluate(parameters, make_crystal(parameters))[1]
    np.testing.assert_allclose(forces.sum(axis=0), 0.0, atol=1e-12 * np.abs(forces).max() * len(forces))


def test_threads(parameters):
    atoms = make_crystal(parameters, repeat=3)
    expected = evaluate(parameters, atoms)
    for n_threads in (2, 3, 1000):
        results = evaluate(parameters, atoms, n_threads)
        np.testing.assert_array_equal(results[0], expected[0])
        np.testing.assert_allclose(results[1], expected[1], rtol=0, atol=1e-13 * np.abs(expected[1]).max())
        np.testing.assert_array_equal(results[2], expected[2])
        again = evaluate(parameters, atoms, n_threads)
        np.testing.assert_array_equal(again[1], results[1])


def test_supercell_equals_cell(parameters):
    atoms = make_crystal(parameters)
    energies, forces, strain = evaluate(parameters, atoms)
    large = evaluate(parameters, atoms * (3, 2, 2), n_threads=2)
    np.testing.assert_allclose(large[0], np.tile(energies, 12), rtol=0, atol=1e-12 * max(1, np.abs(energies).max()))
    np.testing.assert_allclose(large[1], np.tile(forces, (12, 1)), rtol=0, atol=1e-11 * np.abs(forces).max())
    np.testing.assert_allclose(large[2], np.tile(strain, (12, 1)), rtol=0, atol=1e-11 * np.abs(strain).max())


def test_list_with_skin(parameters):
    """Pairs beyond the cutoff change nothing, while atoms move and the list stays the same."""
    atoms = make_crystal(parameters, repeat=2)
    neighbors = VerletList(parameters.cutoff, skin=0.8)
    evaluator = AceEvaluator(parameters, make_coefficients(parameters))
    rng = np.random.default_rng(6)
    for _ in range(3):
        results = evaluator.compute(neighbors.pairs(atoms))
        expected = evaluate(parameters, atoms)
        for result, wanted in zip(results, expected, strict=True):
            np.testing.assert_allclose(result, wanted, rtol=0, atol=1e-12 * max(1.0, np.abs(wanted).max()))
        atoms.positions += rng.normal(0, 0.05, atoms.positions.shape)
        atoms.set_cell(atoms.cell.array * 1.001)
    assert neighbors.n_searches == 1


def test_other_structure_between(parameters):
    """What is remembered of one list of pairs is not used for another."""
    evaluator = AceEvaluator(parameters, make_coefficients(parameters))
    first, second = make_crystal(parameters, seed=1), make_crystal(parameters, seed=7)
    for atoms in (first, second, first):
        np.testing.assert_array_equal(
            evaluator.compute(find_pairs(atoms, parameters.cutoff))[1], evaluate(parameters, atoms)[1]
        )


def test_positions_in_fortran_order(parameters):
    atoms = make_crystal(parameters)
    pairs = find_pairs(atoms, parameters.cutoff)
    pairs = replace(pairs, positions=np.asfortranarray(pairs.positions), shift=np.asfortranarray(pairs.shift))
    forces = AceEvaluator(parameters, make_coefficients(parameters)).compute(pairs)[1]
    np.testing.assert_array_equal(forces, evaluate(parameters, atoms)[1])


@pytest.mark.parametrize("n_elements", [1, 3])
def test_blocks_hold_every_atom_once(n_elements):
    rng = np.random.default_rng(0)
    kinds = rng.integers(n_elements, size=53)
    counts = rng.integers(12, size=53)
    first = np.concatenate([[0], np.cumsum(counts)])
    j = rng.choice(53, size=counts.sum())
    blocks = make_blocks(first, j, rng.random(len(j)) < 0.7, kinds, n_elements, 8)
    atoms = blocks.atoms[blocks.atoms >= 0]
    assert sorted(atoms.tolist()) == list(range(53))
    for element, members in zip(blocks.element, blocks.atoms, strict=True):
        assert np.all(kinds[members[members >= 0]] == element)
    for members, slots in zip(blocks.atoms, blocks.slots, strict=True):
        for i in members[members >= 0]:
            assert np.all(np.bincount(kinds[j[first[i] : first[i + 1]]], minlength=n_elements) <= slots)


def test_cache_does_not_depend_on_where_classes_live():
    """Compiled code in the cache is looked up by types; one that cannot be unpickled any more would be an error."""
    evaluate(CASES["one element"], make_crystal(CASES["one element"]))
    assert evaluate_blocks.signatures
    assert b"linmlp" not in pickle.dumps(evaluate_blocks.signatures)


SCRIPT = """
import sys
import numpy as np
from linmlp.neighbors import find_pairs
from linmlp.descriptors.ace.evaluator import AceEvaluator
from tests.descriptors.ace.test_evaluator import CASES, make_coefficients, make_parameters
from ase import Atoms
atoms = Atoms([3, 14, 14], positions=[[0, 0, 0], [0, 0.3, 2.3], [1.9, 0.2, 0.5]], cell=[4.2, 5, 6], pbc=[1, 0, 0])
results = []
for n_channels in (None, 1):
    p = make_parameters(2, (3, 4, 3, 2), 2, n_channels=n_channels)
    results += AceEvaluator(p, make_coefficients(p)).compute(find_pairs(atoms, p.cutoff))
np.savez(sys.argv[1], *results)
"""


def test_bounds_checked_run_gives_the_same(tmp_path):
    """Without compilation every load and store is a checked slice."""
    results = []
    for disabled in ("0", "1"):
        file = tmp_path / f"{disabled}.npz"
        environment = os.environ | {"NUMBA_DISABLE_JIT": disabled}
        subprocess.run([sys.executable, "-W", "error", "-c", SCRIPT, str(file)], env=environment, check=True)
        with np.load(file) as data:
            results.append([data[name] for name in data.files])
    for compiled, checked in zip(*results, strict=True):
        np.testing.assert_allclose(checked, compiled, rtol=0, atol=1e-12 * np.abs(compiled).max())
