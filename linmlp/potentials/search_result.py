"""What a search found: errors of all combinations, the best of them, the table in scikit-learn's form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from linmlp.potentials.candidates import Candidate
from linmlp.potentials.cross_validation_errors import METRICS
from linmlp.solvers import Status
from linmlp.units import FloatArray, IntArray


@dataclass(frozen=True)
class SearchResult:
    """Cross-validation errors of all combinations of candidates and strengths, one "set" each.

    Parameters
    ----------
    candidates : tuple of Candidate
        What was tried.
    candidate_of : ndarray of shape (n_sets,), int
        Candidate of each set, ascending.
    value_of : ndarray of shape (n_sets,)
        Value of the path parameter of each set.
    pooled : dict of str to ndarray of shape (n_sets,)
        "energy_mae" and "energy_rmse" (eV per atom), "force_rmse" (eV/Å, component), "stress_rmse" (eV/Å³, over the
        nine components) and "loss" (at the reference weights) over the held-out structures of all splits, and "score"
        (smaller is better).
    per_split : dict of str to ndarray of shape (n_splits, n_sets)
        The same for each split.
    n_used : ndarray of shape (n_splits, n_sets), int
        Coefficients that are not zero.
    statuses : tuple of tuple of Status
        How the solves ended: statuses[split][set].
    train : dict of str to ndarray of shape (n_splits, n_sets), optional
        Errors on the training folds of each split.
    """

    candidates: tuple[Candidate, ...]
    candidate_of: IntArray
    value_of: FloatArray
    pooled: Mapping[str, FloatArray]
    per_split: Mapping[str, FloatArray]
    n_used: IntArray
    statuses: tuple[tuple[Status, ...], ...]
    train: Mapping[str, FloatArray] | None = None

    @property
    def n_sets(self) -> int:
        """Number of combinations."""
        return len(self.candidate_of)

    @property
    def best(self) -> int:
        """The set with the smallest score."""
        return int(np.nanargmin(self.pooled["score"]))

    def errors(self, index: int) -> dict[str, float]:
        """Return the errors and the score of a set over all held-out structures.

        Parameters
        ----------
        index : int
            The set.

        Returns
        -------
        dict of str to float
            By name.
        """
        return {name: float(values[index]) for name, values in self.pooled.items()}

    def sets_of(self, candidate: int) -> IntArray:
        """Return the sets of a candidate.

        Parameters
        ----------
        candidate : int
            Its place.

        Returns
        -------
        ndarray of int
            Ascending.
        """
        return np.flatnonzero(self.candidate_of == candidate)

    def take(self, order: IntArray) -> SearchResult:
        """Return some of the sets.

        Parameters
        ----------
        order : ndarray of int
            Sets, in the order wanted.

        Returns
        -------
        SearchResult
            Of these sets alone; the candidates stay.
        """

        def some(table: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
            return {name: values[..., order] for name, values in table.items()}

        return SearchResult(
            self.candidates,
            self.candidate_of[order],
            self.value_of[order],
            some(self.pooled),
            some(self.per_split),
            self.n_used[:, order],
            tuple(tuple(statuses[k] for k in order) for statuses in self.statuses),
            None if self.train is None else some(self.train),
        )

    def within_one_standard_error(self) -> int:
        """Return the simplest set whose score is within one standard error of the best [1]_.

        The standard error is that of the mean of the best set's scores over the splits. Simplest means fewest
        coefficients that are not zero, then, for one candidate, the largest strength, then the smallest score.

        Returns
        -------
        int
            The set.

        References
        ----------
        .. [1] L. Breiman, J. H. Friedman, R. A. Olshen, C. J. Stone, "Classification and Regression Trees" (1984),
           section 3.4.3.
        """
        best = self.best
        splits = self.per_split["score"][:, best]
        error = float(np.nanstd(splits, ddof=1) / np.sqrt(len(splits)))
        good = np.flatnonzero(self.pooled["score"] <= self.pooled["score"][best] + error)
        size = self.n_used.mean(axis=0)
        same = self.candidate_of[good] == self.candidate_of[best]
        strength = np.where(same, self.value_of[good], -np.inf)
        order = np.lexsort((self.pooled["score"][good], -strength, size[good]))
        return int(good[order[0]])

    def to_cv_results(self, params: list[dict[str, Any]] | None = None) -> dict[str, Any]:
        """Return the table in scikit-learn's form; its scores are negated so that larger is better.

        Parameters
        ----------
        params : list of dict, optional
            What distinguishes the sets, in the user's words; loss weights and strength by default.

        Returns
        -------
        dict of str to ndarray of shape (n_sets,)
            ``params``, ``param_*``, ``split*_test_score``, ``mean_test_score`` (over the held-out structures of all
            splits together), ``std_test_score`` (over splits), ``rank_test_score``, ``n_used`` and the errors; the
            same for "train" where it was asked for.
        """
        params = [self._describe(index) for index in range(self.n_sets)] if params is None else params
        table: dict[str, Any] = {"params": params}
        for name in sorted({name for entry in params for name in entry}):
            column = np.ma.array(np.empty(self.n_sets, dtype=object), mask=True)
            for row, entry in enumerate(params):
                if name in entry:
                    column[row] = entry[name]
            table[f"param_{name}"] = column
        table |= _score_columns("test", self.per_split["score"], self.pooled["score"])
        order = np.argsort(-table["mean_test_score"], kind="stable")
        table["rank_test_score"] = np.empty(len(order), dtype=np.int64)
        table["rank_test_score"][order] = np.arange(1, len(order) + 1)
        if self.train is not None:
            table |= _score_columns("train", self.train["score"], self.train["score"].mean(axis=0))
            table |= {f"train_{name}": self.train[name].mean(axis=0) for name in METRICS}
        return table | {"n_used": self.n_used.mean(axis=0)} | {name: self.pooled[name] for name in METRICS}

    def _describe(self, index: int) -> dict[str, Any]:
        """Return what distinguishes a set."""
        candidate = self.candidates[self.candidate_of[index]]
        weights = candidate.weights
        value = float(self.value_of[index])
        entry: dict[str, Any] = {} if np.isnan(value) else {str(candidate.solver.path_parameter): value}
        entry |= {f"{name}_weight": getattr(weights, name) for name in ("energy", "force", "stress")}
        entry["energy_per"] = weights.energy_per
        if weights.groups:
            entry["group_weights"] = dict(weights.groups)
        return entry


def join_results(results: Sequence[SearchResult]) -> SearchResult:
    """Return the sets of several searches over the same splits as those of one.

    Parameters
    ----------
    results : sequence of SearchResult
        At least one, without errors on the training folds.

    Returns
    -------
    SearchResult
        Sets in the order of the results.
    """
    offsets = np.cumsum([0, *(len(result.candidates) for result in results[:-1])])

    def joined(name: str) -> dict[str, FloatArray]:
        tables = [getattr(result, name) for result in results]
        return {key: np.concatenate([table[key] for table in tables], axis=-1) for key in tables[0]}

    return SearchResult(
        tuple(candidate for result in results for candidate in result.candidates),
        np.concatenate([result.candidate_of + at for result, at in zip(results, offsets, strict=True)]),
        np.concatenate([result.value_of for result in results]),
        joined("pooled"),
        joined("per_split"),
        np.concatenate([result.n_used for result in results], axis=1),
        tuple(sum(of_split, ()) for of_split in zip(*(result.statuses for result in results), strict=True)),
    )


def _score_columns(name: str, splits: FloatArray, mean: FloatArray) -> dict[str, FloatArray]:
    """Return the columns of scores, larger is better."""
    columns = {f"split{k}_{name}_score": -split for k, split in enumerate(splits)}
    return columns | {f"mean_{name}_score": -mean, f"std_{name}_score": splits.std(axis=0)}
