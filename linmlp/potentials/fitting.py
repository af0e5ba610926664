"""The steps of a fit after labels and descriptor: assemble, choose by cross-validation, solve."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from linmlp.exceptions import LinmlpWarning
from linmlp.potentials.candidates import Candidate
from linmlp.potentials.choosing import (
    candidates_for,
    check_something_counts,
    choice_notes,
    choose,
    only_value,
    search_candidates,
)
from linmlp.potentials.core import CoreRows, solve_with_core, with_core
from linmlp.potentials.fit_result import Chosen, Fit
from linmlp.potentials.fit_settings import FitSettings
from linmlp.potentials.holes import HoleHunt, HoleRows, fill
from linmlp.potentials.reporting import Reporter, Silent
from linmlp.potentials.row_assembly import assemble_rows
from linmlp.potentials.size import choose_size
from linmlp.potentials.training_set import TrainedSystem, TrainingSet
from linmlp.solvers import Solution, Status
from linmlp.structures import assign_folds
from linmlp.system import (
    AssembledData,
    SystemSum,
    TrainingData,
    validate,
)
from linmlp.system.threads import one_blas_thread
from linmlp.units import EV_PER_A3_IN_GPA

QR_TAKES_OVER = (Status.LOW_RESIDUAL, Status.RANK_DEFICIENT)
"""Ends of a solve in Gram form after which form="auto" folds the rows again. An ill-conditioned solution is not among
them: from ridge strengths of 1e-8 on its predictions are those of QR to nine digits, and QR is several times dearer."""


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
    folds = assign_folds(groups, settings.n_folds, settings.random_state) if in_folds or data.sizes else None
    assembled = assemble_rows(data, settings, folds, tell)
    if data.sizes:
        sized = choose_size(data, assembled, candidates, settings, tell)
        fit = solve_chosen(sized.data, sized.assembled, sized.chosen, settings, tell, core)
        return replace(fit, cv_results=sized.table)
    result = search_candidates(data, assembled, candidates, settings) if searching else None
    chosen = choose(result) if result else Chosen(candidates[0], only_value(candidates[0]))
    fit = solve_chosen(data, assembled, chosen, settings, tell, core)
    if result is None:
        return fit
    notes = (*choice_notes(result, chosen, choice), *fit.notes)
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
    hunts = core and settings.hunts_holes(data.descriptor)
    hunt = HoleHunt(data, settings.random_state, tell) if hunts else None
    candidate = chosen.candidate.with_numbers(assembled, assembled.folds, data.solves_reference)
    chosen = replace(chosen, candidate=candidate)
    with one_blas_thread():
        whole = TrainedSystem(assembled.as_one_fold(), data.reference)
    fit = solve_system(whole, chosen, data.solves_reference, rows, hunt)
    if settings.form == "auto" and fit.solution.status in QR_TAKES_OVER and assembled.form == "gram":
        tell.say("the Gram form cannot resolve a residual this small; the rows are folded again in QR form")
        folds = assembled.fold_of_structures() if settings.uncertainty else None
        assembled = assemble_rows(data, replace(settings, form="qr"), folds, tell, assembled.groups_apart)
        whole = TrainedSystem(assembled.as_one_fold(), data.reference)
        fit = solve_system(whole, chosen, data.solves_reference, rows, hunt)
    return replace(fit, folded=assembled, data=data)


def solve_system(
    system: TrainedSystem,
    chosen: Chosen,
    solve_reference: bool,
    rows: CoreRows | None,
    holes: HoleHunt | HoleRows | None = None,
) -> Fit:
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
    holes : HoleHunt, HoleRows or None
        Finds holes and fills them, or rows that fill those that were found before.

    Returns
    -------
    Fit
        Coefficients and reference energies.
    """
    training = TrainingData(system.data, None, solve_reference, keep=False)
    weights = chosen.candidate.loss_weights
    problem = training.problem(weights)

    def solve(system: SystemSum) -> Solution:
        return chosen.candidate.solve_system(system, [chosen.value])[0]

    solution, core_weight = solve_with_core(solve, problem.system, rows)
    solution, filling, hole_notes = _fill_holes(
        holes, solve, problem.system, with_core(problem.system, rows, core_weight), solution
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
        notes=(*core_notes(rows, solution), *hole_notes),
        holes=filling,
    )


def _fill_holes(
    holes: HoleHunt | HoleRows | None,
    solve: Callable[[SystemSum], Solution],
    system: SystemSum,
    core: SystemSum,
    solution: Solution,
) -> tuple[Solution, HoleRows | None, tuple[str, ...]]:
    """Return the solution whose holes are filled, the rows that do it, and notes."""
    if isinstance(holes, HoleHunt):
        return holes.fill_all(solve, system, core, solution)
    if holes is None:
        return solution, None, ()
    filled = fill(solve, system, core, solution, holes)
    return (solution, None, ()) if filled is None else (*filled, ())


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
    result = search_candidates(data, assembled, candidates, settings)
    return float(result.pooled["score"][result.best])


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
