import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111, graphene, molecule
from ase.neighborlist import primitive_neighbor_list
from scipy.spatial.transform import Rotation

from linmlp.exceptions import SettingsError, StructureError
from linmlp.neighbors import find_pairs
from tests.naive.pairs import naive_pairs

ALL_PBC = [tuple(bool(bits >> axis & 1) for axis in range(3)) for bits in range(8)]


def random_structure(rng, pbc, n_atoms=6, spread=3.0):
    cell = np.diag(rng.uniform(2.5, 6.0, 3)) + rng.normal(scale=1.0, size=(3, 3))
    cell = cell @ Rotation.random(random_state=int(rng.integers(2**31))).as_matrix()
    symbols = rng.choice(["O", "Si", "H"], n_atoms)
    return Atoms(symbols, positions=rng.normal(scale=spread, size=(n_atoms, 3)), cell=cell, pbc=pbc)


def cell_shifts(pairs, atoms):
    """Whole-number shifts, found from the Cartesian ones by least squares on the periodic vectors."""
    periodic = atoms.cell.array[atoms.pbc]
    counts = np.zeros((len(pairs), 3), dtype=int)
    if len(periodic):
        exact = pairs.shift @ np.linalg.pinv(periodic)
        np.testing.assert_allclose(exact, np.round(exact), atol=1e-9)
        counts[:, atoms.pbc] = np.round(exact).astype(int)
    return counts


def assert_same_pairs(atoms, cutoff):
    pairs = find_pairs(atoms, cutoff)
    expected = naive_pairs(atoms, cutoff)
    found = list(zip(pairs.i.tolist(), pairs.j.tolist(), map(tuple, cell_shifts(pairs, atoms).tolist()), strict=True))
    assert found == [pair[:3] for pair in expected], f"{atoms!r} {atoms.positions.tolist()}"
    np.testing.assert_allclose(pairs.vectors.reshape(-1, 3), np.reshape([p[3] for p in expected], (-1, 3)), atol=1e-12)
    np.testing.assert_allclose(pairs.distances, np.linalg.norm(pairs.vectors, axis=1), rtol=1e-14)
    return pairs


@pytest.mark.parametrize("pbc", ALL_PBC)
@pytest.mark.parametrize("seed", range(4))
def test_random_cells_against_brute_force_and_ase(pbc, seed):
    rng = np.random.default_rng(seed)
    atoms = random_structure(rng, pbc)
    pairs = assert_same_pairs(atoms, 4.0)
    i, j, shift = primitive_neighbor_list("ijS", atoms.pbc, atoms.cell, atoms.positions, 4.0, numbers=atoms.numbers)
    found = np.column_stack([pairs.i, pairs.j, cell_shifts(pairs, atoms)])
    expected = np.column_stack([i, j, shift])
    assert sorted(map(tuple, found.tolist())) == sorted(map(tuple, expected.tolist()))


@pytest.mark.parametrize("pbc", ALL_PBC)
def test_cells_smaller_than_the_cutoff(pbc):
    rng = np.random.default_rng(5)
    atoms = random_structure(rng, pbc, n_atoms=2, spread=1.0)
    atoms.set_cell(atoms.cell.array * 0.45)
    assert_same_pairs(atoms, 4.0)


@pytest.mark.parametrize("pbc", ALL_PBC[:-1])
@pytest.mark.parametrize("filler", ["zero", "copy"])
def test_meaningless_vectors_along_axes_without_periodicity(pbc, filler):
    atoms = random_structure(np.random.default_rng(6), pbc)
    cell = atoms.cell.array.copy()
    for axis in np.flatnonzero(~atoms.pbc):
        cell[axis] = 0.0 if filler == "zero" else 2.0 * cell[(axis + 1) % 3]
    atoms.set_cell(cell)
    pairs = assert_same_pairs(atoms, 4.0)
    if filler == "zero":
        assert pairs.volume is None


def test_wrapping_changes_nothing_but_shifts():
    atoms = random_structure(np.random.default_rng(7), True, spread=20.0)
    wrapped = atoms.copy()
    wrapped.wrap()
    a, b = find_pairs(atoms, 4.0), find_pairs(wrapped, 4.0)
    assert len(a) == len(b)
    np.testing.assert_array_equal(a.first, b.first)
    np.testing.assert_allclose(np.sort(a.distances), np.sort(b.distances), atol=1e-12)


def test_lone_atoms():
    free = find_pairs(Atoms("Si", positions=[[1.0, 2.0, 3.0]]), 5.0)
    assert len(free) == 0
    assert free.first.tolist() == [0, 0]
    assert free.volume is None
    assert free.vectors.shape == (0, 3)
    chain = find_pairs(Atoms("Si", cell=[0.0, 2.0, 0.0], pbc=[False, True, False]), 5.0)
    np.testing.assert_allclose(chain.shift[:, 1], [-4.0, -2.0, 2.0, 4.0])
    assert find_pairs(Atoms(), 5.0).first.tolist() == [0]


def test_known_shells():
    copper = find_pairs(bulk("Cu", a=3.6), 3.7)
    np.testing.assert_allclose(np.unique(np.round(copper.distances, 9)), [3.6 / np.sqrt(2), 3.6])
    assert len(copper) == 12 + 6
    assert copper.volume == pytest.approx(3.6**3 / 4)
    sheet = find_pairs(graphene(a=2.46), 1.5)
    assert np.diff(sheet.first).tolist() == [3, 3]
    assert np.diff(find_pairs(molecule("CH4"), 1.2).first).tolist() == [4, 1, 1, 1, 1]


def test_neighbors_are_sorted_by_element_within_a_center():
    pairs = find_pairs(bulk("NaCl", "rocksalt", a=5.6, cubic=True), 4.5)
    for i in range(len(pairs.numbers)):
        numbers = pairs.numbers[pairs.j[pairs.first[i] : pairs.first[i + 1]]]
        assert (np.diff(numbers) >= 0).all()
    assert pairs.j.dtype == pairs.first.dtype == pairs.numbers.dtype == np.int64
    assert pairs.shift.flags.c_contiguous
    assert pairs.positions.flags.c_contiguous


def test_every_pair_has_its_reverse():
    pairs = find_pairs(fcc111("Al", (2, 2, 3), vacuum=5.0), 5.0)
    forward = np.column_stack([pairs.i, pairs.j, np.round(pairs.vectors, 8) + 0.0])
    backward = np.column_stack([pairs.j, pairs.i, np.round(-pairs.vectors, 8) + 0.0])
    assert sorted(map(tuple, forward.tolist())) == sorted(map(tuple, backward.tolist()))


@pytest.mark.parametrize(
    ("positions", "cell", "pbc"),
    [
        ([[0, 0, 0], [1e7, 0, 0], [1e7 + 1, 0, 0]], [0, 0, 0], False),
        ([[0, 0, 0], [0, 1e9, 0], [0, 1e9, 1]], [3, 0, 0], [True, False, False]),
        ([[0, 0, 0], [4e3, 4e3, 0], [4e3, 4e3, 1], [2e3, 0, 0]], [5e3, 5e3, 6], [True, True, False]),
        ([[0, 0, 0], [4e3, 4e3, 0], [4e3, 4e3, 1], [2e3, 0, 0]], [5e3, 5e3, 6], True),
        (np.arange(300)[:, None] * [300.0, 200.0, 0.0] + np.arange(300)[:, None] % 2 * [0, 0, 1.0], [0, 0, 0], False),
    ],
)
def test_fragments_far_apart_and_long_thin_boxes(positions, cell, pbc):
    atoms = Atoms(numbers=[14] * len(positions), positions=positions, cell=cell, pbc=pbc)
    pairs = find_pairs(atoms, 2.0)
    i, j = np.triu_indices(len(atoms), 1)
    direct = np.linalg.norm(atoms.positions[i] - atoms.positions[j], axis=1) < 2.0
    assert len(pairs) == 2 * direct.sum() + 0
    assert (pairs.distances < 2.0).all()


def test_two_atoms_across_a_closed_gap():
    rng = np.random.default_rng(3)
    cluster = rng.uniform(0, 6.0, (40, 3))
    positions = np.concatenate([cluster, cluster + np.array([3e5, -2e5, 1e4])])
    pairs = find_pairs(Atoms("Si80", positions=positions), 3.0)
    alone = find_pairs(Atoms("Si40", positions=cluster), 3.0)
    assert len(pairs) == 2 * len(alone)
    np.testing.assert_allclose(np.sort(pairs.distances), np.sort(np.tile(alone.distances, 2)), atol=1e-9)


def test_bad_input():
    atoms = bulk("Si")
    for cutoff in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(SettingsError, match="positive number of Å"):
            find_pairs(atoms, cutoff)
    with pytest.raises(StructureError, match="axis 1, but that cell vector is zero"):
        find_pairs(Atoms("Si", cell=[2, 0, 2], pbc=True), 3.0)
    with pytest.raises(StructureError, match="linearly dependent"):
        find_pairs(Atoms("Si", cell=[[2, 0, 0], [4, 0, 0], [0, 0, 1]], pbc=[True, True, False]), 3.0)
    with pytest.raises(StructureError, match="too long and thin"):
        find_pairs(Atoms("Si", cell=[1e9, 1, 1], pbc=True), 1.0)
    atoms.positions[0, 0] = np.nan
    with pytest.raises(StructureError, match="finite"):
        find_pairs(atoms, 3.0)
