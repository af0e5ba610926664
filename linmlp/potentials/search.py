"""Cross-validation of loss weights and ridge strength on compressed systems, without a second pass over the rows."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import joblib
import numpy as np

from linmlp.exceptions import LinmlpWarning, SettingsError
from linmlp.solvers import ALPHAS, Ridge, Status, SystemSolver
from linmlp.structures import Labels
from linmlp.system import AssembledData, LossWeights, TrainingData, ValidationErrors, validate
from linmlp.system.threads import one_blas_thread
from linmlp.units import FloatArray

GRAM_FLOOR = 1e-8
"""Smallest ridge strength at which predictions from the Gram form keep their digits."""

ENERGY_FACTORS = (0.25, 1.0, 4.0)
"""Factors on the automatic energy weight to try: 75, 150 and 300 on the residual of the energy per atom."""

METRICS = ("energy_mae", "energy_rmse", "force_rmse", "stress_rmse", "score")


@dataclass(frozen=True)
class SearchResult:
    """Cross-validation errors of all combinations of loss weights and ridge strength.

    Parameters
    ----------
    candidates : tuple of LossWeights
        Loss weights that were tried.
    alphas : tuple of float
        Ridge strengths that were tried.
    folds : tuple of int
        Folds, each left out once.
    pooled : dict of str to ndarray of shape (n_candidates, n_alphas)
        "energy_mae" and "energy_rmse" (eV per atom), "force_rmse" (eV/Å, component), "stress_rmse" (eV/Å³, over the
        nine components) over the structures of all folds, and "score" (smaller is better).
    per_fold : dict of str to ndarray of shape (n_folds, n_candidates, n_alphas)
        The same for each fold.
    statuses : tuple of tuple of tuple of Status
        How the solves ended: statuses[fold][candidate][alpha].
    """

    candidates: tuple[LossWeights, ...]
    alphas: tuple[float, ...]
    folds: tuple[int, ...]
    pooled: Mapping[str, FloatArray]
    per_fold: Mapping[str, FloatArray]
    statuses: tuple[tuple[tuple[Status, ...], ...], ...]

    @property
    def best(self) -> tuple[int, int]:
        """Candidate and strength with the smallest score."""
        candidate, alpha = np.unravel_index(np.nanargmin(self.pooled["score"]), self.pooled["score"].shape)
        return int(candidate), int(alpha)

    @property
    def best_weights(self) -> LossWeights:
        """Loss weights of the best combination."""
        return self.candidates[self.best[0]]

    @property
    def best_alpha(self) -> float:
        """Ridge strength of the best combination."""
        return self.alphas[self.best[1]]

    @property
    def best_errors(self) -> dict[str, float]:
        """Errors of the best combination."""
        return {name: float(values[self.best]) for name, values in self.pooled.items()}

    @property
    def alpha_on_edge(self) -> bool:
        """Whether the best strength is the smallest or largest that was tried."""
        return len(self.alphas) > 1 and self.best_alpha in (min(self.alphas), max(self.alphas))

    def to_cv_results(self) -> dict[str, Any]:
        """Return the table in scikit-learn's form; its scores are negated so that larger is better.

        Returns
        -------
        dict of str to ndarray of shape (n_candidates * n_alphas,)
            ``param_*``, ``mean_test_score``, ``std_test_score``, ``rank_test_score``, ``split*_test_score`` and the
            errors over all folds.
        """
        n_alphas = len(self.alphas)
        weights = [candidate for candidate in self.candidates for _ in range(n_alphas)]
        table: dict[str, Any] = {"param_alpha": np.tile(self.alphas, len(self.candidates))}
        for name in ("energy", "force", "stress"):
            table[f"param_{name}_weight"] = np.array([getattr(w, name) for w in weights])
        table["param_energy_per"] = np.array([w.energy_per for w in weights])
        if any(w.groups for w in weights):
            table["param_group_weights"] = np.array([w.groups for w in weights], dtype=object)
        names = [name for name in table if name.startswith("param_")]
        table["params"] = [
            {name.removeprefix("param_"): table[name][row] for name in names} for row in range(len(weights))
        ]
        splits = -self.per_fold["score"].reshape(len(self.folds), -1)
        table |= {f"split{k}_test_score": split for k, split in enumerate(splits)}
        table["mean_test_score"] = -self.pooled["score"].ravel()
        table["std_test_score"] = splits.std(axis=0)
        order = np.argsort(-table["mean_test_score"], kind="stable")
        table["rank_test_score"] = np.empty(len(order), dtype=np.int64)
        table["rank_test_score"][order] = np.arange(1, len(order) + 1)
        return table | {name: self.pooled[name].ravel() for name in METRICS if name != "score"}


def weight_candidates(
    labels: Sequence[Labels],
    sample_weight: FloatArray | None = None,
    energy: float | str = "auto",
    force: float | str = "auto",
    stress: float | str = "auto",
    energy_per: str = "auto",
    groups: Mapping[str, float] | None = None,
) -> list[LossWeights]:
    """Return the loss weights to try.

    Parameters
    ----------
    labels : sequence of Labels
        Labels of the training structures.
    sample_weight : ndarray of shape (n_structures,), optional
        How often each structure counts.
    energy, force, stress : float or "auto"
        Weights; an automatic energy weight is tried at a quarter, once and four times its value.
    energy_per : {"auto", "structure", "atom", "sqrt_atom"}, default="auto"
        What energy residuals are divided by. "auto" tries all three where the energy weight is automatic, and is
        "structure" where that is a number, because numbers for the three are not comparable.
    groups : mapping of str to float, optional
        Weight of each ``config_type``.

    Returns
    -------
    list of LossWeights
        One to nine candidates.
    """
    if energy_per == "auto":
        pers: tuple[Any, ...] = ("structure", "sqrt_atom", "atom") if energy == "auto" else ("structure",)
    else:
        pers = (energy_per,)
    candidates = []
    for per in pers:
        base = LossWeights.from_labels(labels, sample_weight, energy, force, stress, per, groups)
        factors = ENERGY_FACTORS if energy == "auto" and base.energy > 0.0 else (1.0,)
        for factor in factors:
            new = LossWeights(factor * base.energy, base.force, base.stress, per, groups)
            candidates.append(new)
        if not base.energy > 0.0:
            break
    return candidates


def search(
    assembled: AssembledData,
    candidates: Sequence[LossWeights],
    alphas: Sequence[float] | None = None,
    solver: SystemSolver | None = None,
    solve_reference: bool = True,
    n_jobs: int | None = None,
) -> SearchResult:
    """Return cross-validation errors of all combinations of loss weights and ridge strength.

    Every fold is left out once. Its training systems are merged once from the other folds; each candidate is a sum of
    those with other weights, and each strength one factorization of it. Reference energies, column scales and the
    normalization of the loss belong to the training folds alone. The errors of all combinations are measured alike:
    sample weights count, loss weights and searched group weights do not.

    Parameters
    ----------
    assembled : AssembledData
        Assembled data with two folds or more.
    candidates : sequence of LossWeights
        Loss weights to try.
    alphas : sequence of float, optional
        Strengths to try; by default `ALPHAS` of the form.
    solver : SystemSolver, optional
        Solver whose path over strengths is followed; `Ridge` by default.
    solve_reference : bool, default=True
        Whether reference energies are solved with the rest (e0="lstsq") or fixed.
    n_jobs : int, optional
        Folds at a time, as joblib has it.

    Returns
    -------
    SearchResult
        Errors over all folds, and fold by fold.

    Raises
    ------
    SettingsError
        If there is nothing to choose from or only one fold.
    """
    alphas = tuple(ALPHAS[assembled.form] if alphas is None else alphas)
    if not alphas or not candidates:
        raise SettingsError("nothing to search; give at least one candidate and one alpha")
    if len(assembled.folds) < 2:
        raise SettingsError(f"cross-validation needs two folds or more; the data have {len(assembled.folds)}")
    if assembled.form == "gram" and min(alphas) < GRAM_FLOOR:
        warnings.warn(
            f"alpha {min(alphas):g} is below {GRAM_FLOOR:g}, where predictions from the Gram form lose digits; "
            'use form="qr" or larger values',
            LinmlpWarning,
            stacklevel=2,
        )
    path = Ridge() if solver is None else solver
    # One level of parallelism: the factorizations are small, and threads within them collapse on busy cores.
    with one_blas_thread():
        results = joblib.Parallel(n_jobs=n_jobs, prefer="threads")(
            joblib.delayed(_leave_out)(assembled, fold, candidates, alphas, path, solve_reference)
            for fold in assembled.folds
        )
    shape = (len(candidates), len(alphas))
    sums = [_Sums.of(errors) for errors, _ in results]
    per_fold = [fold_sums.metrics(shape) for fold_sums in sums]
    return SearchResult(
        tuple(candidates),
        alphas,
        assembled.folds,
        _Sums.total(sums).metrics(shape),
        {name: np.array([metrics[name] for metrics in per_fold]) for name in METRICS},
        tuple(statuses for _, statuses in results),
    )


def _leave_out(
    assembled: AssembledData,
    fold: int,
    candidates: Sequence[LossWeights],
    alphas: Sequence[float],
    solver: SystemSolver,
    solve_reference: bool,
) -> tuple[ValidationErrors, tuple[tuple[Status, ...], ...]]:
    """Return the errors on one fold of all combinations trained on the others, and how the solves ended."""
    training = TrainingData(assembled, [other for other in assembled.folds if other != fold], solve_reference)
    shape = (len(candidates), len(alphas))
    coef = np.empty((*shape, assembled.n_features))
    reference = np.empty((*shape, len(assembled.elements)))
    statuses: list[tuple[Status, ...]] = [()] * len(candidates)
    # Energy rows are weighted and folded anew only when energy_per or the group weights change: take those together.
    for c in sorted(range(len(candidates)), key=lambda k: (candidates[k].energy_per, repr(candidates[k].groups))):
        problem = training.problem(candidates[c])
        solutions = solver.solve_path(problem.system, alphas)
        coef[c] = [solution.coef for solution in solutions]
        reference[c] = problem.composition.recover(coef[c])
        statuses[c] = tuple(solution.status for solution in solutions)
    n_sets = len(candidates) * len(alphas)
    errors = validate(assembled, [fold], coef.reshape(n_sets, -1), reference.reshape(n_sets, -1))
    return errors, tuple(statuses)


@dataclass(frozen=True)
class _Sums:
    """Sums of weighted errors and of weights, (n_sets,) each: they add over folds."""

    energy_absolute: FloatArray
    energy_squared: FloatArray
    energy_weight: float
    force: FloatArray
    force_weight: float
    stress: FloatArray
    stress_weight: float

    @classmethod
    def of(cls, errors: ValidationErrors) -> _Sums:
        """Return the sums of one fold."""
        per_atom = errors.energy / errors.n_atoms
        return cls(
            np.abs(per_atom) @ errors.listed,
            per_atom**2 @ errors.listed,
            float(errors.listed.sum()),
            errors.force.squared,
            errors.force.row_weight,
            errors.stress.squared,
            errors.stress.row_weight,
        )

    @classmethod
    def total(cls, parts: Sequence[_Sums]) -> _Sums:
        """Return the sums over folds."""
        return cls(*(sum(getattr(part, name) for part in parts) for name in cls.__dataclass_fields__))

    def metrics(self, shape: tuple[int, int]) -> dict[str, FloatArray]:
        """Return errors and score, NaN where nothing carries the label."""
        metrics = {
            "energy_mae": _ratio(self.energy_absolute, self.energy_weight),
            "energy_rmse": np.sqrt(_ratio(self.energy_squared, self.energy_weight)),
            "force_rmse": np.sqrt(_ratio(self.force, self.force_weight)),
            "stress_rmse": np.sqrt(_ratio(self.stress, self.stress_weight)),
        }
        metrics["score"] = compute_score(metrics["energy_mae"], metrics["force_rmse"], metrics["stress_rmse"])
        return {name: values.reshape(shape) for name, values in metrics.items()}


def compute_score(energy_mae: FloatArray, force_rmse: FloatArray, stress_rmse: FloatArray | None = None) -> FloatArray:
    """Return the score of a candidate, ``½ ln(energy MAE) + ½ ln(force RMSE)``; smaller is better.

    A change of 0.01 is 1 % in both errors. A kind that no structure carries (NaN) is left out; with neither it is half
    the logarithm of the stress error.

    Parameters
    ----------
    energy_mae : ndarray
        Mean absolute error of the energy, eV per atom.
    force_rmse : ndarray
        Root mean square error of force components, eV/Å.
    stress_rmse : ndarray, optional
        Root mean square error of stress components, eV/Å³.

    Returns
    -------
    ndarray
        Scores.
    """
    tiny = np.finfo(float).tiny
    terms = np.array([0.5 * np.log(np.maximum(values, tiny)) for values in (energy_mae, force_rmse)])
    score: FloatArray = np.nansum(terms, axis=0)
    if stress_rmse is None:
        return score
    has_neither = np.isnan(terms).all(axis=0) & ~np.isnan(stress_rmse)
    return np.where(has_neither, 0.5 * np.log(np.maximum(stress_rmse, tiny)), score)


def _ratio(total: FloatArray, weight: float) -> FloatArray:
    """Return a weighted mean, NaN without weights."""
    return total / weight if weight > 0.0 else np.full(len(total), np.nan)
