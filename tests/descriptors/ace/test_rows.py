"""Design rows against the formulas, finite differences and sum rules."""

import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from linmlp.descriptors.ace.basis import enumerate_functions
from linmlp.descriptors.ace.parameters import AceParameters
from linmlp.descriptors.ace.radial import SCALING
from linmlp.descriptors.ace.row_plan import make_row_plan
from linmlp.descriptors.ace.rows import AceRows
from linmlp.neighbors import VerletList, find_pairs
from linmlp.units import VOIGT
from tests.naive import ace as naive

NUMBERS = (3, 14, 22, 72)
CUTOFF = 4.0


def make_parameters(n_elements, max_degree, max_l, l_dependent=False, seed=0, n_channels=None):
    """Random maps; inner switches that act on typical distances, and one that is off."""
    rng = np.random.default_rng(seed)
    n_pair, n_radial = max_degree[0] + 1, max([1, *(d + 1 for d in max_degree[1:])])
    shape = (n_elements, n_elements, max_l + 1 if l_dependent else 1, n_radial, n_radial)
    radial_map = rng.normal(size=shape) if l_dependent else np.tril(rng.normal(size=shape))
    if n_channels is not None:
        radial_map[:] = radial_map[:, :1]
    width = rng.uniform(0.3, 1.0, (n_elements, n_elements))
    width[0, 0] = 0.0
    return AceParameters(
        numbers=NUMBERS[:n_elements],
        cutoff=CUTOFF,
        scaling=SCALING,
        functions=tuple(enumerate_functions(n_elements, max_degree, max_l, n_channels)),
        radial_map=np.ascontiguousarray(np.broadcast_to(radial_map, (*shape[:2], max_l + 1, *shape[3:]))),
        pair_map=rng.normal(size=(n_elements, n_elements, n_pair, n_pair)),
        inner=rng.uniform(2.0, 2.8, (n_elements, n_elements)),
        inner_width=width,
        mixing=None if n_channels is None else rng.normal(size=(n_elements, n_channels, n_elements)),
    )


def make_crystal(parameters, seed=1):
    rng = np.random.default_rng(seed)
    atoms = bulk("Si", cubic=True, a=5.2)
    atoms.positions += rng.normal(0, 0.1, atoms.positions.shape)
    atoms.numbers = rng.permutation(np.resize(parameters.numbers, len(atoms)))
    return atoms


CASES = {
    "one element": make_parameters(1, (7, 7, 6), 4),
    "two elements": make_parameters(2, (5, 4, 3), 2),
    "three elements, maps differ with l": make_parameters(3, (3, 3, 2), 2, l_dependent=True),
    "four elements": make_parameters(4, (2, 2, 2), 1),
    "pair term only": make_parameters(2, (5,), 0),
    "two orders, no angles": make_parameters(2, (3, 2), 0),
    "order 4": make_parameters(1, (2, 2, 2, 6), 3),
    "order 4, L above max_l": make_parameters(1, (1, 1, 1, 6), 1, l_dependent=True),
    "one channel": make_parameters(2, (7, 6, 5), 3, n_channels=1),
    "two channels, maps differ with l": make_parameters(3, (3, 3, 2), 2, l_dependent=True, n_channels=2),
    "three channels, four elements": make_parameters(4, (2, 2, 2), 1, n_channels=3),
    "order 4, two channels": make_parameters(3, (2, 2, 2, 3), 2, n_channels=2),
    "order 4, two elements": make_parameters(2, (2, 2, 2, 3), 2),
}


@pytest.fixture(params=CASES.values(), ids=CASES.keys())
def parameters(request):
    return request.param


def write(rows, atoms, cutoff=CUTOFF):
    pairs = find_pairs(atoms, cutoff)
    out = rows.allocate(len(atoms))
    for array in out:
        array[:] = np.nan
    rows.write(pairs, *out)
    return out


def naive_features(parameters, atoms):
    p, pairs = parameters, find_pairs(atoms, parameters.cutoff)
    maps = p.radial_map, p.pair_map, p.inner, p.inner_width, p.mixing
    return naive.features(p.functions, len(p.numbers), pairs.numbers, p.numbers, pairs, p.cutoff, *maps)


def test_features_follow_the_formulas(parameters):
    atoms = make_crystal(parameters)
    expected = naive_features(parameters, atoms)
    found = AceRows(parameters).compute_features(find_pairs(atoms, CUTOFF))
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-12 * np.abs(expected).max())


def central_difference(energies, h):
    """Fourth-order difference; energies(s) at displacement s."""
    return (8 * (energies(h) - energies(-h)) - (energies(2 * h) - energies(-2 * h))) / (12 * h)


def test_rows_of_positions_are_derivatives(parameters):
    atoms, rows = make_crystal(parameters), AceRows(parameters)
    _, d_positions, _ = write(rows, atoms)

    def energies(atom, axis, s):
        moved = atoms.copy()
        moved.positions[atom, axis] += s
        return rows.compute_features(find_pairs(moved, CUTOFF)).sum(axis=0)

    for k in range(3 * len(atoms)):
        expected = central_difference(lambda s: energies(*divmod(k, 3), s), 2e-4)  # noqa: B023
        np.testing.assert_allclose(d_positions[k], expected, rtol=1e-8, atol=1e-8 * np.abs(d_positions).max())


def test_rows_of_strain_are_derivatives(parameters):
    atoms, rows = make_crystal(parameters), AceRows(parameters)
    _, _, d_strain = write(rows, atoms)

    def energies(a, b, s):
        strain = np.eye(3)
        strain[a, b] += s / 2
        strain[b, a] += s / 2
        strained = atoms.copy()
        strained.set_cell(atoms.cell.array @ strain, scale_atoms=True)
        return rows.compute_features(find_pairs(strained, CUTOFF)).sum(axis=0)

    for k, (a, b) in enumerate(VOIGT):
        expected = central_difference(lambda s: energies(a, b, s), 1e-4)  # noqa: B023
        np.testing.assert_allclose(d_strain[k], expected, rtol=1e-8, atol=1e-8 * np.abs(d_strain).max())


def test_energy_is_the_sum_of_the_features_and_translation_changes_nothing(parameters):
    atoms, rows = make_crystal(parameters), AceRows(parameters)
    energy, d_positions, _ = write(rows, atoms)
    np.testing.assert_allclose(energy, rows.compute_features(find_pairs(atoms, CUTOFF)).sum(axis=0), rtol=1e-12)
    total = d_positions.reshape(len(atoms), 3, -1).sum(axis=0)
    np.testing.assert_allclose(total, 0, atol=1e-13 * np.abs(d_positions).max() * len(atoms))


def test_what_is_not_wanted_is_not_written(parameters):
    atoms, rows = make_crystal(parameters), AceRows(parameters)
    energy, d_positions, d_strain = write(rows, atoms)
    pairs = find_pairs(atoms, CUTOFF)
    for wanted in ((False, False), (True, False), (False, True)):
        out = rows.allocate(len(atoms))
        rows.write(pairs, out[0], *(a if w else None for a, w in zip(out[1:], wanted, strict=True)))
        np.testing.assert_allclose(out[0], energy, rtol=1e-13)
        if wanted[0]:
            np.testing.assert_array_equal(out[1], d_positions)
        if wanted[1]:
            np.testing.assert_array_equal(out[2], d_strain)


def test_any_array_will_do():
    parameters = CASES["two elements"]
    atoms, rows = make_crystal(parameters), AceRows(parameters)
    expected, pairs = write(rows, atoms), find_pairs(atoms, CUTOFF)
    n, f = len(atoms), parameters.n_features
    assert rows.stride > f, "the padded path is not tested"
    wide = np.full((3 * n, rows.stride + 4), np.nan)
    out = np.full(f, np.nan), wide[:, 2 : 2 + f], np.full((6, f), np.nan)
    for _ in range(2):  # what was there does not matter
        rows.write(pairs, *out)
        for found, wanted in zip(out, expected, strict=True):
            np.testing.assert_array_equal(found, wanted)
    assert np.isnan(wide[:, :2]).all()
    assert np.isnan(wide[:, 2 + f :]).all()


def test_part_of_a_larger_allocation():
    parameters = CASES["two elements"]
    atoms, rows = make_crystal(parameters), AceRows(parameters)
    energy, d_positions, d_strain = write(rows, atoms)
    n = 3 * len(atoms)
    _, large, _ = rows.allocate(3 * len(atoms))
    large[:] = 7.0
    rows.write(find_pairs(atoms, CUTOFF), energy, large[n : 2 * n], d_strain)
    np.testing.assert_array_equal(large[n : 2 * n], d_positions)
    assert (large[:n] == 7.0).all()
    assert (large[2 * n :] == 7.0).all()


def test_rows_start_at_cache_lines():
    _, d_positions, d_strain = AceRows(CASES["one element"]).allocate(5)
    assert d_positions.ctypes.data % 64 == 0
    assert d_strain.ctypes.data % 64 == 0


@pytest.mark.parametrize("name", ["one element", "two elements"])
def test_single_atoms_have_no_features(name):
    parameters = CASES[name]
    rows = AceRows(parameters)
    for n in (1, 2):
        atoms = Atoms(numbers=NUMBERS[:1] * n, positions=np.arange(3 * n).reshape(n, 3) * 10.0)
        for array in write(rows, atoms):
            assert (array == 0).all()
        assert (rows.compute_features(find_pairs(atoms, CUTOFF)) == 0).all()


def test_absent_elements_have_no_features():
    parameters = CASES["three elements, maps differ with l"]
    atoms = make_crystal(parameters)
    atoms.numbers[:] = NUMBERS[1]
    n = len(parameters.functions)
    for array in write(AceRows(parameters), atoms):
        assert (array[..., :n] == 0).all()
        assert (array[..., 2 * n :] == 0).all()
        assert np.abs(array[..., n : 2 * n]).max() > 0


def test_neighbors_on_the_polar_axis():
    parameters = CASES["one element"]
    rows = AceRows(parameters)
    straight = Atoms("Li4", positions=[[0, 0, 0], [0, 0, 2.5], [0, 0, -2.6], [2.7, 0, 0]])
    tilted = straight.copy()
    tilted.rotate(40, (1, 2, 3))
    rotation = tilted.positions[1:].T @ np.linalg.pinv(straight.positions[1:].T)
    expected, found = write(rows, straight), write(rows, tilted)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-10, atol=1e-12)
    n = len(straight)
    derivatives = [d.reshape(n, 3, -1) for d in (expected[1], found[1])]
    in_plane = np.einsum("ab,ibf->iaf", rotation, derivatives[0])
    np.testing.assert_allclose(in_plane, derivatives[1], atol=1e-10 * np.abs(derivatives[1]).max())


@pytest.mark.parametrize("name", ["one element", "two elements"])
def test_a_cell_smaller_than_the_cutoff_equals_its_supercell(name):
    """Every atom is its own neighbor, several times in one block."""
    parameters = CASES[name]
    rows = AceRows(parameters)
    cell = bulk("Li", "bcc", a=2.6)
    cell.set_cell(cell.cell.array + np.random.default_rng(3).normal(0, 0.1, (3, 3)), scale_atoms=True)
    large = cell.repeat((3, 2, 2))
    one, many = write(rows, cell), write(rows, large)
    for small, big in zip((one[0], one[2]), (many[0], many[2]), strict=True):
        np.testing.assert_allclose(big, len(large) * small, rtol=1e-10, atol=1e-11 * np.abs(big).max())
    np.testing.assert_allclose(one[1], 0, atol=1e-12 * np.abs(one[2]).max())


def test_pairs_beyond_the_cutoff_do_not_matter():
    parameters = CASES["two elements"]
    atoms, rows = make_crystal(parameters), AceRows(parameters)
    pairs = VerletList(CUTOFF, 1.0).pairs(atoms)
    assert len(pairs) > len(find_pairs(atoms, CUTOFF))
    out = rows.allocate(len(atoms))
    rows.write(pairs, *out)
    for found, expected in zip(out, write(rows, atoms), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize("n_atoms", [3, 5, 11])
def test_any_number_of_centers(n_atoms):
    """Several centers share the couplings: with a rest, the features of each stay its own."""
    parameters = CASES["two elements"]
    atoms = make_crystal(parameters).repeat((1, 1, 2))[:n_atoms]
    expected = naive_features(parameters, atoms)
    found = AceRows(parameters).compute_features(find_pairs(atoms, CUTOFF))
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-12 * np.abs(expected).max())


def test_threads_give_what_one_thread_gives():
    parameters = CASES["two elements"]
    rows = AceRows(parameters)
    structures = [make_crystal(parameters, seed).repeat((1, 1, 1 + seed % 3)) for seed in range(12)]
    serial = [write(rows, atoms) for atoms in structures]
    with ThreadPoolExecutor(4) as pool:
        threaded = list(pool.map(lambda atoms: write(rows, atoms), structures))
    for one, other in zip(serial, threaded, strict=True):
        for expected, found in zip(one, other, strict=True):
            np.testing.assert_array_equal(found, expected)


def test_pull_back_is_the_rows_times_weights(parameters):
    atoms, rows = make_crystal(parameters), AceRows(parameters)
    _, d_positions, d_strain = write(rows, atoms)
    weights = np.random.default_rng(5).normal(size=parameters.n_features)
    forces, strain = rows.pull_back(find_pairs(atoms, CUTOFF), np.tile(weights, (len(atoms), 1)))
    np.testing.assert_allclose(forces.reshape(-1), -d_positions @ weights, atol=1e-12 * np.abs(forces).max())
    np.testing.assert_allclose(strain.sum(axis=0), d_strain @ weights, atol=1e-12 * np.abs(strain).max())


def test_pull_back_of_a_nonlinear_energy():
    parameters = CASES["two elements"]
    atoms, rows = make_crystal(parameters), AceRows(parameters)
    weights = np.random.default_rng(5).normal(size=parameters.n_features)

    def energy(positions):
        moved = atoms.copy()
        moved.positions = positions
        return np.sum(np.sin(0.1 * rows.compute_features(find_pairs(moved, CUTOFF)) @ weights))

    pairs = find_pairs(atoms, CUTOFF)
    slope = 0.1 * np.cos(0.1 * rows.compute_features(pairs) @ weights)[:, None] * weights
    forces, _ = rows.pull_back(pairs, slope)
    for k in range(0, 3 * len(atoms), 5):
        step = np.zeros(3 * len(atoms))
        step[k] = 1.0
        step = step.reshape(-1, 3)
        expected = -central_difference(lambda s: energy(atoms.positions + s * step), 2e-4)  # noqa: B023
        np.testing.assert_allclose(forces.reshape(-1)[k], expected, atol=1e-8 * np.abs(forces).max())


def test_copies_through_pickle():
    parameters = CASES["two elements"]
    atoms, rows = make_crystal(parameters), AceRows(parameters)
    for expected, found in zip(write(rows, atoms), write(pickle.loads(pickle.dumps(rows)), atoms), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_radial_rows_are_shared_when_the_map_does_not_depend_on_l():
    shared = make_row_plan(make_parameters(2, (3, 3, 3), 3))[0]
    assert shared.n_radial == 4
    own = make_row_plan(make_parameters(2, (3, 3, 3), 3, l_dependent=True))[0]
    assert own.n_radial > 4


def test_functions_may_come_in_any_order():
    parameters = CASES["two elements"]
    shuffled = np.random.default_rng(2).permutation(len(parameters.functions))
    other = replace(parameters, functions=tuple(parameters.functions[k] for k in shuffled))
    atoms = make_crystal(parameters)
    columns = np.concatenate([shuffled + z * len(shuffled) for z in range(2)])
    for expected, found in zip(write(AceRows(parameters), atoms), write(AceRows(other), atoms), strict=True):
        np.testing.assert_allclose(found, expected[..., columns], rtol=1e-12, atol=1e-12 * np.abs(expected).max())


SCRIPT = """
import numpy as np
from tests.descriptors.ace import test_rows as t
for name in ("two elements", "three elements, maps differ with l", "pair term only", "order 4, two elements"):
    parameters = t.CASES[name]
    atoms = t.make_crystal(parameters)[:5]
    rows = t.AceRows(parameters)
    expected = t.naive_features(parameters, atoms)
    pairs = t.find_pairs(atoms, t.CUTOFF)
    np.testing.assert_allclose(rows.compute_features(pairs), expected, atol=1e-11 * abs(expected).max())
    energy, d_positions, d_strain = t.write(rows, atoms)
    weights = np.arange(parameters.n_features) % 7 - 3.0
    forces, strain = rows.pull_back(pairs, np.tile(weights, (5, 1)))
    np.testing.assert_allclose(forces.reshape(-1), -d_positions @ weights, atol=1e-10 * abs(forces).max())
    np.testing.assert_allclose(strain.sum(0), d_strain @ weights, atol=1e-10 * abs(strain).max())
print("fine")
"""


@pytest.mark.parametrize("feature", ["+avx2", "+avx512f"])
def test_loops_stay_inside_their_arrays(feature):
    """Without the compiler, vector loads and stores are slices that check their bounds; four lanes and eight."""
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1", "NUMBA_CPU_FEATURES": feature, "PYTHONPATH": os.getcwd()}
    run = subprocess.run([sys.executable, "-W", "error", "-c", SCRIPT], env=environment, capture_output=True, text=True)
    assert run.stdout.strip() == "fine", run.stderr
