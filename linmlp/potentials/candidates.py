"""What a search tries: loss weights, a solver with values of its strength, and the features that it may use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from linmlp.solvers import Ridge, Solution, SystemSolver
from linmlp.structures import Labels
from linmlp.system import CompressedSystem, LossWeights, TrainingData
from linmlp.units import FloatArray, IntArray

ENERGY_FACTORS = (0.25, 1.0, 4.0)
"""Factors on the automatic energy weight to try: 75, 150 and 300 on the residual of the energy per atom."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """One point of a search, or a line of them along the strength of the solver.

    Parameters
    ----------
    weights : LossWeights
        Weights of the loss.
    solver : SystemSolver
        Solver; its path parameter is varied.
    values : tuple of float, optional
        Values of the path parameter; ``solver.path_values`` by default. NaN is the solver's own setting.
    columns : ndarray of shape (n_chosen,), int, optional
        Features that may be used; all by default.
    """

    weights: LossWeights
    solver: SystemSolver = field(default_factory=Ridge)
    values: tuple[float, ...] | None = None
    columns: IntArray | None = None

    def resolved_values(self, form: str, n_features: int) -> tuple[float, ...]:
        """Return the values of the path parameter that are tried.

        Parameters
        ----------
        form : {"gram", "qr"}
            Form of the systems.
        n_features : int
            Number of features of the systems.

        Returns
        -------
        tuple of float
            In the order in which they are tried.
        """
        n_used = n_features if self.columns is None else len(self.columns)
        return self.solver.path_values(form, n_used) if self.values is None else tuple(self.values)

    def solve(self, training: TrainingData, values: Sequence[float]) -> tuple[list[Solution], FloatArray]:
        """Return the solutions on training data, and their reference energies.

        Parameters
        ----------
        training : TrainingData
            Merged systems of the training folds.
        values : sequence of float
            Values of the path parameter.

        Returns
        -------
        solutions : list of Solution
            In the order of `values`.
        reference : ndarray of shape (n_values, n_elements)
            Reference energies on top of the provisional ones, eV.
        """
        problem = training.problem(self.weights)
        solutions = self.solve_system(problem.system, values)
        return solutions, problem.composition.recover(np.array([solution.coef for solution in solutions]))

    def solve_system(self, system: CompressedSystem, values: Sequence[float]) -> list[Solution]:
        """Return the solutions of a system of all features.

        Parameters
        ----------
        system : CompressedSystem
            Rows and targets, folded.
        values : sequence of float
            Values of the path parameter; a single NaN is the solver's own setting.

        Returns
        -------
        list of Solution
            With coefficients of all features, 0 for those that may not be used.
        """
        own = system if self.columns is None else system.subset(self.columns)
        is_own = len(values) == 1 and np.isnan(values[0])
        solutions = [self.solver.solve(own)] if is_own else self.solver.solve_path(own, values)
        return [s if self.columns is None else s.spread(self.columns, system.n_features) for s in solutions]


def path_value(solver: SystemSolver) -> Any:
    """Return the solver's own value of its path parameter.

    Parameters
    ----------
    solver : SystemSolver
        Solver.

    Returns
    -------
    float, int or "auto"
        Value; NaN where the solver has nothing to vary, or leaves it to the system.
    """
    value = None if solver.path_parameter is None else solver.get_params()[solver.path_parameter]
    return np.nan if value is None else value


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
