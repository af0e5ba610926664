"""What single sections say, against known answers."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from linmlp import ACE, LinearPotential, LinearPotentialCV
from linmlp.evaluation.report import SECTIONS, write_report
from linmlp.evaluation.report.errors import ErrorsSection
from linmlp.evaluation.report.figures import COLORS
from linmlp.evaluation.report.inputs import Inputs
from linmlp.evaluation.report.learning import with_chosen_settings
from linmlp.evaluation.report.parity import ParitySection
from linmlp.evaluation.report.points import collect_points, color_groups, force_vectors
from linmlp.evaluation.report.search import SearchSection, chosen_row
from linmlp.evaluation.report.stability import _grade_verdict, _verdict
from linmlp.evaluation.report.uncertainty import coverage_verdicts, extrapolation_verdict
from linmlp.units import EV_PER_A3_IN_GPA


def nothing(part):
    pass


@pytest.fixture(scope="module")
def inputs(small):
    return Inputs(small.model, None, small.test, small.train, small.md)


class TestPoints:
    def test_they_are_labels_and_predictions(self, small, inputs):
        forces = collect_points(inputs.tested, "force", small.model.e0_)
        np.testing.assert_allclose(
            forces.reference, np.concatenate([a.get_forces(apply_constraint=False).ravel() for a in small.test])
        )
        predicted = np.concatenate([f.ravel() for f in small.model.predict_forces(small.test)])
        np.testing.assert_allclose(forces.predicted, predicted, atol=1e-12)
        stresses = collect_points(inputs.tested, "stress", small.model.e0_)
        predicted = small.model.predict_stress(small.test).ravel() * EV_PER_A3_IN_GPA
        np.testing.assert_allclose(stresses.predicted, predicted, atol=1e-9)
        energies = collect_points(inputs.tested, "energy", small.model.e0_)
        n_atoms = np.array([len(atoms) for atoms in small.test])
        shift = small.model.e0_["Si"]
        np.testing.assert_allclose(energies.predicted, small.model.predict(small.test) / n_atoms - shift, atol=1e-10)
        assert energies.group.tolist() == [atoms.info["config_type"] for atoms in small.test]

    def test_masked_components_are_left_out(self, small):
        test = [atoms.copy() for atoms in small.test[:3]]
        for atoms, labelled in zip(test, small.test, strict=False):
            atoms.calc = labelled.calc
            atoms.arrays["force_mask"] = np.arange(len(atoms)) == 0
        tested = Inputs(small.model, None, test).tested
        n_atoms = sum(len(atoms) - 1 for atoms in test)
        assert len(collect_points(tested, "force", small.model.e0_).error) == 3 * n_atoms
        sizes, errors = force_vectors(tested)
        assert len(sizes) == len(errors) == n_atoms
        truth = np.concatenate([np.linalg.norm(a.get_forces(apply_constraint=False)[1:], axis=1) for a in test])
        np.testing.assert_allclose(sizes, truth)

    def test_structures_without_a_label_have_no_plots_of_it(self, small):
        from ase.calculators.singlepoint import SinglePointCalculator

        test = [atoms.copy() for atoms in small.test[:4]]
        for atoms, labelled in zip(test, small.test, strict=False):
            atoms.calc = SinglePointCalculator(atoms, energy=labelled.get_potential_energy())
        given = Inputs(small.model, None, test)
        content = ParitySection().make(given, nothing)
        keys = [f.key for block in content.blocks if block.kind == "gallery" for f in block.figures]
        assert keys == ["parity-energy", "histogram-energy", "quantiles-energy"]
        (verdict, *_) = ErrorsSection().make(given, nothing).verdicts
        assert "forces" not in verdict.text

    def test_largest_groups_have_colours(self):
        groups = np.repeat([f"g{k}" for k in range(9)], np.arange(9, 0, -1))
        found = color_groups(groups)
        assert [name for name, _, _ in found] == ["g0", "g1", "g2", "g3", "g4", "g5", "others"]
        assert [int(members.sum()) for _, members, _ in found] == [9, 8, 7, 6, 5, 4, 6]
        assert len({color for _, _, color in found}) == len(found) <= len(COLORS)


class TestErrors:
    def test_a_promise_that_is_not_kept(self, small, inputs):
        honest = [v for v in ErrorsSection().make(inputs, nothing).verdicts if "promised" in v.text]
        assert [v.level for v in honest] == ["warning" if "more than 1.5" in honest[0].text else "good"]
        total = inputs.tested.table.to_dict()["total"]
        better = SimpleNamespace(**vars(small.model))
        for factor, level in ((0.5, "warning"), (0.9, "good")):
            better.cv_errors_ = {"energy_mae": total["energy_mae"], "force_rmse": factor * total["force_rmse"]}
            given = Inputs(small.model, None, small.test)
            given.__dict__["tested"] = inputs.tested
            given.model = better
            (verdict,) = [v for v in ErrorsSection().make(given, nothing).verdicts if "promised" in v.text]
            assert verdict.level == level

    def test_groups_that_are_much_worse_are_named(self, inputs):
        rows = inputs.tested.table.to_dict()
        for kind, plural in (("energy", "energies"), ("force", "forces")):
            worst = max(rows["groups"], key=lambda g: rows["groups"][g][f"{kind}_mae"])
            told = [v.text for v in ErrorsSection().make(inputs, nothing).verdicts if f"worst in {plural}" in v.text]
            if rows["groups"][worst][f"{kind}_mae"] > 2 * rows["total"][f"{kind}_mae"]:
                assert len(told) == 1
                assert f"The group {worst} " in told[0]
            else:
                assert told == []

    def test_uncertainties_that_are_too_small(self, inputs):
        stated = inputs.tested.table.uncertainty
        assert len(coverage_verdicts(stated)) == 2

        def narrowed(factor):
            parts = []
            for s in stated.structures:
                widths = {level: factor * w for level, w in s.force.half_widths.items()}
                parts.append(replace(s, force=replace(s.force, half_widths=widths)))
            return replace(stated, structures=parts)

        assert coverage_verdicts(narrowed(1e-3))[1].level == "warning"
        assert "too small: 68 % intervals hold" in coverage_verdicts(narrowed(1e-3))[1].text
        assert coverage_verdicts(narrowed(1e3))[1].level == "good"

    def test_extrapolation_is_counted_by_group(self, inputs):
        stated = inputs.tested.table.uncertainty
        calm = replace(stated, structures=[replace(s, grade=0.5) for s in stated.structures])
        assert extrapolation_verdict(calm).level == "good"
        far = [replace(s, grade=3.0 if k in (0, 1) else 0.5) for k, s in enumerate(stated.structures)]
        verdict = extrapolation_verdict(replace(stated, structures=far))
        assert verdict.level == "warning"
        assert f"on 2 of {len(far)} test structures" in verdict.text
        assert "the largest grade is 3.00" in verdict.text


class TestLearning:
    def test_chosen_settings_give_the_same_potential(self, small):
        again = with_chosen_settings(small.model).fit(small.train)
        np.testing.assert_allclose(again.predict(small.test), small.model.predict(small.test), rtol=1e-9)
        assert not again.cv_results_
        assert again.uncertainty_ is None
        assert again.system_ is None


class TestSearch:
    def test_the_chosen_row_is_that_of_the_fit(self, small):
        row = chosen_row(small.model, small.model.cv_results_)
        assert row is not None
        for name in ("energy_mae", "force_rmse"):
            factor = 1e3 if name == "energy_mae" else 1.0
            assert factor * small.model.cv_results_[name][row] == pytest.approx(small.model.cv_errors_[name])

    def test_a_choice_at_the_edge_is_named(self, small):
        model = small.model
        content = SearchSection().make(Inputs(model, None, small.test, cv_results=model.cv_results_), nothing)
        row = chosen_row(model, model.cv_results_)
        params = model.cv_results_["params"]
        strengths = sorted({p["alpha"] for p in params})
        is_edge = params[row]["alpha"] in (strengths[0], strengths[-1])
        assert any("ridge strength alpha" in v.text for v in content.verdicts) == is_edge
        keys = [f.key for block in content.blocks if block.kind == "gallery" for f in block.figures]
        assert keys == ["search-landscape", "search-alpha", "search-energy-per", "search-energy-weight"]

    def test_a_file_without_the_table_says_so(self, small):
        content = SearchSection().make(Inputs(small.model, None, small.test), nothing)
        assert "does not hold the table" in content.blocks[-1].text

    def test_a_search_is_shown_with_its_own_table(self, small, tmp_path):
        grid = [{"alpha": [1e-8, 1e-5, 1e-2], "energy_weight": [1.0, 10.0]}, {"prior": [None, "degree"]}]
        potential = LinearPotential(ACE(cutoff=4.0, order=2, max_degree=(6, 4)), energy_per="atom")
        found = LinearPotentialCV(potential, grid, cv=3).fit(small.train)
        skip = [section.key for section in SECTIONS if section.key != "search"]
        report = write_report(found, tmp_path / "r.html", small.test, skip=skip)
        (made,) = [section for section in report.sections if section.status == "made"]
        (prose,) = [b.text for b in made.content.blocks if b.kind == "paragraph" and "were tried" in b.text]
        assert prose.startswith(f"{len(found.cv_results_['params'])} combinations")
        keys = [f.key for block in made.content.blocks if block.kind == "gallery" for f in block.figures]
        assert {"search-landscape", "search-alpha", "search-energy-weight", "search-prior"} <= set(keys)


class TestStability:
    def test_what_is_said_of_runs(self):
        trace = {"time": np.array([0.0, 1.0])}
        run = SimpleNamespace(ensemble="nvt", temperature=300.0, trace=trace, passed=True, failure=None, reasons=[])
        assert _verdict(run).level == "good"
        run.passed, run.reasons = False, ["the temperature is off"]
        assert _verdict(run).level == "warning"
        run.failure = object()
        assert _verdict(run).level == "bad"
        assert "FAILED after 1.00 ps, the temperature is off" in _verdict(run).text
        for structure, atom, level in ((0.5, 0.2, "good"), (2.0, 0.2, "warning"), (2.0, 2.0, "warning")):
            assert _grade_verdict(run, np.array([[0, 0.5, 0.1], [1, structure, atom]])).level == level
        assert "in 50.0 % of the frames" in _grade_verdict(run, np.array([[0, 0.5, 0.1], [1, 2.0, 2.0]])).text
