"""`precision="single"`: what users get, how far it is off, and who refuses it."""

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.calculator import all_changes

from linmlp import ACE, SOAP, LinearPotential, LinearPotentialCV, SparseKernelPotential
from linmlp.datasets import load_silicon
from linmlp.descriptors import ImportedACE, JoinedDescriptors
from linmlp.exceptions import SettingsError
from linmlp.potentials import Predictor


@pytest.fixture(scope="module")
def silicon():
    return load_silicon()


@pytest.fixture(scope="module")
def model(silicon):
    """As many functions as by default, with order 4 beside them."""
    descriptor = ACE(cutoff=5.0, order=4, max_degree=(16, 14, 11, 8))
    fitted = LinearPotential(descriptor, energy_weight=1000.0, energy_per="atom", alpha=1e-6).fit(silicon[0][::2])
    assert fitted.descriptor_.n_features_out_ > 1000
    return fitted


def test_what_a_fit_is_off_by(model, silicon):
    """Against its own error of forces and energies."""
    test = silicon[1]
    double, single = ([model.predictor(p)(atoms) for atoms in test] for p in ("double", "single"))
    force_errors = np.concatenate([(s.forces - d.forces).ravel() for s, d in zip(single, double, strict=True)])
    true_errors = np.concatenate([(d.forces - a.get_forces()).ravel() for d, a in zip(double, test, strict=True)])
    assert 0.0 < np.sqrt(np.mean(force_errors**2)) < 3e-5 * np.sqrt(np.mean(true_errors**2))
    for s, d, atoms in zip(single, double, test, strict=True):
        # 5e-6 eV per atom: far below a meV, though energies themselves are 5 eV per atom
        assert abs(s.energy - d.energy) < 5e-6 * len(atoms)
        # 1e-6 eV/Å³ are 0.2 MPa
        np.testing.assert_allclose(s.stress, d.stress, rtol=0, atol=1e-6)
        assert not np.array_equal(s.forces, d.forces)


def test_calculator(model):
    atoms = bulk("Si", cubic=True)
    atoms.rattle(0.05, seed=0)
    results = {}
    for precision in ("double", "single"):
        calculator = model.calculator(precision=precision, n_threads=2)
        calculator.calculate(atoms, ["energy", "forces", "stress"], all_changes)
        results[precision] = calculator.results
    assert results["double"].keys() == results["single"].keys()
    np.testing.assert_allclose(results["single"]["forces"], results["double"]["forces"], rtol=0, atol=2e-5)
    np.testing.assert_array_equal(
        results["single"]["forces"], model.predictor("single")(atoms).forces
    )  # one call of the evaluator is as good as another
    np.testing.assert_array_equal(model.calculator().get_forces(atoms), results["double"]["forces"])


def test_baselines_and_reference_energies_are_those_of_double_precision(silicon_model):
    """The repulsive core and energies of atoms are added as they are."""
    near = bulk("Si", cubic=True, a=4.2)
    double, single = silicon_model.predictor(), silicon_model.predictor("single")
    assert double.baselines
    assert single.baselines == double.baselines
    assert single.cutoff == double.cutoff
    wanted = double(near)
    found = single(near)
    np.testing.assert_allclose(found.energies, wanted.energies, rtol=0, atol=1e-5 * np.abs(wanted.energies).max())


def test_best_of_a_search(silicon):
    search = LinearPotentialCV(
        LinearPotential(ACE(cutoff=4.0, order=2, max_degree=4), energy_weight=1000.0, energy_per="atom"),
        {"alpha": [1e-6, 1e-2]},
        cv=2,
    ).fit(silicon[0][::4])
    forces = search.calculator(precision="single").get_forces(silicon[1][0])
    exact = search.calculator().get_forces(silicon[1][0])
    np.testing.assert_allclose(forces, exact, rtol=0, atol=1e-5)
    assert not np.array_equal(forces, exact)


def refuse(fitted, name):
    with pytest.raises(SettingsError, match=f'precision="single" is not possible with {name}.*take precision="double"'):
        fitted.calculator(precision="single")
    with pytest.raises(SettingsError, match=name):
        fitted.predictor("single")


SETTINGS = {"energy_weight": 1000.0, "energy_per": "atom", "alpha": 1e-6}


def test_descriptors_without_it_say_so(silicon):
    small = silicon[0][::8]
    refuse(LinearPotential(SOAP(cutoff=4.0, n_max=3, l_max=2), **SETTINGS).fit(small), "SOAP")
    joined = JoinedDescriptors([ACE(cutoff=4.0, order=2, max_degree=3), SOAP(cutoff=4.0, n_max=3, l_max=2)])
    refuse(LinearPotential(joined, **SETTINGS).fit(small), "JoinedDescriptors")


def test_kernels_say_so(silicon):
    kernel = SparseKernelPotential(SOAP(cutoff=4.0, n_max=3, l_max=2), n_sparse=20, **SETTINGS).fit(silicon[0][::8])
    refuse(kernel, "KernelFeatures")


def test_imported_potentials_say_so(model):
    descriptor = ImportedACE.from_parameters(model.descriptor_.parameters_)
    with pytest.raises(SettingsError, match="not possible with ImportedACE"):
        Predictor(descriptor, model.coef_, model.reference_, precision="single")


def test_other_bad_settings(model):
    with pytest.raises(SettingsError, match='precision=\'half\' is not known; it must be "double" or "single"'):
        model.calculator(precision="half")
    with pytest.raises(SettingsError, match="precision='single' is not possible with uncertainty=True"):
        model.calculator(precision="single", uncertainty=True)
