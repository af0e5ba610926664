"""The linear potential: known answers, weights, scores, scikit-learn's habits, bad input."""

import pickle

import joblib
import numpy as np
import pytest
from ase import Atoms
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score

from linmlp import ACE, LinearPotential
from linmlp.exceptions import InputError, LabelError, SettingsError, StructureError
from linmlp.neighbors import find_pairs
from linmlp.structures import read_labels
from linmlp.system import LossWeights
from tests.naive.known_model import E0, WEIGHTS, random_structures, small_ace, without

EXACT = {"baseline": None, "alpha": 1e-13, "form": "qr"}
"""Next to no regularization, nothing subtracted: exact labels give back the model that made them."""


def fit(structures, sample_weight=None, **settings):
    return LinearPotential(small_ace(), **{**WEIGHTS, "alpha": 1e-6, **settings}).fit(
        structures, sample_weight=sample_weight
    )


def assert_same(a, b, structures, rtol=1e-7):
    """Same predictions, relative to the spread of each kind."""
    for method in ("predict", "predict_forces", "predict_stress"):
        x, y = (np.concatenate([np.ravel(v) for v in getattr(m, method)(structures)]) for m in (a, b))
        keep = np.isfinite(y)
        np.testing.assert_array_equal(np.isfinite(x), keep)
        np.testing.assert_allclose(x[keep], y[keep], rtol=0, atol=rtol * max(np.abs(y[keep]).max(), 1e-3))


class TestKnownModel:
    @pytest.mark.parametrize("form", ["qr", "gram"])
    def test_coefficients_and_reference_energies_come_back(self, form, silicon_truth, carbide_truth):
        for truth in (silicon_truth, carbide_truth):
            alpha = 1e-13 if form == "qr" else 1e-11
            model = fit(truth.structures, **{**EXACT, "form": form, "alpha": alpha})
            # Pair functions of C around Si and of Si around C have the same sum: only theirs is known.
            known = (truth.descriptor.feature_degrees()[:, 0] > 1) | (len(truth.e0) == 1)
            error = np.abs(model.coef_ - truth.coef)[known].max() / np.abs(truth.coef).max()
            assert error < (1e-6 if form == "qr" else 1e-3)
            assert model.e0_ == pytest.approx(truth.e0, abs=1e-5)
            new = random_structures(sorted(truth.e0), seed=77, n=6)
            labels = [truth.compute(atoms) for atoms in new]
            np.testing.assert_allclose(model.predict(new), [energy for energy, _, _ in labels], atol=1e-5)
            for forces, (_, wanted, _) in zip(model.predict_forces(new), labels, strict=True):
                np.testing.assert_allclose(forces, wanted, atol=1e-5)
            np.testing.assert_allclose(model.predict_stress(new), [stress for _, _, stress in labels], atol=1e-6)

    def test_rows_that_made_the_labels_are_derivatives(self, carbide_truth):
        atoms, step = carbide_truth.structures[0].copy(), 1e-3
        _, forces, stress = carbide_truth.compute(atoms)
        energies = []
        for x in (-step, step):
            moved = atoms.copy()
            moved.positions[1, 2] += x
            energies.append(carbide_truth.compute(moved)[0])
        assert -np.diff(energies)[0] / (2 * step) == pytest.approx(forces[1, 2], abs=1e-4)
        energies = []
        for x in (-step, step):
            strained = atoms.copy()
            strained.set_cell(atoms.cell.array * (1 + np.array([0, x, 0])), scale_atoms=True)
            energies.append(carbide_truth.compute(strained)[0])
        assert np.diff(energies)[0] / (2 * step) / atoms.get_volume() == pytest.approx(stress[1], abs=1e-5)

    @pytest.mark.filterwarnings("ignore:.* rows for .* functions:linmlp.exceptions.LinmlpWarning")
    @pytest.mark.parametrize("kept", ["energy", "forces"])
    def test_one_kind_of_label_is_enough(self, kept, silicon_truth):
        only = [without(a, *({"energy", "forces", "stress"} - {kept})) for a in silicon_truth.structures]
        weights = {"energy_weight": float(kept == "energy"), "force_weight": float(kept == "forces")}
        e0 = {"Si": silicon_truth.e0["Si"]} if kept == "forces" else "lstsq"
        if kept == "energy":  # 14 energies do not determine 18 coefficients, but each one is met
            model = fit(only, **{**EXACT, **weights, "stress_weight": 0.0, "e0": e0, "alpha": 1e-10})
            np.testing.assert_allclose(model.predict(only), [a.calc.results["energy"] for a in only], atol=1e-4)
        else:
            model = fit(only, **{**EXACT, **weights, "stress_weight": 0.0, "e0": e0})
            np.testing.assert_allclose(model.coef_, silicon_truth.coef, atol=1e-5 * np.abs(silicon_truth.coef).max())

    def test_strength_from_stresses_alone(self, silicon_truth):
        only = [without(a, "energy", "forces") for a in silicon_truth.structures if a.cell.rank == 3]
        model = LinearPotential(small_ace(), baseline=None, n_folds=3).fit(only)
        scores = dict(zip(model.cv_results_["param_alpha"], model.cv_results_["mean_test_score"], strict=True))
        assert scores[model.alpha_] >= max(scores.values()) - 0.005
        assert len(set(scores.values())) == len(scores)
        wanted = np.array([a.calc.results["stress"] for a in only])
        assert np.abs(model.predict_stress(only) - wanted).max() < 0.05 * np.abs(wanted).max()

    def test_missing_labels_stay_missing(self, silicon_truth):
        whole = silicon_truth.structures
        some = [*whole[:5], *(without(a, "energy") for a in whole[5:8]), *(without(a, "forces") for a in whole[8:11])]
        some += [without(a, "stress") for a in whole[11:]]
        model = fit(some, **EXACT)
        np.testing.assert_allclose(model.coef_, silicon_truth.coef, atol=1e-5 * np.abs(silicon_truth.coef).max())


def plain_loss(model, structures, weights, listed=None):
    """L from its formula, labels straight from the structures, in a few lines of numpy."""
    listed = np.ones(len(structures)) if listed is None else np.asarray(listed, dtype=float)
    listed = listed * [(weights.groups or {}).get(a.info["config_type"], 1.0) for a in structures]
    power = {"structure": 0, "sqrt_atom": 0.5, "atom": 1}[weights.energy_per]
    sums, counts = np.zeros(3), np.zeros(3)
    E, F, S = model.predict(structures), model.predict_forces(structures), model.predict_stress(structures)
    for a, m, e, f, s in zip(structures, listed, E, F, S, strict=True):
        r = a.calc.results
        if "energy" in r:
            sums[0], counts[0] = sums[0] + m * ((r["energy"] - e) / len(a) ** power) ** 2, counts[0] + m
        if "forces" in r:
            sums[1], counts[1] = sums[1] + m * np.sum((r["forces"] - f) ** 2), counts[1] + m * len(a)
        if "stress" in r:
            xx, yy, zz, yz, xz, xy = r["stress"] - s
            tensor = np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
            sums[2], counts[2] = sums[2] + m * np.linalg.norm(tensor) ** 2, counts[2] + m
    return float(np.array([weights.energy, weights.force, weights.stress]) @ (sums / np.maximum(counts, 1e-300)))


class TestLoss:
    @pytest.mark.parametrize("energy_per", ["structure", "atom", "sqrt_atom"])
    @pytest.mark.parametrize("groups", [None, {"bulk": 2.5, "slab": 0.25}])
    @pytest.mark.parametrize("weighted", [False, True])
    def test_loss_is_its_formula(self, energy_per, groups, weighted, silicon_model, silicon_truth):
        structures = [*silicon_truth.structures[:9], *(without(a, "stress") for a in silicon_truth.structures[9:12])]
        structures += [without(a, "energy") for a in silicon_truth.structures[12:]]
        listed = np.linspace(0, 3, len(structures)) if weighted else None
        weights = LossWeights(0.7, 1.3, 40.0, energy_per, groups)
        loss = silicon_model.loss(structures, sample_weight=listed, weights=weights)
        assert loss == pytest.approx(plain_loss(silicon_model, structures, weights, listed), rel=1e-12)

    def test_fit_minimizes_the_loss(self, silicon_truth):
        model = fit(silicon_truth.structures, baseline=None, alpha=1e-13, form="qr", energy_weight=3.0)
        noisy = [
            without(a, energy=a.calc.results["energy"] + 0.05 * (-1) ** k)
            for k, a in enumerate(silicon_truth.structures)
        ]
        model.fit(noisy)
        lowest = plain_loss(model, noisy, model.loss_weights_)
        assert model.loss(noisy) == pytest.approx(lowest, rel=1e-12)
        assert model.solution_.residual_norm**2 == pytest.approx(lowest, rel=1e-6)
        for k in range(0, len(model.coef_), 3):
            for factor in (0.98, 1.02):
                other = pickle.loads(pickle.dumps(model))
                other.coef_[k] *= factor
                assert plain_loss(other, noisy, model.loss_weights_) > lowest

    def test_weights_of_the_fit_are_the_default(self, silicon_model, silicon_truth):
        used = LossWeights(**{k.removesuffix("_weight"): v for k, v in WEIGHTS.items()})
        assert silicon_model.loss_weights_ == used
        assert silicon_model.loss(silicon_truth.structures) == silicon_model.loss(
            silicon_truth.structures, weights=used
        )

    def test_score_has_the_same_reference_for_every_candidate(self, silicon_model, silicon_truth):
        structures = silicon_truth.structures
        reference = LossWeights.from_labels(read_labels(structures))
        wanted = -plain_loss(silicon_model, structures, reference)
        assert silicon_model.score(structures) == pytest.approx(wanted, rel=1e-12)
        light = fit(structures, energy_weight=1e-9, force_weight=1e-9, stress_weight=1e-9)
        assert light.loss(structures) < 1e-6
        assert light.score(structures) == pytest.approx(-plain_loss(light, structures, reference), rel=1e-12)

    def test_shares_of_the_loss_sum_to_one(self, silicon_model):
        assert sum(silicon_model.loss_share_.values()) == pytest.approx(1.0)


class TestSampleWeights:
    @pytest.mark.parametrize("form", ["qr", "gram"])
    def test_two_is_listing_twice_and_zero_is_leaving_out(self, form, silicon_truth):
        structures = silicon_truth.structures
        listing = np.array([2, 0, 1, 1, 3, 1, 0, 1, 2, 1, 1, 1, 0, 1])
        weighted = fit(structures, sample_weight=listing, form=form, alpha=1e-7)
        listed = fit([a for a, n in zip(structures, listing, strict=True) for _ in range(n)], form=form, alpha=1e-7)
        once = fit(structures, sample_weight=np.where(listing == 0, 0, 1), form=form, alpha=1e-7)
        left_out = fit([a for a, n in zip(structures, listing, strict=True) if n], form=form, alpha=1e-7)
        np.testing.assert_allclose(once.coef_, left_out.coef_, rtol=1e-10)
        np.testing.assert_allclose(weighted.coef_, listed.coef_, rtol=1e-7)
        assert weighted.loss(structures, sample_weight=listing) == pytest.approx(
            weighted.loss([a for a, n in zip(structures, listing, strict=True) for _ in range(n)]), rel=1e-12
        )

    def test_bad_ones_are_refused(self, silicon_truth):
        for bad in (np.ones(3), -np.ones(14), np.zeros(14), np.full(14, np.nan), np.ones((14, 2))):
            with pytest.raises(SettingsError, match="weight"):
                fit(silicon_truth.structures, sample_weight=bad)


class TestSameAnswer:
    @pytest.mark.parametrize("form", ["qr", "gram"])
    def test_for_any_order_of_structures_and_number_of_jobs(self, form, carbide_truth):
        structures = carbide_truth.structures
        model = fit(structures, form=form)
        for order, n_jobs in (
            (slice(None, None, -1), 1),
            (slice(None), 2),
            (np.random.default_rng(0).permutation(28), 3),
        ):
            again = [structures[i] for i in np.arange(28)[order]]
            assert_same(fit(again, form=form, n_jobs=n_jobs), model, structures)

    def test_gram_and_qr_agree(self, carbide_truth):
        structures = carbide_truth.structures
        assert_same(fit(structures, form="gram"), fit(structures, form="qr"), structures)

    def test_the_same_data_give_the_same_bits(self, silicon_truth):
        a, b = (fit(silicon_truth.structures, n_jobs=2) for _ in range(2))
        np.testing.assert_array_equal(a.coef_, b.coef_)
        assert a.training_["data_hash"] == b.training_["data_hash"]

    def test_folds_follow_the_seed_alone(self, silicon_truth):
        runs = [fit(silicon_truth.structures, alpha="auto", n_folds=3, random_state=s) for s in (0, 0, 1)]
        assert runs[0].cv_errors_ == runs[1].cv_errors_ != runs[2].cv_errors_


CARBIDE_E0 = {symbol: E0[symbol] for symbol in ("C", "Si")}


class TestReferenceEnergies:
    def test_given(self, carbide_truth):
        model = fit(carbide_truth.structures, **EXACT, e0=CARBIDE_E0)
        assert model.e0_ == CARBIDE_E0
        assert model.reference_.source == "given"
        np.testing.assert_allclose(
            model.predict(carbide_truth.structures),
            [a.calc.results["energy"] for a in carbide_truth.structures],
            atol=1e-6,
        )

    def test_isolated_atoms_are_the_default_where_present(self, carbide_truth):
        lone = [carbide_truth.label(Atoms(symbol, info={"config_type": "isolated"})) for symbol in ("C", "Si")]
        model = fit([*lone, *carbide_truth.structures])
        assert model.reference_.source == "isolated"
        assert model.e0_ == pytest.approx(CARBIDE_E0, abs=1e-12)
        with pytest.raises(InputError, match="isolated"):
            fit(carbide_truth.structures, e0="isolated")

    def test_a_lone_atom_has_exactly_its_reference_energy(self, carbide_model):
        for symbol, wanted in carbide_model.e0_.items():
            for cell in (None, 50 * np.eye(3)):
                atom = Atoms(symbol, cell=cell, pbc=cell is not None)
                assert carbide_model.predict([atom])[0] == wanted
                np.testing.assert_array_equal(carbide_model.predict_forces([atom])[0], np.zeros((1, 3)))

    def test_lstsq_shifts_with_the_energies(self, carbide_truth):
        shift = {"C": 100.0, "Si": -40.0}
        moved = [
            without(a, energy=a.calc.results["energy"] + sum(shift[s] for s in a.get_chemical_symbols()))
            for a in carbide_truth.structures
        ]
        before, after = fit(carbide_truth.structures), fit(moved)
        np.testing.assert_allclose(after.coef_, before.coef_, atol=1e-7 * np.abs(before.coef_).max())
        for symbol, value in before.e0_.items():
            assert after.e0_[symbol] == pytest.approx(value + shift[symbol], abs=1e-7)

    @pytest.mark.parametrize("e0", ["nonsense", {"Si": 1.0}, {"Si": np.nan, "C": 0.0}])
    def test_bad_settings_are_refused(self, e0, carbide_truth):
        with pytest.raises(InputError):
            fit(carbide_truth.structures, e0=e0)


class TestPredictions:
    def test_shapes(self, silicon_model, silicon_truth):
        structures = silicon_truth.structures[:4]
        assert silicon_model.predict(structures).shape == (4,)
        assert [f.shape for f in silicon_model.predict_forces(structures)] == [(len(a), 3) for a in structures]
        stress = silicon_model.predict_stress(structures)
        assert stress.shape == (4, 6)
        np.testing.assert_array_equal(np.isnan(stress).all(1), [a.cell.rank < 3 for a in structures])

    def test_are_derivatives_of_the_energy(self, silicon_model, silicon_truth):
        atoms, step = silicon_truth.structures[3], 1e-4
        energies = []
        for x in (-step, step):
            strained = atoms.copy()
            strained.set_cell(atoms.cell.array * (1 + x), scale_atoms=True)
            energies.append(silicon_model.predict([strained])[0])
        pressure = -np.diff(energies)[0] / (2 * step) / atoms.get_volume() / 3
        assert silicon_model.predict_stress([atoms])[0, :3].mean() == pytest.approx(-pressure, rel=1e-4, abs=1e-7)

    def test_do_not_change_structures(self, silicon_model, silicon_truth):
        atoms = silicon_truth.structures[0]
        before = atoms.positions.copy(), dict(atoms.calc.results)
        silicon_model.evaluate([atoms])
        np.testing.assert_array_equal(atoms.positions, before[0])
        assert atoms.calc.results.keys() == before[1].keys()

    def test_of_bad_structures_are_refused(self, silicon_model):
        with pytest.raises(StructureError, match="empty"):
            silicon_model.predict([])
        with pytest.raises(StructureError, match="brackets"):
            silicon_model.predict(Atoms("Si"))
        with pytest.raises(StructureError, match=r"structure 1 \(Ge.*knows Si"):
            silicon_model.predict([Atoms("Si"), Atoms("Ge")])
        with pytest.raises(StructureError, match=r"structure 0 .*closer"):
            silicon_model.predict([Atoms("Si2", [[0, 0, 0], [0, 0, 0.05]])])
        with pytest.raises(StructureError, match=r"structure 0 .*finite"):
            silicon_model.predict([Atoms("Si2", [[0, 0, 0], [0, 0, np.nan]])])
        with pytest.raises(StructureError, match=r"structure 0 .*cell"):
            silicon_model.predict([Atoms("Si", pbc=True)])


class TestScikitLearn:
    def test_parameters_are_stored_untouched(self):
        descriptor, groups = small_ace(), {"bulk": 2.0}
        model = LinearPotential(descriptor, group_weights=groups, alpha=0.5)
        assert model.get_params(deep=False)["descriptor"] is descriptor
        assert model.get_params()["descriptor__cutoff"] == 4.0
        model.set_params(alpha=0.25, descriptor__cutoff=3.5)
        assert (model.alpha, model.descriptor.cutoff) == (0.25, 3.5)
        copy = clone(model)
        assert copy is not model
        assert copy.get_params()["group_weights"] == groups
        assert repr(copy) == repr(model)

    def test_before_the_fit(self, silicon_truth, tmp_path):
        model = LinearPotential()
        for call in (
            model.predict,
            model.predict_forces,
            model.predict_stress,
            model.loss,
            model.score,
            model.evaluate,
        ):
            with pytest.raises(NotFittedError):
                call(silicon_truth.structures)
        for call in (model.calculator, model.describe, model.predictor):
            with pytest.raises(NotFittedError):
                call()
        with pytest.raises(NotFittedError):
            model.save(tmp_path / "model")
        assert not list(tmp_path.iterdir())

    def test_fit_gives_itself_and_does_not_touch_the_descriptor(self, silicon_truth):
        descriptor = small_ace()
        model = LinearPotential(descriptor, alpha=1e-6, **WEIGHTS)
        assert model.fit(silicon_truth.structures) is model
        assert not hasattr(descriptor, "cutoff_")
        assert (
            model.n_features_in_
            == len(model.coef_)
            == len(descriptor.fit(silicon_truth.structures).get_feature_names_out())
        )

    def test_learned_attributes(self, silicon_truth):
        model = fit(silicon_truth.structures, alpha="auto", energy_weight="auto", energy_per="auto", n_folds=3)
        assert model.energy_weight_ > 0
        assert (model.force_weight_, model.stress_weight_) == (1.0, 50.0)
        assert model.energy_per_ in ("structure", "atom", "sqrt_atom")
        assert model.alpha_ in model.cv_results_["param_alpha"]
        assert len(model.cv_results_["mean_test_score"]) == len(model.cv_results_["params"])
        assert {"energy_mae", "energy_rmse", "force_rmse", "stress_rmse", "score"} <= model.cv_errors_.keys()
        assert model.solution_.success
        assert model.descriptor_.elements_ == ("Si",)
        assert "Si" in model.describe()
        assert "meV/atom" in model.describe_cross_validation()

    def test_pickle_and_joblib(self, silicon_model, silicon_truth, tmp_path):
        joblib.dump(silicon_model, tmp_path / "model.joblib")
        for copy in (pickle.loads(pickle.dumps(silicon_model)), joblib.load(tmp_path / "model.joblib")):
            np.testing.assert_array_equal(
                copy.predict(silicon_truth.structures), silicon_model.predict(silicon_truth.structures)
            )

    def test_grid_search_over_a_list_of_structures(self, silicon_truth):
        model = LinearPotential(small_ace(), **WEIGHTS, baseline=None)
        grid = GridSearchCV(model, {"alpha": [1e-6, 10.0]}, cv=KFold(3), error_score="raise")
        grid.fit(silicon_truth.structures)
        assert grid.best_params_ == {"alpha": 1e-6}
        assert grid.predict(silicon_truth.structures).shape == (14,)
        scores = cross_val_score(
            model.set_params(alpha=1e-6), silicon_truth.structures, cv=KFold(3), error_score="raise"
        )
        np.testing.assert_allclose(scores.mean(), grid.best_score_)


class TestFailedFits:
    def test_leave_the_model_as_it_was(self, silicon_truth):
        model = LinearPotential(small_ace(), alpha=1e-6, **WEIGHTS)
        learned = lambda: {k for k in vars(model) if k.endswith("_")}  # noqa: E731
        bad = [a.copy() for a in silicon_truth.structures]
        for structures, words in (([], "empty"), (bad, "none of the 14 structures has an energy"), (["Si"], "str")):
            with pytest.raises(InputError, match=words):
                model.fit(structures)
            assert not learned()
        model.fit(silicon_truth.structures)
        before = model.predict(silicon_truth.structures)
        for change, error in (
            ({"alpha": -1.0}, "alpha"),
            ({"max_memory": 1e-9}, "max_memory"),
            ({"baseline": 3}, "baseline"),
        ):
            model.set_params(**change)
            with pytest.raises(SettingsError, match=error):
                model.fit(silicon_truth.structures[:7])
            np.testing.assert_array_equal(model.predict(silicon_truth.structures), before)
            model.set_params(alpha=1e-6, max_memory=None, baseline="zbl")

    @pytest.mark.parametrize(
        ("settings", "words"),
        [
            ({"alpha": "much"}, "alpha"),
            ({"alpha": np.nan}, "alpha"),
            ({"alpha": None}, "alpha"),
            ({"energy_weight": -1.0}, "energy_weight"),
            ({"force_weight": "heavy"}, "force_weight"),
            ({"energy_weight": None}, "energy_weight"),
            ({"energy_weight": 0.0, "force_weight": 0.0, "stress_weight": 0.0}, "all 0"),
            ({"energy_weight": 0.0, "force_weight": 0.0, "baseline": None, "stress_key": "nowhere"}, "nowhere"),
            ({"energy_per": "mole"}, "energy_per"),
            ({"group_weights": {"bulkk": 2.0}}, "bulkk"),
            ({"group_weights": {"bulk": -2.0}}, "bulk"),
            ({"group_weights": 3.0}, "group_weights"),
            ({"form": "cholesky"}, "form"),
            ({"alpha": "auto", "n_folds": 1}, "fold"),
            ({"alpha": "auto", "n_folds": 99}, "fold"),
            ({"alpha": "auto", "n_folds": 2.5}, "n_folds"),
            ({"baseline": "zbll"}, "baseline"),
            ({"energy_key": "E_dft"}, "E_dft"),
            ({"descriptor": 4.0}, "descriptor"),
            ({"descriptor": ACE(cutoff=1.0)}, "larger cutoff"),
            ({"descriptor": ACE(cutoff=-1.0)}, "cutoff"),
            ({"descriptor": ACE(cutoff=4.0, order=5)}, "order"),
            ({"descriptor": ACE(cutoff=4.0, order=2, max_degree=(3, 2, 1))}, "max_degree"),
        ],
    )
    def test_bad_settings_say_what_is_wrong(self, settings, words, silicon_truth):
        model = LinearPotential(**{"descriptor": small_ace(), **WEIGHTS, "alpha": 1e-6, **settings})
        with pytest.raises(InputError, match=words):
            model.fit(silicon_truth.structures)

    def test_weights_for_labels_that_are_not_there(self, silicon_truth):
        only = [without(a, "energy", "stress") for a in silicon_truth.structures]
        with pytest.raises(SettingsError, match="nothing to fit to"):
            fit(only, force_weight=0.0)

    def test_labels_that_are_not_finite(self, silicon_truth):
        good = silicon_truth.structures
        bad = without(good[3], energy=np.nan)
        with pytest.raises(LabelError, match=r"structure 3 .*NaN"):
            fit([*good[:3], bad])
        with pytest.raises(LabelError, match=r"structure 1 .*NaN or infinite"):
            fit([good[0], without(good[1], forces=np.full((len(good[1]), 3), np.inf))])
        wrong = good[0].copy()
        wrong.calc = None
        wrong.info["energy"] = [1.0, 2.0]
        with pytest.raises(LabelError, match=r"structure 0 .*shape"):
            fit([wrong, *good[1:]])


class TestRepulsiveCore:
    def test_all_dimers_repel_below_the_closest_approach(self, fitted_case):
        model = fitted_case.model
        symbols = model.descriptor_.elements_
        closest = closest_of_all(fitted_case.truth.structures)
        for a in symbols:
            for b in symbols:
                distances = np.linspace(0.3, 1.0, 200) * closest[tuple(sorted((a, b)))]
                dimers = [Atoms([a, b], [[0, 0, 0], [0, 0, r]]) for r in distances]
                assert (np.diff(model.predict(dimers)) < 0).all(), (a, b)
                assert all(forces[1, 2] > 0 for forces in model.predict_forces(dimers)), (a, b)

    def test_it_is_off_on_the_data(self, silicon_model, silicon_truth):
        (zbl,) = silicon_model.baselines_
        for atoms in silicon_truth.structures:
            assert not zbl.compute(find_pairs(atoms, 4.0)).energies.any()

    @pytest.mark.parametrize("may_help", [True, False])
    def test_what_still_attracts_is_said(self, may_help, carbide_truth, monkeypatch):
        """The dimers of the known model attract: the notes name those that the rows could not change."""
        if not may_help:
            monkeypatch.setattr("linmlp.potentials.core.WEIGHTS", (1e-12,))
        model = fit(carbide_truth.structures)
        attracts = []
        for (a, b), closest in closest_of_all(carbide_truth.structures).items():
            dimers = [Atoms([a, b], [[0, 0, 0], [0, 0, r]]) for r in np.linspace(0.3, 1.0, 141) * closest]
            if any(forces[1, 2] <= 0 for forces in model.predict_forces(dimers)):
                attracts.append(f"{a}-{b}")
        said = " ".join(note for note in model.notes_ if "attract" in note)
        assert bool(attracts) == (not may_help)
        assert {pair for pair in ("C-C", "C-Si", "Si-Si") if pair in said} == set(attracts)

    def test_it_can_be_left_out(self, silicon_truth):
        assert fit(silicon_truth.structures, baseline=None).baselines_ == ()


def closest_of_all(structures):
    """Closest approach of each pair of elements, by a plain loop."""
    closest = {}
    for atoms in structures:
        pairs = find_pairs(atoms, 4.0)
        for i, j, d in zip(pairs.i, pairs.j, pairs.distances, strict=True):
            key = tuple(sorted((atoms[int(i)].symbol, atoms[int(j)].symbol)))
            closest[key] = min(d, closest.get(key, np.inf))
    return closest
