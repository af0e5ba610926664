"""The choice of how many functions: nested bases on the rows of the largest in, the one with the best errors out.

The functions of every size are some of those of the next, so that the rows of the largest serve all. In the order of
the sizes all of them are leading blocks of one matrix: one factorization per fold and ridge strength gives the
coefficients of all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from ase import Atoms
from sklearn.base import clone

from linmlp.descriptors import ACE, Descriptor
from linmlp.potentials.candidates import Candidate
from linmlp.potentials.choosing import TOLERANCE
from linmlp.potentials.fit_result import Chosen
from linmlp.potentials.fit_settings import FitSettings
from linmlp.potentials.reporting import Reporter
from linmlp.potentials.search import SearchSettings, Split, search
from linmlp.potentials.search_result import SearchResult, join_results
from linmlp.potentials.solver_setting import UpToDegree
from linmlp.potentials.training_set import TrainingSet
from linmlp.solvers import ALPHAS, OrderedSelection, Ridge
from linmlp.system import AssembledData, LossWeights
from linmlp.units import IntArray

FIRST_ALPHA = 1e-7
"""Ridge strength with which loss weights are compared."""

FIRST_ALPHAS = (1e-7, 1e-6)
"""Ridge strengths that are tried for all sizes; those beyond the better one follow while they help."""

USUAL = "atom"
"""What energies are divided by, unless something else is better by `WORTHWHILE`."""

WORTHWHILE = 0.01
"""Difference of scores beyond which another division of the energies is taken; less is the luck of the folds."""

Degrees = tuple[int, ...]


def sizes_to_choose_from(
    descriptor: Descriptor, structures: Sequence[Atoms], settings: FitSettings
) -> tuple[Degrees, ...]:
    """Return the degrees that a fit with these settings chooses from, from few functions to many.

    Parameters
    ----------
    descriptor : Descriptor
        Not fitted yet.
    structures : sequence of ase.Atoms
        Training structures.
    settings : FitSettings
        A solver, features, a prior or weights by the evidence leave no choice.

    Returns
    -------
    tuple of tuple of int
        Empty where there is nothing to choose.
    """
    told = (settings.solver, settings.features, settings.prior)
    if not isinstance(descriptor, ACE) or any(value is not None for value in told):
        return ()
    if not settings.fold_rows or settings.finds_weights:
        return ()
    sizes = descriptor.degree_candidates(structures)
    return sizes if len(sizes) > 1 else ()


def fit_largest(descriptor: Any, structures: Sequence[Atoms], sizes: tuple[Degrees, ...]) -> Descriptor:
    """Return the fitted descriptor, with the functions of the largest size where there are sizes.

    Parameters
    ----------
    descriptor : Descriptor
        Not fitted yet.
    structures : sequence of ase.Atoms
        Training structures.
    sizes : tuple of tuple of int
        Degrees per order, the largest last.

    Returns
    -------
    Descriptor
        Its settings are those of the one given.
    """
    settings = {"order": len(sizes[-1]), "max_degree": sizes[-1]} if sizes else {}
    fitted: Descriptor = clone(descriptor).set_params(**settings).fit(structures)
    fitted.set_params(**descriptor.get_params())
    return fitted


@dataclass(frozen=True)
class SizeChoice:
    """The size that was chosen, and what was found on the way.

    Parameters
    ----------
    data : TrainingSet
        With the descriptor of the size.
    assembled : AssembledData
        Rows of its functions.
    chosen : Chosen
        Loss weights and ridge strength, and the errors in cross-validation.
    table : dict of arrays
        Errors of all sizes, strengths and weights that were tried, in scikit-learn's form.
    """

    data: TrainingSet
    assembled: AssembledData
    chosen: Chosen
    table: dict[str, Any]


def choose_size(
    data: TrainingSet,
    assembled: AssembledData,
    candidates: Sequence[Candidate],
    settings: FitSettings,
    tell: Reporter,
    splits: Sequence[Split] | None = None,
) -> SizeChoice:
    """Return the size with the best cross-validation errors.

    Loss weights are compared first, on the size in the middle. With the best of them all sizes are tried at several
    ridge strengths. Of what is as good as the best the fewest functions are taken, and of these the largest strength.

    Parameters
    ----------
    data : TrainingSet
        With `sizes`.
    assembled : AssembledData
        Rows of the largest size.
    candidates : sequence of Candidate
        Loss weights, and the ridge strength where it was given.
    settings : FitSettings
        Threads.
    tell : Reporter
        Is told the errors of all sizes.
    splits : sequence of Split, optional
        By default every fold is left out once.

    Returns
    -------
    SizeChoice
        The size, and what goes with it.
    """
    how = SearchSettings(solve_reference=data.solves_reference, n_jobs=settings.n_jobs)
    columns = [UpToDegree(degrees)(data.descriptor) for degrees in data.sizes]
    order, counts = _nested_order(columns), [float(len(of_size)) for of_size in columns]
    middle = len(columns) // 2
    weights, compared = _compare_weights(assembled, columns[middle], candidates, splits, how)

    def try_sizes(alphas: Sequence[float]) -> SearchResult:
        lines = [Candidate(weights, OrderedSelection(order, alpha=alpha), tuple(counts)) for alpha in alphas]
        return search(assembled, lines, splits, how)

    given = candidates[0].values
    result = join_results(_try_strengths(try_sizes) if given is None else [try_sizes(given)])
    best = _simplest(result)
    size, alpha = counts.index(float(result.value_of[best])), _alpha_of(result, best)
    tell.say(_told(data.sizes, counts, result, size))
    params = [_params(weights, data.sizes[counts.index(float(v))], _alpha_of(result, k)) for k, v in _values(result)]
    for part in compared:
        params += [
            _params(part.candidates[part.candidate_of[k]].weights, data.sizes[middle], v) for k, v in _values(part)
        ]
    smaller = replace(data, descriptor=data.descriptor.up_to(data.sizes[size]), sizes=())
    own = assembled if size == len(counts) - 1 else assembled.subset(columns[size])
    chosen = Chosen(Candidate(weights, Ridge(), (alpha,)), alpha, result.errors(best))
    return SizeChoice(smaller, own, chosen, join_results([result, *compared]).to_cv_results(params))


def _values(result: SearchResult) -> list[tuple[int, float]]:
    """Return sets and their values of the path parameter."""
    return list(enumerate(result.value_of.tolist()))


def _params(weights: Any, degrees: Degrees, alpha: float) -> dict[str, Any]:
    """Return the settings that make a set."""
    named = {f"{kind}_weight": getattr(weights, kind) for kind in ("energy", "force", "stress")}
    return {"descriptor__max_degree": degrees, "alpha": alpha, **named, "energy_per": weights.energy_per}


def _compare_weights(
    assembled: AssembledData,
    columns: IntArray,
    candidates: Sequence[Candidate],
    splits: Sequence[Split] | None,
    how: SearchSettings,
) -> tuple[LossWeights, list[SearchResult]]:
    """Return the loss weights with the best errors of some functions at one strength, and the errors of all.

    Energies per atom are weighted first; what else they may be divided by is tried with the best of these weights, and
    taken where that is worth it.
    """
    if len(candidates) == 1:
        return candidates[0].loss_weights, []
    smaller, kinds = assembled.subset(columns), dict[str, list[Candidate]]()
    for candidate in candidates:
        line = replace(candidate, values=candidate.values or (FIRST_ALPHA,))
        kinds.setdefault(candidate.loss_weights.energy_per, []).append(line)
    first = kinds.pop(USUAL, None) or kinds.pop(next(iter(kinds)))
    results = [search(smaller, first, splits, how)]
    at = int(results[0].candidate_of[results[0].best])
    others = [lines[at] for lines in kinds.values()]
    if others:
        results.append(search(smaller, others, splits, how))
        usual, other = (float(result.pooled["score"].min()) for result in results)
        if other < usual - WORTHWHILE:
            first, at = others, int(results[1].candidate_of[results[1].best])
    return first[at].loss_weights, results


def _nested_order(columns: Sequence[IntArray]) -> IntArray:
    """Return the features of the first size, then those that the second adds, and so on."""
    order, known = list(columns[0]), set(columns[0].tolist())
    for of_size in columns[1:]:
        order += [k for k in of_size.tolist() if k not in known]
        known |= set(of_size.tolist())
    return np.array(order, dtype=np.int64)


def _try_strengths(try_sizes: Callable[[Sequence[float]], SearchResult]) -> list[SearchResult]:
    """Return the results of two strengths, and of those beyond the better one as long as that helps."""
    results = [try_sizes(FIRST_ALPHAS)]
    first, second = (results[0].pooled["score"][results[0].sets_of(k)].min() for k in range(2))
    grid = ALPHAS["gram"]
    smaller, larger = (grid[: grid.index(FIRST_ALPHAS[0])][::-1], grid[grid.index(FIRST_ALPHAS[1]) + 1 :])
    best = min(first, second)
    # Larger strengths are taken where they are as good: smaller ones have to be better by more than that.
    for alpha in smaller if first < second - TOLERANCE else larger if second < first else ():
        results.append(try_sizes([alpha]))
        last = float(results[-1].pooled["score"].min())
        if last >= best:
            break
        best = last
    return results


def _alpha_of(result: SearchResult, index: int) -> float:
    """Return the ridge strength of a set."""
    return float(result.candidates[result.candidate_of[index]].solver.get_params()["alpha"])


def _simplest(result: SearchResult) -> int:
    """Return the set with the fewest functions of those that are as good as the best, then the largest strength."""
    scores = result.pooled["score"]
    good = np.flatnonzero(scores <= scores[result.best] + TOLERANCE)
    return int(min(good, key=lambda k: (result.value_of[k], -_alpha_of(result, int(k)))))


def _told(sizes: Sequence[Degrees], counts: Sequence[float], result: SearchResult, size: int) -> str:
    """Return what a user is told of the choice."""
    scores = result.pooled["score"]
    errors = [scores[result.value_of == count].min() for count in counts]
    tried = ", ".join(f"{count:g} {100 * (e - min(errors)):+.0f} %" for count, e in zip(counts, errors, strict=True))
    return (
        f"{counts[size]:g} functions, max_degree={sizes[size]}, from cross-validation (errors against the lowest: "
        f"{tried})"
    )
