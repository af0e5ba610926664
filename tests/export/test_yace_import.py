"""`.yace` files that become potentials, and files that do not."""

import copy
import re

import numpy as np
import pytest
from ase import Atoms

import linmlp
from linmlp import LinearPotential
from linmlp.exceptions import LinmlpWarning, SettingsError
from linmlp.export import read_yace, write_yace
from linmlp.export.yace_evaluator import YaceEvaluator
from linmlp.export.yace_file import read_yace_file
from linmlp.export.yace_writer import yace_text
from tests.battery import check_forces, check_stress
from tests.pace.conftest import MAKERS, structures_of


@pytest.fixture(scope="module")
def case():
    """Two elements; in the file the heavier one comes first, below."""
    return MAKERS["general radial functions"]()


@pytest.fixture(scope="module")
def text(case):
    return yace_text(case.parameters, case.coefficients, case.e0, 0.001)


def changed(text, **entries):
    """The text with other entries in all bonds, and with g_1 in all radial functions."""
    for key, value in entries.items():
        assert f"{key}: " in text
        text = re.sub(rf"{key}: [^,\]}}]*\]?(?=[,}}])", f"{key}: {value}", text)
    return text.replace("[0.0, ", "[0.3, ")


FAMILIES = {
    "own functions": {},
    "ChebExpCos": {"radparameters": "[5.25]", "dcut": "0.5"},
    "ChebPow": {"radbasename": "ChebPow", "radparameters": "[3.0]"},
    "ChebPow 1": {"radbasename": "ChebPow", "radparameters": "[1.0]"},
    "SBessel": {"radbasename": "SBessel", "radparameters": "[2.0]"},
    "core below the inner cutoff": {"prehc": "80.0", "lambdahc": "0.7"},
    "core of type density": {"prehc": "80.0", "lambdahc": "0.7", "inner_cutoff_type": "density"},
}


@pytest.mark.parametrize("name", ["order 4", "order 4, two elements"])
def test_order_four(name, tmp_path):
    case = MAKERS[name]()
    path = tmp_path / "potential.yace"
    path.write_text(yace_text(case.parameters, case.coefficients, case.e0, 0.001))
    predict = read_yace(path).predictor()
    for atoms in structures_of(case.symbols).values():
        ours, again = case.predict(atoms), predict(atoms)
        scale = np.abs(ours.energies).max()
        np.testing.assert_allclose(again.energies, ours.energies, rtol=0, atol=1e-11 * scale)
        np.testing.assert_allclose(
            again.forces, ours.forces, rtol=0, atol=1e-10 * max(scale, np.abs(ours.forces).max())
        )


@pytest.fixture(params=FAMILIES)
def path(request, text, tmp_path):
    path = tmp_path / "potential.yace"
    entries = FAMILIES[request.param]
    # one bond has a cutoff of its own
    path.write_text(changed(text, **entries).replace("rcut: 4.5", "rcut: 4.1", 1) if entries else text)
    return path


def test_same_energies_forces_stress(path, case):
    """As an evaluator that knows only the format finds them, without tables."""
    evaluator, predict = YaceEvaluator(read_yace_file(path), tables=False), read_yace(path).predictor()
    for name, atoms in structures_of(case.symbols).items():
        theirs, ours = evaluator(atoms), predict(atoms)
        scale = np.abs(theirs.energies).max()
        np.testing.assert_allclose(ours.energies, theirs.energies, rtol=0, atol=1e-11 * scale, err_msg=name)
        largest = max(np.abs(theirs.forces).max(), scale)
        np.testing.assert_allclose(ours.forces, theirs.forces, rtol=0, atol=1e-10 * largest, err_msg=name)
        gradient = ours.atom_strain_gradient.sum(0)[[0, 5, 4, 5, 1, 3, 4, 3, 2]].reshape(3, 3)
        np.testing.assert_allclose(gradient, theirs.strain_gradient, rtol=0, atol=1e-10 * len(atoms) * scale)


def test_forces_and_stress_are_derivatives(path, case):
    predict = read_yace(path).predictor()
    atoms = structures_of(case.symbols)["sheared crystal"] * (2, 1, 1)
    atoms.positions += 0.05 * np.random.default_rng(1).normal(size=atoms.positions.shape)
    check_forces(predict, atoms, np.random.default_rng(2), tolerance=1e-7)
    check_stress(predict, atoms, tolerance=1e-7)


def test_distances_around_cutoffs(path):
    """Dimers at and beside the cutoffs of both bonds."""
    evaluator, predict = YaceEvaluator(read_yace_file(path), tables=False), read_yace(path).predictor()
    for distance in (*np.linspace(3.9, 4.6, 30), 4.1, 4.5, np.nextafter(4.1, 0), np.nextafter(4.5, 0)):
        for symbols in ("Cl2", "LiCl", "Li2"):
            dimer = Atoms(symbols, [[0, 0, 0], [0, 0, distance]])
            np.testing.assert_allclose(predict(dimer).energies, evaluator(dimer).energies, rtol=0, atol=1e-12)


def test_lone_atoms(path, case):
    predict = read_yace(path).predictor()
    assert [predict(Atoms(symbol)).energy for symbol in case.symbols] == list(case.e0)


def test_elements_in_another_order(case, tmp_path):
    """The heavier element first."""
    text = yace_text(case.parameters, case.coefficients, case.e0, 0.001)
    swapped = text.replace("elements: [Li, Cl]", "elements: [Cl, Li]")
    assert swapped != text
    path = tmp_path / "potential.yace"
    path.write_text(swapped)
    model, evaluator = read_yace(path), YaceEvaluator(read_yace_file(path), tables=False)
    assert model.descriptor_.elements_ == ("Li", "Cl")
    atoms = structures_of(case.symbols)["rattled supercell"]
    expected = evaluator(atoms).energies
    np.testing.assert_allclose(model.predictor()(atoms).energies, expected, rtol=0, atol=1e-11 * abs(expected).max())


def test_a_model_there_and_back(carbide_model, carbide_truth, tmp_path):
    write_yace(carbide_model, tmp_path / "sic.yace")
    with pytest.warns(LinmlpWarning, match="hybrid/overlay pace zbl"):
        model = linmlp.load(tmp_path / "sic.yace")
    np.testing.assert_allclose(
        model.predict(carbide_truth.structures), carbide_model.predict(carbide_truth.structures), rtol=1e-11
    )
    assert "read from sic.yace" in model.describe()
    errors = [m.evaluate(carbide_truth.structures).to_dict()["total"] for m in (model, carbide_model)]
    assert errors[0] == pytest.approx(errors[1])
    assert model.e0_ == pytest.approx(carbide_model.e0_)


def test_saved_and_loaded(path, case, tmp_path):
    model = read_yace(path)
    model.save(tmp_path / "model.linmlp")
    loaded = linmlp.load(tmp_path / "model.linmlp")
    atoms = structures_of(case.symbols)["rattled supercell"]
    for other in (loaded, copy.deepcopy(model)):
        np.testing.assert_array_equal(other.predict_forces([atoms])[0], model.predict_forces([atoms])[0])


def test_only_predicts(path, carbide_truth, tmp_path):
    model = read_yace(path)
    structures = carbide_truth.structures
    calls = (
        lambda: model.partial_fit(structures),
        lambda: model.fit(structures),
        lambda: model.merge(model),
        lambda: model.predict(structures, return_std=True),
        lambda: model.predict_uncertainty(structures),
        lambda: model.calculator(uncertainty=True),
        lambda: model.descriptor_.transform(structures),
    )
    for call in calls:
        with pytest.raises(SettingsError, match="read from a file of another program"):
            call()
    with pytest.raises(SettingsError, match="ImportedACE"):
        write_yace(model, tmp_path / "again.yace")


def test_type(path):
    assert isinstance(read_yace(path), LinearPotential)
