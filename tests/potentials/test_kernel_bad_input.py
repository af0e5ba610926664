"""What kernel potentials do with too little data: a reduction that is stated, or an error; never a singular solve."""

import warnings

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator

from linmlp import ACE, SOAP, SparseKernelPotential
from linmlp.datasets import load_lithium_chloride, load_silicon
from linmlp.descriptors import KernelFeatures
from linmlp.exceptions import LinmlpWarning, SettingsError, StructureError

SMALL = SOAP(4.0, 3, 2)
FIXED = {"energy_weight": 100.0, "energy_per": "atom", "alpha": 1e-6}
AUTO: dict[str, float] = {}


def labelled(atoms, energy):
    """The structure with an energy and no forces."""
    atoms = atoms.copy()
    atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=np.zeros((len(atoms), 3)))
    return atoms


def fit_quietly(model, structures):
    """The fitted potential and what was warned of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(structures)
    assert all(issubclass(w.category, LinmlpWarning) for w in caught)  # nothing of numpy or scipy
    return model, [str(w.message) for w in caught]


def assert_sound(model, structures):
    """The solve had full rank on the features that there are, and predictions are numbers of a sensible size."""
    assert model.solution_.success
    assert model.solution_.condition_number < 1e13
    energies = np.array([atoms.get_potential_energy() for atoms in structures])
    assert np.abs(model.predict(structures) - energies).max() < max(np.ptp(energies), 1.0)
    assert all(np.isfinite(forces).all() for forces in model.predict_forces(structures))


@pytest.mark.parametrize("settings", [FIXED, AUTO, {**FIXED, "alpha": 0.0}])
@pytest.mark.parametrize("selection", ["fps", "cur", "random"])
def test_more_sparse_environments_than_there_are(selection, settings):
    train = [atoms for atoms in load_silicon()[0] if len(atoms) <= 8][:10]
    n_atoms = sum(map(len, train))
    model, told = fit_quietly(SparseKernelPotential(SMALL, n_atoms + 1, selection=selection, **settings), train)
    assert any(f"instead of n_sparse={n_atoms + 1}; no more of the {n_atoms} environments differ" in t for t in told)
    assert f"instead of n_sparse={n_atoms + 1}" in model.describe()
    assert len(model.coef_) <= n_atoms
    assert_sound(model, train)


@pytest.mark.parametrize("settings", [FIXED, AUTO, {**FIXED, "alpha": 0.0}])
@pytest.mark.parametrize("selection", ["fps", "cur", "random"])
def test_identical_environments(selection, settings):
    train = [labelled(bulk("Si", a=5.43), -10.0) for _ in range(6)]
    model, told = fit_quietly(SparseKernelPotential(SMALL, 5, selection=selection, **settings), train)
    assert len(model.coef_) == 1
    assert any("1 representatives instead of n_sparse=5" in t for t in told)
    assert_sound(model, train)


def test_environments_that_differ_by_rounding():
    train = [labelled(bulk("Si", a=5.43 + shift), -10.0) for shift in (0.0, 1e-9, 1e-7, 1e-5)] * 2
    model, _ = fit_quietly(SparseKernelPotential(SMALL, 4, **FIXED), train)
    assert_sound(model, train)


def test_representatives_that_others_stand_for_are_told():
    # A linear kernel on 18 functions has no more than 18 directions, whatever the number of environments.
    train = load_silicon()[0][:40]
    model, _ = fit_quietly(SparseKernelPotential(SMALL, 100, zeta=1, **FIXED), train)
    assert len(model.coef_) <= 18
    assert f"{100 - len(model.coef_)} of 100 representatives were dropped" in model.describe()
    assert_sound(model, train)


@pytest.mark.parametrize("descriptor", [SMALL, ACE(4.0, max_degree=(4, 3, 2))], ids=["soap", "ace"])
@pytest.mark.parametrize("settings", [FIXED, AUTO, {**FIXED, "uncertainty": True}])
def test_an_element_in_one_structure_only(settings, descriptor):
    train = load_lithium_chloride()[0][:16]
    odd = train[0].copy()
    odd.symbols[int(np.flatnonzero(odd.symbols == "Cl")[0])] = "Br"
    odd = labelled(odd, train[0].get_potential_energy() + 0.1)
    odd.calc.results["forces"] = train[0].get_forces()
    data = [*train, odd]
    model, told = fit_quietly(SparseKernelPotential(descriptor, 20, **settings), data)
    assert any("Br: 1 representatives instead of n_sparse=20; no more of the 1 environments differ" in t for t in told)
    assert_sound(model, data)
    if settings.get("uncertainty"):
        _, std = model.predict(data, return_std=True)
        assert np.isfinite(std).all()


def test_an_element_that_is_only_ever_alone():
    # Its features are zero in all the data; rows that make dimers repel may still use them.
    data = [*load_lithium_chloride()[0][:16], labelled(Atoms("Br"), -1.5)]
    model, _ = fit_quietly(SparseKernelPotential(SMALL, 20, **FIXED), data)
    assert_sound(model, data)
    assert model.predict([Atoms("Br")])[0] == pytest.approx(model.e0_["Br"])
    features = model.descriptor_.transform([Atoms("Br")])
    assert np.abs(features).max() < 1e-12


def test_an_element_that_is_not_there():
    model = SparseKernelPotential(SMALL, 10, **FIXED).fit(load_silicon()[0][:20])
    with pytest.raises(StructureError, match="holds Ge, which the model does not know"):
        model.predict([bulk("Ge")])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        *(({"zeta": zeta}, "zeta=") for zeta in (0.99, 0, -2, np.nan, np.inf, "4", None, True)),
        *(({"n_sparse": n}, "n_sparse=") for n in (0, -1, 2.5, "ten", None, True)),
        ({"per_group": {"hot": 0}}, "per_group="),
        ({"per_group": {"hot": "all"}}, "per_group="),
        ({"per_group": "hot"}, "per_group="),
        ({"per_group": {"cold": 2}}, "per_group names cold, which no structure has"),
        ({"selection": 3}, "selection=3"),
        ({"random_state": -1}, "random_state=-1"),
    ],
)
def test_settings(settings, message):
    train = load_silicon()[0][:4]
    for make in (SparseKernelPotential, KernelFeatures):
        with pytest.raises(SettingsError, match=message):
            make(SMALL, **{"n_sparse": 5, **settings}).fit(train)


def test_species_that_dscribe_was_not_told_of():
    dscribe = pytest.importorskip("dscribe.descriptors", reason="dscribe is not installed")
    from linmlp import DScribeDescriptor

    made = dscribe.SOAP(species=["Li"], periodic=True, r_cut=3.0, n_max=2, l_max=1, sigma=0.5)
    with pytest.raises(SettingsError, match="hold Cl, which dscribe's SOAP was not told of"):
        SparseKernelPotential(DScribeDescriptor(made), 5, **FIXED).fit(load_lithium_chloride()[0][:4])
