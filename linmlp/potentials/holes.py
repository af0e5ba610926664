r"""Holes: crowded environments to which a fit gives energies far below any in the data, and into which MD falls.

A linear potential is a polynomial of the neighbor density; where the data say nothing (six neighbors at nine tenths of
a bond length, say) it may go to minus infinity. Such places are found by running: small structures of the training set,
compressed and hotter than the data, in MD. An atom whose energy (without reference energies) falls more than `DEPTH`
below the lowest of its element in the training structures is taken for one in a hole. Its features become a row that
asks for an energy; a structure that heats itself up becomes a row that asks for the energy it had before. The potential
is solved again, with the smallest weight of these rows at which no atom found so far is below that lowest energy, and
no structure more than `LEFT` below what it had. That is repeated until nothing falls any more.

A row asks only while its energy is below what is wanted (a hinge loss), so that rows do not pull on one another once
their holes are filled. They act on combinations of features that the data leave open: the training loss grows by a few
per cent. If it would grow by more than `MOST_RISE`, the data speak against these rows (the energy of an atom is no
observable), and those alone are taken whose structure heated up because of the fall; if it still would, none, and a
note says that the potential has holes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from linmlp.potentials.hot_runs import AtomModel, Crowd, Fallen, run_hot
from linmlp.potentials.reporting import Reporter, Silent
from linmlp.solvers import Solution
from linmlp.system import RowSystem, SystemSum
from linmlp.system.threads import one_blas_thread
from linmlp.units import FloatArray

if TYPE_CHECKING:
    from linmlp.potentials.training_set import TrainingSet

N_ATOMS = 300
"""Atoms of a hunt."""

N_STEPS = 600
"""Steps of a hunt, of 2 fs for silicon."""

CLEAN_AT_FIRST, CLEAN = 2, 10
"""So many hunts in a row must find nothing: at first, and once there was a hole."""

MOST_HUNTS = 60
"""After so many the rest is told instead of filled."""

SUPERCELL = 64
"""Atoms that structures are repeated to, about: small cells do not crowd as a liquid does."""

DEPTH, LEFT = 1.0, 0.1
"""How far below the lowest energy of an element an atom is in a hole, and how far below its energy before it fell a
whole structure may stay when the hole is filled, eV per atom."""

COMPRESSION, EXPANSION = 0.95, 1.02
"""Lengths are scaled by a factor between these."""

LEAST_HEAT, HEAT = 0.3, 1.0
"""Temperatures, in units of that which fills a harmonic well to the 95th percentile of the energies."""

NEW = 0.5
"""Part of the atoms of a hunt that start from the training set; the others go on from where the last one ended."""

SMALLEST_STRUCTURE, LARGEST_STRUCTURE = 4, 150
"""Atoms of structures that are run."""

WANTED = 0.5
"""What a row asks for, between the lowest energy that is no hole (0) and the median of the data (1)."""

FIRST_WEIGHT, WEIGHT_STEP = 1e-6, 4.0
"""Weight of each row in the loss that is tried first, and by what it grows from there."""

MOST_RISE = 0.1
"""Largest part by which the loss may grow."""

MOST_SOLVES = 20
"""Solves in which the rows that ask and those that do not must be told apart."""


@dataclass(frozen=True)
class HoleRows:
    """Atoms that fell, as rows.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        Features of the atoms.
    y : ndarray of shape (n_rows,)
        Linear part of the energy that is asked for, eV.
    lowest : ndarray of shape (n_rows,)
        Linear part below which the atom is still in a hole, eV.
    weight : float
        Of each squared residual in the loss.
    """

    X: FloatArray
    y: FloatArray
    lowest: FloatArray
    weight: float

    @classmethod
    def none(cls, n_features: int) -> HoleRows:
        """Return no rows."""
        return cls(np.empty((0, n_features)), np.empty(0), np.empty(0), FIRST_WEIGHT)

    def __len__(self) -> int:
        return len(self.y)

    def joined(self, X: FloatArray, y: FloatArray, lowest: FloatArray) -> HoleRows:
        """Return these rows and more."""
        parts = (np.concatenate([self.X, X]), np.concatenate([self.y, y]), np.concatenate([self.lowest, lowest]))
        return HoleRows(*parts, self.weight)


def join_holes(parts: Iterable[HoleRows | None]) -> HoleRows | None:
    """Return the rows of several potentials, with the largest of their weights; None if there are none."""
    found = [rows for rows in parts if rows is not None]
    if not found:
        return None
    joined = found[0]
    for rows in found[1:]:
        joined = joined.joined(rows.X, rows.y, rows.lowest)
    return replace(joined, weight=max(rows.weight for rows in found))


Solve = Callable[[SystemSum], Solution]
Filled = tuple[Solution, HoleRows]


def fill(solve: Solve, system: SystemSum, core: SystemSum, solution: Solution, rows: HoleRows) -> Filled | None:
    """Return the solution in which no atom of the rows is in a hole, and the rows with the weight that this took.

    Parameters
    ----------
    solve : callable
        Solves a system.
    system : SystemSum
        Training problem, whose squared residual is the loss.
    core : SystemSum
        The same with the rows of the repulsive core.
    solution : Solution
        Without rows.
    rows : HoleRows
        At least one.

    Returns
    -------
    solution, rows
        None if the loss would grow by more than `MOST_RISE`.
    """
    wanted, most = rows.lowest + WANTED * (rows.y - rows.lowest), (1.0 + MOST_RISE) * solution.residual_norm**2
    asks, weight = rows.X @ solution.coef < wanted, rows.weight
    while True:
        filled, asks = _solve_with_hinge(solve, core, RowSystem(rows.X, wanted), weight, asks)
        loss = system.squared_residual(filled.coef)
        if not loss <= most:
            return None
        if np.all(rows.X @ filled.coef > rows.lowest):
            return replace(filled, residual_norm=float(np.sqrt(loss))), replace(rows, weight=weight)
        weight *= WEIGHT_STEP


def _solve_with_hinge(
    solve: Solve, core: SystemSum, rows: RowSystem, weight: float, asks: NDArray[np.bool_]
) -> tuple[Solution, NDArray[np.bool_]]:
    """Return the solution with the rows whose energy is too low, and which these are: Newton's method on the hinge."""
    for _ in range(MOST_SOLVES):
        filled = solve(core.plus(RowSystem(rows.X[asks], rows.y[asks]), weight))
        below = rows.X @ filled.coef < rows.y
        if np.array_equal(below, asks):
            break
        asks = below
    return filled, asks


class HoleHunt:
    """Hunts for holes and fills them.

    Parameters
    ----------
    data : TrainingSet
        Structures to start from, descriptor and baselines.
    random_state : int
        Seed.
    tell : Reporter, optional
        Is told what was found.
    """

    def __init__(self, data: TrainingSet, random_state: int, tell: Reporter | None = None) -> None:
        self.data, self.random_state, self.tell = data, random_state, tell or Silent()
        sizes = range(SMALLEST_STRUCTURE, LARGEST_STRUCTURE + 1)
        self.pool = [structure for structure in data.structures if len(structure) in sizes]

    def fill_all(
        self, solve: Solve, system: SystemSum, core: SystemSum, solution: Solution
    ) -> tuple[Solution, HoleRows | None, tuple[str, ...]]:
        """Return the solution without the holes that were found, the rows that fill them, and notes.

        Parameters
        ----------
        solve : callable
            Solves a system.
        system : SystemSum
            Training problem.
        core : SystemSum
            The same with the rows of the repulsive core.
        solution : Solution
            The fit so far.

        Returns
        -------
        solution : Solution
            Its residual is that of the training problem.
        rows : HoleRows or None
            None if nothing fell.
        notes : tuple of str
            What could not be filled.
        """
        if not self.pool:
            return solution, None, ()
        rng = np.random.default_rng(self.random_state)
        with one_blas_thread():
            limits = _Limits.of(self.data, self._model(solution), self.pool, rng)
            current, rows = solution, HoleRows.none(self.data.descriptor.n_features_out_)
            clean, unfilled = 0, False
            walkers: list[Atoms] = []
            for _ in range(MOST_HUNTS):
                fallen, walkers = self._hunt(current, limits, walkers, rng)
                filled = self._fill(fallen, limits, rows, lambda more: fill(solve, system, core, solution, more))
                clean, unfilled = (0, False) if filled else (clean + 1, unfilled or bool(fallen.ran_hot.any()))
                current, rows = filled or (current, rows)
                if clean == (CLEAN if len(rows) else CLEAN_AT_FIRST):
                    break
        self._report(rows, system, solution, current)
        notes = (_UNFILLED,) if unfilled else () if clean >= CLEAN_AT_FIRST else (_not_all(len(rows)),)
        return current, rows if len(rows) else None, notes

    def _model(self, solution: Solution) -> AtomModel:
        return AtomModel(self.data.descriptor, self.data.baselines, solution.coef)

    def _hunt(
        self, solution: Solution, limits: _Limits, walkers: Sequence[Atoms], rng: np.random.Generator
    ) -> tuple[Fallen, list[Atoms]]:
        """Return the atoms that fell in one hunt, and where the structures ended in which none did."""
        structures: list[Atoms] = []
        for k in rng.permutation(len(walkers)):
            if sum(map(len, structures)) < (1.0 - NEW) * N_ATOMS:
                structures.append(walkers[k])
        while sum(map(len, structures)) < N_ATOMS:
            structure = self.pool[rng.integers(len(self.pool))].copy()
            cell = structure.cell * rng.uniform(COMPRESSION, EXPANSION)
            structure.set_cell(cell, scale_atoms=bool(structure.pbc.any()))
            repeats = max(1, round((SUPERCELL / len(structure)) ** (1.0 / 3.0)))
            structures.append(structure.repeat([repeats if periodic else 1 for periodic in structure.pbc]))
        model = self._model(solution)
        crowd = Crowd(structures, model.cutoff)
        kT = limits.kT * rng.uniform(LEAST_HEAT, HEAT, size=len(structures))
        fallen = run_hot(model, crowd, limits.lowest_of(crowd.numbers) - DEPTH, kT, N_STEPS, rng)
        return fallen, [structure for k, structure in enumerate(crowd.current()) if k not in fallen.structures]

    def _fill(
        self, fallen: Fallen, limits: _Limits, rows: HoleRows, fill_rows: Callable[[HoleRows], Filled | None]
    ) -> Filled | None:
        """Return the solution with all atoms that fell filled in, else with those alone that leave no doubt."""
        for some in (fallen, fallen.only(fallen.ran_hot)):
            if len(some):
                of_atoms = np.isnan(some.level)
                wanted = np.where(of_atoms, limits.median_of(some.numbers), some.level) - some.baseline
                lowest = np.where(of_atoms, limits.lowest_of(some.numbers), some.level - LEFT) - some.baseline
                filled = fill_rows(rows.joined(some.features, wanted, lowest))
                if filled is not None:
                    return filled
        return None

    def _report(self, rows: HoleRows, system: SystemSum, before: Solution, after: Solution) -> None:
        """Tell what was filled."""
        if len(rows):
            rise = system.squared_residual(after.coef) / before.residual_norm**2 - 1.0
            self.tell.say(
                f"{len(rows)} atoms fell into holes in hot runs; rows of weight {rows.weight:.1e} fill them "
                f"(training loss {100.0 * rise:+.2f} %)"
            )


@dataclass(frozen=True)
class _Limits:
    """Energies of atoms in the data by atomic number, and the temperature of a hunt."""

    lowest: dict[int, float]
    median: dict[int, float]
    kT: float

    @classmethod
    def of(cls, data: TrainingSet, model: AtomModel, pool: Sequence[Atoms], rng: np.random.Generator) -> _Limits:
        """Return those of at most 400 structures."""
        chosen = rng.permutation(len(pool))[:400]
        crowds = [Crowd([pool[k]], model.cutoff) for k in chosen]
        energies = [model(crowd.pairs())[0] for crowd in crowds]
        numbers = np.concatenate([crowd.numbers for crowd in crowds])
        atoms, lowest, median = np.concatenate(energies), {}, {}
        for number in np.unique(numbers):
            own = atoms[numbers == number]
            lowest[int(number)], median[int(number)] = float(np.min(own)), float(np.median(own))
        means = np.array([np.mean(of_structure) for of_structure in energies])
        kT = HEAT * 2.0 / 3.0 * float(np.percentile(means, 95.0) - np.min(means))
        return cls(lowest, median, kT)

    def lowest_of(self, numbers: FloatArray | np.ndarray) -> FloatArray:
        """Return the lowest energies of atoms of these elements."""
        return np.array([self.lowest.get(int(number), -np.inf) for number in numbers])

    def median_of(self, numbers: FloatArray | np.ndarray) -> FloatArray:
        """Return the median energies of atoms of these elements."""
        return np.array([self.median[int(number)] for number in numbers])


_UNFILLED = (
    "hot runs fall into holes that cannot be filled without the training loss growing by more than "
    f"{100.0 * MOST_RISE:g} %; hot or dense MD may fall into them: add such structures, or lower max_degree"
)


def _not_all(n_rows: int) -> str:
    """Return the note about holes that stay."""
    return (
        f"after {MOST_HUNTS} hunts, which filled holes with {n_rows} atoms, hot runs still find new ones; hot or dense "
        "MD may fall into them: add such structures, or lower max_degree"
    )
