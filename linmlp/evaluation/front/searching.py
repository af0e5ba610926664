"""Competitors and folded rows in, one search over all of them out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from linmlp.evaluation.front.models import Competitor
from linmlp.potentials.choosing import MANY_FEATURES
from linmlp.potentials.search import SearchSettings, Split, search
from linmlp.potentials.search_result import SearchResult
from linmlp.system import AssembledData


def search_all(
    assembled: AssembledData, competitors: Sequence[Competitor], splits: Sequence[Split], how: SearchSettings
) -> tuple[list[Competitor], SearchResult]:
    """Return the search over all competitors.

    Loss weights of those with very many functions are chosen at a few ridge strengths first, as in
    `linmlp.potentials.choosing.search_candidates`.

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
    narrowed = [_narrow(competitor, assembled, splits, how) for competitor in competitors]
    lines = {id(line): line for competitor in narrowed for line in competitor.candidates}
    return narrowed, search(assembled, list(lines.values()), splits, how)


def _narrow(
    competitor: Competitor, assembled: AssembledData, splits: Sequence[Split], how: SearchSettings
) -> Competitor:
    """Return a competitor with the best of its candidates at a few strengths, if it has many functions."""
    lines = competitor.candidates
    columns, values = lines[0].columns, lines[0].values or ()
    n_functions = assembled.n_features if columns is None else len(columns)
    if competitor.value is not None or n_functions <= MANY_FEATURES or len(lines) == 1 or len(values) <= 3:
        return competitor
    coarse = search(assembled, [replace(line, values=values[1::3]) for line in lines], splits, how)
    return replace(competitor, candidates=(lines[coarse.candidate_of[coarse.best]],))
