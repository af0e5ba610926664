import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111, molecule

from linmlp.exceptions import StructureError
from linmlp.neighbors import find_pairs
from linmlp.structures.checks import as_structure_list, check_structures, config_type, find_close_atoms


def test_lists_tuples_arrays_and_generators_are_the_same():
    structures = [bulk("Si"), molecule("H2O"), bulk("NaCl", "rocksalt", a=5.6)]
    array = np.empty(3, dtype=object)
    array[:] = [None] * 3
    for index, atoms in enumerate(structures):
        array[index] = atoms
    for given in (structures, tuple(structures), array, iter(structures)):
        checked = check_structures(given)
        assert isinstance(checked, list)
        assert all(a is b for a, b in zip(checked, structures, strict=True))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "empty"),
        (bulk("Si"), r"one ase.Atoms instead of a list.*\[Atoms\('Si2'\)\]"),
        ("train.xyz", r"'train.xyz' \(str\) instead of structures"),
        (None, "NoneType"),
        (3.0, "float"),
        ([bulk("Si"), "x"], "entry 1 is a str"),
        ([bulk("Si"), None], "entry 1 is a NoneType"),
        (list(bulk("Si")), "single ase.Atom, taken out"),
        (np.array([[1.0, 2.0]]), r"array of shape \(1, 2\)"),
        (np.array([1.0, 2.0]), "entry 0 is a float64"),
    ],
)
def test_what_is_not_a_list_of_structures(given, message):
    with pytest.raises(StructureError, match=message):
        as_structure_list(given)


def broken(change):
    atoms = bulk("Si", cubic=True)
    atoms.info["config_type"] = "odd one"
    change(atoms)
    return atoms


def set_value(array, value):
    array[...] = value


@pytest.mark.parametrize(
    ("atoms", "message"),
    [
        (Atoms(), "has no atoms"),
        (Atoms("X"), "no element"),
        (broken(lambda a: set_value(a.positions[3], np.nan)), "position of atom 3"),
        (broken(lambda a: set_value(a.positions[3], np.inf)), "position of atom 3"),
        (broken(lambda a: set_value(a.cell.array[1], np.nan)), "cell"),
        (broken(lambda a: set_value(a.cell.array[1], 0.0)), "axis 1, but that cell vector is zero"),
        (broken(lambda a: set_value(a.cell.array[1], a.cell.array[0])), "linearly dependent"),
        (broken(lambda a: set_value(a.positions[3], a.positions[5] + 0.05)), "atoms 3 and 5 are 0.0866 Å apart"),
        (broken(lambda a: set_value(a.positions[3], a.positions[5] + a.cell.array.sum(0) * 3)), "atoms 3 and 5 are"),
        (broken(lambda a: a.set_cell(a.cell.array * 0.03)), "0.163 Å thick along axis 0"),
    ],
)
def test_broken_structures_are_named(atoms, message):
    with pytest.raises(StructureError, match=message) as caught:
        check_structures([bulk("Si"), atoms])
    assert str(caught.value).startswith(f"structure 1 ({atoms.get_chemical_formula()}, config_type")
    if "config_type" in atoms.info:
        assert '"odd one"' in str(caught.value)


def test_sound_structures_pass():
    slab = fcc111("Al", (2, 2, 3))
    slab.set_cell(slab.cell.array * [[1], [1], [0]])
    slab.pbc = [True, True, False]
    wire = Atoms("Si", cell=[0, 0, 2.4], pbc=[False, False, True])
    touching = Atoms("H2", positions=[[0, 0, 0], [0.11, 0, 0]])
    check_structures([slab, wire, touching, molecule("CH4"), Atoms("Si"), bulk("Fe") * (3, 3, 3)])


@pytest.mark.parametrize("seed", range(20))
def test_close_atoms_against_pairs(seed):
    rng = np.random.default_rng(seed)
    pbc = rng.random(3) < 0.6
    cell = np.diag(rng.uniform(1.5, 4.0, 3)) + rng.normal(scale=0.7, size=(3, 3))
    atoms = Atoms("Si12", positions=rng.normal(scale=4.0, size=(12, 3)), cell=cell, pbc=pbc)
    pairs = find_pairs(atoms, 0.6)
    closest = pairs.distances.min() if len(pairs) else np.inf
    found = find_close_atoms(atoms, closest=0.6)
    if closest < 0.6:
        assert found is not None
        assert found[2] == pytest.approx(closest)
    else:
        assert found is None


def test_config_type():
    atoms = Atoms("H")
    assert config_type(atoms) == "default"
    atoms.info["group"] = "Surface"
    assert config_type(atoms) == "Surface"
    atoms.info["config_type"] = 7
    assert config_type(atoms) == "7"
