"""Errors of given coefficients on some folds: energies one by one, forces and stress as sums of squares."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from linmlp.system.assembled import AssembledData, KindSystem
from linmlp.system.loss import LossParts
from linmlp.system.loss_weights import LossWeights
from linmlp.system.training import check_group_weights, group_factors
from linmlp.system.weights import ENERGY_PER_POWER, EnergyPer
from linmlp.units import FloatArray, IntArray


@dataclass(frozen=True)
class SquaredErrors:
    """Weighted squared errors of one kind of label.

    Parameters
    ----------
    squared : ndarray of shape (n_sets,)
        Weighted sum of squared errors for each set of coefficients.
    count : float
        N_atoms (forces) or N_cfg (stress).
    row_weight : float
        Sum of the weights of the errors.
    """

    squared: FloatArray
    count: float
    row_weight: float

    @property
    def rmse(self) -> FloatArray:
        """Weighted root mean square, (n_sets,); NaN without labels."""
        return _ratio_root(self.squared, self.row_weight)


@dataclass(frozen=True)
class ValidationErrors:
    """Errors of sets of coefficients on some folds.

    Parameters
    ----------
    energy : ndarray of shape (n_sets, n_structures)
        Error of the total energy of each structure that has one, eV (predicted minus label).
    n_atoms : ndarray of shape (n_structures,)
        Number of atoms of these.
    listed : ndarray of shape (n_structures,)
        How often each of them counts, group weights included.
    label_weight : ndarray of shape (n_structures,)
        Weight of each energy label itself.
    index : ndarray of shape (n_structures,), int
        Positions in the list of structures.
    force : SquaredErrors
        Forces, (eV/Å)².
    stress : SquaredErrors
        Stress in the Frobenius norm, so that its root mean square is over nine components, (eV/Å³)².
    """

    energy: FloatArray
    n_atoms: FloatArray
    listed: FloatArray
    label_weight: FloatArray
    index: IntArray
    force: SquaredErrors
    stress: SquaredErrors

    @property
    def energy_mae(self) -> FloatArray:
        """Mean of |ΔE|/n_atoms over structures, (n_sets,), eV per atom; NaN without labels."""
        total = float(self.listed.sum())
        errors = np.abs(self.energy) / self.n_atoms
        return np.asarray(errors @ self.listed / total if total > 0.0 else np.full(len(errors), np.nan))

    @property
    def energy_rmse(self) -> FloatArray:
        """Root mean square of ΔE/n_atoms over structures, (n_sets,), eV per atom; NaN without labels."""
        return _ratio_root((self.energy / self.n_atoms) ** 2 @ self.listed, float(self.listed.sum()))

    def squared_energies(self, energy_per: EnergyPer) -> FloatArray:
        """Return the weighted sum of squared energy residuals in the loss.

        Parameters
        ----------
        energy_per : {"structure", "atom", "sqrt_atom"}
            What residuals are divided by.

        Returns
        -------
        ndarray of shape (n_sets,)
            For each set of coefficients, eV².
        """
        per = self.n_atoms ** ENERGY_PER_POWER[energy_per]
        return np.asarray((self.energy**2) @ (self.listed * self.label_weight / per))

    def loss_parts(self, weights: LossWeights) -> LossParts:
        """Return the three terms of the loss on these folds, for a single set of coefficients.

        Parameters
        ----------
        weights : LossWeights
            Weights w; the weights of groups are in already.

        Returns
        -------
        LossParts
            Terms with their weights in.
        """
        return LossParts(*(float(term[0]) for term in self._loss_terms(weights)))

    def loss(self, weights: LossWeights) -> FloatArray:
        """Return the loss L on these folds.

        Parameters
        ----------
        weights : LossWeights
            Weights w; the weights of groups are in already.

        Returns
        -------
        ndarray of shape (n_sets,)
            Loss for each set of coefficients.
        """
        return np.asarray(np.sum(self._loss_terms(weights), axis=0))

    def _loss_terms(self, weights: LossWeights) -> list[FloatArray]:
        """Return the terms of energy, forces and stress, (n_sets,) each."""
        return [
            weight * total / count if count > 0.0 else np.zeros(len(self.energy))
            for weight, total, count in (
                (weights.energy, self.squared_energies(weights.energy_per), float(self.listed.sum())),
                (weights.force, self.force.squared, self.force.count),
                (weights.stress, self.stress.squared, self.stress.count),
            )
        ]


def validate(
    assembled: AssembledData,
    folds: Iterable[int],
    coef: FloatArray,
    reference: FloatArray,
    weights: LossWeights | None = None,
    group: str | None = None,
) -> ValidationErrors:
    """Return the errors of sets of coefficients on some folds.

    Parameters
    ----------
    assembled : AssembledData
        Assembled data.
    folds : iterable of int
        Folds to validate on.
    coef : ndarray of shape (n_sets, n_features)
        Sets of coefficients.
    reference : ndarray of shape (n_sets, n_elements)
        Reference energies on top of the provisional ones, eV.
    weights : LossWeights, optional
        Weights of groups, if these were kept apart; 1 by default, whatever the training used.
    group : str, optional
        Errors of this ``config_type`` alone; forces and stress need groups that were kept apart.

    Returns
    -------
    ValidationErrors
        Exact errors.
    """
    coef, reference = np.atleast_2d(coef), np.atleast_2d(reference)
    folds = tuple(folds)
    energy = assembled.energy
    rows = energy.in_folds(folds)
    if group is not None:
        rows = rows[energy.group[rows] == group]
    listed = energy.listed[rows]
    if weights is not None:
        check_group_weights(assembled, weights)
        if assembled.groups_apart:
            listed = listed * [weights.group_weight(group) for group in energy.group[rows]]
    errors = coef @ energy.X[rows].T + reference @ energy.composition[rows].T - energy.y[rows]
    force, stress = (
        _squared_errors(
            [part for part in assembled.kind_systems_apart(kind, folds) if group in (None, part[0])],
            coef,
            weights,
            assembled.groups_apart,
        )
        for kind in ("force", "stress")
    )
    return ValidationErrors(
        errors, energy.n_atoms[rows], listed, energy.label_weight[rows], energy.index[rows], force, stress
    )


def _squared_errors(
    kinds: Sequence[tuple[str, KindSystem]], coef: FloatArray, weights: LossWeights | None, groups_apart: bool
) -> SquaredErrors:
    """Return the sum over systems."""
    squared, count, row_weight = np.zeros(len(coef)), 0.0, 0.0
    for group, kind in kinds:
        factor = 1.0 if weights is None else group_factors({group: kind}, weights, groups_apart)[group]
        squared += factor * kind.system.squared_residual(coef)
        count += factor * kind.count
        row_weight += factor * kind.row_weight
    return SquaredErrors(squared, count, row_weight)


def _ratio_root(total: FloatArray, weight: float) -> FloatArray:
    """Return the root of a ratio, NaN where there is no weight."""
    return np.sqrt(total / weight) if weight > 0.0 else np.full(len(total), np.nan)
