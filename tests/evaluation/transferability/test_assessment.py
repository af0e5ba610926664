"""One entry for all: what is gathered, what is said to be missing, and how it is drawn."""

import json

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator

from linmlp import ACE, LinearPotential, LinearPotentialCV
from linmlp.evaluation.transferability import (
    assess_transferability,
    errors_by_condition,
    errors_by_grade,
    leave_one_element_out,
    leave_one_group_out,
    plot_conditions,
    plot_grades,
    plot_left_out,
    plot_transferability,
    plot_volumes,
)
from linmlp.exceptions import SettingsError
from tests.evaluation.transferability.conftest import SETTINGS

mpl.use("Agg")


@pytest.fixture(autouse=True)
def _no_figures_left():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def result(silicon):
    return assess_transferability(silicon.model, silicon.train, silicon.test)


def test_sections_are_those_of_the_single_functions(silicon, result):
    alone = leave_one_group_out(silicon.model, silicon.train)
    assert str(result.groups) == str(alone)
    assert str(result.test) == str(silicon.model.evaluate(silicon.test))
    usual = {"force_rmse": alone.overall.force_rmse, "energy_mae": alone.overall.energy_mae}
    assert str(result.grades) == str(errors_by_grade(silicon.model, silicon.test, usual=usual))
    assert str(result.volume) == str(errors_by_condition(silicon.model, silicon.train, silicon.test))
    assert len(result.crystals) == 1
    assert "one chemical system, 'Si'" in result.missing["chemical_systems"]
    assert "one element, Si" in result.missing["elements"]
    assert "none of the 128 training structures has a temperature" in result.missing["temperature"]
    assert result.chemical_systems is result.elements is result.temperature is None


def test_text_and_json(result):
    text = str(result)
    assert text.startswith("Where the potential may be trusted\npredicted without being trained on (each group): ")
    for part in (result.groups, result.grades, result.volume, result.test, *result.crystals):
        assert str(part) in text
    assert "Temperatures\nnot assessed: none of the 128" in text
    plain = json.loads(result.to_json())
    assert plain["groups"]["rows"][0]["name"] == "amorphous"
    assert plain["temperature"] is None
    assert plain["missing"] == result.missing
    assert plain["crystals"][0]["covered"]


def test_several_elements(carbide_truth, carbide_model):
    found = assess_transferability(carbide_model, carbide_truth.structures, n_folds=3)
    assert found.missing["grades"] == found.missing["crystals"]
    assert "fit it with uncertainty=True" in found.missing["grades"]
    assert found.missing["volume"] == "no test structures were given"
    assert [row.name for row in found.chemical_systems.rows] == ["C", "C-Si", "Si"]
    alone = leave_one_element_out(carbide_model, carbide_truth.structures, n_folds=3)
    for one, other in zip(found.elements.rows, alone.rows, strict=True):  # one assembly for all, or one for each
        assert one.without.force_rmse == pytest.approx(other.without.force_rmse, rel=1e-6)
        assert one.within.energy_mae == pytest.approx(other.within.energy_mae, rel=1e-6)
    axes = plot_transferability(found).axes
    assert len(axes) == 6


def test_the_rows_of_every_structure_are_made_once(carbide_truth, carbide_model, monkeypatch):
    made = []
    write = type(carbide_model.descriptor_).write_rows
    monkeypatch.setattr(
        type(carbide_model.descriptor_),
        "write_rows",
        lambda self, pairs, *rows: (made.append(len(pairs.numbers)), write(self, pairs, *rows))[1],
    )
    assess_transferability(carbide_model, carbide_truth.structures)
    crystals = [n for n in made if n > 2]  # dimers are those of the core
    assert sum(crystals) == sum(map(len, carbide_truth.structures))


def test_elements_that_the_potential_does_not_know_are_told(silicon):
    strange = Atoms("GeSi", cell=[3.0, 3.0, 5.0], pbc=True, positions=[[0, 0, 0], [1.5, 1.5, 2.4]])
    strange.calc = SinglePointCalculator(strange, energy=0.0)
    some = assess_transferability(silicon.model, silicon.train, [*silicon.test[:3], strange], n_folds=0)
    assert "1 test structures hold Ge, which the potential does not know: they cannot be predicted" in str(some)
    assert some.volume.n_test == 3
    none = assess_transferability(silicon.model, silicon.train, [strange], n_folds=0)
    for section in ("test", "grades", "volume", "temperature"):
        assert "all 1 structures hold Ge" in none.missing[section]
    with pytest.raises(SettingsError, match="the structures hold Ge"):
        assess_transferability(silicon.model, [*silicon.train, strange])


def test_what_the_data_do_not_allow_is_missing_not_an_error(silicon):
    bare = [atoms.copy() for atoms in silicon.test]
    found = assess_transferability(
        silicon.model, silicon.train, bare, groups=["all"] * 128, crystals={"diamond": bulk("Si")}
    )
    assert "are of one group, 'all'" in found.missing["groups"]
    assert "has an energy, forces or a stress" in found.missing["grades"]
    assert [scan.name for scan in found.crystals] == ["diamond"]
    found = assess_transferability(silicon.model, silicon.train, silicon.test, groups=["all"] * 128, crystals={})
    assert found.grades.usual == {  # what the fit found, where nothing was left out
        name: value for name, value in silicon.model.cv_errors_.items() if name in ("force_rmse", "energy_mae")
    }
    assert "give crystals" in found.missing["crystals"]


def test_a_search_is_assessed_by_its_best(silicon):
    base = LinearPotential(ACE(cutoff=4.0, order=2, max_degree=(5, 4)), **{**SETTINGS, "alpha": "auto"})
    search = LinearPotentialCV(base, {"alpha": [1e-6, 1e-4]}, cv=3).fit(silicon.train)
    found = assess_transferability(search, silicon.train, n_folds=0)
    alone = leave_one_group_out(search.best_estimator_, silicon.train, n_folds=0)
    assert str(found.groups) == str(alone) == str(leave_one_group_out(search, silicon.train, n_folds=0))


def test_plots_show_the_figures(result):
    ax = plot_left_out(result.groups, "shape_mae")
    assert [label.get_text() for label in ax.get_yticklabels()] == [row.name for row in result.groups.rows]
    np.testing.assert_array_equal(ax.lines[1].get_xdata(), [row.without.shape_mae for row in result.groups.rows])
    ax = plot_grades(result.grades)
    np.testing.assert_array_equal(ax.lines[len(_forces(result))].get_ydata(), [b.force_rmse for b in _forces(result)])
    ax = plot_conditions(result.volume, "stress_rmse")
    drawn = [b.stress_rmse for b in result.volume.bins if b.stress_rmse is not None]
    np.testing.assert_array_equal(ax.lines[-1].get_ydata(), drawn)
    ax = plot_volumes(result.crystals[0])
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), result.crystals[0].grades)
    assert len(plot_transferability(result).axes) == 7
    with pytest.raises(SettingsError, match="metric='speed'"):
        plot_left_out(result.groups, "speed")
    with pytest.raises(SettingsError, match="metric='speed'"):
        plot_grades(result.grades, "speed")
    with pytest.raises(SettingsError, match="metric='speed'"):
        plot_conditions(result.volume, "speed")


def _forces(result):
    return [b for b in result.grades.bins if b.force_rmse is not None]
