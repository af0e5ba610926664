"""The contract of a row source: weighted rows that are made again whenever they are needed, and never all kept."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Self

import numpy as np
from scipy.sparse.linalg import LinearOperator

from linmlp.system.row_system import RowSystem
from linmlp.system.training import CompositionSolution
from linmlp.system.weights import row_scale_from_weight
from linmlp.units import FloatArray, IntArray


class Rows(NamedTuple):
    """Weighted rows (n_rows, n_features) and targets (n_rows,)."""

    X: FloatArray
    y: FloatArray


class NormalPass(NamedTuple):
    """``Xᵀ(y − Xc)`` (n_features,) and ``‖Xc − y‖²``."""

    residual: FloatArray
    squared: float


class Survey(NamedTuple):
    """Norms of the columns (n_features,), the Gram matrix of a sample of rows, and how many rows each stands for."""

    column_norms: FloatArray
    gram: FloatArray
    weight: float


class RowSource(ABC):
    """Rows whose total squared residual is the loss, as a function of the coefficients.

    A source has *kept* rows, which stay in memory (the energy rows, and what `plus` adds), and *streamed* rows, which
    `stream` makes block by block. Streamed rows belong to units (structures), so that a batch is a set of units. In
    vectors of all rows the kept ones come first, then those of the units in ascending order.
    """

    n_features: int
    n_rows: int
    n_units: int
    kept: Rows
    composition: CompositionSolution
    """Reference energies that go with coefficients; of no elements where there are none."""

    @abstractmethod
    def stream(self, units: IntArray | Sequence[int] | None = None) -> Iterator[Rows]:
        """Yield the streamed rows of some units, one block after the other.

        Parameters
        ----------
        units : array-like of int, optional
            Units in the order wanted; all, ascending, by default.

        Yields
        ------
        Rows
            Not to be kept: they are most of the memory of a fit.
        """

    @abstractmethod
    def subset(self, units: IntArray | Sequence[int]) -> Self:
        """Return the source of some units, whose loss is the mean over these.

        Parameters
        ----------
        units : array-like of int
            Units.

        Returns
        -------
        RowSource
            Kept rows of other units are left out, too.
        """

    @abstractmethod
    def plus(self, part: RowSystem, weight: float) -> Self:
        """Return the source with more kept rows, which belong to no unit.

        Parameters
        ----------
        part : RowSystem
            The rows.
        weight : float
            Factor on their squared residual.

        Returns
        -------
        RowSource
            A new one.
        """

    @abstractmethod
    def fixed_reference_loss(self, coef: FloatArray, reference: FloatArray) -> float:
        """Return the loss with reference energies that were solved for elsewhere.

        Parameters
        ----------
        coef : ndarray of shape (n_features,)
            Coefficients.
        reference : ndarray of shape (n_elements,)
            Reference energies on top of the provisional ones, eV.

        Returns
        -------
        float
            Loss L.
        """

    def all_rows(self) -> Iterator[Rows]:
        """Yield the kept rows, then the streamed ones block by block.

        Yields
        ------
        Rows
            At least the kept ones, which may be none.
        """
        yield self.kept
        yield from self.stream()

    def matvec(self, coef: FloatArray) -> FloatArray:
        """Return ``Xc``, (n_rows,), in one pass.

        Parameters
        ----------
        coef : ndarray of shape (n_features,)
            Coefficients.

        Returns
        -------
        ndarray of shape (n_rows,)
            Weighted predictions.
        """
        return np.concatenate([rows.X @ coef for rows in self.all_rows()])

    def rmatvec(self, vector: FloatArray) -> FloatArray:
        """Return ``Xᵀr``, (n_features,), in one pass.

        Parameters
        ----------
        vector : ndarray of shape (n_rows,)
            A number for each row.

        Returns
        -------
        ndarray of shape (n_features,)
            Sum over rows.
        """
        total, start = np.zeros(self.n_features), 0
        for rows in self.all_rows():
            total += vector[start : start + len(rows.y)] @ rows.X
            start += len(rows.y)
        return total

    def targets(self) -> FloatArray:
        """Return the targets, (n_rows,), in one pass."""
        return np.concatenate([rows.y for rows in self.all_rows()])

    def normal_pass(self, coef: FloatArray) -> NormalPass:
        """Return gradient and squared residual in one pass.

        Parameters
        ----------
        coef : ndarray of shape (n_features,)
            Coefficients.

        Returns
        -------
        NormalPass
            ``Xᵀ(y − Xc)`` and ``‖Xc − y‖²``.
        """
        total, squared = np.zeros(self.n_features), 0.0
        for rows in self.all_rows():
            residual = rows.y - rows.X @ coef
            total += residual @ rows.X
            squared += float(residual @ residual)
        return NormalPass(total, squared)

    def squared_residual(self, coef: FloatArray) -> float:
        """Return ``‖Xc − y‖²`` in one pass.

        Parameters
        ----------
        coef : ndarray of shape (n_features,)
            Coefficients.

        Returns
        -------
        float
            The loss.
        """
        return float(sum(np.sum((rows.X @ coef - rows.y) ** 2) for rows in self.all_rows()))

    def to_operator(self) -> LinearOperator:
        """Return the rows as a linear operator of shape (n_rows, n_features).

        Returns
        -------
        scipy.sparse.linalg.LinearOperator
            Every product with it is one pass.
        """
        return LinearOperator(
            (self.n_rows, self.n_features), matvec=self.matvec, rmatvec=self.rmatvec, dtype=np.float64
        )

    def survey(self, n_sample: int, random_state: int) -> Survey:
        """Return column norms and the Gram matrix of a sample of rows in one pass.

        Kept rows are all in the sample while they fill no more than half of it: they are few, and heavy. The others
        are drawn from all blocks alike, because rows of one structure resemble each other.

        Parameters
        ----------
        n_sample : int
            Rows of the sample, at most; none are drawn, and the matrix is empty, for 0.
        random_state : int
            Seed.

        Returns
        -------
        Survey
            Its Gram matrix is of rows that are scaled to stand for all rows.
        """
        rng = np.random.default_rng(random_state)
        n_streamed = self.n_rows - len(self.kept.y)
        n_kept = min(len(self.kept.y), max(n_sample // 2, n_sample - n_streamed))
        squares, start = np.einsum("ij,ij->j", self.kept.X, self.kept.X), 0
        gram = np.zeros((self.n_features, self.n_features) if n_sample else (0, 0))
        weight = len(self.kept.y) / max(n_kept, 1)
        if n_sample:
            gram += _gram_of(self.kept.X, _choose(rng, len(self.kept.y), n_kept), weight)
        chosen = _choose(rng, n_streamed, n_sample - n_kept)
        for rows in self.stream():
            squares += np.einsum("ij,ij->j", rows.X, rows.X)
            here = chosen[(chosen >= start) & (chosen < start + len(rows.y))] - start
            if len(here):
                gram += _gram_of(rows.X, here, n_streamed / len(chosen))
            start += len(rows.y)
        return Survey(np.sqrt(squares), gram, max(weight, n_streamed / max(len(chosen), 1)))

    def weighted_sample(self, probability: Callable[[FloatArray], FloatArray], random_state: int) -> FloatArray:
        """Return the Gram matrix of rows that are drawn with probabilities of their own, in one pass.

        Parameters
        ----------
        probability : callable
            Gives the probabilities (n_block,) of the rows (n_block, n_features) of a block.
        random_state : int
            Seed.

        Returns
        -------
        ndarray of shape (n_features, n_features)
            Each row counts one over its probability, so that the expectation is the Gram matrix of all rows.
        """
        rng = np.random.default_rng(random_state)
        gram = np.zeros((self.n_features, self.n_features))
        for rows in self.all_rows():
            p = probability(rows.X)
            here = np.flatnonzero(rng.random(len(p)) < p)
            gram += _gram_of(rows.X, here, 1.0 / p[here])
        return gram


class ArrayRows(RowSource):
    """Rows of an array, of which each is its own unit.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        Weighted rows.
    y : ndarray of shape (n_rows,)
        Weighted targets.
    block_rows : int, default=4096
        Rows of a block.
    """

    def __init__(self, X: FloatArray, y: FloatArray, block_rows: int = 4096) -> None:
        self.X, self.y, self.block_rows = X, y, block_rows
        self.n_rows, self.n_features = X.shape
        self.n_units = self.n_rows
        self.kept = Rows(np.empty((0, self.n_features)), np.empty(0))
        self.composition = CompositionSolution(np.zeros(0), np.zeros((0, self.n_features)), 0)

    def stream(self, units: IntArray | Sequence[int] | None = None) -> Iterator[Rows]:
        """Yield rows in blocks."""
        n = self.n_units if units is None else len(units)
        for start in range(0, n, self.block_rows):
            part = slice(start, start + self.block_rows)
            at = part if units is None else np.asarray(units)[part]
            yield Rows(self.X[at], self.y[at])

    def subset(self, units: IntArray | Sequence[int]) -> ArrayRows:
        """Return some rows, scaled so that their loss compares with that of all."""
        at = np.asarray(units, dtype=np.int64)
        scale = row_scale_from_weight(self.n_units / max(len(at), 1))
        return ArrayRows(scale * self.X[at], scale * self.y[at], self.block_rows)._keeping(self.kept)

    def plus(self, part: RowSystem, weight: float) -> ArrayRows:
        """Return the source with more kept rows, which belong to no unit."""
        return ArrayRows(self.X, self.y, self.block_rows)._keeping(join_rows(self.kept, part.scaled(weight)))

    def fixed_reference_loss(self, coef: FloatArray, reference: FloatArray) -> float:
        """Return the squared residual: there are no reference energies."""
        return float(np.sum((self.X @ coef - self.y) ** 2))

    def _keeping(self, kept: Rows) -> ArrayRows:
        """Return itself with other kept rows."""
        self.kept, self.n_rows = kept, self.n_units + len(kept.y)
        return self


def join_rows(rows: Rows, more: Rows | RowSystem) -> Rows:
    """Return rows below each other.

    Parameters
    ----------
    rows, more : Rows or RowSystem
        With the same features.

    Returns
    -------
    Rows
        All.
    """
    return Rows(np.concatenate([rows.X, more.X]), np.concatenate([rows.y, more.y]))


def _choose(rng: np.random.Generator, n: int, wanted: int) -> IntArray:
    """Return some of n numbers, ascending."""
    return np.sort(rng.choice(n, min(n, wanted), replace=False)) if n else np.empty(0, dtype=np.int64)


def _gram_of(X: FloatArray, at: IntArray, weight: float | FloatArray) -> FloatArray:
    """Return the Gram matrix of some rows with weights on their squares."""
    drawn = X[at] * np.reshape(np.sqrt(weight), (-1, 1))
    return np.asarray(drawn.T @ drawn)
