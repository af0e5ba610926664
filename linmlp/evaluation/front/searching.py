"""Competitors and folded rows in, one search over all of them out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from linmlp.evaluation.front.models import Competitor
from linmlp.potentials.candidates import Candidate
from linmlp.potentials.choosing import MANY_FEATURES
from linmlp.potentials.search import SearchSettings, Split, search
from linmlp.potentials.search_result import SearchResult
from linmlp.system import AssembledData

KEPT_WEIGHTS = 3
"""Loss weights that long paths of selections are followed with."""


def search_all(
    assembled: AssembledData, competitors: Sequence[Competitor], splits: Sequence[Split], how: SearchSettings
) -> tuple[list[Competitor], SearchResult]:
    """Return the search over all competitors.

    Loss weights of those with very many functions are chosen at a few ridge strengths first, as in
    `linmlp.potentials.choosing.search_candidates`; those of selections are narrowed down at small sizes, where a path
    is short.

    Parameters
    ----------
    assembled : AssembledData
        Folded rows of the pool.
    competitors : sequence of Competitor
        What competes.
    splits : sequence of Split
        Folds to train on and to validate on.
    how : SearchSettings
        How errors are measured.

    Returns
    -------
    competitors : list of Competitor
        Those with many functions have the best of their candidates alone.
    result : SearchResult
        Its candidates are those of the competitors, each once.
    """
    paths = {id(c.candidates): c.candidates for c in competitors if c.value is not None}
    shorter = {key: _narrow_path(path, assembled, splits, how) for key, path in paths.items()}
    narrowed = [
        _narrow(c, assembled, splits, how) if c.value is None else replace(c, candidates=shorter[id(c.candidates)])
        for c in competitors
    ]
    lines = {id(line): line for competitor in narrowed for line in competitor.candidates}
    return narrowed, search(assembled, list(lines.values()), splits, how)


def _narrow(
    competitor: Competitor, assembled: AssembledData, splits: Sequence[Split], how: SearchSettings
) -> Competitor:
    """Return a competitor with the best of its candidates at a few strengths, if it has many functions."""
    lines = competitor.candidates
    columns, values = lines[0].columns, lines[0].values or ()
    n_functions = assembled.n_features if columns is None else len(columns)
    if n_functions <= MANY_FEATURES or len(lines) == 1 or len(values) <= 3:
        return competitor
    coarse = search(assembled, [replace(line, values=values[1::3]) for line in lines], splits, how)
    return replace(competitor, candidates=(lines[coarse.candidate_of[coarse.best]],))


def _narrow_path(
    lines: tuple[Candidate, ...], assembled: AssembledData, splits: Sequence[Split], how: SearchSettings
) -> tuple[Candidate, ...]:
    """Return those of the candidates of a selection that are best at its second size, of three sizes or more."""
    values = lines[0].values or ()
    if len(lines) <= KEPT_WEIGHTS or len(values) < 3:
        return lines
    coarse = search(assembled, [replace(line, values=values[1:2]) for line in lines], splits, how)
    best = np.argsort(coarse.pooled["score"], kind="stable")[:KEPT_WEIGHTS]
    return tuple(lines[k] for k in sorted(best))
