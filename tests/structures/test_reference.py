import json

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from linmlp.exceptions import InputError, SettingsError
from linmlp.structures.isolated import is_isolated_atom
from linmlp.structures.labels import read_labels
from linmlp.structures.reference import ReferenceEnergies, composition_matrix
from linmlp.structures.reference_fit import fit_reference_energies

ENERGIES = {"H": -13.6, "C": -1030.5, "O": -2043.25}


def cluster(formula, excess=0.0, **info):
    atoms = Atoms(formula)
    atoms.positions[:, 0] = 1.5 * np.arange(len(atoms))
    atoms.info.update(info, energy=sum(ENERGIES[symbol] for symbol in atoms.symbols) + excess)
    return atoms


def fit(e0, structures, **kwargs):
    return fit_reference_energies(e0, structures, read_labels(structures), **kwargs)


ATOMS = [cluster(symbol) for symbol in ENERGIES]
MOLECULES = [cluster(formula) for formula in ("CH4", "CO2", "H2O", "C2H6O", "O2")]


def test_composition_matrix():
    numbers = [atoms.numbers for atoms in MOLECULES[:3]]
    np.testing.assert_array_equal(composition_matrix(numbers, ("H", "C", "O")), [[4, 1, 0], [0, 1, 2], [2, 0, 1]])
    np.testing.assert_array_equal(composition_matrix(numbers[:1], ("C", "N", "H")), [[1, 0, 4]])
    with pytest.raises(InputError, match="structure 1 holds O, but the known elements are H, C"):
        composition_matrix(numbers, ("H", "C"))
    with pytest.raises(InputError, match=r"^holds C, but the known elements are H; remove the structure, or fit with"):
        ReferenceEnergies("given", ("H",), np.zeros(1)).energy(numbers[0])


@pytest.mark.parametrize(("e0", "source"), [("isolated", "isolated"), ("auto", "isolated"), ("lstsq", "lstsq")])
def test_known_energies_are_found(e0, source):
    reference = fit(e0, MOLECULES + ATOMS)
    assert reference.source == source
    assert reference.elements == ("H", "C", "O")
    assert reference.determined
    np.testing.assert_allclose(reference.values, list(ENERGIES.values()), rtol=1e-13)
    assert reference.energy(MOLECULES[0].numbers) == pytest.approx(4 * ENERGIES["H"] + ENERGIES["C"], rel=1e-14)


def test_auto_falls_back_to_least_squares():
    assert fit("auto", MOLECULES + ATOMS[:2]).source == "lstsq"


def test_isolated_atom_missing():
    with pytest.raises(SettingsError, match=r'no structure is an isolated atom of C, O with an energy.*e0="lstsq"'):
        fit("isolated", MOLECULES + ATOMS[:1])


def test_lowest_of_several_isolated_atoms():
    reference = fit("isolated", [cluster("H"), cluster("H", excess=0.5), cluster("H", excess=-0.25)])
    assert reference.values[0] == ENERGIES["H"] - 0.25
    assert "3 isolated H atoms differ in energy" in reference.report()


@pytest.mark.parametrize(
    ("atoms", "expected"),
    [
        (Atoms("H"), True),
        (Atoms("H2", positions=[[0, 0, 0], [9, 0, 0]]), False),
        (Atoms("H", cell=[12.1] * 3, pbc=True), True),
        (Atoms("H", cell=[11.9] * 3, pbc=True), False),
        (Atoms("H", cell=[11.9, 20, 20], pbc=[False, True, True]), True),
        (Atoms("H", cell=[[13, 0, 0], [12, 5, 0], [0, 0, 20]], pbc=True), False),
        (Atoms("H", cell=[5.0] * 3, pbc=True, info={"config_type": "IsolatedAtom"}), True),
        (Atoms("H", cell=[5.0] * 3, pbc=True, info={"config_type": "isolated_atom"}), True),
        (bulk("Cu"), False),
    ],
)
def test_what_is_isolated(atoms, expected):
    assert is_isolated_atom(atoms) is expected


def test_one_composition_leaves_the_elements_open():
    structures = [cluster("C5H8O2", excess=0.1 * k) for k in range(5)]
    reference = fit("auto", structures)
    assert not reference.determined
    assert "do not determine the energies of H, C, O one by one (rank 1 of 3)" in reference.report()
    total = 5 * ENERGIES["C"] + 8 * ENERGIES["H"] + 2 * ENERGIES["O"] + 0.2
    assert reference.energy(structures[0].numbers) == pytest.approx(total, abs=1e-9)


def test_only_open_elements_are_named():
    structures = [cluster("H2"), cluster("CO"), cluster("C2O2", excess=0.01)]
    reference = fit("lstsq", structures)
    assert "energies of C, O one by one (rank 2 of 3)" in reference.report()
    assert reference.values[0] == pytest.approx(ENERGIES["H"], rel=1e-13)


def test_least_squares_of_energies_per_atom():
    rng = np.random.default_rng(0)
    structures = [cluster(f"C{c}H{h}", excess=rng.normal()) for c, h in rng.integers(1, 9, (12, 2))]
    reference = fit("lstsq", structures)
    labels = read_labels(structures)
    sizes = np.array([item.n_atoms for item in labels])
    fractions = composition_matrix([item.numbers for item in labels], ("H", "C")) / sizes[:, None]
    residual = np.array([item.energy for item in labels]) / sizes - fractions @ reference.values
    np.testing.assert_allclose(fractions.T @ residual, 0.0, atol=1e-11)


def test_digits_of_large_totals():
    structures = [cluster(f"C{c}H{h}O{o}") for c, h, o in ((500, 300, 1), (100, 700, 3), (20, 30, 900), (1, 1, 1))]
    reference = fit("lstsq", structures)
    for atoms in structures:
        assert reference.energy(atoms.numbers) == pytest.approx(atoms.info["energy"], rel=1e-14)


def test_masked_and_missing_energies_do_not_count():
    wrong = cluster("CH4", excess=1e6, energy_weight=0.0)
    silent = cluster("CH4")
    del silent.info["energy"]
    reference = fit("lstsq", [*MOLECULES, wrong, silent])
    np.testing.assert_allclose(reference.values, list(ENERGIES.values()), rtol=1e-13)


def test_no_energies_at_all():
    atoms = bulk("Si")
    atoms.arrays["forces"] = np.zeros((2, 3))
    reference = fit("auto", [atoms])
    assert reference.values.tolist() == [0.0]
    assert not reference.determined
    assert "no structure has an energy" in reference.report()


def test_given_values():
    reference = fit(ENERGIES | {"N": -5.0}, MOLECULES)
    assert reference.source == "given"
    np.testing.assert_array_equal(reference.values, list(ENERGIES.values()))
    assert "given for N are not needed" in reference.report()
    assert "reference energies (given), eV: H -13.600000" in reference.report()
    with pytest.raises(SettingsError, match="no energy for C, O"):
        fit({"H": -1.0}, MOLECULES)
    with pytest.raises(SettingsError, match="finite"):
        fit(ENERGIES | {"H": np.nan}, MOLECULES)


def test_zero_and_unknown():
    assert fit(0, MOLECULES).values.tolist() == [0.0, 0.0, 0.0]
    assert fit(0, MOLECULES).source == "zero"
    with pytest.raises(SettingsError, match="e0='average' is not known"):
        fit("average", MOLECULES)


def test_elements_can_be_given():
    reference = fit("isolated", ATOMS, elements=("O", "H"))
    assert reference.values.tolist() == [ENERGIES["O"], ENERGIES["H"]]


def test_state_survives_json_exactly():
    reference = fit("lstsq", [cluster("C5H8O2", excess=1 / 3)])
    again = ReferenceEnergies.from_state(json.loads(json.dumps(reference.to_state())))
    np.testing.assert_array_equal(again.values, reference.values)
    assert again.report() == reference.report()
    assert again.determined == reference.determined
    assert again.elements == reference.elements
