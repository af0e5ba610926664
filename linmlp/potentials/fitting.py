"""The steps of a fit after labels and descriptor: assemble, choose by cross-validation, solve."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from ase import Atoms
from joblib import effective_n_jobs

from linmlp.descriptors import Descriptor
from linmlp.exceptions import SettingsError
from linmlp.potentials.core import CoreRows, solve_with_core
from linmlp.potentials.reporting import Reporter, Silent
from linmlp.potentials.search import SearchResult, search, weight_candidates
from linmlp.solvers import ALPHAS, Ridge, Solution, Status
from linmlp.structures import Baseline, LabelSet, ReferenceEnergies, assign_folds
from linmlp.system import AssembledData, Assembly, LossWeights, TrainingData, assemble_cached, check_memory
from linmlp.system.weights import carries_energy, carries_stress, n_force_atoms
from linmlp.units import EV_PER_A3_IN_GPA, FloatArray

MANY_FEATURES = 1500
"""Above this, loss weights are searched at a few ridge strengths and the others at the best weights alone."""

SEARCH_SQUARES = 9
"""Square matrices of n_features**2 numbers that the search keeps per fold: systems, their sum, its factor, copies."""

ALPHA_TOLERANCE = 0.005
"""The largest ridge strength whose score is within this of the best is taken, because it extrapolates more tamely."""

QR_TAKES_OVER = (Status.LOW_RESIDUAL, Status.RANK_DEFICIENT)
"""Ends of a solve in Gram form after which form="auto" folds the rows again. An ill-conditioned solution is not among
them: from ridge strengths of 1e-8 on its predictions are those of QR to nine digits, and QR is several times dearer."""

CHOICES = {"energy_per": ("auto", "structure", "atom", "sqrt_atom"), "form": ("auto", "gram", "qr")}


@dataclass(frozen=True)
class FitSettings:
    """What a user chose; see `LinearPotential`. `alphas` is the grid that "auto" stands for."""

    energy_weight: float | str = "auto"
    force_weight: float | str = "auto"
    stress_weight: float | str = "auto"
    energy_per: str = "auto"
    group_weights: Mapping[str, float] | None = None
    alpha: float | str = "auto"
    alphas: tuple[float, ...] | None = None
    n_folds: int = 5
    form: str = "auto"
    n_jobs: int | None = None
    max_memory: float | None = None
    random_state: int = 0
    memory: Any = None

    def __post_init__(self) -> None:
        for name in ("energy_weight", "force_weight", "stress_weight", "alpha"):
            value = getattr(self, name)
            if not (
                value == "auto" if isinstance(value, str) else _is_number(value) and np.isfinite(value) and value >= 0
            ):
                raise SettingsError(f'{name}={value!r}; it must be "auto" or a finite number, 0 or more')
        check_memory(self.memory)
        for name, choices in CHOICES.items():
            value = getattr(self, name)
            if not (isinstance(value, str) and value in choices):
                raise SettingsError(f"{name}={value!r} is not known; give one of {', '.join(choices)}")
        if not (isinstance(self.n_folds, int | np.integer) and self.n_folds >= 2):
            raise SettingsError(f"n_folds={self.n_folds!r}; it must be a whole number, 2 or more")
        if not (self.n_jobs is None or (isinstance(self.n_jobs, int | np.integer) and self.n_jobs != 0)):
            raise SettingsError(f"n_jobs={self.n_jobs!r}; it must be None, a number of threads, or -1 for all cores")
        if not (isinstance(self.random_state, int | np.integer) and self.random_state >= 0):
            raise SettingsError(f"random_state={self.random_state!r}; it must be a whole number, 0 or more")
        if not (self.group_weights is None or isinstance(self.group_weights, Mapping)):
            raise SettingsError(
                f'group_weights={self.group_weights!r}; it must be a dict such as {{"bulk": 2.0, "default": 1.0}}'
            )
        if not (self.max_memory is None or (_is_number(self.max_memory) and self.max_memory > 0)):
            raise SettingsError(f"max_memory={self.max_memory!r}; it must be None or a positive number of GB")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.integer | np.floating)


@dataclass(frozen=True)
class TrainingSet:
    """What is fitted to: structures, labels, and what is known before the fit."""

    structures: Sequence[Atoms]
    labels: LabelSet
    descriptor: Descriptor
    baselines: tuple[Baseline, ...]
    reference: ReferenceEnergies
    sample_weight: FloatArray | None = None

    @property
    def solves_reference(self) -> bool:
        """Whether reference energies are solved with the rest."""
        return self.reference.source == "lstsq"


@dataclass(frozen=True)
class Fit:
    """What a fit gives."""

    solution: Solution
    reference: ReferenceEnergies
    weights: LossWeights
    alpha: float
    form: str
    core_weight: float = 0.0
    cv_errors: dict[str, float] = field(default_factory=dict)
    cv_results: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def fit_linear(data: TrainingSet, settings: FitSettings, tell: Reporter | None = None, core: bool = True) -> Fit:
    """Return the fit of a linear potential.

    Rows are folded into one compressed system per fold and kind of label; loss weights and ridge strength are chosen
    by leaving each fold out; the solve with all folds gives the coefficients.

    Parameters
    ----------
    data : TrainingSet
        Structures and labels.
    settings : FitSettings
        Weights, strength, folds.
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
    candidates = _candidates(data, settings)
    _check_something_counts(data.labels, candidates[0])
    searching = len(candidates) > 1 or settings.alpha == "auto"
    assembled = _assemble(data, settings, searching, tell)
    result = _search(data, assembled, candidates, settings) if searching else None
    weights, alpha, errors = _choose(result) if result else (candidates[0], float(settings.alpha), {})
    problem = TrainingData(assembled, None, data.solves_reference, keep=False).problem(weights)
    rows = CoreRows.of(data.descriptor, data.baselines) if core else None
    solution, core_weight = solve_with_core(Ridge(alpha), problem.system, rows)
    if settings.form == "auto" and solution.status in QR_TAKES_OVER and assembled.form == "gram":
        tell.say("the Gram form cannot resolve a residual this small; the rows are folded again in QR form")
        assembled = _assemble(data, replace(settings, form="qr"), False, tell)
        problem = TrainingData(assembled, None, data.solves_reference, keep=False).problem(weights)
        solution, core_weight = solve_with_core(Ridge(alpha), problem.system, rows)
    values = data.reference.values + problem.composition.recover(solution.coef)
    return Fit(
        solution=solution,
        reference=replace(data.reference, values=values),
        weights=weights,
        alpha=alpha,
        form=assembled.form,
        core_weight=core_weight,
        cv_errors=_in_table_units(errors),
        cv_results={} if result is None else result.to_cv_results(),
        notes=(*(() if result is None else _notes(result, alpha, settings)), *_core_notes(rows, solution)),
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
    assembled = _assemble(data, settings, True, Silent())
    return _search(data, assembled, _candidates(data, settings), settings).best_errors["score"]


def _candidates(data: TrainingSet, settings: FitSettings) -> list[LossWeights]:
    return weight_candidates(
        data.labels,
        data.sample_weight,
        settings.energy_weight,
        settings.force_weight,
        settings.stress_weight,
        settings.energy_per,
        settings.group_weights,
    )


def _assemble(data: TrainingSet, settings: FitSettings, searching: bool, tell: Reporter) -> AssembledData:
    groups = [label.config_type for label in data.labels]
    folds = assign_folds(groups, settings.n_folds, settings.random_state) if searching else None
    assembly = Assembly(
        data.structures,
        data.labels,
        data.descriptor,
        baseline=data.baselines,
        reference=data.reference,
        folds=folds,
        sample_weight=data.sample_weight,
        group_weights=settings.group_weights,
        form=settings.form,
        n_jobs=settings.n_jobs,
    )
    plan = assembly.plan()
    searched = 8 * SEARCH_SQUARES * plan.n_features**2 * min(effective_n_jobs(settings.n_jobs), settings.n_folds)
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
    data: TrainingSet, assembled: AssembledData, candidates: list[LossWeights], settings: FitSettings
) -> SearchResult:
    alphas = (settings.alphas or ALPHAS[assembled.form]) if settings.alpha == "auto" else (float(settings.alpha),)
    coarse = alphas
    if assembled.n_features > MANY_FEATURES and len(candidates) > 1:
        coarse = alphas[1 : len(alphas) : 3]
    result = search(assembled, candidates, coarse, None, data.solves_reference, settings.n_jobs)
    if coarse == alphas:
        return result
    return search(assembled, [result.best_weights], alphas, None, data.solves_reference, settings.n_jobs)


def _choose(result: SearchResult) -> tuple[LossWeights, float, dict[str, float]]:
    """Return the best weights, the largest ridge strength as good as the best with them, and the errors of these."""
    candidate, best = result.best
    scores = result.pooled["score"][candidate]
    good = [k for k in range(len(result.alphas)) if scores[k] <= scores[best] + ALPHA_TOLERANCE]
    chosen = max(good, key=lambda k: result.alphas[k])
    errors = {name: float(values[candidate, chosen]) for name, values in result.pooled.items()}
    return result.best_weights, result.alphas[chosen], errors


def _in_table_units(errors: Mapping[str, float]) -> dict[str, float]:
    """Return cross-validation errors in meV/atom, eV/Å and GPa, without those of labels that are missing."""
    units = {"energy_mae": 1e3, "energy_rmse": 1e3, "stress_rmse": EV_PER_A3_IN_GPA}
    return {name: float(value) * units.get(name, 1.0) for name, value in errors.items() if np.isfinite(value)}


def _notes(result: SearchResult, alpha: float, settings: FitSettings) -> tuple[str, ...]:
    """Return what a user should know about the choice."""
    if settings.alpha != "auto" or len(result.alphas) < 2:
        return ()
    if alpha == min(result.alphas):
        return (f"cross-validation chose the smallest ridge strength of its grid, {alpha:g}",)
    if alpha == max(result.alphas):
        return (
            f"cross-validation chose the largest ridge strength of its grid, {alpha:g}: there are few data for so many "
            "functions; lower max_degree",
        )
    return ()


def _core_notes(rows: CoreRows | None, solution: Solution) -> tuple[str, ...]:
    """Return which dimers attract although they should not."""
    attractive = [] if rows is None else [rows.names[pair] for pair in sorted(rows.attractive(solution.coef))]
    if not attractive:
        return ()
    return (
        f"dimers of {', '.join(attractive)} attract at some distance below the closest approach in the data, because "
        "the data speak against a repulsion there; add compressed structures, or lower max_degree",
    )


def _check_something_counts(labels: LabelSet, weights: LossWeights) -> None:
    """Raise where every kind of label that has a weight is missing."""
    counts = {
        "energy": sum(carries_energy(label) for label in labels) * weights.energy,
        "forces": sum(n_force_atoms(label) for label in labels) * weights.force,
        "stress": sum(carries_stress(label) for label in labels) * weights.stress,
    }
    if not any(counts.values()):
        raise SettingsError(
            f"nothing to fit to: the weights are energy {weights.energy:g}, force {weights.force:g}, stress "
            f"{weights.stress:g}, but no structure has such a label that is not masked; give a weight to a kind it has"
        )


def sample_structures(groups: Sequence[str], n_atoms: Sequence[int], most_atoms: int, random_state: int) -> list[int]:
    """Return indices of a random sample of structures, spread over groups, of some number of atoms.

    Parameters
    ----------
    groups : sequence of str
        Group of each structure.
    n_atoms : sequence of int
        Atoms of each structure.
    most_atoms : int
        The sample ends when it holds this many atoms.
    random_state : int
        Seed.

    Returns
    -------
    list of int
        Ascending.
    """
    rng = np.random.default_rng(random_state)
    names = np.array(groups)
    place = np.empty(len(names))
    for name in np.unique(names):
        members = np.flatnonzero(names == name)
        place[rng.permutation(members)] = (np.arange(len(members)) + rng.random()) / len(members)
    order = np.argsort(place, kind="stable")
    kept = np.cumsum(np.asarray(n_atoms)[order]) <= most_atoms
    kept[: min(40, len(order))] = True
    return sorted(int(i) for i in order[kept])
