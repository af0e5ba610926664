"""What solvers share that take products with rows: they need no square matrix of the features of all rows."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from linmlp.solvers.base import SystemSolver
from linmlp.solvers.ridge import ALPHAS
from linmlp.solvers.solution import Solution, with_residuals
from linmlp.system.compressed import CompressedSystem
from linmlp.system.row_source import ArrayRows, RowSource
from linmlp.system.row_system import RowSystem
from linmlp.system.threads import one_blas_thread


@dataclass(frozen=True)
class Run:
    """How an iteration went.

    Parameters
    ----------
    solution : Solution
        Without its residual norm.
    n_iter : int
        Iterations.
    curve : list
        Learning curve, of a solver that has one.
    """

    solution: Solution
    n_iter: int
    curve: list[Any]


class RowSolver(SystemSolver):
    """Ridge regression, ``‖Xc − y‖² + alpha ‖Dc‖²`` with D the norms of the columns, by passes over rows.

    A subclass implements `_iterate`. Systems serve as well: their rows, or their triangular factor as rows.
    """

    alpha: float
    n_iter_: int

    @property
    def path_parameter(self) -> str:
        """Name of the parameter that `solve_path` varies."""
        return "alpha"

    def path_values(self, form: str, n_features: int) -> tuple[float, ...]:
        """Return the strengths that are tried by default."""
        return ALPHAS[form]

    def solve_path(self, system: CompressedSystem, values: Sequence[float]) -> list[Solution]:
        """Return one solution for each strength.

        Parameters
        ----------
        system : CompressedSystem
            Rows, or their triangular factor as rows.
        values : sequence of float
            Strengths alpha.

        Returns
        -------
        list of Solution
            In the order of `values`.
        """
        rows = rows_of(system)
        return with_residuals([self._iterate(rows, alpha).solution for alpha in values], system)

    def solve_source(self, rows: RowSource) -> Solution:
        """Return the solution for rows that are made again at every pass.

        Parameters
        ----------
        rows : RowSource
            Weighted rows.

        Returns
        -------
        Solution
            Its residual norm is that of all rows, without the penalty.
        """
        with one_blas_thread():
            run = self._iterate(rows, self.alpha)
            self._remember(run)
            squared = rows.squared_residual(run.solution.coef)
        return replace(run.solution, residual_norm=float(np.sqrt(squared)))

    def _solve_and_remember(self, system: CompressedSystem) -> Solution:
        """Return the solution, and keep how the iteration went."""
        run = self._iterate(rows_of(system), self.alpha)
        self._remember(run)
        return with_residuals([run.solution], system)[0]

    @abstractmethod
    def _iterate(self, rows: RowSource, alpha: float) -> Run:
        """Return the solution for a strength."""

    def _remember(self, run: Run) -> None:
        """Take what a run tells beside the solution."""
        self.n_iter_ = max(run.n_iter, 1)


def rows_of(system: CompressedSystem) -> ArrayRows:
    """Return the rows of a system, or its triangular factor as rows.

    Parameters
    ----------
    system : CompressedSystem
        Any form.

    Returns
    -------
    ArrayRows
        Rows with the same squared residual up to a constant.
    """
    if isinstance(system, RowSystem):
        return ArrayRows(system.X, system.y)
    R, z, _ = system.to_factor()
    return ArrayRows(R, z)
