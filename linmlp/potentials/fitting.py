"""The steps of a fit after labels and descriptor: assemble, choose by cross-validation, solve."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from ase import Atoms
from joblib import effective_n_jobs

from linmlp.descriptors import Descriptor
from linmlp.exceptions import LinmlpWarning, SettingsError
from linmlp.potentials.candidates import Candidate, weight_candidates
from linmlp.potentials.core import CoreRows, solve_with_core
from linmlp.potentials.evidence_weights import KEPT_SQUARES
from linmlp.potentials.fit_settings import FitSettings
from linmlp.potentials.reporting import Reporter, Silent
from linmlp.potentials.search import SearchSettings, search
from linmlp.potentials.search_result import SearchResult
from linmlp.potentials.solver_setting import SolverChoice
from linmlp.solvers import Ridge, Solution, Status
from linmlp.structures import Baseline, LabelSet, ReferenceEnergies, Rejection, assign_folds
from linmlp.system import (
    AssembledData,
    Assembly,
    LossParts,
    LossWeights,
    SystemSum,
    TrainingData,
    assemble_cached,
    validate,
)
from linmlp.system.weights import carries_energy, carries_stress, n_force_atoms
from linmlp.units import EV_PER_A3_IN_GPA, FloatArray

MANY_FEATURES = 1500
"""Above this, loss weights are searched at a few ridge strengths and the others at the best weights alone."""

SEARCH_SQUARES = 9
"""Square matrices of n_features**2 numbers that the search keeps per fold: systems, their sum, its factor, copies."""

TOLERANCE = 0.005
"""Scores within this of the best count as equal: the simplest of such combinations is taken."""

QR_TAKES_OVER = (Status.LOW_RESIDUAL, Status.RANK_DEFICIENT)
"""Ends of a solve in Gram form after which form="auto" folds the rows again. An ill-conditioned solution is not among
them: from ridge strengths of 1e-8 on its predictions are those of QR to nine digits, and QR is several times dearer."""


@dataclass(frozen=True)
class TrainingSet:
    """What is fitted to: structures, labels, and what is known before the fit.

    `kept` are the places of the structures in the list that the user gave, where some are left out.
    """

    structures: Sequence[Atoms]
    labels: LabelSet
    descriptor: Descriptor
    baselines: tuple[Baseline, ...]
    reference: ReferenceEnergies
    sample_weight: FloatArray | None = None
    rejection: Rejection | None = None
    kept: tuple[int, ...] | None = None

    @property
    def solves_reference(self) -> bool:
        """Whether reference energies are solved with the rest."""
        return self.reference.source == "lstsq"


@dataclass(frozen=True)
class TrainedSystem:
    """What is kept of the training data: their folded rows, and the reference energies that were subtracted."""

    data: AssembledData
    reference: ReferenceEnergies


@dataclass(frozen=True)
class Fit:
    """What a fit gives."""

    solution: Solution
    reference: ReferenceEnergies
    weights: LossWeights
    alpha: float
    form: str
    system: TrainedSystem | None
    loss: LossParts
    core_weight: float = 0.0
    cv_errors: dict[str, float] = field(default_factory=dict)
    cv_results: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    folded: AssembledData | None = None


@dataclass(frozen=True)
class Chosen:
    """What the final solve uses: weights, solver, strength, features."""

    candidate: Candidate
    value: float
    errors: dict[str, float] = field(default_factory=dict)


def fit_linear(data: TrainingSet, settings: FitSettings, tell: Reporter | None = None, core: bool = True) -> Fit:
    """Return the fit of a linear potential.

    Rows are folded into one compressed system per fold and kind of label; loss weights and the strength of the solver
    are chosen by leaving each fold out; the solve with all folds gives the coefficients.

    Parameters
    ----------
    data : TrainingSet
        Structures and labels.
    settings : FitSettings
        Weights, solver, folds.
    tell : Reporter, optional
        Is told what happens.
    core : bool, default=True
        Whether dimers are made to repel below the closest approach of the data (see `linmlp.potentials.core`).

    Returns
    -------
    Fit
        Coefficients, reference energies and how they were chosen.
    """
    tell = tell or Silent()
    choice = settings.solver_choice(data.descriptor)
    candidates = candidates_for(data, settings, choice)
    check_something_counts(data.labels, candidates)
    searching = len(candidates) > 1 or choice.is_searched
    groups = [label.config_type for label in data.labels]
    in_folds = searching or settings.uncertainty or settings.finds_weights
    folds = assign_folds(groups, settings.n_folds, settings.random_state) if in_folds else None
    assembled = assemble_rows(data, settings, folds, tell)
    result = _search(data, assembled, candidates, settings) if searching else None
    chosen = _choose(result) if result else Chosen(candidates[0], _only_value(candidates[0]))
    fit = solve_chosen(data, assembled, chosen, settings, tell, core)
    if result is None:
        return fit
    notes = (*_notes(result, chosen, choice), *fit.notes)
    return replace(fit, cv_results=result.to_cv_results(), notes=notes)


def solve_chosen(
    data: TrainingSet,
    assembled: AssembledData,
    chosen: Chosen,
    settings: FitSettings,
    tell: Reporter,
    core: bool = True,
) -> Fit:
    """Return the fit to all folds with weights, solver and strength that were chosen.

    Parameters
    ----------
    data : TrainingSet
        Structures and labels.
    assembled : AssembledData
        Their folded rows.
    chosen : Chosen
        What to solve with.
    settings : FitSettings
        Form and threads.
    tell : Reporter
        Is told when rows have to be folded again.
    core : bool, default=True
        Whether dimers are made to repel below the closest approach of the data.

    Returns
    -------
    Fit
        Coefficients and reference energies.
    """
    rows = CoreRows.of(data.descriptor, data.baselines) if core else None
    candidate = chosen.candidate.with_numbers(assembled, assembled.folds, data.solves_reference)
    chosen = replace(chosen, candidate=candidate)
    fit = solve_system(TrainedSystem(assembled.as_one_fold(), data.reference), chosen, data.solves_reference, rows)
    if settings.form == "auto" and fit.solution.status in QR_TAKES_OVER and assembled.form == "gram":
        tell.say("the Gram form cannot resolve a residual this small; the rows are folded again in QR form")
        folds = assembled.fold_of_structures() if settings.uncertainty else None
        assembled = assemble_rows(data, replace(settings, form="qr"), folds, tell, assembled.groups_apart)
        whole = TrainedSystem(assembled.as_one_fold(), data.reference)
        fit = solve_system(whole, chosen, data.solves_reference, rows)
    return replace(fit, folded=assembled)


def solve_system(system: TrainedSystem, chosen: Chosen, solve_reference: bool, rows: CoreRows | None) -> Fit:
    """Return the fit to folded rows, without a look at structures.

    Parameters
    ----------
    system : TrainedSystem
        Folded rows, all in one fold.
    chosen : Chosen
        What to solve with.
    solve_reference : bool
        Whether reference energies are solved with the rest.
    rows : CoreRows or None
        Rows that make dimers repel.

    Returns
    -------
    Fit
        Coefficients and reference energies.
    """
    training = TrainingData(system.data, None, solve_reference, keep=False)
    weights = chosen.candidate.loss_weights
    problem = training.problem(weights)
    solution, core_weight = solve_with_core(
        lambda s: chosen.candidate.solve_system(s, [chosen.value])[0], problem.system, rows
    )
    _warn_of_few_rows(problem.system, chosen.candidate)
    recovered = problem.composition.recover(solution.coef)
    errors = validate(system.data, system.data.folds, solution.coef, recovered, weights)
    return Fit(
        solution=solution,
        reference=replace(system.reference, values=system.reference.values + recovered),
        weights=weights,
        alpha=float(solution.alpha if np.isnan(chosen.value) else chosen.value),
        form=system.data.form,
        system=system,
        loss=errors.loss_parts(weights),
        core_weight=core_weight,
        cv_errors=in_table_units(chosen.errors),
        notes=core_notes(rows, solution),
    )


def _warn_of_few_rows(system: SystemSum, candidate: Candidate) -> None:
    """Warn where there are fewer rows than features: say how many directions they determine, and what does the rest."""
    n_features = system.n_features if candidate.columns is None else len(candidate.columns)
    if system.n_rows >= n_features:
        return
    matrix = system.to_gram().matrix
    if candidate.columns is not None:
        matrix = matrix[np.ix_(candidate.columns, candidate.columns)]
    scale = np.sqrt(np.where(np.diagonal(matrix) > 0.0, np.diagonal(matrix), 1.0))
    values = np.linalg.eigvalsh(matrix / np.outer(scale, scale))
    rank = int(np.count_nonzero(values > n_features * np.finfo(float).eps * values[-1]))
    prior = getattr(candidate.solver, "prior", None)
    carries = "the smallest coefficients on scaled columns" if prior is None else "the prior"
    warnings.warn(
        f"{system.n_rows} rows for {n_features} functions: the data determine {rank} combinations of coefficients, "
        f"and {carries} ({type(candidate.solver).__name__}) decide the other {n_features - rank}; add structures, or "
        "lower max_degree",
        LinmlpWarning,
        stacklevel=2,
    )


def cross_validation_score(data: TrainingSet, settings: FitSettings) -> float:
    """Return the best cross-validation score of the settings, without a final fit.

    Parameters
    ----------
    data : TrainingSet
        Structures and labels.
    settings : FitSettings
        Weights, strengths, folds.

    Returns
    -------
    float
        Smaller is better; 0.01 is 1 % in both energy and force.
    """
    groups = [label.config_type for label in data.labels]
    folds = assign_folds(groups, settings.n_folds, settings.random_state)
    assembled = assemble_rows(data, settings, folds, Silent())
    candidates = candidates_for(data, settings, settings.solver_choice(data.descriptor))
    result = _search(data, assembled, candidates, settings)
    return float(result.pooled["score"][result.best])


def candidates_for(data: TrainingSet, settings: FitSettings, choice: SolverChoice) -> list[Candidate]:
    """Return what the settings leave to cross-validation.

    Parameters
    ----------
    data : TrainingSet
        Structures and labels.
    settings : FitSettings
        Weights; "auto" ones are searched.
    choice : SolverChoice
        Solver, strengths and features.

    Returns
    -------
    list of Candidate
        At least one.
    """
    weights = weight_candidates(
        data.labels,
        data.sample_weight,
        settings.energy_weight,
        settings.force_weight,
        settings.stress_weight,
        settings.energy_per,
        settings.group_weights,
    )
    return [choice.candidate(w) for w in weights]


def assemble_rows(
    data: TrainingSet, settings: FitSettings, folds: Any, tell: Reporter, groups_apart: bool = False
) -> AssembledData:
    """Return the folded rows of the training structures, after saying what memory that takes.

    Parameters
    ----------
    data : TrainingSet
        Structures and labels.
    settings : FitSettings
        Form, threads, memory, group weights.
    folds : array-like of shape (n_structures,) or None
        Fold of each structure.
    tell : Reporter
        Is told.
    groups_apart : bool, default=False
        Whether group weights stay free.

    Returns
    -------
    AssembledData
        Systems and energy rows.

    Raises
    ------
    SettingsError
        If it would take more than `max_memory`.
    """
    assembly = Assembly(
        data.structures,
        data.labels,
        data.descriptor,
        baseline=data.baselines,
        reference=data.reference,
        folds=folds,
        sample_weight=data.sample_weight,
        group_weights=None if groups_apart else settings.group_weights,
        groups_apart=groups_apart,
        form=settings.form,
        n_jobs=settings.n_jobs,
    )
    plan = assembly.plan()
    squares = SEARCH_SQUARES + (KEPT_SQUARES if settings.finds_weights else 0)
    searched = 8 * squares * plan.n_features**2 * min(effective_n_jobs(settings.n_jobs), settings.n_folds)
    total = (plan.systems + plan.energy_rows + max(plan.workspace, searched)) / 1e9
    tell.say(f"memory: {plan}; with the search {total:.2f} GB")
    if settings.max_memory is not None and total > settings.max_memory:
        raise SettingsError(
            f"the fit would take {total:.2f} GB, more than max_memory={settings.max_memory:g} GB; "
            "lower max_degree, or raise max_memory"
        )
    tell.start("rows", len(data.structures))
    return assemble_cached(assembly, settings.memory, lambda done, total: tell.reach(done))


def _search(
    data: TrainingSet, assembled: AssembledData, candidates: list[Candidate], settings: FitSettings
) -> SearchResult:
    """Return the search; with many features in two steps, loss weights at a few ridge strengths first."""
    how = SearchSettings(solve_reference=data.solves_reference, n_jobs=settings.n_jobs)
    lines = [replace(c, values=c.values or settings.alphas) for c in candidates]
    paths = [line.resolved_values(assembled.form, assembled.n_features) for line in lines]
    if not (assembled.n_features > MANY_FEATURES and len(lines) > 1 and len(paths[0]) > 3):
        return search(assembled, lines, None, how)
    coarse = search(assembled, [replace(c, values=v[1::3]) for c, v in zip(lines, paths, strict=True)], None, how)
    return search(assembled, [lines[coarse.candidate_of[coarse.best]]], None, how)


def _only_value(candidate: Candidate) -> float:
    """Return the strength that was given; of a candidate that is not searched."""
    assert candidate.values is not None
    return candidate.values[0]


def _choose(result: SearchResult) -> Chosen:
    """Return the best candidate with the simplest strength that is as good as its best, and the errors of these.

    Simplest means fewest coefficients, then the largest strength, which extrapolates more tamely.
    """
    best = result.best
    line = result.sets_of(int(result.candidate_of[best]))
    scores = result.pooled["score"]
    good = line[scores[line] <= scores[best] + TOLERANCE]
    index = int(min(good, key=lambda k: (result.n_used[:, k].mean(), -result.value_of[k])))
    return chosen_of(result, index)


def chosen_of(result: SearchResult, index: int) -> Chosen:
    """Return a set of a search as what the final solve uses.

    Parameters
    ----------
    result : SearchResult
        The search.
    index : int
        The set.

    Returns
    -------
    Chosen
        Candidate, strength and errors.
    """
    return Chosen(result.candidates[result.candidate_of[index]], float(result.value_of[index]), result.errors(index))


def in_table_units(errors: Mapping[str, float]) -> dict[str, float]:
    """Return cross-validation errors in meV/atom, eV/Å and GPa, without those of labels that are missing.

    Parameters
    ----------
    errors : mapping of str to float
        In eV per atom, eV/Å and eV/Å³.

    Returns
    -------
    dict of str to float
        By the same names.
    """
    units = {"energy_mae": 1e3, "energy_rmse": 1e3, "stress_rmse": EV_PER_A3_IN_GPA}
    return {name: float(value) * units.get(name, 1.0) for name, value in errors.items() if np.isfinite(value)}


def _notes(result: SearchResult, chosen: Chosen, choice: SolverChoice) -> tuple[str, ...]:
    """Return what a user should know about the choice."""
    values = result.value_of[result.candidate_of == result.candidate_of[result.best]]
    if not choice.is_searched or len(values) < 2:
        return ()
    solver = chosen.candidate.solver
    if not isinstance(solver, Ridge):
        edge = {min(values): "smallest", max(values): "largest"}.get(chosen.value)
        name = f"{solver.path_parameter} of {type(solver).__name__}"
        return () if edge is None else (f"cross-validation chose the {edge} {name} of its grid, {chosen.value:g}",)
    if chosen.value == min(values):
        return (f"cross-validation chose the smallest ridge strength of its grid, {chosen.value:g}",)
    if chosen.value == max(values):
        return (
            f"cross-validation chose the largest ridge strength of its grid, {chosen.value:g}: there are few data for "
            "so many functions; lower max_degree",
        )
    return ()


def core_notes(rows: CoreRows | None, solution: Solution) -> tuple[str, ...]:
    """Return which dimers attract although they should not.

    Parameters
    ----------
    rows : CoreRows or None
        Rows that make dimers repel.
    solution : Solution
        Coefficients.

    Returns
    -------
    tuple of str
        One note, or none.
    """
    attractive = [] if rows is None else [rows.names[pair] for pair in sorted(rows.attractive(solution.coef))]
    if not attractive:
        return ()
    return (
        f"dimers of {', '.join(attractive)} attract at some distance below the closest approach in the data, because "
        "the data speak against a repulsion there; add compressed structures, or lower max_degree",
    )


def check_something_counts(labels: LabelSet, candidates: Sequence[Candidate]) -> None:
    """Raise where every kind of label that has a weight is missing.

    Parameters
    ----------
    labels : LabelSet
        Labels of the training structures.
    candidates : sequence of Candidate
        What will be solved with.

    Raises
    ------
    SettingsError
        If a candidate has nothing to fit to.
    """
    numbers = {
        "energy": sum(carries_energy(label) for label in labels),
        "force": sum(n_force_atoms(label) for label in labels),
        "stress": sum(carries_stress(label) for label in labels),
    }
    for weights in (candidate.weights for candidate in candidates):
        if not any(n and getattr(weights, kind) for kind, n in numbers.items()):
            raise SettingsError(
                f"nothing to fit to: the weights are energy {weights.energy}, force {weights.force}, stress "
                f"{weights.stress}, but no structure has such a label that is not masked; give a weight to a kind it "
                "has"
            )
