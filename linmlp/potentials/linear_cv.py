"""The linear potential whose settings are chosen by cross-validation on compressed systems."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from ase import Atoms
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from linmlp.exceptions import LinmlpWarning, SettingsError
from linmlp.potentials.choosing import candidates_for, chosen_of
from linmlp.potentials.cross_validation_errors import METRICS, Scoring, check_scoring
from linmlp.potentials.errors import ErrorTable
from linmlp.potentials.fit_settings import FitSettings
from linmlp.potentials.fitting import in_table_units, solve_chosen
from linmlp.potentials.linear import LinearPotential
from linmlp.potentials.predictor import Precision
from linmlp.potentials.preparation import kept_groups, prepare
from linmlp.potentials.reporting import Reporter, reporter
from linmlp.potentials.row_assembly import assemble_rows
from linmlp.potentials.search import SearchSettings, leave_one_out, search, splits_of
from linmlp.potentials.search_grid import CandidateSet, Grid, Params, expand_grid, make_candidates, split_params
from linmlp.potentials.search_result import SearchResult
from linmlp.potentials.size import choose_size
from linmlp.potentials.training_set import TrainingSet
from linmlp.potentials.uncertainty import UncertainPrediction
from linmlp.potentials.uncertainty.setting import calibrate
from linmlp.structures import FoldPlan, plan_folds
from linmlp.system import AssembledData, LossWeights
from linmlp.units import FloatArray

CHOOSES_FEATURES = {"solver", "features", "prior"}
"""Settings that number the features, or choose among them: with these in a grid the descriptor's own size stays."""


class LinearPotentialCV(BaseEstimator):  # type: ignore[misc]
    """Linear potential whose settings are chosen by cross-validation, at about the cost of one fit.

    The rows of the training structures are folded once per block of structures; loss weights, `energy_per`, weights of
    groups, prior, solver, its strength and subsets of features are then searched on the compressed systems and the
    energy rows alone. Only settings that change the rows (those of the descriptor, e0, baseline, form) make them anew,
    once for each of their values.

    Parameters
    ----------
    potential : LinearPotential or None, default=None
        Settings that are not searched; None means ``LinearPotential()``. Its "auto" settings are searched as
        `LinearPotential.fit` does; the size of an automatic `ACE` is chosen first, with the same folds and the default
        score, unless the grid names solver, features or prior.
    param_grid : dict, list of dict or None, default=None
        Lists of values of the parameters of the potential, as in scikit-learn's `GridSearchCV`.
    n_iter : int or None, default=None
        Number of combinations to draw at random from the grid; None tries all.
    cv : int, splitter, iterable or "leave_one_group_out", default=5
        Folds (random within each ``config_type``, or of whole groups where groups are given), any splitter of
        scikit-learn, or pairs of index arrays. Splitters whose splits overlap are served by their common refinement.
    scoring : str, dict or callable, default="score"
        What is minimized: "score" is ½ ln(energy MAE) + ½ ln(force RMSE); one of energy_mae, energy_rmse, force_rmse,
        stress_rmse, loss; a dict of weights of the logarithms of these; or a function of a dict of them.
    average : {"pooled", "groups"}, default="pooled"
        Whether errors are those of all held-out structures, or the score is averaged over every ``config_type``.
    one_standard_error : bool, default=False
        Whether to take the simplest combination within one standard error of the best, instead of the best.
    nested : bool, default=False
        Whether to estimate the error of the whole procedure, search included, by leaving out every fold once more;
        but for what the descriptor is given beforehand, such as an automatic cutoff or size.
    return_train_score : bool, default=False
        Whether ``cv_results_`` has the errors on the training folds, too.
    n_jobs : int or None, default=None
        Splits at a time.
    random_state : int, default=0
        Seed of the folds and of the draw from the grid.
    verbose : int, default=0
        1 prints what happens.

    Attributes
    ----------
    best_estimator_ : LinearPotential
        Fitted to all structures with the best settings; methods of this class are its methods.
    best_params_ : dict
        Its settings.
    best_score_ : float
        The score, negated so that larger is better.
    best_index_ : int
        Its row of ``cv_results_``.
    cv_results_ : dict of arrays
        All combinations, in scikit-learn's form, with the errors of held-out structures.
    nested_results_ : list of dict
        For every outer fold "params" and the errors on it, if `nested`.
    n_splits_ : int
        Number of splits.

    Examples
    --------
    >>> from linmlp import ACE, LinearPotential, LinearPotentialCV
    >>> from linmlp.datasets import load_silicon
    >>> train, test = load_silicon()
    >>> model = LinearPotential(ACE(cutoff=4.0, order=2, max_degree=(6, 4)), energy_per="atom")
    >>> grid = {"alpha": [1e-8, 1e-6, 1e-4], "energy_weight": [1.0, 10.0]}
    >>> search = LinearPotentialCV(model, grid, cv=3).fit(train[:30])
    >>> sorted(search.best_params_)
    ['alpha', 'energy_per', 'energy_weight', 'force_weight', 'stress_weight']
    """

    def __init__(
        self,
        potential: LinearPotential | None = None,
        param_grid: Grid = None,
        *,
        n_iter: int | None = None,
        cv: Any = 5,
        scoring: Scoring = "score",
        average: Literal["pooled", "groups"] = "pooled",
        one_standard_error: bool = False,
        nested: bool = False,
        return_train_score: bool = False,
        n_jobs: int | None = None,
        random_state: int = 0,
        verbose: int = 0,
    ) -> None:
        self.potential = potential
        self.param_grid = param_grid
        self.n_iter = n_iter
        self.cv = cv
        self.scoring = scoring
        self.average = average
        self.one_standard_error = one_standard_error
        self.nested = nested
        self.return_train_score = return_train_score
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, structures: Sequence[Atoms], y: Any = None, *, sample_weight: Any = None, groups: Any = None) -> Self:
        """Search, and fit to all structures with the best settings.

        Parameters
        ----------
        structures : sequence of ase.Atoms
            Labelled training structures.
        y : ignored
            Labels live on the structures.
        sample_weight : array-like of shape (n_structures,), optional
            2 means listed twice, 0 means absent.
        groups : array-like of shape (n_structures,), optional
            Structures of one group, such as a trajectory, are never on both sides of a split.

        Returns
        -------
        LinearPotentialCV
            Itself.

        Raises
        ------
        InputError
            If structures, labels, settings or folds cannot be used.
        """
        check_scoring(self.scoring)
        if self.average not in ("pooled", "groups"):
            raise SettingsError(f'average={self.average!r} is not known; give "pooled" or "groups"')
        tell = reporter(self.verbose)
        base = self._base()
        by_rows: dict[str, tuple[Params, list[Params]]] = {}
        for params in expand_grid(base, self.param_grid, self.n_iter, self.random_state):
            before, after = split_params(params)
            by_rows.setdefault(repr(sorted(before.items())), (before, []))[1].append(after)
        tables, best = [], None
        for before, combinations in by_rows.values():
            run = self._search(base, before, combinations, structures, sample_weight, groups, tell)
            tables.append(run.table)
            if best is None or run.score < best.score:
                best = replace(run, offset=sum(len(table["params"]) for table in tables[:-1]))
        assert best is not None
        self._take(best, _join(tables), tell)
        return self

    def predict(self, structures: Sequence[Atoms], return_std: bool = False) -> Any:
        """Return total energies in eV, (n_structures,), and their standard deviations if asked for."""
        return self._best().predict(structures, return_std)

    def predict_forces(self, structures: Sequence[Atoms], return_std: bool = False) -> Any:
        """Return forces in eV/Å, one array of shape (n_atoms, 3) per structure, and their standard deviations."""
        return self._best().predict_forces(structures, return_std)

    def predict_uncertainty(self, structures: Sequence[Atoms]) -> list[UncertainPrediction]:
        """Return predictions with standard deviations, intervals and extrapolation grades."""
        return self._best().predict_uncertainty(structures)

    def predict_stress(self, structures: Sequence[Atoms]) -> FloatArray:
        """Return stresses in eV/Å³ (Voigt, positive under tension), (n_structures, 6)."""
        return self._best().predict_stress(structures)

    def score(self, structures: Sequence[Atoms], y: Any = None, *, sample_weight: Any = None) -> float:
        """Return the score of the best potential on labelled structures, see `LinearPotential.score`."""
        return self._best().score(structures, y, sample_weight=sample_weight)

    def evaluate(self, structures: Sequence[Atoms], uncertainty: bool = False) -> ErrorTable:
        """Return the table of errors of the best potential on labelled structures."""
        return self._best().evaluate(structures, uncertainty)

    def calculator(
        self,
        skin: float = 0.5,
        n_threads: int | None = None,
        uncertainty: bool = False,
        precision: Precision = "double",
    ) -> Any:
        """Return an ASE calculator of the best potential."""
        return self._best().calculator(skin, n_threads, uncertainty, precision)

    def save(self, path: str | Path, system: bool = True) -> None:
        """Write the best potential to a file that `linmlp.load` reads."""
        self._best().save(path, system)

    def plot(self, params: Sequence[str] | None = None) -> Any:
        """Return a plot of the score against every setting that was searched.

        Parameters
        ----------
        params : sequence of str, optional
            Settings to show; all by default.

        Returns
        -------
        array of matplotlib.axes.Axes
            One per setting.
        """
        from linmlp.evaluation.plots import plot_search  # a room below, for a plot alone

        check_is_fitted(self)
        return plot_search(self.cv_results_, params)

    def _base(self) -> LinearPotential:
        """Return the potential with the settings that are not searched."""
        if not (self.potential is None or isinstance(self.potential, LinearPotential)):
            raise SettingsError(f"potential={self.potential!r} is none; give a LinearPotential, or None")
        base: LinearPotential = LinearPotential() if self.potential is None else clone(self.potential)
        return base if base.descriptor is not None else base.set_params(descriptor=base._default_descriptor())

    def _best(self) -> LinearPotential:
        check_is_fitted(self)
        best: LinearPotential = self.best_estimator_
        return best

    def _search(
        self,
        base: LinearPotential,
        before: Params,
        combinations: list[Params],
        structures: Sequence[Atoms],
        sample_weight: Any,
        groups: Any,
        tell: Reporter,
    ) -> "_Run":
        """Return the search over all that acts on the same rows."""
        potential: LinearPotential = clone(base).set_params(**before)
        settings = potential._fit_settings()
        if not settings.fold_rows:
            raise SettingsError(
                "LinearPotentialCV searches on folded rows; leave fold_rows at True, or use GridSearchCV, "
                "which fits anew"
            )
        named = {name.partition("__")[0] for params in combinations for name in params}
        data = prepare(potential, structures, sample_weight, settings, tell, not named & CHOOSES_FEATURES)
        plan = plan_folds(self.cv, data.labels, kept_groups(groups, data, len(structures)), self.random_state)
        apart = self.average == "groups" or any("group_weights" in params for params in combinations)
        assembled = assemble_rows(data, settings, plan.blocks, tell, apart)
        if data.sizes:
            start = candidates_for(data, settings, settings.solver_choice(data.descriptor))
            sized = choose_size(data, assembled, start, settings, tell, splits_of(plan))
            data, assembled = sized.data, sized.assembled
        candidates = make_candidates(potential, combinations, data, assembled.form)
        how = SearchSettings(
            self.scoring,
            self.average,
            LossWeights.from_labels(data.labels, data.sample_weight),
            data.solves_reference,
            self.return_train_score,
            self.n_jobs,
        )
        result = search(assembled, candidates.candidates, splits_of(plan), how).take(candidates.order)
        index = result.within_one_standard_error() if self.one_standard_error else result.best
        params = [{**before, **entry} for entry in candidates.params]
        nested = _nested(assembled, candidates, params, plan, how) if self.nested else []
        table = result.to_cv_results(params)
        return _Run(potential, settings, data, assembled, result, index, table, nested, len(plan))

    def _take(self, best: "_Run", table: dict[str, Any], tell: Reporter) -> None:
        """Refit with the best settings and take the results."""
        chosen = chosen_of(best.result, best.index)
        fit = solve_chosen(best.data, best.assembled, chosen, best.settings, tell)
        params = best.table["params"][best.index]
        potential: LinearPotential = clone(best.potential).set_params(**params)
        potential._take(fit, best.data, calibrate(best.data, fit, potential._fit_settings(), tell))
        grids = [self.param_grid] if isinstance(self.param_grid, Mapping) else list(self.param_grid or [])
        _warn_of_edges(best.table, best.index, {str(name) for grid in grids for name in grid})
        self.best_estimator_ = potential
        self.best_params_ = params
        self.best_score_ = -best.score
        self.best_index_ = best.offset + best.index
        self.cv_results_ = table
        self.nested_results_ = best.nested
        self.n_splits_ = best.n_splits
        self.n_features_in_ = potential.n_features_in_

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.estimator_type = "regressor"
        tags.input_tags.two_d_array = False
        tags.no_validation = True
        return tags


@dataclass(frozen=True)
class _Run:
    """A search over all that acts on the same rows, and its best set."""

    potential: LinearPotential
    settings: FitSettings
    data: TrainingSet
    assembled: AssembledData
    result: SearchResult
    index: int
    table: dict[str, Any]
    nested: list[dict[str, Any]]
    n_splits: int
    offset: int = 0

    @property
    def score(self) -> float:
        """Score of the best set, smaller is better."""
        return float(self.result.pooled["score"][self.index])


def _nested(
    assembled: AssembledData, candidates: CandidateSet, params: list[Params], plan: FoldPlan, how: SearchSettings
) -> list[dict[str, Any]]:
    """Return, for every fold, what a search on the others chooses, and its errors on that fold."""
    if not plan.is_partition or plan.n_blocks < 3:
        raise SettingsError("nested=True needs three folds or more that do not overlap; give such a cv")
    rows = []
    for outer in splits_of(plan):
        inner = search(assembled, candidates.candidates, leave_one_out(outer.train), how).take(candidates.order)
        chosen = chosen_of(inner, inner.best)
        line = replace(chosen.candidate, values=(chosen.value,))
        errors = search(assembled, [line], [outer], how).errors(0)
        score = errors.pop("score")
        in_units = {name: value for name, value in in_table_units(errors).items() if name in METRICS}
        rows.append({"params": params[inner.best], "score": -score, **in_units})
    return rows


def _join(tables: list[dict[str, Any]]) -> dict[str, Any]:
    """Return tables of different rows as one, ranked anew."""
    if len(tables) == 1:
        return tables[0]
    joined: dict[str, Any] = {"params": [entry for table in tables for entry in table["params"]]}
    lengths = [len(table["params"]) for table in tables]
    for name in dict.fromkeys(name for table in tables for name in table if name != "params"):
        columns = [
            table.get(name, np.ma.array(np.empty(n, dtype=object), mask=True))
            for table, n in zip(tables, lengths, strict=True)
        ]
        joined[name] = (np.ma if name.startswith("param_") else np).concatenate(columns)
    order = np.argsort(-joined["mean_test_score"], kind="stable")
    joined["rank_test_score"][order] = np.arange(1, len(order) + 1)
    return joined


def _warn_of_edges(table: Mapping[str, Any], index: int, names: set[str]) -> None:
    """Warn where the best value of a setting of the grid is the smallest or largest of three or more."""
    for name in sorted(names):
        column = table.get(f"param_{name}")
        if column is None:
            continue
        values = {v for v in column.compressed() if isinstance(v, int | float | np.number) and not isinstance(v, bool)}
        best = column[index]
        if len(values) >= 3 and best in (min(values), max(values)):
            edge = "smallest" if best == min(values) else "largest"
            warnings.warn(
                f"the best {name}, {best:g}, is the {edge} that was tried; extend the grid",
                LinmlpWarning,
                stacklevel=4,
            )
