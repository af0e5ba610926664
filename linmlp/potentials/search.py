"""Cross-validation of everything that acts after the rows are folded, without a second pass over the rows."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import joblib
import numpy as np

from linmlp.exceptions import LinmlpWarning, SettingsError
from linmlp.potentials.candidates import Candidate
from linmlp.potentials.cross_validation_errors import ErrorSums, Scoring, check_scoring, evaluate_score
from linmlp.potentials.search_result import SearchResult
from linmlp.solvers import Ridge, Status
from linmlp.structures import FoldPlan
from linmlp.system import AssembledData, LossWeights, TrainingData, ValidationErrors, validate
from linmlp.system.threads import one_blas_thread
from linmlp.units import FloatArray, IntArray

GRAM_FLOOR = 1e-8
"""Smallest ridge strength at which predictions from the Gram form keep their digits."""

MERGE_FROM = 12
"""Solves of one split from which merging its training systems costs less than summing over them in every solve."""


FORCES_ALONE = LossWeights(0.0, 1.0)


class Split(NamedTuple):
    """Folds (blocks of structures) to train on, and folds to validate on."""

    train: tuple[int, ...]
    test: tuple[int, ...]


def leave_one_out(folds: Sequence[int]) -> list[Split]:
    """Return the splits that leave every fold out once.

    Parameters
    ----------
    folds : sequence of int
        Folds.

    Returns
    -------
    list of Split
        One per fold.
    """
    return [Split(tuple(other for other in folds if other != fold), (fold,)) for fold in folds]


def splits_of(plan: FoldPlan) -> list[Split]:
    """Return the splits of a plan as blocks.

    Parameters
    ----------
    plan : FoldPlan
        Splits of structures; their blocks are the folds of the assembled data.

    Returns
    -------
    list of Split
        In the order of the plan.
    """
    return [
        Split(tuple(int(b) for b in train), tuple(int(b) for b in test))
        for train, test in zip(plan.train_blocks, plan.test_blocks, strict=True)
    ]


@dataclass(frozen=True)
class SearchSettings:
    """How candidates are compared.

    Parameters
    ----------
    scoring : str, mapping of str to float, or callable, default="score"
        See `linmlp.potentials.cross_validation_errors.evaluate_score`.
    average : {"pooled", "groups"}, default="pooled"
        Whether the score is that of all held-out structures, or the mean of the scores of every ``config_type``.
    reference_weights : LossWeights, optional
        Weights of the loss that is reported, the same for all candidates; w_F = 1 alone by default.
    solve_reference : bool, default=True
        Whether reference energies are solved with the rest (e0="lstsq") or fixed.
    with_train : bool, default=False
        Whether errors on the training folds are computed too.
    n_jobs : int, optional
        Splits at a time, as joblib has it.
    """

    scoring: Scoring = "score"
    average: str = "pooled"
    reference_weights: LossWeights = FORCES_ALONE
    solve_reference: bool = True
    with_train: bool = False
    n_jobs: int | None = None


def search(
    assembled: AssembledData,
    candidates: Sequence[Candidate | LossWeights],
    splits: Sequence[Split] | None = None,
    settings: SearchSettings | None = None,
) -> SearchResult:
    """Return cross-validation errors of all candidates.

    For every split the systems of its training folds are merged once; each candidate is a sum of those with weights of
    its own, and its solver follows the path of strengths on that. Reference energies, column scales, selected features
    and the normalization of the loss belong to the training folds alone. The errors of all candidates are measured
    alike: sample weights count, loss weights and searched group weights do not.

    Parameters
    ----------
    assembled : AssembledData
        Assembled data with two folds or more.
    candidates : sequence of Candidate or LossWeights
        What is tried; loss weights alone mean ridge regression with the strengths that it tries by default.
    splits : sequence of Split, optional
        By default every fold is left out once.
    settings : SearchSettings, optional
        How candidates are compared.

    Returns
    -------
    SearchResult
        Errors over all held-out folds, and split by split.

    Raises
    ------
    SettingsError
        If there is nothing to choose from or only one fold.
    """
    settings = settings or SearchSettings()
    check_scoring(settings.scoring)
    lines = [Candidate(c) if isinstance(c, LossWeights) else c for c in candidates]
    values = [line.resolved_values(assembled.form, assembled.n_features) for line in lines]
    if not any(values):
        raise SettingsError("nothing to search; give at least one candidate and one strength")
    if splits is None:
        if len(assembled.folds) < 2:
            raise SettingsError(f"cross-validation needs two folds or more; the data have {len(assembled.folds)}")
        splits = leave_one_out(assembled.folds)
    _warn_of_lost_digits(assembled.form, lines, values)
    # One level of parallelism: the factorizations are small, and threads within them collapse on busy cores.
    with one_blas_thread():
        results = joblib.Parallel(n_jobs=settings.n_jobs, prefer="threads")(
            joblib.delayed(_evaluate_split)(assembled, split, lines, values, settings) for split in splits
        )
    line_of = np.repeat(np.arange(len(lines)), [len(v) for v in values])
    test = _tabulate([result.test for result in results], settings)
    train = _tabulate([result.train for result in results], settings) if settings.with_train else None
    return SearchResult(
        candidates=tuple(lines),
        candidate_of=line_of,
        value_of=np.concatenate([np.asarray(v, dtype=float) for v in values]),
        pooled=test.pooled,
        per_split=test.per_split,
        n_used=np.array([result.n_used for result in results]),
        statuses=tuple(result.statuses for result in results),
        train=None if train is None else train.per_split,
    )


class _SplitResult(NamedTuple):
    """Sums of errors by group ("" for all), numbers of features used and how the solves ended, for all sets."""

    test: dict[str, ErrorSums]
    train: dict[str, ErrorSums]
    n_used: IntArray
    statuses: tuple[Status, ...]


def _evaluate_split(
    assembled: AssembledData,
    split: Split,
    lines: Sequence[Candidate],
    values: Sequence[Sequence[float]],
    settings: SearchSettings,
) -> _SplitResult:
    """Return the errors on the test folds of a split of all candidates trained on its training folds."""
    n_sets = sum(len(v) for v in values)
    training = TrainingData(assembled, split.train, settings.solve_reference, merge=n_sets >= MERGE_FROM)
    coef = np.empty((n_sets, assembled.n_features))
    reference = np.empty((n_sets, len(assembled.elements)))
    statuses: list[Status] = [Status.SOLVED] * n_sets
    starts = np.cumsum([0, *(len(v) for v in values)])
    # Energy rows are weighted and folded anew only when energy_per or the group weights change: take those together.
    for c in sorted(range(len(lines)), key=lambda k: (lines[k].weights.energy_per, repr(lines[k].weights.groups))):
        at = slice(starts[c], starts[c + 1])
        solutions, reference[at] = lines[c].solve(training, values[c])
        coef[at] = [solution.coef for solution in solutions]
        statuses[at] = [solution.status for solution in solutions]
    return _SplitResult(
        _sum_errors(assembled, split.test, coef, reference, settings),
        _sum_errors(assembled, split.train, coef, reference, settings) if settings.with_train else {},
        np.count_nonzero(coef, axis=1),
        tuple(statuses),
    )


def _sum_errors(
    assembled: AssembledData, folds: Sequence[int], coef: FloatArray, reference: FloatArray, settings: SearchSettings
) -> dict[str, ErrorSums]:
    """Return sums of errors, of all structures ("") and by group where the score is averaged over groups."""
    groups: list[str | None] = [None]
    if settings.average == "groups":
        if not assembled.groups_apart:
            raise SettingsError('average="groups" needs systems per config_type; assemble with groups_apart=True')
        groups += sorted({str(group) for group in assembled.energy.group})

    def of(group: str | None) -> ValidationErrors:
        return validate(assembled, folds, coef, reference, group=group)

    return {group or "": ErrorSums.of(of(group), settings.reference_weights) for group in groups}


class _Table(NamedTuple):
    """Metrics and score over all splits (n_sets,), and of each (n_splits, n_sets)."""

    pooled: dict[str, FloatArray]
    per_split: dict[str, FloatArray]


def _tabulate(parts: Sequence[dict[str, ErrorSums]], settings: SearchSettings) -> _Table:
    """Return metrics and scores from the sums of splits."""
    total = {group: ErrorSums.total([part[group] for part in parts]) for group in parts[0]}
    per_split = [_measure(part, settings) for part in parts]
    return _Table(
        _measure(total, settings), {name: np.array([metrics[name] for metrics in per_split]) for name in per_split[0]}
    )


def _measure(sums: dict[str, ErrorSums], settings: SearchSettings) -> dict[str, FloatArray]:
    """Return the metrics of all structures, and the score of them or averaged over groups."""
    metrics = {group: part.metrics(settings.reference_weights) for group, part in sums.items()}
    scores = {group: evaluate_score(values, settings.scoring) for group, values in metrics.items()}
    overall = scores.pop("")
    if scores:
        counted = [scores[group] for group in scores if sums[group].energy_weight + sums[group].force_weight > 0]
        overall = np.mean(counted, axis=0)
    return metrics[""] | {"score": overall}


def _warn_of_lost_digits(form: str, lines: Sequence[Candidate], values: Sequence[Sequence[float]]) -> None:
    """Warn of ridge strengths that the Gram form cannot resolve."""
    strengths = [v for line, path in zip(lines, values, strict=True) if isinstance(line.solver, Ridge) for v in path]
    if form == "gram" and strengths and np.nanmin([*strengths, np.inf]) < GRAM_FLOOR:
        warnings.warn(
            f"alpha {min(strengths):g} is below {GRAM_FLOOR:g}, where predictions from the Gram form lose digits; "
            'use form="qr" or larger values',
            LinmlpWarning,
            stacklevel=3,
        )
