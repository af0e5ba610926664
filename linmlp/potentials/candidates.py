"""What a search tries: loss weights, a solver with values of its strength, and the features that it may use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from linmlp.potentials.evidence_weights import EVIDENCE, EvidenceWeights
from linmlp.solvers import Ridge, Solution, SystemSolver
from linmlp.structures import Labels
from linmlp.system import AssembledData, CompressedSystem, LossWeights, TrainingData
from linmlp.units import FloatArray, IntArray

ENERGY_FACTORS = (0.25, 1.0, 4.0)
"""Factors on the automatic energy weight to try: 75, 150 and 300 on the residual of the energy per atom."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """One point of a search, or a line of them along the strength of the solver.

    Parameters
    ----------
    weights : LossWeights or EvidenceWeights
        Weights of the loss, as numbers or to be found on training folds.
    solver : SystemSolver
        Solver; its path parameter is varied.
    values : tuple of float, optional
        Values of the path parameter; ``solver.path_values`` by default. NaN is the solver's own setting.
    columns : ndarray of shape (n_chosen,), int, optional
        Features that may be used; all by default.
    """

    weights: LossWeights | EvidenceWeights
    solver: SystemSolver = field(default_factory=Ridge)
    values: tuple[float, ...] | None = None
    columns: IntArray | None = None

    @property
    def loss_weights(self) -> LossWeights:
        """The weights, where they are numbers."""
        assert isinstance(self.weights, LossWeights)
        return self.weights

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

    def with_numbers(self, assembled: AssembledData, folds: Sequence[int], solve_reference: bool) -> Candidate:
        """Return the candidate with weights that are numbers.

        Parameters
        ----------
        assembled : AssembledData
            Assembled data.
        folds : sequence of int
            Training folds, on which weights are found that are not numbers yet.
        solve_reference : bool
            Whether reference energies are solved with the rest.

        Returns
        -------
        Candidate
            The same, if nothing is to be found.
        """
        if isinstance(self.weights, LossWeights):
            return self
        alphas = self.values if isinstance(self.solver, Ridge) else None
        weights = self.weights.find(assembled, folds, solve_reference, self.solver, self.columns, alphas)
        return replace(self, weights=weights)

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
        own = self.with_numbers(training.assembled, training.folds, training.solve_reference)
        problem = training.problem(own.loss_weights)
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
) -> list[LossWeights | EvidenceWeights]:
    """Return the loss weights to try.

    Parameters
    ----------
    labels : sequence of Labels
        Labels of the training structures.
    sample_weight : ndarray of shape (n_structures,), optional
        How often each structure counts.
    energy, force, stress : float, "auto" or "evidence"
        Weights; an automatic energy weight is tried at a quarter, once and four times its value. Those of energies and
        stresses by "evidence" are left to the training folds.
    energy_per : {"auto", "structure", "atom", "sqrt_atom"}, default="auto"
        What energy residuals are divided by. "auto" tries all three where the energy weight is automatic, leaves them
        to the training folds where it is "evidence", and is "structure" where it is a number, because numbers for the
        three are not comparable.
    groups : mapping of str to float, optional
        Weight of each ``config_type``.

    Returns
    -------
    list of LossWeights
        One to nine candidates.
    """
    found = tuple(kind for kind, weight in (("energy", energy), ("stress", stress)) if weight == EVIDENCE)
    start = {"energy": "auto" if energy == EVIDENCE else energy, "stress": "auto" if stress == EVIDENCE else stress}
    if energy_per != "auto":
        pers: tuple[Any, ...] = (energy_per,)
    elif energy in ("auto", EVIDENCE):
        pers = ("structure", "sqrt_atom", "atom")
    else:
        pers = ("structure",)
    bases = [
        LossWeights.from_labels(labels, sample_weight, force=force, energy_per=per, groups=groups, **start)
        for per in pers
    ]
    if not bases[0].energy > 0.0:
        bases = bases[:1]
    factors = ENERGY_FACTORS if energy == "auto" and bases[0].energy > 0.0 else (1.0,)
    numbers = [replace(base, energy=factor * base.energy) for base in bases for factor in factors]
    found = tuple(kind for kind in found if getattr(bases[0], kind) > 0.0)
    if not found:
        return list(numbers)
    return (
        [EvidenceWeights(tuple(numbers), found)]
        if "energy" in found
        else [EvidenceWeights((n,), found) for n in numbers]
    )
