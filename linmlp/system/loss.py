"""The loss of predictions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from linmlp.exceptions import SettingsError
from linmlp.system.loss_weights import LossWeights
from linmlp.system.weights import (
    ENERGY_PER_POWER,
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

    def energy_term(label: Labels, predicted: float) -> _Term:
        if label.energy is None or not carries_energy(label):
            return _Term(0, 0.0)
        return _Term(1, label.energy_weight * (label.energy - predicted) ** 2 / label.n_atoms**power)

    def force_term(label: Labels, predicted: FloatArray) -> _Term:
        n_atoms = n_force_atoms(label)
        return _Term(n_atoms, _weighted_square(label.force_weight, label.forces, predicted) if n_atoms else 0.0)

    def stress_term(label: Labels, predicted: FloatArray) -> _Term:
        if not carries_stress(label):
            return _Term(0, 0.0)
        return _Term(1, _weighted_square(VOIGT_MULTIPLICITY * label.stress_weight, label.stress, predicted))

    def mean(kind: str, weight: float, predicted: Any, term: Callable[[Labels, Any], _Term]) -> float:
        if weight == 0.0 or all(getattr(label, kind) is None for label in labels):
            return 0.0
        if predicted is None:
            raise SettingsError(f"the loss needs a prediction of the {kind}; give it, or weight 0")
        terms = [term(label, value) for label, value in zip(labels, predicted, strict=True)]
        count = sum(listing * t.n for listing, t in zip(listed, terms, strict=True))
        total = sum(listing * t.squared for listing, t in zip(listed, terms, strict=True) if t.n)
        return float(weight * total / count) if count > 0.0 else 0.0

    return LossParts(
        mean("energy", weights.energy, energies, energy_term),
        mean("forces", weights.force, forces, force_term),
        mean("stress", weights.stress, stresses, stress_term),
    )


class _Term(NamedTuple):
    """What one structure adds to the count (structures or atoms) and to the squared residual of a term."""

    n: int
    squared: float


def _weighted_square(weight: FloatArray, label: FloatArray | None, predicted: FloatArray) -> float:
    """Return the weighted sum of squared differences; what is masked may be anything, NaN included."""
    assert label is not None
    difference = np.where(weight > 0.0, label - predicted, 0.0)
    return float(np.sum(weight * difference * difference))
