"""The table of uncertainties against numbers worked out by hand, and as a user asks for it."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from linmlp import LinearPotential, load
from linmlp.exceptions import SettingsError
from linmlp.potentials.uncertainty.table import UncertaintyTable
from linmlp.structures import Labels
from tests.naive.known_model import WEIGHTS, KnownModel, small_ace, without


class Known:
    """A calibration whose interval at a level is level times the raw standard deviation."""

    def __init__(self, constant):
        self.constant = constant

    def is_free(self, std):
        return np.asarray(std) > 0

    def constant_half_width(self, level):
        return self.constant


def result(energy, energy_std, forces, force_std, grade, calibrations):
    """What a potential says, with intervals as wide as the level times the standard deviation."""
    force_std = np.array(force_std)
    return SimpleNamespace(
        prediction=SimpleNamespace(energy=energy, forces=np.array(forces, dtype=float)),
        raw_force_std=force_std,
        energy_std=energy_std,
        force_std=force_std,
        energy_half_width=lambda level: level * energy_std,
        force_half_width=lambda level: level * force_std,
        energy_calibration=calibrations[0],
        force_calibration=calibrations[1],
        grade=grade,
    )


def label(group, energy, n_atoms, masked=()):
    weight = np.ones((n_atoms, 3))
    weight[list(masked), 0] = 0.0
    return Labels(
        energy=energy,
        forces=np.zeros((n_atoms, 3)),
        stress=None,
        config_type=group,
        n_atoms=n_atoms,
        numbers=np.full(n_atoms, 14),
        volume=None,
        energy_weight=1.0,
        force_weight=weight,
        stress_weight=np.ones(6),
    )


@pytest.fixture
def by_hand():
    """Two structures of group a (one atom is fixed by symmetry, one masked), one of b without energy."""
    calibrations = Known(0.010), Known(1.0)
    results = [
        result(1.018, 0.020, [[0.5, 0.7, 0.0], [9.0, 9.0, 9.0]], [1.0, 0.0], 0.5, calibrations),
        result(-0.040, 0.040, [[-1.0, 0.0, 0.0], [8.0, 8.0, 8.0]], [2.0, 1.0], 0.7, calibrations),
        result(5.0, 0.1, [[3.0, 0.0, 0.0]], [1.0], 2.0, calibrations),
    ]
    labels = [label("a", 1.0, 2), label("a", 0.0, 2, masked=(1,)), label("b", None, 1)]
    uncertainty = SimpleNamespace(energy_calibration=calibrations[0], force_calibration=calibrations[1])
    return UncertaintyTable.of(results, labels, uncertainty)


def test_numbers(by_hand):
    total, groups = by_hand.to_dict()["total"], by_hand.to_dict()["groups"]
    a, b = groups["a"], groups["b"]
    # Energy residuals 9 and -20 meV/atom, standard deviations 10 and 20 meV/atom.
    assert (a["energy_n"], a["energy_inside_68"], a["energy_inside_95"]) == (2, 0.0, 0.5)
    assert a["energy_std"] == pytest.approx(np.sqrt((100 + 400) / 2))
    assert a["energy_rmse"] == pytest.approx(np.sqrt((81 + 400) / 2))
    stated = np.mean([2 * 9.5, 2 * 19.0 + 2 / 0.05 * 1.0])
    constant = np.mean([2 * 10.0, 2 * 10.0 + 2 / 0.05 * 10.0])
    assert a["energy_score_95"] == pytest.approx(stated / constant)
    assert b["energy_n"] == 0
    assert b["energy_inside_68"] is b["energy_rmse"] is None
    # Forces 0.5, 0.7, 0 with standard deviation 1, then 1, 0, 0 with 2, then 3, 0, 0 with 1.
    assert (a["force_n"], b["force_n"], total["force_n"]) == (6, 3, 9)
    assert a["force_inside_68"] == pytest.approx(5 / 6)
    assert a["force_inside_95"] == 1.0
    assert b["force_inside_95"] == pytest.approx(2 / 3)
    assert total["force_rmse"] == pytest.approx(np.sqrt((0.25 + 0.49 + 1.0 + 9.0) / 9))
    assert total["force_std"] == pytest.approx(np.sqrt((3 * 1 + 3 * 4 + 3 * 1) / 9))
    assert (a["grade_median"], a["grade_max"], total["grade_median"], total["grade_max"]) == (0.6, 0.7, 0.7, 2.0)


def test_text_and_frame(by_hand):
    text = str(by_hand)
    for words in ("stated intervals of energies (meV/atom)", "stated intervals of forces (eV/Å)", "grades", "total"):
        assert words in text
    assert " - " in text
    assert list(by_hand.to_frame().index) == ["a", "b", "total"]
    assert json.loads(json.dumps(by_hand.to_dict()))["total"]["n_structures"] == 3


@pytest.fixture(scope="module")
def structures():
    truth = KnownModel.of(("Si",), seed=5)
    rng = np.random.default_rng(0)
    noisy = []
    for atoms in truth.structures + truth.structures:
        copy = atoms.copy()
        copy.positions += 0.05 * rng.normal(size=copy.positions.shape)
        truth.label(copy)
        forces = copy.calc.results["forces"]
        noisy.append(without(copy, forces=forces + 0.05 * rng.normal(size=forces.shape)))
    return noisy


@pytest.fixture(scope="module")
def model(structures):
    return LinearPotential(small_ace(), alpha=1e-6, uncertainty=True, **WEIGHTS).fit(structures)


def test_evaluate_adds_it(model, structures, tmp_path):
    plain, table = model.evaluate(structures), model.evaluate(structures, uncertainty=True)
    assert plain.uncertainty is None
    assert "uncertainty" not in plain.to_dict()
    assert str(table).startswith(str(plain))
    total = table.to_dict()["uncertainty"]["total"]
    assert total["force_rmse"] == pytest.approx(table.to_dict()["total"]["force_rmse"], rel=1e-9)
    # Training structures, calibrated on held-out ones: more is inside than stated.
    assert 0.6 < total["force_inside_68"] < 0.95
    assert total["force_inside_95"] > 0.9
    assert total["energy_score_95"] > 0
    assert set(table.to_dict()["uncertainty"]["groups"]) == {"bulk", "slab", "molecule"}
    assert json.loads(table.to_json())["uncertainty"]["total"] == total
    model.save(tmp_path / "a.linmlp", system=False)
    again = load(tmp_path / "a.linmlp").evaluate(structures, uncertainty=True).to_dict()["uncertainty"]["total"]
    assert again == pytest.approx(total)


def test_structures_without_labels_have_grades_alone(model, structures):
    bare = [without(atoms, "energy", "forces") for atoms in structures[:3]]
    total = model.evaluate(bare, uncertainty=True).to_dict()["uncertainty"]["total"]
    assert total["energy_inside_68"] is total["force_std"] is None
    assert total["grade_max"] >= total["grade_median"] > 0


def test_potential_without_uncertainties_is_told(structures):
    plain = LinearPotential(small_ace(), alpha=1e-6, **WEIGHTS).fit(structures)
    with pytest.raises(SettingsError, match="knows no uncertainties"):
        plain.evaluate(structures, uncertainty=True)
