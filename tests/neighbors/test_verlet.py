import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111

from linmlp.exceptions import SettingsError
from linmlp.neighbors import VerletList, find_pairs


def assert_complete(verlet, atoms):
    """Pairs within the cutoff are those of a fresh search, with the same vectors."""
    pairs, fresh = verlet.pairs(atoms), find_pairs(atoms, verlet.cutoff)
    within = pairs.distances < verlet.cutoff
    found = np.column_stack([pairs.i, pairs.j, np.round(pairs.vectors, 8) + 0.0])[within]
    expected = np.column_stack([fresh.i, fresh.j, np.round(fresh.vectors, 8) + 0.0])
    assert sorted(map(tuple, found.tolist())) == sorted(map(tuple, expected.tolist()))
    assert pairs.cutoff == verlet.cutoff
    assert pairs.volume == pytest.approx(fresh.volume)
    np.testing.assert_array_equal(pairs.positions, atoms.positions)


def test_random_walk_keeps_every_pair_and_saves_searches():
    rng = np.random.default_rng(0)
    atoms = bulk("NaCl", "rocksalt", a=5.6, cubic=True)
    atoms.rattle(0.1, seed=1)
    verlet = VerletList(4.0, skin=0.8)
    for _ in range(60):
        assert_complete(verlet, atoms)
        atoms.positions += rng.normal(scale=0.05, size=atoms.positions.shape)
    assert 2 <= verlet.n_searches <= 20


def test_search_happens_exactly_beyond_half_the_skin():
    atoms = bulk("Si", cubic=True)
    verlet = VerletList(3.0, skin=0.4)
    start = atoms.positions.copy()
    for displacement, searches in ((0.0, 1), (0.199, 1), (0.201, 2)):
        atoms.positions = start
        atoms.positions[3, 1] += displacement
        verlet.pairs(atoms)
        assert verlet.n_searches == searches


def test_cell_changes_with_atoms_following():
    rng = np.random.default_rng(2)
    atoms = bulk("Si", cubic=True)
    verlet = VerletList(4.5, skin=0.6)
    for _ in range(40):
        assert_complete(verlet, atoms)
        strain = np.eye(3) + rng.normal(scale=0.006, size=(3, 3))
        atoms.set_cell(atoms.cell.array @ strain, scale_atoms=True)
        atoms.positions += rng.normal(scale=0.01, size=atoms.positions.shape)
    assert 2 <= verlet.n_searches <= 30


def test_cell_changes_while_atoms_stay():
    atoms = fcc111("Al", (2, 2, 2), vacuum=4.0)
    verlet = VerletList(4.0, skin=0.5)
    for step in range(20):
        assert_complete(verlet, atoms)
        atoms.set_cell(atoms.cell.array * [1.0 + 0.004 * step, 1.0, 1.0])
        atoms.rotate(0.5, "z", rotate_cell=True)
    assert verlet.n_searches < 20


def test_shrinking_cell_brings_new_pairs():
    atoms = Atoms("Si", cell=[4.6, 4.6, 4.6], pbc=True)
    verlet = VerletList(4.0, skin=0.5)
    for length in (4.6, 4.45, 4.2, 4.01, 3.95, 3.0):
        atoms.set_cell([length] * 3)
        assert_complete(verlet, atoms)


def test_other_structures_mean_a_new_search():
    verlet = VerletList(4.0)
    silicon = bulk("Si", cubic=True)
    for atoms in (silicon, silicon[:5], bulk("Ge", cubic=True), silicon, Atoms("H"), bulk("Si")):
        assert_complete(verlet, atoms)
    atoms = silicon.copy()
    assert_complete(verlet, atoms)
    searches = verlet.n_searches
    atoms.pbc = [True, True, False]
    assert_complete(verlet, atoms)
    assert verlet.n_searches == searches + 1
    assert_complete(verlet, atoms)
    assert verlet.n_searches == searches + 1


def test_results_do_not_follow_the_structure():
    atoms = bulk("Si", cubic=True)
    verlet = VerletList(3.0)
    before = verlet.pairs(atoms)
    kept = before.positions.copy()
    atoms.positions += 0.01
    np.testing.assert_array_equal(before.positions, kept)


def test_bad_skin():
    with pytest.raises(SettingsError, match="Verlet skin"):
        VerletList(3.0, skin=-0.1)
    no_skin = VerletList(3.0, skin=0.0)
    atoms = bulk("Si")
    no_skin.pairs(atoms)
    no_skin.pairs(atoms)
    assert no_skin.n_searches == 1
