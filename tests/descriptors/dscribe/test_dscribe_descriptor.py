"""Descriptors of dscribe: the numbers are dscribe's, the derivatives those of the numbers, in any cell."""

import pickle

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111
from sklearn.base import clone

from linmlp import SOAP, DScribeDescriptor
from linmlp.descriptors import KernelFeatures
from linmlp.exceptions import LinmlpWarning, SettingsError, StructureError

dscribe = pytest.importorskip("dscribe.descriptors", reason="dscribe is not installed")

SPECIES = {"species": ["Na", "Cl"], "periodic": True}
EXP = {"function": "exp", "threshold": 1e-2}


def soap(**changed):
    return dscribe.SOAP(**{"r_cut": 3.0, "n_max": 3, "l_max": 2, "sigma": 0.4, **SPECIES, **changed})


def acsf(**changed):
    settings = {"r_cut": 4.0, "g2_params": [[1.0, 1.0], [0.5, 2.0]], "g4_params": [[0.1, 1, 1]], **SPECIES}
    return dscribe.ACSF(**{**settings, **changed})


def lmbtr(**changed):
    grid = {"min": 0.0, "max": 5.0, "sigma": 0.3, "n": 8}
    settings = {"geometry": {"function": "distance"}, "grid": grid, "weighting": {**EXP, "scale": 1.2}, **SPECIES}
    return dscribe.LMBTR(**{**settings, **changed})


def lmbtr_of_angles():
    grid = {"min": 0.0, "max": 180.0, "sigma": 10.0, "n": 6}
    return lmbtr(geometry={"function": "angle"}, grid=grid, weighting={**EXP, "scale": 0.4})


LOCAL = {
    "SOAP": soap,
    "sparse SOAP, single precision": lambda: soap(sparse=True, dtype="float32"),
    "crossover": lambda: soap(compression={"mode": "crossover"}),
    "mu2": lambda: soap(compression={"mode": "mu2", "species_weighting": {"Na": 1.0, "Cl": 2.0}}),
    "polynomial": lambda: soap(rbf="polynomial"),
    "weighted": lambda: soap(weighting={"function": "poly", "r0": 4.0, "c": 1.0, "m": 1.0}),
    "ACSF": acsf,
    "LMBTR": lmbtr,
    "angles": lmbtr_of_angles,
}
ANALYTIC = ("SOAP", "sparse SOAP, single precision", "crossover")


def crystal(seed=0):
    # At this constant no distance is near a cutoff, where dscribe jumps.
    atoms = bulk("NaCl", "rocksalt", a=5.3).repeat((1, 1, 2))
    atoms.rattle(0.05, seed=seed)
    return atoms


def dense(array):
    return np.asarray(array.todense() if hasattr(array, "todense") else array)


@pytest.mark.parametrize("name", LOCAL)
def test_the_numbers_are_those_of_dscribe(name):
    made, atoms = LOCAL[name](), crystal()
    descriptor = DScribeDescriptor(made).fit([atoms])
    theirs = dense(made.create(atoms)) if not name.startswith(("LMBTR", "angles")) else None
    if theirs is None:
        descriptor.transform([atoms])  # dscribe 2.1 works with ASE 3.29 from here on
        theirs = dense(made.create(atoms))
    mine = descriptor.environment_features(descriptor.pairs(atoms))
    n, kinds = theirs.shape[1], descriptor.element_indices(atoms.numbers)
    tolerance = 1e-6 if "single" in name else 1e-11
    scale = np.abs(theirs).max()
    for i, z in enumerate(kinds):
        np.testing.assert_allclose(mine[i, z * n : (z + 1) * n], theirs[i], atol=tolerance * scale)
        assert not mine[i, (1 - z) * n : (2 - z) * n].any()
    assert scale > 1e-3
    lone = np.abs(descriptor.transform([Atoms("Na"), Atoms("Cl")])).max()
    assert lone < 1e-12 * scale
    assert len(descriptor.get_feature_names_out()) == 2 * n == descriptor.n_features_out_


def numerical(descriptor, change, step=1e-3):
    sums = [descriptor.transform([change(k * step)])[0] for k in (2, 1, -1, -2)]
    return (8 * (sums[1] - sums[2]) - (sums[0] - sums[3])) / (12 * step)


@pytest.mark.parametrize("name", LOCAL)
def test_derivatives_in_periodic_cells(name):
    atoms = crystal()
    descriptor = DScribeDescriptor(LOCAL[name](), None if name in ANALYTIC else "numerical").fit([atoms])
    energy, d_positions, d_strain = descriptor.allocate_rows(len(atoms))
    descriptor.write_rows(descriptor.pairs(atoms), energy, d_positions, d_strain)
    np.testing.assert_allclose(energy, descriptor.transform([atoms])[0], rtol=1e-12, atol=1e-12)

    def moved(h):
        copy = atoms.copy()
        copy.positions[1, 2] += h
        return copy

    def sheared(h):
        copy = atoms.copy()
        strain = np.eye(3)
        strain[1, 2] += 0.5 * h
        strain[2, 1] += 0.5 * h
        copy.set_cell(copy.cell.array @ strain, scale_atoms=True)
        return copy

    scale = np.abs(d_strain).max()
    assert np.abs(numerical(descriptor, moved) - d_positions[5]).max() < 1e-7 * scale
    assert np.abs(numerical(descriptor, sheared) - d_strain[3]).max() < 1e-7 * scale
    assert np.abs(d_positions.reshape(len(atoms), 3, -1).sum(axis=0)).max() < 1e-10 * scale

    weights = np.random.default_rng(0).normal(size=descriptor.n_features_out_)
    energies, forces, strain = descriptor.evaluator(weights).compute(descriptor.pairs(atoms))
    assert energies.sum() == pytest.approx(energy @ weights)
    np.testing.assert_allclose(-forces.ravel(), d_positions @ weights, atol=1e-9 * scale)
    np.testing.assert_allclose(strain.sum(axis=0), d_strain @ weights, atol=1e-9 * scale)


def test_slabs_and_molecules_by_one_object():
    made = dscribe.SOAP(species=["Al"], periodic=True, r_cut=3.2, n_max=3, l_max=2, sigma=0.4)
    slab = fcc111("Al", (2, 1, 3), vacuum=8.0)
    molecule = Atoms("Al2", [[0, 0, 0], [0, 0, 2.7]])
    descriptor = DScribeDescriptor(made).fit([slab, molecule])
    wide = slab.copy()
    wide.pbc = True
    np.testing.assert_allclose(descriptor.transform([slab]), descriptor.transform([wide]), rtol=1e-12)
    free = dscribe.SOAP(species=["Al"], periodic=False, r_cut=3.2, n_max=3, l_max=2, sigma=0.4)
    lone = free.create(Atoms("Al"), centers=[0])[0]
    expected = np.sum(free.create(molecule) - lone, axis=0)
    np.testing.assert_allclose(descriptor.transform([molecule])[0], expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("compression", ["off", "crossover"])
def test_it_is_the_soap_of_the_house(compression):
    # Two independent codes, values, derivatives and kernels, where every pair of densities counts as often.
    structures = [crystal(k) for k in range(3)]
    theirs = DScribeDescriptor(soap(compression={"mode": compression}))
    ours = SOAP(3.0, 3, 2, 0.4, cutoff_function=None, compression=compression)
    assert theirs.fit(structures).cutoff_ == pytest.approx(ours.fit(structures).cutoff_)
    scale = np.abs(ours.transform(structures)).max()
    np.testing.assert_allclose(theirs.transform(structures), ours.transform(structures), atol=1e-9 * scale)
    rows = [descriptor.allocate_rows(4) for descriptor in (theirs, ours)]
    for descriptor, arrays in zip((theirs, ours), rows, strict=True):
        descriptor.write_rows(descriptor.pairs(structures[0]), *arrays)
    for a, b in zip(*rows, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-8 * scale)
    kernels = [KernelFeatures(inner, n_sparse=3).fit(structures) for inner in (theirs, ours)]
    np.testing.assert_array_equal(theirs.feature_multiplicities(), ours.feature_multiplicities())
    np.testing.assert_allclose(kernels[0].transform(structures), kernels[1].transform(structures), atol=1e-6)


@pytest.mark.parametrize("name", ["SOAP", "ACSF"])
def test_kernel_features(name):
    structures = [crystal(k) for k in range(3)]
    inner = DScribeDescriptor(LOCAL[name](), None if name == "SOAP" else "numerical")
    descriptor = KernelFeatures(inner, n_sparse=4, zeta=2).fit(structures)
    atoms = structures[1]
    energy, d_positions, d_strain = descriptor.allocate_rows(len(atoms))
    descriptor.write_rows(descriptor.pairs(atoms), energy, d_positions, d_strain)
    weights = np.random.default_rng(0).normal(size=descriptor.n_features_out_)
    _, forces, strain = descriptor.evaluator(weights).compute(descriptor.pairs(atoms))
    scale = np.abs(d_strain).max()
    np.testing.assert_allclose(-forces.ravel(), d_positions @ weights, atol=1e-8 * scale)
    np.testing.assert_allclose(strain.sum(axis=0), d_strain @ weights, atol=1e-8 * scale)

    def moved(h):
        copy = atoms.copy()
        copy.positions[0, 0] += h
        return copy

    assert np.abs(numerical(descriptor, moved) - d_positions[0]).max() < 1e-6 * scale


WHOLE = {
    "Coulomb matrix": lambda: dscribe.CoulombMatrix(6, permutation="eigenspectrum"),
    "sine matrix": lambda: dscribe.SineMatrix(6, permutation="eigenspectrum"),
    "Ewald sums": lambda: dscribe.EwaldSumMatrix(6, permutation="sorted_l2"),
    "averaged SOAP": lambda: soap(average="inner"),
    "MBTR": lambda: dscribe.MBTR(
        geometry={"function": "distance"},
        grid={"min": 0.0, "max": 6.0, "sigma": 0.3, "n": 9},
        weighting={**EXP, "scale": 1.0},
        **SPECIES,
    ),
    "Valle and Oganov": lambda: dscribe.ValleOganov(["Na", "Cl"], "distance", n=7, sigma=0.3, r_cut=4.0),
}


@pytest.mark.parametrize("name", WHOLE)
def test_descriptors_of_whole_structures(name):
    structures = [crystal(k) for k in range(3)]
    made = WHOLE[name]()
    descriptor = DScribeDescriptor(made)
    features = descriptor.fit_transform(structures)
    assert features.shape == (3, descriptor.n_features_out_) == (3, made.get_number_of_features())
    np.testing.assert_allclose(features, [made.create(atoms) for atoms in structures], rtol=1e-10, atol=1e-12)
    assert np.abs(features[0] - features[1]).max() > 1e-4
    assert len(set(descriptor.get_feature_names_out())) == descriptor.n_features_out_
    again = DScribeDescriptor.from_state(*descriptor.to_state())
    np.testing.assert_allclose(again.transform(structures), features, rtol=1e-12)
    with pytest.raises(SettingsError, match="describes whole structures"):
        KernelFeatures(descriptor, n_sparse=2).fit(structures)


@pytest.mark.parametrize("name", LOCAL)
def test_state_and_copies(name):
    atoms = crystal()
    descriptor = DScribeDescriptor(LOCAL[name](), None if name in ANALYTIC else "numerical").fit([atoms])
    expected = descriptor.transform([atoms])
    settings, arrays = descriptor.to_state()
    for again in (DScribeDescriptor.from_state(settings, arrays), pickle.loads(pickle.dumps(descriptor))):
        np.testing.assert_array_equal(again.transform([atoms]), expected)
        assert repr(again) == repr(descriptor)
        assert again.derivatives == descriptor.derivatives
    np.testing.assert_array_equal(clone(descriptor).fit_transform([atoms]), expected)
    assert type(descriptor.descriptor).__name__ in repr(descriptor)


class TestErrors:
    @pytest.mark.parametrize("made", [3, None, SOAP()])
    def test_not_of_dscribe(self, made):
        with pytest.raises(SettingsError, match="no descriptor of dscribe that is known"):
            DScribeDescriptor(made).fit([crystal()])

    def test_a_class_of_ones_own(self):
        class Mine(dscribe.SOAP):
            pass

        with pytest.raises(SettingsError, match="not of a class of your own"):
            DScribeDescriptor(Mine(r_cut=3.0, n_max=2, l_max=1, **SPECIES)).fit([crystal()])

    def test_species_that_dscribe_was_not_told_of(self):
        odd = crystal()
        odd.symbols[0] = "Br"
        for make in (soap, acsf, lmbtr):
            with pytest.raises(
                SettingsError, match=r"hold Br, which dscribe's \w+ was not told of \(species: Na, Cl\)"
            ):
                DScribeDescriptor(make()).fit([crystal(), odd])
        with pytest.raises(StructureError, match="holds Br"):
            DScribeDescriptor(soap()).fit([crystal()]).transform([odd])

    def test_periodic_structures(self):
        made = soap(periodic=False)
        with pytest.raises(StructureError, match="made with periodic=False; make it with periodic=True"):
            DScribeDescriptor(made).fit([crystal()])
        molecule = Atoms("NaCl", [[0, 0, 0], [0, 0, 2.5]])
        fitted = DScribeDescriptor(made).fit([molecule])
        with pytest.raises(StructureError, match="made with periodic=False"):
            fitted.transform([crystal()])

    @pytest.mark.parametrize("name", [name for name in LOCAL if name not in ANALYTIC])
    def test_derivatives_that_there_are_not(self, name):
        atoms = crystal()
        with pytest.raises(SettingsError, match=r'no analytic derivatives of .*derivatives="numerical"'):
            DScribeDescriptor(LOCAL[name](), "analytic").fit([atoms])
        descriptor = DScribeDescriptor(LOCAL[name]()).fit([atoms])
        pairs, rows = descriptor.pairs(atoms), descriptor.allocate_rows(len(atoms))
        with pytest.raises(SettingsError, match="no analytic derivatives"):
            descriptor.write_rows(pairs, *rows)
        with pytest.raises(SettingsError, match="no analytic derivatives"):
            descriptor.center_rows(pairs, np.array([0]))

    def test_other_settings(self):
        with pytest.raises(SettingsError, match="derivatives='exact'"):
            DScribeDescriptor(soap(), "exact").fit([crystal()])
        with pytest.raises(SettingsError, match="gives its features no end"):
            DScribeDescriptor(lmbtr(weighting={"function": "inverse_square", "r_cut": 4.0})).fit([crystal()])


def test_one_neighbor_and_none():
    made = soap()
    descriptor = DScribeDescriptor(made).fit([crystal()])
    far = Atoms("NaCl", [[0, 0, 0], [0, 0, 20.0]])
    arrays = descriptor.allocate_rows(2)
    descriptor.write_rows(descriptor.pairs(far), *arrays)
    assert max(np.abs(array).max() for array in arrays) < 1e-12
    few = [crystal()]
    with pytest.warns(LinmlpWarning, match="instead of n_sparse=9"):
        KernelFeatures(descriptor, n_sparse=9).fit(few)
