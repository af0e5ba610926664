"""The loss of predictions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from linmlp.exceptions import SettingsError
from linmlp.system.weights import (
    ENERGY_PER_POWER,
    LossWeights,
    carries_energy,
    carries_stress,
    n_force_atoms,
    structure_weights,
)
from linmlp.units import VOIGT_MULTIPLICITY, FloatArray

if TYPE_CHECKING:
    from linmlp.structures import Labels


@dataclass(frozen=True, slots=True)
class LossParts:
    """The three terms of the loss.

    Parameters
    ----------
    energy, force, stress : float
        Terms with their weights in; 0 where no structure carries the label.
    """

    energy: float
    force: float
    stress: float

    @property
    def total(self) -> float:
        """The loss."""
        return self.energy + self.force + self.stress

    @property
    def shares(self) -> dict[str, float]:
        """Part of each kind in the loss, summing to 1 (or all 0)."""
        total = self.total
        terms = {"energy": self.energy, "force": self.force, "stress": self.stress}
        return {kind: term / total if total > 0.0 else 0.0 for kind, term in terms.items()}


def compute_loss(
    weights: LossWeights,
    labels: Sequence[Labels],
    energies: Sequence[float] | FloatArray | None = None,
    forces: Sequence[FloatArray] | None = None,
    stresses: Sequence[FloatArray] | FloatArray | None = None,
    sample_weight: FloatArray | None = None,
) -> LossParts:
    """Return the loss L of predictions (its formula is in `linmlp.system.weights`).

    Parameters
    ----------
    weights : LossWeights
        The weights w, `energy_per` and the weights of groups.
    labels : sequence of Labels
        Labels of the structures.
    energies : array-like of shape (n_structures,), optional
        Predicted total energies, eV. May be left out where no structure carries the label or its weight is 0; so
        may the others.
    forces : sequence of ndarray of shape (n_atoms, 3), optional
        Predicted forces, eV/Å.
    stresses : array-like of shape (n_structures, 6), optional
        Predicted stresses in Voigt order, eV/Å³.
    sample_weight : ndarray of shape (n_structures,), optional
        How often each structure counts.

    Returns
    -------
    LossParts
        The three terms.
    """
    listed = structure_weights(labels, sample_weight, weights.groups)
    power = ENERGY_PER_POWER[weights.energy_per]

    def energy_term(label: Labels, i: int) -> tuple[float, float]:
        assert energies is not None
        if not carries_energy(label):
            return 0.0, 0.0
        return 1.0, label.energy_weight * float(label.energy - energies[i]) ** 2 / float(label.n_atoms) ** power

    def force_term(label: Labels, i: int) -> tuple[float, float]:
        assert forces is not None
        n_atoms = n_force_atoms(label)
        return n_atoms, _weighted_square(label.force_weight, label.forces, forces[i]) if n_atoms else 0.0

    def stress_term(label: Labels, i: int) -> tuple[float, float]:
        assert stresses is not None
        if not carries_stress(label):
            return 0.0, 0.0
        return 1.0, _weighted_square(VOIGT_MULTIPLICITY * label.stress_weight, label.stress, stresses[i])

    def mean(kind: str, weight: float, predicted: object, term: Callable[[Labels, int], tuple[float, float]]) -> float:
        if weight == 0.0:
            return 0.0
        if predicted is None:
            if any(getattr(label, kind) is not None for label in labels):
                raise SettingsError(f"the loss needs a prediction of the {kind}; give it, or weight 0")
            return 0.0
        count, total = 0.0, 0.0
        for i, label in enumerate(labels):
            n, squared = term(label, i)
            count += listed[i] * n
            total += listed[i] * squared
        return weight * total / count if count > 0.0 else 0.0

    return LossParts(
        mean("energy", weights.energy, energies, energy_term),
        mean("forces", weights.force, forces, force_term),
        mean("stress", weights.stress, stresses, stress_term),
    )


def _weighted_square(weight: FloatArray, label: FloatArray, predicted: FloatArray) -> float:
    """Return the weighted sum of squared differences; what is masked may be anything, NaN included."""
    difference = np.where(weight > 0.0, label - predicted, 0.0)
    return float(np.sum(weight * difference * difference))
