"""From settings to candidates, and from a search to what the final solve uses."""

from collections.abc import Sequence
from dataclasses import replace

from linmlp.exceptions import SettingsError
from linmlp.potentials.candidates import Candidate, weight_candidates
from linmlp.potentials.fit_result import Chosen
from linmlp.potentials.fit_settings import FitSettings
from linmlp.potentials.search import SearchSettings, search
from linmlp.potentials.search_result import SearchResult
from linmlp.potentials.solver_setting import SolverChoice
from linmlp.potentials.training_set import TrainingSet
from linmlp.solvers import Ridge
from linmlp.structures import LabelSet
from linmlp.system import (
    AssembledData,
)
from linmlp.system.weights import carries_energy, carries_stress, n_force_atoms

MANY_FEATURES = 500
"""Above this, loss weights are searched at a few ridge strengths and the others at the best weights alone."""


TOLERANCE = 0.005
"""Scores within this of the best count as equal: the simplest of such combinations is taken."""


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


def search_candidates(
    data: TrainingSet, assembled: AssembledData, candidates: list[Candidate], settings: FitSettings
) -> SearchResult:
    """Return the search; with many features in two steps, loss weights at a few ridge strengths first.

    Parameters
    ----------
    data : TrainingSet
        What is fitted to.
    assembled : AssembledData
        Its folded rows, with two folds or more.
    candidates : list of Candidate
        What is tried.
    settings : FitSettings
        Strengths and threads.

    Returns
    -------
    SearchResult
        Of the second step, where there are two.
    """
    how = SearchSettings(solve_reference=data.solves_reference, n_jobs=settings.n_jobs)
    lines = [replace(c, values=c.values or settings.alphas) for c in candidates]
    paths = [line.resolved_values(assembled.form, assembled.n_features) for line in lines]
    if not (assembled.n_features > MANY_FEATURES and len(lines) > 1 and len(paths[0]) > 3):
        return search(assembled, lines, None, how)
    coarse = search(assembled, [replace(c, values=few_of(c, v)) for c, v in zip(lines, paths, strict=True)], None, how)
    return search(assembled, [lines[coarse.candidate_of[coarse.best]]], None, how)


def few_of(candidate: Candidate, values: tuple[float, ...]) -> tuple[float, ...]:
    """Return a few strengths of a path, at which loss weights are compared.

    Parameters
    ----------
    candidate : Candidate
        Weights and solver.
    values : tuple of float
        Ascending strengths.

    Returns
    -------
    tuple of float
        Every third; of a ridge on scaled columns two small ones, since weights do not depend on larger ones.
    """
    ridge = isinstance(candidate.solver, Ridge) and candidate.solver.scale_columns
    return values[1::3][:2] if ridge else values[1::3]


def choose(result: SearchResult) -> Chosen:
    """Return the best candidate with the simplest strength that is as good as its best, and the errors of these.

    Simplest means fewest coefficients, then the largest strength, which extrapolates more tamely.

    Parameters
    ----------
    result : SearchResult
        A search.

    Returns
    -------
    Chosen
        Candidate, strength and errors.
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


def only_value(candidate: Candidate) -> float:
    """Return the strength that was given.

    Parameters
    ----------
    candidate : Candidate
        One that is not searched.

    Returns
    -------
    float
        NaN is the solver's own setting.
    """
    assert candidate.values is not None
    return candidate.values[0]


def choice_notes(result: SearchResult, chosen: Chosen, choice: SolverChoice) -> tuple[str, ...]:
    """Return what a user should know about the choice.

    Parameters
    ----------
    result : SearchResult
        A search.
    chosen : Chosen
        What was taken.
    choice : SolverChoice
        The solver that the settings mean.

    Returns
    -------
    tuple of str
        One note where the best strength is on an edge, or none.
    """
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
