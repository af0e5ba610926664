"""Errors against grades: a naive twin, statements on figures made by hand, and structures that are far away."""

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from scipy.stats import rankdata

from linmlp.evaluation.transferability import GradeErrors, errors_by_grade
from linmlp.evaluation.transferability.grades import GradeBin, rank_correlation
from linmlp.exceptions import InputError, SettingsError
from tests.naive.known_model import without


@pytest.fixture(scope="module")
def result(silicon):
    return errors_by_grade(silicon.model, silicon.test)


def test_bins_are_those_of_a_plain_loop(silicon, result):
    force, energy = {}, {}
    for atoms, uncertain in zip(silicon.test, silicon.model.predict_uncertainty(silicon.test), strict=True):
        for grade, row in zip(uncertain.atom_grades, uncertain.prediction.forces - atoms.get_forces(), strict=True):
            force.setdefault(_bin(grade), []).extend(row)
        error = 1e3 * abs(uncertain.prediction.energy - atoms.get_potential_energy()) / len(atoms)
        energy.setdefault(_bin(uncertain.grade), []).append(error)
    assert [b.low for b in result.bins] == sorted(force.keys() | energy.keys())
    for b in result.bins:
        assert (3 * b.n_atoms, b.n_structures) == (len(force.get(b.low, [])), len(energy.get(b.low, [])))
        if b.n_atoms:
            assert b.force_rmse == pytest.approx(np.sqrt(np.mean(np.square(force[b.low]))))
        if b.n_structures:
            assert b.energy_mae == pytest.approx(np.mean(energy[b.low]))


def _bin(grade):
    return max(low for low in (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0) if low <= grade)


def test_rank_correlation_is_that_of_ranks(silicon, result):
    x, y = np.random.default_rng(0).normal(size=(2, 40))
    assert rank_correlation(x, y) == pytest.approx(np.corrcoef(rankdata(x), rankdata(y))[0, 1])
    assert rank_correlation(x, np.ones(40)) is None
    assert rank_correlation(x[:2], y[:2]) is None
    errors = [
        abs(p - a.get_potential_energy()) / len(a)
        for p, a in zip(silicon.model.predict(silicon.test), silicon.test, strict=True)
    ]
    assert result.energy_correlation == pytest.approx(rank_correlation(result.structure_grades, np.array(errors)))
    assert result.force_correlation > 0.2


def test_structures_far_from_training_have_high_grades_and_are_told(silicon):
    squeezed = []
    for atoms in silicon.test[:8]:
        far = atoms.copy()
        far.set_cell(0.75 * atoms.cell.array, scale_atoms=True)
        far.calc = SinglePointCalculator(far, energy=0.0, forces=np.full((len(far), 3), 30.0))
        squeezed.append(far)
    usual = {"force_rmse": 0.3, "energy_mae": 20.0}
    result = errors_by_grade(silicon.model, [*silicon.test, *squeezed], usual=usual)
    n_far, n_all = sum(map(len, squeezed)), sum(map(len, [*silicon.test, *squeezed]))
    assert result.part_above(result.trusted_grade("force_rmse")) >= n_far / n_all
    assert result.part_above(1.0, "structures") >= 8 / 36
    assert result.to_dict()["atoms_above_1"] == pytest.approx(np.mean(result.atom_grades >= 1.0))


def made(rmse, counts, usual=0.1):
    bins = tuple(
        GradeBin(0.5 * k, 0.5 * (k + 1), n, 0, value, None)
        for k, (value, n) in enumerate(zip(rmse, counts, strict=True))
    )
    grades = np.concatenate([np.full(n, 0.5 * k + 0.25) for k, n in enumerate(counts)])
    return GradeErrors(bins, {"force_rmse": usual}, 0.5, None, grades, np.array([0.2, 1.2]))


def test_what_is_said_of_the_trusted_grade():
    rises = made([0.1, 0.12, 0.4, 0.9], [50, 30, 15, 5])
    assert rises.trusted_grade("force_rmse") == 1.0
    assert "below grade 1 at most 2 times that; 20.0% of test atoms are above" in rises.statement()
    assert "rank correlation of grade and error 0.50" in rises.statement()
    assert "beyond the edge of training (grade 1): 20.0% of atoms, 50.0% of structures" in rises.statement()
    flat = made([0.1, 0.12, 0.1], [50, 30, 15])
    assert flat.trusted_grade("force_rmse") == np.inf
    assert "at no grade more than 2 times that, as far as grades go (bins up to 1.5)" in flat.statement()
    assert flat.to_dict()["trusted_grade"]["force_rmse"] is None
    assert "the grade does not tell" in made([0.4, 0.5], [50, 30]).statement()
    unknown = GradeErrors(flat.bins, {}, None, None, flat.atom_grades, flat.structure_grades)
    assert unknown.trusted_grade("force_rmse") is None
    assert "its error in cross-validation is not known; give train" in unknown.statement()
    assert "energy MAE: nothing to say" in flat.statement()


def test_small_bins_are_taken_together():
    together = made([0.1, 0.3, 0.3, 9.0], [50, 4, 16, 4])
    assert together.trusted_grade("force_rmse") == 0.5  # from the bin of four atoms on
    assert made([0.1, 0.3, 0.1, 9.0], [50, 4, 16, 4]).trusted_grade("force_rmse") == np.inf  # the last four say nothing
    mean = np.sqrt((4 * 0.3**2 + 16 * 0.1**2) / 20)
    assert made([0.3, 0.1], [4, 16]).trusted_grade("force_rmse") == np.inf
    assert made([0.3, 0.1], [4, 16], usual=0.499 * mean).trusted_grade("force_rmse") == 0.0


def test_table(result):
    lines = str(result).splitlines()
    first = result.bins[0]
    row = next(line for line in lines if line.strip().startswith("0 to 0.25"))
    assert row.split() == ["0", "to", "0.25", str(first.n_atoms), f"{first.force_rmse:.4f}", "0", "-"]


def test_masked_and_missing_labels_do_not_count(silicon):
    masked = silicon.test[0].copy()
    masked.calc = silicon.test[0].calc
    masked.arrays["force_mask"] = np.arange(len(masked)) == 0
    result = errors_by_grade(silicon.model, [masked, without(silicon.test[1], "forces"), silicon.test[2]])
    assert sum(b.n_atoms for b in result.bins) == len(masked) - 1 + len(silicon.test[2])
    assert sum(b.n_structures for b in result.bins) == 3


def test_bad_input(silicon, silicon_model):
    with pytest.raises(SettingsError, match="fit it with uncertainty=True"):
        errors_by_grade(silicon_model, silicon.test)
    with pytest.raises(SettingsError, match="two grades or more, ascending"):
        errors_by_grade(silicon.model, silicon.test, edges=[1.0, 0.5])
    strange = Atoms("Ge", cell=[3.0] * 3, pbc=True)
    strange.calc = SinglePointCalculator(strange, energy=0.0)
    with pytest.raises(InputError, match="all 1 structures hold Ge, but the potential knows Si alone"):
        errors_by_grade(silicon.model, [strange])
