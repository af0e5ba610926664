"""Single precision against double: the same energies, forces and stresses but for rounding."""

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
from ase import Atoms

from linmlp import ACE
from linmlp.descriptors.ace.evaluator import AceEvaluator
from linmlp.descriptors.ace.single_evaluator import AceSingleEvaluator
from linmlp.descriptors.ace.single_loops import evaluate_single
from linmlp.neighbors import VerletList, find_pairs
from tests.battery import central_difference
from tests.descriptors.ace.test_evaluator import CASES, make_coefficients, make_crystal

# Rounding of single precision is 6e-8; some hundred products of random coefficients are summed, and cancel.
BOUND = 5e-6


@pytest.fixture(params=CASES)
def parameters(request):
    return CASES[request.param]


def check(parameters, atoms, coefficients=None, n_threads=1, bound=BOUND):
    """Compare all results in units of the largest of each kind."""
    coefficients = make_coefficients(parameters) if coefficients is None else coefficients
    pairs = find_pairs(atoms, parameters.cutoff)
    expected = AceEvaluator(parameters, coefficients).compute(pairs)
    results = AceSingleEvaluator(parameters, coefficients).compute(pairs, n_threads)
    for result, wanted in zip(results, expected, strict=True):
        assert result.dtype == float
        np.testing.assert_allclose(result, wanted, rtol=0, atol=bound * np.abs(wanted).max(initial=0.0))


def make_liquid(parameters):
    """Atoms at random, none closer than 1.9 Å."""
    rng = np.random.default_rng(8)
    atoms = Atoms(cell=[8.0, 8.5, 9.0], pbc=True)
    while len(atoms) < 21:
        new = atoms + Atoms([rng.choice(parameters.numbers)], positions=[rng.uniform(0, 8, 3)])
        if len(new) == 1 or new.get_all_distances(mic=True)[-1, :-1].min() > 1.9:
            atoms = new
    return atoms


def test_crystals_and_liquids(parameters):
    check(parameters, make_crystal(parameters))
    check(parameters, make_crystal(parameters, repeat=2), n_threads=2)
    check(parameters, make_liquid(parameters))


def test_clusters(parameters):
    positions = [[0, 0, 0], [0, 0, 2.3], [1.9, 0.2, 0.5], [-2.0, 1.0, -0.4], [30, 0, 0]]
    for n in range(1, 6):
        check(parameters, Atoms(np.resize(parameters.numbers, n), positions=positions[:n]))


def test_cell_smaller_than_the_cutoff(parameters):
    check(parameters, Atoms([parameters.numbers[-1]], cell=[2.4, 2.5, 2.6], pbc=True))


def test_isolated_atom_and_no_atoms(parameters):
    evaluator = AceSingleEvaluator(parameters, make_coefficients(parameters))
    for atoms in (Atoms([parameters.numbers[0]], positions=[[1, 2, 3]]), Atoms()):
        energies, forces, strain = evaluator.compute(find_pairs(atoms, parameters.cutoff), 3)
        assert (energies.shape, forces.shape, strain.shape) == ((len(atoms),), (len(atoms), 3), (len(atoms), 6))
        assert not any(np.any(result) for result in (energies, forces, strain))


def test_selected_functions():
    parameters = CASES["one element"]
    dense = make_coefficients(parameters)
    few = np.where(np.random.default_rng(5).random(len(dense)) < 0.1, dense, 0.0)
    check(parameters, make_crystal(parameters), few)
    check(parameters, make_crystal(parameters), np.zeros_like(dense))


def test_many_functions():
    """ACE with as many functions as by default, whose radial maps have entries of a million that cancel."""
    crystals = [make_crystal(CASES["one element"], seed=seed) for seed in range(8)]
    descriptor = ACE(cutoff=5.5).fit(crystals)
    assert np.abs(descriptor.parameters_.radial_map).max() > 1e5
    features = np.concatenate([descriptor.compute_features(descriptor.pairs(atoms)) for atoms in crystals])
    coefficients = np.random.default_rng(0).normal(size=descriptor.n_features_out_)
    assert len(coefficients) == 750
    check(descriptor.parameters_, crystals[0], coefficients / np.maximum(features.std(axis=0), 1e-3))


def test_finite_differences(parameters):
    """Of the energy in double precision to the digits of single, and of its own energy to those that are left."""
    atoms, coefficients = make_crystal(parameters), make_coefficients(parameters)
    exact, single = AceEvaluator(parameters, coefficients), AceSingleEvaluator(parameters, coefficients)
    forces = single.compute(find_pairs(atoms, parameters.cutoff))[1]
    scale = np.abs(forces).max()
    rng = np.random.default_rng(3)
    for atom, axis in zip(rng.integers(len(atoms), size=4), rng.integers(3, size=4), strict=True):
        # A step h leaves an error of 2e-6 / h in single precision; functions have a third derivative at the cutoff.
        for evaluator, step, tolerance in ((exact, 5e-4, 2e-5), (single, 5e-3, 3e-3)):

            def energy(x, atom=atom, axis=axis, evaluator=evaluator):
                moved = atoms.copy()
                moved.positions[atom, axis] += x
                return evaluator.compute(find_pairs(moved, parameters.cutoff))[0].sum()

            assert abs(central_difference(energy, step) + forces[atom, axis]) < tolerance * scale


def test_momentum_is_conserved_in_double_precision(parameters):
    atoms = make_crystal(parameters)
    forces = AceSingleEvaluator(parameters, make_coefficients(parameters)).compute(
        find_pairs(atoms, parameters.cutoff)
    )[1]
    np.testing.assert_allclose(forces.sum(axis=0), 0.0, atol=1e-12 * np.abs(forces).max() * len(forces))


def test_threads(parameters):
    atoms = make_crystal(parameters, repeat=3)
    evaluator = AceSingleEvaluator(parameters, make_coefficients(parameters))
    pairs = find_pairs(atoms, parameters.cutoff)
    expected = evaluator.compute(pairs)
    for n_threads in (2, 3, 1000):
        results = evaluator.compute(pairs, n_threads)
        np.testing.assert_array_equal(results[0], expected[0])
        # Shares of a force are the same numbers, added in double precision in another order.
        np.testing.assert_allclose(results[1], expected[1], rtol=0, atol=1e-13 * np.abs(expected[1]).max())
        np.testing.assert_array_equal(results[2], expected[2])
        np.testing.assert_array_equal(evaluator.compute(pairs, n_threads)[1], results[1])


def test_list_with_skin():
    parameters = CASES["two elements"]
    atoms, coefficients = make_crystal(parameters, repeat=2), make_coefficients(parameters)
    neighbors, rng = VerletList(parameters.cutoff, skin=0.8), np.random.default_rng(6)
    evaluator, exact = AceSingleEvaluator(parameters, coefficients), AceEvaluator(parameters, coefficients)
    for _ in range(3):
        forces = evaluator.compute(neighbors.pairs(atoms))[1]
        wanted = exact.compute(find_pairs(atoms, parameters.cutoff))[1]
        np.testing.assert_allclose(forces, wanted, rtol=0, atol=BOUND * np.abs(wanted).max())
        atoms.positions += rng.normal(0, 0.05, atoms.positions.shape)
    assert neighbors.n_searches == 1


def test_far_from_the_origin():
    """Vectors between atoms are made in double precision."""
    parameters = CASES["one element"]
    atoms = make_crystal(parameters)
    evaluator = AceSingleEvaluator(parameters, make_coefficients(parameters))
    near = evaluator.compute(find_pairs(atoms, parameters.cutoff))[1]
    atoms.positions += 1e4
    far = evaluator.compute(find_pairs(atoms, parameters.cutoff))[1]
    np.testing.assert_allclose(far, near, rtol=0, atol=BOUND * np.abs(near).max())


def test_cache_does_not_depend_on_where_classes_live():
    check(CASES["one element"], make_crystal(CASES["one element"]))
    assert evaluate_single.signatures
    assert b"linmlp" not in pickle.dumps(evaluate_single.signatures)


SCRIPT = """
import sys
import numpy as np
from linmlp.neighbors import find_pairs
from linmlp.descriptors.ace.single_evaluator import AceSingleEvaluator
from tests.descriptors.ace.test_evaluator import make_coefficients, make_parameters
from ase import Atoms
p = make_parameters(2, (3, 4, 3, 2), 2, n_channels=1)
atoms = Atoms([3, 14, 14], positions=[[0, 0, 0], [0, 0.3, 2.3], [1.9, 0.2, 0.5]], cell=[4.2, 5, 6], pbc=[1, 0, 0])
results = AceSingleEvaluator(p, make_coefficients(p)).compute(find_pairs(atoms, p.cutoff))
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
        np.testing.assert_allclose(checked, compiled, rtol=0, atol=BOUND * np.abs(compiled).max())
