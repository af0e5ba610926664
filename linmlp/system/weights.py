"""Weights of structures and labels, and the only place where the factors on rows are made from them.

The loss is::

    L(c) = w_E/N_cfg Σ_i (E_i − Ê_i)² + w_F/N_atoms Σ_i Σ_a ‖F_ia − F̂_ia‖² + w_S/N_cfg Σ_i ‖S_i − Ŝ_i‖²

with the Frobenius norm of the 3x3 stress, so that off-diagonal Voigt components count twice. With
``energy_per="atom"`` (``"sqrt_atom"``) the energy residual is divided by n_atoms (its square root).

Two kinds of weights act on top of w_E, w_F and w_S:

- **how often a structure is listed**: ``sample_weight`` times the weight of its ``config_type``. 2 means listed twice
  and 0 means absent, so they multiply the squared residuals *and* enter N_cfg and N_atoms, which are the sums of
  them over the structures (atoms) that carry the label, for each kind of label by itself.
- **how well a label is known**: `energy_weight`, `force_weight` and `stress_weight` of the labels (from config_weight,
  ``*_weight``, ``*_sigma`` and masks). They multiply squared residuals and leave N alone, except that 0 means masked:
  a structure whose energy is masked carries no energy, an atom with all three force components masked carries no
  force, a structure with all six stress components masked carries no stress.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from linmlp.exceptions import SettingsError
from linmlp.units import VOIGT_MULTIPLICITY, FloatArray

if TYPE_CHECKING:
    from linmlp.structures import Labels

EnergyPer = Literal["structure", "atom", "sqrt_atom"]

ENERGY_PER_POWER: Mapping[str, int] = {"structure": 0, "sqrt_atom": 1, "atom": 2}
"""The squared energy residual is divided by n_atoms to this power."""


def check_group_names(groups: Mapping[str, float] | None, labels: Sequence[Labels]) -> None:
    """Raise where a weight is given to a ``config_type`` that no structure has.

    Parameters
    ----------
    groups : mapping of str to float or None
        Weight of each ``config_type``.
    labels : sequence of Labels
        Labels of the structures.

    Raises
    ------
    SettingsError
        If a name other than "default" is unknown.
    """
    known = sorted({label.config_type for label in labels})
    unknown = sorted(set(groups or {}) - {*known, "default"})
    if unknown:
        raise SettingsError(
            f"weights are given to config_type {unknown}, which no structure has; the structures have {known}"
        )


def carries_energy(label: Labels) -> bool:
    """Return whether a structure has an energy that is not masked.

    Parameters
    ----------
    label : Labels
        Labels of the structure.

    Returns
    -------
    bool
        True if its energy counts.
    """
    return label.energy is not None and label.energy_weight > 0.0


def n_force_atoms(label: Labels) -> int:
    """Return the number of atoms with a force component that is not masked.

    Parameters
    ----------
    label : Labels
        Labels of the structure.

    Returns
    -------
    int
        0 if the structure has no forces.
    """
    return 0 if label.forces is None else int(np.count_nonzero((label.force_weight > 0.0).any(axis=1)))


def carries_stress(label: Labels) -> bool:
    """Return whether a structure has a stress of which at least one component is not masked.

    Parameters
    ----------
    label : Labels
        Labels of the structure.

    Returns
    -------
    bool
        True if its stress counts.
    """
    return label.stress is not None and bool((label.stress_weight > 0.0).any())


def structure_weights(
    labels: Sequence[Labels],
    sample_weight: Iterable[float] | FloatArray | None = None,
    groups: Mapping[str, float] | None = None,
) -> FloatArray:
    """Return how often each structure counts: its sample weight times the weight of its ``config_type``.

    Parameters
    ----------
    labels : sequence of Labels
        Labels of the structures.
    sample_weight : array-like of shape (n_structures,), optional
        1 for each structure by default.
    groups : mapping of str to float, optional
        Weight of each ``config_type``; "default" is for those not named (1 without it).

    Returns
    -------
    ndarray of shape (n_structures,)
        Weights, 0 or more.

    Raises
    ------
    SettingsError
        If a weight is negative or not finite, all are zero, or their number is wrong.
    """
    weight = np.ones(len(labels)) if sample_weight is None else np.array(sample_weight, dtype=float)
    if weight.shape != (len(labels),):
        raise SettingsError(
            f"sample_weight has shape {weight.shape} for {len(labels)} structures; give one number per structure"
        )
    for name, value in (groups or {}).items():
        if not (math.isfinite(value) and value >= 0.0):
            raise SettingsError(f"the weight of config_type {name!r} is {value}; it must be a finite number, 0 or more")
    if groups:
        default = groups.get("default", 1.0)
        weight *= [groups.get(label.config_type, default) for label in labels]
    bad = np.flatnonzero(~(np.isfinite(weight) & (weight >= 0.0)))
    if len(bad):
        raise SettingsError(
            f"sample_weight of structure {bad[0]} is {weight[bad[0]]}; it must be a finite number, 0 or more"
        )
    if len(weight) and not weight.any():
        raise SettingsError("the weights of all structures are 0; give at least one structure a weight")
    return weight


class RowScales(NamedTuple):
    """Factors on the rows of one structure: energy (a number), forces (3 n_atoms,) and stress (6,)."""

    energy: float
    forces: FloatArray | None
    stress: FloatArray | None


def row_scale_from_weight(weight: float) -> float:
    """Return the factor on a row whose squared residual has a weight.

    Parameters
    ----------
    weight : float
        Factor on the squared residual.

    Returns
    -------
    float
        Its square root.
    """
    return math.sqrt(weight)


def row_scale(weight: FloatArray) -> FloatArray:
    """Return the factors on rows (and targets) whose squared residuals have these weights.

    Parameters
    ----------
    weight : ndarray
        Factors on squared residuals.

    Returns
    -------
    ndarray
        Their square roots.
    """
    return np.sqrt(weight)


def structure_row_scales(label: Labels, weight: float) -> RowScales:
    """Return the factors on the rows of one structure, for unit w_E, w_F, w_S and N.

    Parameters
    ----------
    label : Labels
        Labels of the structure.
    weight : float
        How often the structure counts.

    Returns
    -------
    RowScales
        Square roots of `weight` times the label's own weights times, for the stress, the multiplicity of the Voigt
        component in the 3x3 tensor. None where there is no label.
    """
    return RowScales(
        float(row_scale(np.array(weight * energy_row_weight(label)))),
        None if label.forces is None else row_scale(weight * np.ravel(label.force_weight)),
        None if label.stress is None else row_scale(weight * VOIGT_MULTIPLICITY * label.stress_weight),
    )


def energy_row_weight(label: Labels) -> float:
    """Return the weight of the energy label itself, 0 if there is none.

    Parameters
    ----------
    label : Labels
        Labels of the structure.

    Returns
    -------
    float
        Factor on the squared residual of the energy.
    """
    return label.energy_weight if label.energy is not None else 0.0


def energy_row_scales(
    weight: FloatArray, n_atoms: FloatArray, loss_weight: float, n_configurations: float, energy_per: str
) -> FloatArray:
    """Return the factors on energy rows in the loss.

    Parameters
    ----------
    weight : ndarray of shape (n_structures,)
        How often each structure counts times the weight of its energy label.
    n_atoms : ndarray of shape (n_structures,)
        Number of atoms.
    loss_weight : float
        w_E.
    n_configurations : float
        N_cfg.
    energy_per : {"structure", "atom", "sqrt_atom"}
        What the energy residual is divided by.

    Returns
    -------
    ndarray of shape (n_structures,)
        Factors on the rows.
    """
    return row_scale(loss_weight / n_configurations * weight / n_atoms ** ENERGY_PER_POWER[energy_per])


def check_row_weights(weight: object, n_rows: int) -> FloatArray:
    """Return weights of single rows as an array.

    Parameters
    ----------
    weight : array-like of shape (n_rows,) or float
        Factors on squared residuals.
    n_rows : int
        Number of rows.

    Returns
    -------
    ndarray of shape (n_rows,)
        The weights.

    Raises
    ------
    SettingsError
        If one is negative or not finite, all are zero, or their number is wrong.
    """
    weights = np.array(weight, dtype=float)
    if weights.ndim == 0:
        weights = np.full(n_rows, float(weights))
    if weights.shape != (n_rows,):
        raise SettingsError(f"sample_weight.shape == {weights.shape}, expected {(n_rows,)}!")
    if not (np.isfinite(weights).all() and (weights >= 0.0).all() and weights.any()):
        raise SettingsError("sample_weight must be finite and 0 or more, and not all weights may be zero")
    return weights
