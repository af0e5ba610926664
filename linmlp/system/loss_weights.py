"""The weights of the loss, as numbers or by rule; its formula is in `linmlp.system.weights`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from linmlp.exceptions import SettingsError
from linmlp.system.weights import ENERGY_PER_POWER, EnergyPer, carries_energy, carries_stress, structure_weights
from linmlp.units import FloatArray

if TYPE_CHECKING:
    from linmlp.structures import Labels

AUTO_ENERGY_PER_ATOM = 150.0
"""Automatic weights: factor on the residual of the energy per atom (1/eV) where a force component has 1 (Å/eV)."""

AUTO_VIRIAL_PER_ATOM = 3.0
"""Automatic weights: factor on the residual of the virial per atom (1/eV) where a force component has 1 (Å/eV)."""


@dataclass(frozen=True)
class LossWeights:
    """The weights w of the loss.

    Parameters
    ----------
    energy : float
        w_E.
    force : float, default=1.0
        w_F.
    stress : float, default=0.0
        w_S.
    energy_per : {"structure", "atom", "sqrt_atom"}, default="structure"
        What the energy residual is divided by: nothing, n_atoms or its square root.
    groups : mapping of str to float, optional
        Weight of each ``config_type``; "default" is for those not named (1 without it).
    """

    energy: float
    force: float = 1.0
    stress: float = 0.0
    energy_per: EnergyPer = "structure"
    groups: Mapping[str, float] | None = None

    def __post_init__(self) -> None:
        for name in ("energy", "force", "stress"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0.0):
                raise SettingsError(f"{name}_weight is {value}; it must be a finite number, 0 or more")
        if not self.energy + self.force + self.stress > 0.0:
            raise SettingsError("energy_weight, force_weight and stress_weight are all 0; give at least one a weight")
        if self.energy_per not in ENERGY_PER_POWER:
            raise SettingsError(f"energy_per={self.energy_per!r} is unknown; give one of {tuple(ENERGY_PER_POWER)}")

    @classmethod
    def from_labels(
        cls,
        labels: Sequence[Labels],
        sample_weight: FloatArray | None = None,
        energy: float | str = "auto",
        force: float | str = "auto",
        stress: float | str = "auto",
        energy_per: EnergyPer = "structure",
        groups: Mapping[str, float] | None = None,
    ) -> LossWeights:
        r"""Return weights with every "auto" replaced by its value for these structures.

        With :math:`w_F = 1`, N̄ atoms per structure and v̄ the volume per atom (means over the structures that carry
        the label), :math:`w_E = 150^2/\bar N^{3-p}` with p = 0, 1, 2 for `energy_per` "structure", "sqrt_atom",
        "atom", and :math:`w_S = 3^2 \bar v^2/\bar N`. A kind of label that no structure has gets 0.

        Parameters
        ----------
        labels : sequence of Labels
            Labels of the structures.
        sample_weight : ndarray of shape (n_structures,), optional
            How often each structure counts.
        energy, force, stress : float or "auto"
            Weights of the three kinds; "auto" scales with `force` where that is a number.
        energy_per : {"structure", "atom", "sqrt_atom"}, default="structure"
            What the energy residual is divided by.
        groups : mapping of str to float, optional
            Weight of each ``config_type``.

        Returns
        -------
        LossWeights
            Numbers.
        """
        weight = structure_weights(labels, sample_weight, groups)
        w_force = _number("force_weight", force, 1.0)
        scale = w_force if w_force > 0.0 else 1.0
        has_energy = weight * [carries_energy(label) for label in labels]
        has_stress = weight * [carries_stress(label) for label in labels]
        n_atoms = np.array([label.n_atoms for label in labels], dtype=float)
        volume = np.array([label.volume or 0.0 for label in labels]) / n_atoms
        w_energy = w_stress = 0.0
        if has_energy.any():
            power = 3 - ENERGY_PER_POWER.get(energy_per, 0)
            w_energy = scale * AUTO_ENERGY_PER_ATOM**2 / float(np.average(n_atoms, weights=has_energy)) ** power
        if has_stress.any():
            mean_volume = float(np.average(volume, weights=has_stress))
            mean_atoms = float(np.average(n_atoms, weights=has_stress))
            w_stress = scale * AUTO_VIRIAL_PER_ATOM**2 * mean_volume**2 / mean_atoms
        return cls(
            _number("energy_weight", energy, w_energy),
            w_force,
            _number("stress_weight", stress, w_stress),
            energy_per,
            groups,
        )

    def group_weight(self, group: str) -> float:
        """Return the weight of a ``config_type``.

        Parameters
        ----------
        group : str
            Name of the group.

        Returns
        -------
        float
            Its weight, else that of "default", else 1.
        """
        groups = self.groups or {}
        return float(groups.get(group, groups.get("default", 1.0)))


def _number(name: str, value: float | str, auto: float) -> float:
    """Return a weight as a number."""
    if isinstance(value, str):
        if value != "auto":
            raise SettingsError(f'{name}={value!r} is not a weight; give a number or "auto"')
        return auto
    return float(value)
