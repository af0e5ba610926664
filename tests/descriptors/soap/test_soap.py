"""SOAP against its formulas and against dscribe, its derivatives, and the physics of potentials on it."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from sklearn.base import clone

from linmlp import SOAP
from linmlp.exceptions import SettingsError, StructureError
from tests.naive import soap as naive


def structure(name):
    """Molecules and crystals of one and three elements, moved off their symmetric places."""
    if name == "molecule":
        atoms = molecule("CH3CH2OH")
    elif name == "one element":
        atoms = bulk("Si", a=5.4)
    else:
        atoms = perovskite()
    atoms.rattle(0.1, seed=3)
    return atoms


def perovskite():
    places = [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
    return Atoms("CaTiO3", scaled_positions=places, cell=[3.9, 3.9, 3.9], pbc=True)


NAMES = ["molecule", "one element", "three elements"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("cutoff_function", ["cosine", None])
def test_formulas(name, cutoff_function):
    atoms, n_max, l_max, cutoff, sigma = structure(name), 2, 2, 3.0, 0.5
    descriptor = SOAP(cutoff, n_max, l_max, sigma, cutoff_function=cutoff_function).fit([atoms])
    bases = [naive.basis_functions("gto", n_max, l, cutoff) for l in range(l_max + 1)]

    def radial(n, l, d):
        functions, end = bases[l]
        return naive.overlap_with_gaussian(functions[n], end, l, d, sigma)

    def weight(d):
        return 0.5 * (1 + np.cos(np.pi * d / cutoff)) if cutoff_function else 1.0

    exact = naive.power_spectrum(atoms, descriptor.cutoff_, radial, n_max, l_max, weight)
    np.testing.assert_allclose(descriptor.power_spectrum(atoms), exact, rtol=1e-6, atol=1e-7 * np.abs(exact).max())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("basis", ["gto", "polynomial"])
@pytest.mark.parametrize("compression", ["off", "mu2", "mu1nu1", "crossover"])
def test_dscribe(name, basis, compression):
    dscribe = pytest.importorskip("dscribe.descriptors")
    if basis == "polynomial" and compression == "mu2" and name != "one element":
        pytest.skip("dscribe's polynomial mu2 of several elements is not the sum over elements that its gto has")
    atoms = structure(name)
    weights = {symbol: 0.7 + 0.3 * k for k, symbol in enumerate(sorted(set(atoms.get_chemical_symbols())))}
    theirs = dscribe.SOAP(
        species=list(weights), r_cut=4.0, n_max=5, l_max=4, sigma=0.5, rbf=basis, periodic=bool(atoms.pbc.any()),
        compression={"mode": compression, "species_weighting": weights},
    )  # fmt: skip
    mine = SOAP(4.0, 5, 4, 0.5, basis, cutoff_function=None, compression=compression, element_weights=weights).fit(
        [atoms]
    )
    expected = theirs.create(atoms)
    np.testing.assert_allclose(mine.power_spectrum(atoms), expected, rtol=0, atol=1e-8 * np.abs(expected).max())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("compression", ["off", "mu2", "mu1nu1", "crossover"])
def test_derivatives(name, compression):
    atoms = structure(name)
    descriptor = SOAP(4.0, 4, 3, compression=compression).fit([atoms])
    energy, d_positions, d_strain = descriptor.allocate_rows(len(atoms))
    descriptor.write_rows(descriptor.pairs(atoms), energy, d_positions, d_strain)
    np.testing.assert_allclose(energy, descriptor.transform([atoms])[0], rtol=1e-12, atol=1e-13)
    step = 1e-3

    def change(moved):
        sums = [descriptor.transform([moved(k * step)])[0] for k in (2, 1, -1, -2)]
        return (8 * (sums[1] - sums[2]) - (sums[0] - sums[3])) / (12 * step)

    scale = np.abs(d_positions).max()
    for i, axis in ((0, 0), (1, 2)):

        def shifted(h, i=i, axis=axis):
            copy = atoms.copy()
            copy.positions[i, axis] += h
            return copy

        assert np.abs(change(shifted) - d_positions[3 * i + axis]).max() < 1e-8 * scale
    for v, (a, b) in ((0, (0, 0)), (5, (0, 1))):

        def strained(h, a=a, b=b):
            copy = atoms.copy()
            strain = np.eye(3)
            strain[a, b] += 0.5 * h
            strain[b, a] += 0.5 * h
            copy.set_cell(copy.cell.array @ strain)
            copy.positions = copy.positions @ strain
            return copy

        assert np.abs(change(strained) - d_strain[v]).max() < 1e-8 * np.abs(d_strain).max()


@pytest.mark.parametrize("compression", ["off", "mu1nu1"])
def test_rows_pull_back_and_centers_agree(compression):
    atoms = structure("three elements")
    descriptor = SOAP(4.0, 3, 2, compression=compression).fit([atoms])
    pairs = descriptor.pairs(atoms)
    energy, d_positions, d_strain = descriptor.allocate_rows(len(atoms))
    descriptor.write_rows(pairs, energy, d_positions, d_strain)
    coefficients = np.random.default_rng(1).normal(size=descriptor.n_features_out_)
    energies, forces, strain = descriptor.evaluator(coefficients).compute(pairs)
    np.testing.assert_allclose(energies.sum(), energy @ coefficients, rtol=1e-11)
    np.testing.assert_allclose(-forces.ravel(), d_positions @ coefficients, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(strain.sum(axis=0), d_strain @ coefficients, rtol=1e-9, atol=1e-10)
    n = descriptor.n_features_out_ // 3
    for z, symbol in enumerate(descriptor.elements_):
        centers = np.flatnonzero(np.array(atoms.get_chemical_symbols()) == symbol)
        rows = descriptor.center_rows(pairs, centers)
        summed = np.zeros((len(atoms), 3, n))
        np.add.at(summed, rows.atoms, rows.d_positions.reshape(-1, 3, n))
        block = slice(z * n, (z + 1) * n)
        np.testing.assert_allclose(summed.reshape(-1, n), d_positions[:, block], rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(rows.d_strain.reshape(-1, 6, n).sum(0), d_strain[:, block], rtol=1e-10, atol=1e-12)
        np.testing.assert_array_equal(rows.atoms[rows.slots[:-1]], centers)


def test_state_clone_and_names():
    atoms = structure("three elements")
    descriptor = SOAP(4.0, 3, 2, compression="mu2", element_weights={"O": 0.5, "Ti": 2.0}).fit([atoms])
    again = SOAP.from_state(*descriptor.to_state())
    np.testing.assert_array_equal(again.transform([atoms]), descriptor.transform([atoms]))
    assert clone(descriptor).get_params() == descriptor.get_params()
    names = descriptor.get_feature_names_out()
    assert len(set(names)) == len(names) == descriptor.n_features_out_
    assert names[0] == "O|*.* n=0,0 l=0"


def test_a_lone_atom_has_no_features():
    descriptor = SOAP(4.0, 3, 2).fit([structure("three elements")])
    assert np.abs(descriptor.transform([Atoms("Ti"), Atoms("O")])).max() < 1e-12


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"cutoff": -1.0}, "cutoff=-1.0"),
        ({"cutoff": 0.9}, "needs more than 1 Å"),
        ({"sigma": 0.0}, "sigma=0.0"),
        ({"n_max": 0}, "n_max=0"),
        ({"l_max": 21}, "l_max=21"),
        ({"radial_basis": "sto"}, "radial_basis='sto'"),
        ({"cutoff_function": "tanh"}, "cutoff_function='tanh'"),
        ({"compression": "mu3"}, "compression='mu3'"),
        ({"element_weights": {"Xx": 1.0}}, "element_weights names Xx"),
    ],
)
def test_arguments_that_cannot_be_used(settings, message):
    with pytest.raises(SettingsError, match=message):
        SOAP(**settings).fit([bulk("Si")])


def test_an_element_that_is_not_known():
    descriptor = SOAP(4.0, 2, 1).fit([bulk("Si")])
    with pytest.raises(StructureError, match="holds Ge"):
        descriptor.transform([bulk("Ge")])
