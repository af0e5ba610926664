"""Errors on what was left out: against actual refits, and against answers that are known."""

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from sklearn.frozen import FrozenEstimator

from linmlp import ACE, LinearPotential
from linmlp.evaluation.transferability import (
    Errors,
    LeaveOut,
    LeftOut,
    leave_one_chemical_system_out,
    leave_one_element_out,
    leave_one_group_out,
)
from linmlp.evaluation.transferability.refits import column_squares
from linmlp.exceptions import InputError, LinmlpWarning, SettingsError
from linmlp.neighbors import find_pairs
from linmlp.structures import assign_folds, read_labels
from linmlp.system import GramSystem, QRSystem, RowSystem
from linmlp.units import EV_PER_A3_IN_GPA
from tests.evaluation.transferability.conftest import SETTINGS
from tests.naive.known_model import WEIGHTS, small_ace, without


def refit(model, structures, sample_weight=None):
    """The naive twin: another fit, to structures alone."""
    e0 = "lstsq" if model.reference_.source == "lstsq" else model.e0_
    twin = LinearPotential(
        FrozenEstimator(model.descriptor_),
        energy_weight=model.energy_weight_,
        force_weight=model.force_weight_,
        stress_weight=model.stress_weight_,
        energy_per=model.energy_per_,
        group_weights=model.group_weights,
        alpha=model.alpha_,
        prior=model.prior,
        features=model.features,
        baseline=model.baselines_,
        e0=e0,
        form=model.form_,
    )
    return twin.fit(structures, sample_weight=sample_weight)


def naive_errors(pairs):
    """Errors pooled over (potential, structures), from predictions."""
    energy, force, stress = [], [], []
    for twin, structures in pairs:
        for label, E, F, S in zip(
            read_labels(structures),
            twin.predict(structures),
            twin.predict_forces(structures),
            twin.predict_stress(structures),
            strict=True,
        ):
            energy.append(1e3 * (E - label.energy) / label.n_atoms)
            force.extend(np.ravel(F - label.forces))
            if label.stress is not None:
                xx, yy, zz, yz, xz, xy = EV_PER_A3_IN_GPA * (S - label.stress)
                stress.extend([xx, yy, zz, yz, yz, xz, xz, xy, xy])
    energy = np.array(energy)
    shape = np.abs(energy - energy.mean()).mean() if len(energy) > 1 else None
    return Errors(
        np.abs(energy).mean(),
        energy.mean(),
        shape,
        np.sqrt(np.mean(np.square(force))),
        np.sqrt(np.mean(np.square(stress))) if stress else None,
    )


def assert_same(errors, expected, rel=1e-6):
    for name in Errors.__dataclass_fields__:
        value, wanted = getattr(errors, name), getattr(expected, name)
        if wanted is None:
            assert value is None
        else:
            assert value == pytest.approx(wanted, rel=rel, abs=1e-7), name


def split(structures, names, left_out):
    return [a for a, n in zip(structures, names, strict=True) if n != left_out], [
        a for a, n in zip(structures, names, strict=True) if n == left_out
    ]


class TestAgainstRefits:
    @pytest.mark.parametrize("form", ["gram", "qr"])
    def test_groups(self, silicon, form):
        model = LinearPotential(ACE(cutoff=4.0, order=2, max_degree=(5, 4)), form=form, **SETTINGS).fit(silicon.train)
        result = leave_one_group_out(model, silicon.train, n_folds=0)
        names = [atoms.info["config_type"] for atoms in silicon.train]
        assert [row.name for row in result.rows] == sorted(set(names))
        for group in ("bcc", "liquid", "close_contact"):
            rest, out = split(silicon.train, names, group)
            row = result[group]
            assert (row.n_structures, row.n_atoms) == (len(out), sum(map(len, out)))
            assert_same(row.without, naive_errors([(refit(model, rest), out)]))
            assert row.within is None
            assert row.verdict == "unknown"
        assert result.overall is None

    def test_cross_validation_beside_it(self, silicon):
        structures = silicon.train[:40]
        model = LinearPotential(ACE(cutoff=4.0, order=2, max_degree=(5, 4)), n_folds=3, **SETTINGS).fit(structures)
        names = [atoms.info["config_type"] for atoms in structures]
        result = leave_one_group_out(model, structures)
        folds = assign_folds(names, 3, model.random_state)
        twins = [refit(model, [a for a, f in zip(structures, folds, strict=True) if f != k]) for k in range(3)]

        def held_out(group=None):
            parts = [
                [a for a, f, n in zip(structures, folds, names, strict=True) if f == k and group in (None, n)]
                for k in range(3)
            ]
            return naive_errors([(twin, part) for twin, part in zip(twins, parts, strict=True) if part])

        for group in sorted(set(names))[:3]:
            assert_same(result[group].within, held_out(group))
        assert_same(result.overall, held_out())

    def test_cross_validation_is_that_of_the_fit(self, silicon):
        settings = {**SETTINGS, "alpha": "auto"}
        ace = ACE(cutoff=4.0, order=2, max_degree=(5, 4))
        model = LinearPotential(ace, baseline=None, **settings).fit(silicon.train)
        overall = leave_one_group_out(model, silicon.train).overall
        for name in ("energy_mae", "force_rmse", "stress_rmse"):
            assert getattr(overall, name) == pytest.approx(model.cv_errors_[name], rel=1e-6)

    def test_weights_groups_of_the_user_and_subsets_of_functions(self, silicon):
        structures = silicon.train[:48]
        model = LinearPotential(
            ACE(cutoff=4.0, order=2, max_degree=(5, 4)),
            group_weights={"rattled": 3.0, "default": 0.5},
            features=np.arange(0, 20, 2),
            prior=np.linspace(1.0, 2.0, 20),
            **SETTINGS,
        )
        weight = np.ones(48)
        weight[5] = 0.0
        model.fit(structures, sample_weight=weight)
        names = [str(k % 3) for k in range(48)]
        result = leave_one_group_out(model, structures, groups=names, n_folds=0, sample_weight=weight)
        assert result.n_functions == 10
        kept = [k for k in range(48) if k != 5]
        for group in "012":
            rest = [structures[k] for k in kept if names[k] != group]
            out = [structures[k] for k in kept if names[k] == group]
            assert_same(result[group].without, naive_errors([(refit(model, rest), out)]))

    def test_chemical_systems_and_elements(self, carbide_truth, carbide_model):
        structures = carbide_truth.structures
        names = ["-".join(sorted(set(atoms.get_chemical_symbols()))) for atoms in structures]
        assert sorted(set(names)) == ["C", "C-Si", "Si"]
        rest, out = split(structures, names, "C-Si")
        with pytest.warns(LinmlpWarning, match="79 rows for 134 functions"):
            twin = naive_errors([(refit(carbide_model, rest), out)])
        by_system = leave_one_chemical_system_out(carbide_model, structures, n_folds=0)
        assert_same(by_system["C-Si"].without, twin)
        by_element = leave_one_element_out(carbide_model, structures, n_folds=0)
        for element in ("C", "Si"):  # compounds of either are the same here
            assert_same(by_element[element].without, twin)
        rest, out = split(structures, names, "C")
        assert_same(by_system["C"].without, naive_errors([(refit(carbide_model, rest), out)]))
        assert "the rest has 79 rows alone" in by_system["C-Si"].statement()

    def test_functions_that_are_not_seen(self, carbide_truth, carbide_model):
        def columns(structures):
            seen = np.zeros(len(carbide_model.coef_), dtype=bool)
            for atoms in structures:
                rows = carbide_model.descriptor_.allocate_rows(len(atoms))
                carbide_model.descriptor_.write_rows(find_pairs(atoms, 4.0), *rows)
                seen |= np.any(np.vstack(rows) != 0.0, axis=0)
            return seen

        names = ["-".join(sorted(set(atoms.get_chemical_symbols()))) for atoms in carbide_truth.structures]
        result = leave_one_chemical_system_out(carbide_model, carbide_truth.structures, n_folds=0)
        for system in ("C", "C-Si", "Si"):
            rest, _ = split(carbide_truth.structures, names, system)
            unseen = int(np.sum(columns(carbide_truth.structures) & ~columns(rest)))
            assert result[system].n_unseen == unseen
        assert result["C-Si"].n_unseen > 0
        assert "functions are not seen without it and count as 0" in result["C-Si"].statement()

    def test_given_reference_energies_stay(self, carbide_truth):
        model = LinearPotential(small_ace(), alpha=1e-6, e0=carbide_truth.e0, **WEIGHTS).fit(carbide_truth.structures)
        result = leave_one_group_out(model, carbide_truth.structures, n_folds=0)
        names = [atoms.info["config_type"] for atoms in carbide_truth.structures]
        rest, out = split(carbide_truth.structures, names, "slab")
        assert_same(result["slab"].without, naive_errors([(refit(model, rest), out)]))
        assert not any(row.reference_open for row in result.rows)


class TestKnownAnswers:
    def test_a_group_with_an_offset(self, silicon_truth):
        shift = 0.05
        structures = [
            without(a, energy=a.get_potential_energy() + shift * len(a)) if a.info["config_type"] == "slab" else a
            for a in silicon_truth.structures
        ]
        model = LinearPotential(small_ace(), alpha=1e-10, form="qr", baseline=None, **WEIGHTS).fit(structures)
        row = leave_one_group_out(model, structures)["slab"]
        # The others follow the known model exactly, so that it is what they teach: all that is left is the offset.
        assert row.without.energy_shift == pytest.approx(-1e3 * shift, abs=0.05)
        assert row.without.energy_mae == pytest.approx(1e3 * shift, abs=0.05)
        assert row.without.shape_mae < 0.1
        assert row.without.force_rmse < 1e-3

    def test_a_group_of_another_shape(self, silicon_truth):
        structures = [
            without(a, forces=1.5 * a.get_forces()) if a.info["config_type"] == "bulk" else a
            for a in silicon_truth.structures
        ]
        model = LinearPotential(small_ace(), alpha=1e-10, form="qr", baseline=None, **WEIGHTS).fit(structures)
        row = leave_one_group_out(model, structures)["bulk"]
        forces = [a.get_forces() for a in structures if a.info["config_type"] == "bulk"]
        assert row.without.force_rmse == pytest.approx(np.sqrt(np.mean(np.vstack(forces) ** 2)) / 3.0, rel=1e-3)
        assert row.without.energy_mae < 0.1

    def test_column_squares_of_every_form(self):
        X = np.random.default_rng(0).normal(size=(30, 4))
        y = np.ones(30)
        for system in (RowSystem(X, y), QRSystem.from_rows(X, y, 30), GramSystem.from_rows(X, y, 30)):
            np.testing.assert_allclose(column_squares(system), np.sum(X**2, axis=0), rtol=1e-12)


def row(**changes):
    usual = Errors(2.0, 0.0, 2.0, 0.1, 0.5)
    figures = {"energy_mae": 2.0, "energy_shift": 0.0, "shape_mae": 2.0, "force_rmse": 0.1, "stress_rmse": 0.5}
    meta = {k: changes.pop(k) for k in list(changes) if k not in figures}
    return LeftOut("x", meta.pop("n_structures", 5), 10, Errors(**figures | changes), meta.pop("within", usual), **meta)


class TestVerdicts:
    @pytest.mark.parametrize(
        ("changed", "verdict", "told"),
        [
            ({}, "transfers", "as in cross-validation"),
            ({"energy_mae": 9.0, "energy_shift": 9.0}, "offset", "mean of its energy off by +9.0 meV/atom"),
            ({"force_rmse": 0.2}, "degrades", "less well without it: force RMSE 2.0 times that"),
            ({"stress_rmse": 2.0}, "fails", "NOT predicted without it: stress RMSE 4.0 times"),
            ({"n_structures": 1, "force_rmse": 0.5}, "unknown", "a single structure"),
            ({"within": None}, "unknown", "nothing to compare with"),
            ({"energy_mae": 9.0, "reference_open": True}, "transfers", "leaves reference energies open"),
            ({"n_skipped": 3}, "transfers", "3 more structures"),
        ],
    )
    def test_what_is_said(self, changed, verdict, told):
        found = row(**changed)
        assert found.verdict == verdict
        assert told in found.statement()

    def test_rounding_does_not_rise(self):
        found = row(within=Errors(2.0, 0.0, 2.0, 1e-16, 0.5), force_rmse=9e-15)
        assert found.ratio("force_rmse") == 1.0
        assert row(within=Errors(2.0, 0.0, 2.0, 1e-16, 0.5), force_rmse=1e-2).verdict == "fails"

    def test_missing_labels_have_no_ratio(self):
        found = row(within=Errors(2.0, 0.0, 2.0, None, None), force_rmse=None, stress_rmse=None)
        assert found.ratio("force_rmse") is None
        assert found.verdict == "transfers"

    def test_table_and_numbers(self):
        lost = LeftOut("y", 0, 0, None, None, impossible="no structure with Cl remains")
        result = LeaveOut("group", (row(force_rmse=0.25), lost), None, 5, 20, ("other data",))
        assert result.summary() == (
            "predicted without being trained on (each group): with errors up to 3 times as large: x; impossible: y"
        )
        text = str(result)
        assert "y: cannot be predicted: no structure with Cl remains" in text
        assert "note: other data" in text
        line = next(line for line in text.splitlines() if line.startswith("x "))
        assert line.split()[-7:] == ["0.2500", "0.1000", "2.50", "0.500", "0.500", "1.00", "0"]
        plain = result.to_dict()
        assert plain["rows"][0]["ratio"]["force_rmse"] == pytest.approx(2.5)
        assert plain["rows"][1]["verdict"] == "impossible"


class TestInput:
    def test_compositions_that_leave_reference_energies_open(self, carbide_truth):
        compounds = [a for a in carbide_truth.structures if len(set(a.get_chemical_symbols())) == 2]
        even = [a for a in compounds if a.get_chemical_symbols().count("C") * 2 == len(a)]
        other = [a for a in compounds if a.get_chemical_symbols().count("C") * 2 != len(a)]
        structures = [*even, *other]
        names = ["even"] * len(even) + ["other"] * len(other)
        model = LinearPotential(small_ace(), alpha=1e-6, **WEIGHTS).fit(structures)
        result = leave_one_group_out(model, structures, names, n_folds=0)
        assert result["other"].reference_open
        assert not result["even"].reference_open

    def test_other_structures_than_those_of_the_fit_are_noted(self, silicon):
        same = leave_one_group_out(silicon.model, silicon.train, n_folds=0)
        assert same.notes == ()
        fewer = leave_one_group_out(silicon.model, silicon.train[:60], n_folds=0)
        assert "not the structures that the potential was fitted to" in fewer.statement()

    def test_structures_that_were_added_belong_to_the_fit(self, silicon):
        model = LinearPotential(ACE(cutoff=4.0, order=2, max_degree=(5, 4)), **SETTINGS).fit(silicon.train[:80])
        model.partial_fit(silicon.train[80:])
        result = leave_one_group_out(model, silicon.train, n_folds=0)
        assert result.notes == ()
        names = [atoms.info["config_type"] for atoms in silicon.train]
        rest, out = split(silicon.train, names, "liquid")
        assert_same(result["liquid"].without, naive_errors([(refit(model, rest), out)]))

    def test_single_structures_and_missing_labels(self, silicon):
        structures = [
            without(a, "stress") if a.info["config_type"] == "bcc" else a for a in silicon.train if len(a) > 1
        ]
        structures = [without(a, "energy") if a.info["config_type"] == "fcc" else a for a in structures]
        names = ["lone" if k == 0 else a.info["config_type"] for k, a in enumerate(structures)]
        result = leave_one_group_out(silicon.model, structures, names)
        assert result["lone"].verdict == "unknown"
        assert result["lone"].without.shape_mae is None
        assert result["bcc"].without.stress_rmse is None
        assert result["fcc"].without.energy_mae is None
        assert result["fcc"].ratio("force_rmse") > 0.0

    def test_errors(self, silicon):
        with pytest.raises(SettingsError, match="are of one group, 'all'"):
            leave_one_group_out(silicon.model, silicon.train, ["all"] * len(silicon.train))
        with pytest.raises(SettingsError, match="are of one chemical system, 'Si'"):
            leave_one_chemical_system_out(silicon.model, silicon.train)
        with pytest.raises(SettingsError, match="one element, Si"):
            leave_one_element_out(silicon.model, silicon.train)
        with pytest.raises(SettingsError, match="n_folds=1"):
            leave_one_group_out(silicon.model, silicon.train, n_folds=1)
        bare = [a.copy() for a in silicon.train]
        with pytest.raises(InputError, match="has an energy, forces or a stress"):
            leave_one_group_out(silicon.model, bare)
        strange = Atoms("GeSi", [[0, 0, 0], [0, 0, 2.4]])
        strange.calc = SinglePointCalculator(strange, energy=0.0)
        with pytest.raises(SettingsError, match="the structures hold Ge"):
            leave_one_group_out(silicon.model, [*silicon.train, strange])
