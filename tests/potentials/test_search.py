"""The search on compressed systems against brute force on stacked rows."""

from dataclasses import replace

import numpy as np
import pytest

from linmlp.exceptions import LinmlpWarning, SettingsError
from linmlp.neighbors import find_pairs
from linmlp.potentials.candidates import Candidate, weight_candidates
from linmlp.potentials.cross_validation_errors import compute_score
from linmlp.potentials.search import SearchSettings, Split, search
from linmlp.solvers import ALPHAS, Ridge
from linmlp.structures import ReferenceEnergies
from linmlp.system import LossWeights, TrainingData, assemble, validate
from tests.naive.toy_data import toy_labels, toy_structures
from tests.naive.toy_descriptor import ToyDescriptor

REFERENCE = ReferenceEnergies("lstsq", ("Si", "C"), np.array([-4.0, -3.5]))
N_FOLDS = 3
CANDIDATES = [
    LossWeights(50.0, 1.0, 20.0, "structure"),
    LossWeights(80.0, 2.0, 5.0, "atom"),
    LossWeights(9.0, 0.5, 0.0),
]
LISTED = np.array([1.0, 2.0, 0.5] * 7)


def make_data(symbols):
    descriptor = ToyDescriptor(("Si", "C"))
    structures = toy_structures(21, symbols=symbols)
    coef = np.random.default_rng(4).normal(size=descriptor.n_features_)
    labels = toy_labels(structures, descriptor, coef)
    return structures, labels, descriptor, np.arange(21) % N_FOLDS


@pytest.fixture(scope="module", params=[("Si", "C"), ("Si",)], ids=["two elements", "rank-deficient composition"])
def data(request):
    return make_data(request.param)


def lines(candidates, alphas, solver=None):
    """Candidates along a path of ridge strengths."""
    return [Candidate(weights, solver or Ridge(), tuple(alphas)) for weights in candidates]


def rows_of(atoms, label, descriptor):
    """Rows, targets and composition of one structure, not weighted: (E, F, S)."""
    energy, d_positions, d_strain = descriptor.allocate_rows(len(atoms))
    descriptor.write_rows(find_pairs(atoms, descriptor.cutoff_), energy, d_positions, d_strain)
    composition = np.array([np.sum(atoms.numbers == 14), np.sum(atoms.numbers == 6)], dtype=float)
    return {
        "composition": composition,
        "energy": (energy[None], np.array([label.energy - composition @ REFERENCE.values])),
        "force": None if label.forces is None else (-d_positions, label.forces.ravel()),
        "stress": None if label.stress is None else (d_strain / atoms.get_volume(), label.stress),
    }


def brute_force(data, weights, alpha, fold, solve_reference):
    """Fit on stacked rows by one augmented lstsq; return coefficients, e0, and errors on the fold."""
    structures, labels, descriptor, folds = data
    n = descriptor.n_features_
    rows = [rows_of(a, b, descriptor) for a, b in zip(structures, labels, strict=True)]
    train = np.flatnonzero(folds != fold)
    n_energy = LISTED[train].sum()
    n_force = sum(LISTED[i] * len(structures[i]) for i in train if rows[i]["force"] is not None)
    n_stress = sum(LISTED[i] for i in train if rows[i]["stress"] is not None)
    blocks, targets = [], []
    for i in train:
        per = {"structure": 1, "atom": len(structures[i])}[weights.energy_per]
        X, y = rows[i]["energy"]
        scale = np.sqrt(LISTED[i] * weights.energy / n_energy) / per
        blocks.append(scale * np.hstack([X, rows[i]["composition"][None]]))
        targets.append(scale * y)
        for kind, scale in (
            ("force", np.sqrt(LISTED[i] * weights.force / n_force)),
            ("stress", np.sqrt(LISTED[i] * weights.stress / n_stress * np.array([1, 1, 1, 2, 2, 2]))[:, None]),
        ):
            if rows[i][kind] is not None:
                X, y = rows[i][kind]
                blocks.append(scale * np.hstack([X, np.zeros((len(X), 2))]))
                targets.append(np.ravel(scale) * y)
    A, b = np.vstack(blocks), np.concatenate(targets)
    if not solve_reference:
        A[:, n:] = 0.0
    # Scales are those of the design with the composition columns projected out.
    C = A[:, n:]
    projected = A[:, :n] - C @ np.linalg.pinv(C) @ A[:, :n]
    penalty = np.hstack([np.sqrt(alpha) * np.diag(np.linalg.norm(projected, axis=0)), np.zeros((n, 2))])
    solution = np.linalg.lstsq(np.vstack([A, penalty]), np.r_[b, np.zeros(n)], rcond=1e-14)[0]
    coef, e0 = solution[:n], solution[n:]
    test = np.flatnonzero(folds == fold)
    energy = np.array(
        [abs(rows[i]["energy"][0][0] @ coef + rows[i]["composition"] @ e0 - rows[i]["energy"][1][0]) for i in test]
    )
    size = np.array([len(structures[i]) for i in test])
    with_forces = [i for i in test if rows[i]["force"] is not None]
    force = sum(LISTED[i] * np.sum((rows[i]["force"][0] @ coef - rows[i]["force"][1]) ** 2) for i in with_forces)
    return {
        "energy_mae": np.average(energy / size, weights=LISTED[test]),
        "force_rmse": np.sqrt(force / sum(LISTED[i] * 3 * len(structures[i]) for i in with_forces)),
    }


@pytest.mark.parametrize("form", ["gram", "qr"])
@pytest.mark.parametrize("solve_reference", [True, False])
@pytest.mark.parametrize("merge_from", [0, 1000], ids=["merged", "summed"])
def test_search_is_brute_force(data, form, solve_reference, merge_from, monkeypatch):
    monkeypatch.setattr("linmlp.potentials.search.MERGE_FROM", merge_from)
    structures, labels, descriptor, folds = data
    assembled = assemble(
        structures, labels, descriptor, reference=REFERENCE, folds=folds, sample_weight=LISTED, form=form, block_rows=40
    )
    alphas = [1e-3, 1e-6]
    settings = SearchSettings(solve_reference=solve_reference)
    result = search(assembled, lines(CANDIDATES, alphas), None, settings)
    for fold in range(N_FOLDS):
        for c, weights in enumerate(CANDIDATES):
            for a, alpha in enumerate(alphas):
                wanted = brute_force(data, weights, alpha, fold, solve_reference)
                for name, value in wanted.items():
                    found = result.per_split[name].reshape(N_FOLDS, len(CANDIDATES), len(alphas))[fold, c, a]
                    assert found == pytest.approx(value, rel=1e-7), (name, fold, c, a)


@pytest.fixture(scope="module")
def assembled():
    structures, labels, descriptor, folds = make_data(("Si", "C"))
    return assemble(structures, labels, descriptor, reference=REFERENCE, folds=folds, sample_weight=LISTED)


def test_forms_and_jobs_agree(assembled):
    structures, labels, descriptor, folds = make_data(("Si", "C"))
    gram = assemble(structures, labels, descriptor, reference=REFERENCE, folds=folds, sample_weight=LISTED, form="gram")
    alphas = [1e-2, 1e-5, 1e-8]
    one, two, three = (
        search(assembled, lines(CANDIDATES, alphas)),
        search(assembled, lines(CANDIDATES, alphas), None, SearchSettings(n_jobs=2)),
        search(gram, lines(CANDIDATES, alphas)),
    )
    for name, values in one.pooled.items():
        np.testing.assert_array_equal(two.pooled[name], values)
        np.testing.assert_allclose(three.pooled[name], values, rtol=1e-7)


def test_order_of_candidates_does_not_matter(assembled):
    one, two = search(assembled, lines(CANDIDATES, [1e-4])), search(assembled, lines(CANDIDATES[::-1], [1e-4]))
    for name, values in one.pooled.items():
        np.testing.assert_allclose(two.pooled[name][::-1], values, rtol=1e-12)


def test_labels_of_a_fold_do_not_reach_its_training():
    structures, labels, descriptor, folds = make_data(("Si", "C"))
    coefs = []
    for permute in (False, True):
        mine = list(labels)
        if permute:
            at = np.flatnonzero(folds == 1)
            same_size = {n: [i for i in at if len(structures[i]) == n] for n in (2, 3, 4, 5)}
            for members in same_size.values():
                for i, j in zip(members, members[1:] + members[:1], strict=True):
                    mine[i] = labels[j]
        data = assemble(structures, mine, descriptor, reference=REFERENCE, folds=folds)
        recorder = Recorder()
        search(data, lines(CANDIDATES[:1], [1e-6], recorder))
        coefs.append(recorder.coefs)
    np.testing.assert_array_equal(coefs[0][1], coefs[1][1])
    assert not np.allclose(coefs[0][0], coefs[1][0], rtol=1e-3)


class Recorder:
    """A solver that remembers what it returned."""

    def __init__(self):
        self.ridge, self.coefs = Ridge(), []

    def solve_path(self, system, values):
        solutions = self.ridge.solve_path(system, values)
        self.coefs.append(solutions[0].coef)
        return solutions


def test_result_names_the_best(assembled):
    result = search(assembled, CANDIDATES)
    n_alphas = len(ALPHAS["qr"])
    np.testing.assert_array_equal(result.value_of, np.tile(ALPHAS["qr"], len(CANDIDATES)))
    np.testing.assert_array_equal(result.sets_of(1), np.arange(n_alphas, 2 * n_alphas))
    assert result.pooled["score"][result.best] == result.pooled["score"].min() == result.errors(result.best)["score"]
    wanted = 0.5 * np.log(result.pooled["energy_mae"]) + 0.5 * np.log(result.pooled["force_rmse"])
    np.testing.assert_allclose(result.pooled["score"], wanted, rtol=1e-12)
    table = result.to_cv_results()
    row = int(np.argmin(table["rank_test_score"]))
    assert row == result.best
    assert table["params"][row]["alpha"] == result.value_of[row] == table["param_alpha"][row]
    assert table["params"][row]["energy_weight"] == CANDIDATES[result.candidate_of[row]].energy
    assert {len(column) for column in table.values()} == {len(CANDIDATES) * n_alphas}


def test_loss_is_that_of_the_reference_weights(assembled):
    reference = LossWeights(30.0, 2.0, 7.0, "atom")
    result = search(assembled, lines(CANDIDATES, [1e-4]), None, SearchSettings(reference_weights=reference))
    for c, weights in enumerate(CANDIDATES):
        for fold in range(N_FOLDS):
            training = TrainingData(assembled, [k for k in range(N_FOLDS) if k != fold])
            problem = training.problem(weights)
            coef = Ridge(1e-4).solve(problem.system).coef
            wanted = validate(assembled, [fold], coef, problem.composition.recover(coef)).loss(reference)[0]
            assert result.per_split["loss"][fold, c] == pytest.approx(wanted, rel=1e-9)


def test_subsets_of_features_are_searched_as_if_the_others_were_not_there(assembled):
    columns = np.array([0, 2, 3, 5])
    wanted = search(assembled.subset(columns), lines(CANDIDATES[:1], [1e-3, 1e-5]))
    found = search(assembled, [Candidate(CANDIDATES[0], Ridge(), (1e-3, 1e-5), columns)])
    np.testing.assert_allclose(found.pooled["score"], wanted.pooled["score"], rtol=1e-9)
    assert (found.n_used == 4).all()


def test_scores_by_name_mix_and_function(assembled):
    def of(scoring, average="pooled"):
        return search(assembled, lines(CANDIDATES, [1e-4]), None, SearchSettings(scoring, average)).pooled

    pooled = of("score")
    np.testing.assert_array_equal(of("force_rmse")["score"], pooled["force_rmse"])
    mix = of({"energy_mae": 0.5, "force_rmse": 0.25, "stress_rmse": 0.25})["score"]
    wanted = 0.5 * np.log(pooled["energy_mae"]) + 0.25 * np.log(pooled["force_rmse"] * pooled["stress_rmse"])
    np.testing.assert_allclose(mix, wanted, rtol=1e-12)
    np.testing.assert_array_equal(of(lambda metrics: 2 * metrics["energy_rmse"])["score"], 2 * pooled["energy_rmse"])
    for bad in ("rmse", {"score": 1.0}, {"force_rmse": -1.0}, {"force_rmse": 0.0}, {}):
        with pytest.raises(SettingsError, match="scoring="):
            of(bad)
    with pytest.raises(SettingsError, match="groups_apart=True"):
        of("score", "groups")


def test_score_averaged_over_groups():
    structures, labels, descriptor, folds = make_data(("Si", "C"))
    apart = assemble(structures, labels, descriptor, reference=REFERENCE, folds=folds, groups_apart=True)
    result = search(apart, lines(CANDIDATES, [1e-4]), None, SearchSettings(average="groups"))
    wanted = np.zeros(len(CANDIDATES))
    for c, weights in enumerate(CANDIDATES):
        for group in ("bulk", "slab"):
            folds_of_group = []
            for fold in range(N_FOLDS):
                problem = TrainingData(apart, [k for k in range(N_FOLDS) if k != fold]).problem(weights)
                coef = Ridge(1e-4).solve(problem.system).coef
                folds_of_group.append(validate(apart, [fold], coef, problem.composition.recover(coef), group=group))
            absolute = sum(np.abs(e.energy / e.n_atoms) @ e.listed for e in folds_of_group)
            squared = sum(e.force.squared for e in folds_of_group)
            mae = absolute / sum(e.listed.sum() for e in folds_of_group)
            rmse = np.sqrt(squared / sum(e.force.row_weight for e in folds_of_group))
            wanted[c] += compute_score(mae, rmse)[0] / 2
    np.testing.assert_allclose(result.pooled["score"], wanted, rtol=1e-9)


def test_overlapping_splits(assembled):
    splits = [Split((0, 1), (2,)), Split((0,), (1, 2)), Split((0, 1), (2,))]
    result = search(assembled, lines(CANDIDATES, [1e-4]), splits)
    np.testing.assert_array_equal(result.per_split["score"][0], result.per_split["score"][2])
    alone = search(assembled, lines(CANDIDATES, [1e-4]), splits[1:2])
    np.testing.assert_allclose(result.per_split["score"][1], alone.pooled["score"], rtol=1e-12)


def test_one_standard_error_takes_the_simplest(assembled):
    candidates = [Candidate(CANDIDATES[0], Ridge(), (1e-6, 1e-4), np.arange(n)) for n in (3, 6)]
    candidates += lines(CANDIDATES[:1], [1e-6, 1e-4])
    result = search(assembled, candidates)
    scores, best = result.pooled["score"], result.best
    error = result.per_split["score"][:, best].std(ddof=1) / np.sqrt(N_FOLDS)
    chosen = result.within_one_standard_error()
    assert scores[chosen] <= scores[best] + error
    simpler = [k for k in range(result.n_sets) if result.n_used[0, k] < result.n_used[0, chosen]]
    assert all(scores[k] > scores[best] + error for k in simpler)


def test_weights_near_zero_do_not_win(assembled):
    tiny = [LossWeights(1e-9, 1e-9, 1e-9), LossWeights(1e-12, 1.0, 1.0), LossWeights(50.0, 1e-12, 1e-12)]
    result = search(assembled, lines([*tiny, *CANDIDATES], [1e-6]))
    # equal ratios are the same problem, whatever their size; weights that drop a kind of label lose
    assert result.candidate_of[result.best] not in (1, 2)
    equal = search(assembled, lines([LossWeights(1.0, 1.0, 1.0)], [1e-6])).pooled["score"][0]
    assert result.pooled["score"][0] == pytest.approx(equal, rel=1e-9)


def test_group_weights_are_searched_as_if_assembled_with_them(assembled):
    structures, labels, descriptor, folds = make_data(("Si", "C"))
    apart = assemble(structures, labels, descriptor, reference=REFERENCE, folds=folds, groups_apart=True)
    all_groups = [None, {"slab": 4.0}, {"bulk": 0.0}]
    candidates = [replace(CANDIDATES[0], groups=groups) for groups in all_groups]
    recorder = Recorder()
    search(apart, lines(candidates, [1e-4], recorder))
    for c, groups in enumerate(all_groups):
        baked = assemble(structures, labels, descriptor, reference=REFERENCE, folds=folds, group_weights=groups)
        one = Recorder()
        search(baked, lines([candidates[c]], [1e-4], one))
        order = sorted(range(3), key=lambda k: repr(all_groups[k])).index(c)
        for fold in range(N_FOLDS):
            np.testing.assert_allclose(recorder.coefs[3 * fold + order], one.coefs[fold], rtol=1e-7)


def test_score_leaves_out_what_is_not_there():
    nan, one = np.array([np.nan]), np.array([np.e])
    assert compute_score(one, nan)[0] == compute_score(nan, one)[0] == 0.5
    assert np.isfinite(compute_score(np.zeros(1), one)).all()


def test_candidates(assembled):
    labels = make_data(("Si", "C"))[1]
    nine = weight_candidates(labels)
    assert len(nine) == 9
    assert len({(w.energy, w.energy_per) for w in nine}) == 9
    assert weight_candidates(labels, energy=5.0, stress=2.0) == [LossWeights(5.0, 1.0, 2.0)]
    assert [w.energy_per for w in weight_candidates(labels, energy_per="atom")] == ["atom"] * 3


def test_bad_searches_are_told(assembled):
    structures, labels, descriptor, folds = make_data(("Si", "C"))
    gram = assemble(structures, labels, descriptor, folds=folds, form="gram")
    with pytest.warns(LinmlpWarning, match="below 1e-08, where predictions from the Gram form"):
        search(gram, lines(CANDIDATES, [1e-12]))
    with pytest.raises(SettingsError, match="two folds or more; the data have 1"):
        search(assemble(structures, labels, descriptor), CANDIDATES)
    with pytest.raises(SettingsError, match="nothing to search"):
        search(assembled, [])
