"""The repulsive core: dimers of all pairs of elements must repel below the closest approach of the data.

Bulk data say little about a lone pair of atoms at a distance that no training structure has, so the fit may leave it
attractive there. A few rows for the slope of the dimer energies of those pairs, weighted as little as it takes, settle
that. Bulk data hardly feel them: they act on combinations of features that the data leave open.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement
from typing import TypeVar

import numpy as np
from ase.data import atomic_numbers

from linmlp.descriptors import Descriptor
from linmlp.neighbors import Pairs
from linmlp.solvers import Solution
from linmlp.structures import ZBL, Baseline, CalculatorBaseline
from linmlp.system import RowSystem, SystemSum
from linmlp.system.row_source import RowSource
from linmlp.system.threads import one_blas_thread
from linmlp.units import FloatArray

SCAN = np.linspace(0.3, 1.0, 141)
"""Distances that are checked, in units of the closest approach."""

N_ROWS = 24
TARGET_SLOPE = -2.0
"""Slope of the dimer energy that the rows ask for at the closest approach, eV/Å; inside ZBL's own slope is added."""

WEIGHTS = tuple(10.0 ** np.arange(-6.0, 1.5, 0.5))
"""Weights of the mean squared residual of a pair's rows in the loss that are tried, until all dimers repel."""


def dimer(numbers: tuple[int, int], distance: float) -> Pairs:
    """Return the pairs of two atoms in empty space.

    Parameters
    ----------
    numbers : tuple of int
        Atomic numbers.
    distance : float
        In Å.

    Returns
    -------
    Pairs
        Of a structure without cell.
    """
    positions = np.array([[0.0, 0.0, 0.0], [distance, 0.0, 0.0]])
    first, j = np.array([0, 1, 2]), np.array([1, 0])
    return Pairs(np.array(numbers, dtype=np.int64), positions, first, j, np.zeros((2, 3)), distance, None)


@dataclass(frozen=True)
class CoreRows:
    """Slopes of dimers: ``slopes @ coef + baseline`` in eV/Å at `SCAN` times the closest approach of each pair."""

    slopes: FloatArray
    baseline: FloatArray
    names: tuple[str, ...]

    @classmethod
    def of(cls, descriptor: Descriptor, baselines: Sequence[Baseline]) -> "CoreRows | None":
        """Return the rows for the pairs of a ZBL baseline; None without one.

        Parameters
        ----------
        descriptor : Descriptor
            Fitted descriptor; without derivatives there are no slopes.
        baselines : sequence of Baseline
            What is added to the linear part.

        Returns
        -------
        CoreRows or None
            Rows for all pairs of elements.
        """
        zbl = next((baseline for baseline in baselines if isinstance(baseline, ZBL)), None)
        if zbl is None or descriptor.derivatives_lack is not None:
            return None
        pairwise = [baseline for baseline in baselines if not isinstance(baseline, CalculatorBaseline)]
        numbers = [atomic_numbers[symbol] for symbol in zbl.elements]
        slopes, repulsion = [], []
        energy, d_positions, _ = descriptor.allocate_rows(2)
        for a, b in combinations_with_replacement(range(len(numbers)), 2):
            for distance in SCAN * zbl.outer[a, b]:
                pairs = dimer((numbers[a], numbers[b]), float(distance))
                with one_blas_thread():
                    descriptor.write_rows(pairs, energy, d_positions, None)
                slopes.append(d_positions[3].copy())
                repulsion.append(-sum(float(baseline.compute(pairs).forces[1, 0]) for baseline in pairwise))
        names = tuple(f"{a}-{b}" for a, b in combinations_with_replacement(zbl.elements, 2))
        return cls(np.array(slopes), np.array(repulsion), names)

    def attractive(self, coef: FloatArray) -> set[int]:
        """Return the pairs of elements whose dimers attract at some distance up to the closest approach."""
        slopes = (self.slopes @ coef + self.baseline).reshape(-1, len(SCAN))
        return {int(pair) for pair in np.flatnonzero(np.any(slopes >= 0, axis=1))}

    def system(self, pairs: set[int]) -> RowSystem:
        """Return the rows that ask the linear part of some pairs for a moderate repulsion of its own."""
        every = np.linspace(0, len(SCAN) - 1, N_ROWS).round().astype(int)
        chosen = (np.arange(len(self.slopes)).reshape(-1, len(SCAN))[sorted(pairs)][:, every]).ravel()
        return RowSystem(self.slopes[chosen], np.full(len(chosen), TARGET_SLOPE))


T = TypeVar("T", SystemSum, RowSource)


def solve_with_core(solve: Callable[[T], Solution], system: T, rows: CoreRows | None) -> tuple[Solution, float]:
    """Return the solution with the smallest weight of the core rows at which all dimers repel, and that weight.

    Parameters
    ----------
    solve : callable
        Solves a system or a source.
    system : SystemSum or RowSource
        Training problem, whose squared residual is the loss.
    rows : CoreRows or None
        None leaves the core alone.

    Returns
    -------
    solution : Solution
        Its residual is that of the training problem. Where no weight makes all dimers repel, the data speak against
        it, and the solution without rows is returned.
    weight : float
        Weight of the mean squared residual of the rows of a pair in the loss; 0 without rows.
    """
    with one_blas_thread():
        without = solve(system)
        asked = set() if rows is None else rows.attractive(without.coef)
        if rows is None or not asked:
            return without, 0.0
        for weight in WEIGHTS:
            core = rows.system(asked)
            solution = solve(system.plus(core, weight / N_ROWS))
            attractive = rows.attractive(solution.coef)
            if not attractive:
                residual = float(np.sqrt(system.squared_residual(solution.coef)))
                return replace(solution, residual_norm=residual), float(weight)
            asked |= attractive
    return without, 0.0


def with_core(system: SystemSum, rows: CoreRows | None, weight: float) -> SystemSum:
    """Return a system with the rows of all pairs of elements.

    Parameters
    ----------
    system : SystemSum
        Training problem.
    rows : CoreRows or None
        None adds nothing.
    weight : float
        What `solve_with_core` gave; 0 adds nothing.

    Returns
    -------
    SystemSum
        With the core.
    """
    if rows is None or weight == 0.0:
        return system
    return system.plus(rows.system(set(range(len(rows.names)))), weight / N_ROWS)
