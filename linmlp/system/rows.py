"""Rows and targets of one structure: the sign of the forces and the volume of the stress are applied here, once.

The rows of the forces are the derivatives of the features with respect to positions, D, and a force is −D c. The sign
goes to the target: ``‖−D c − F‖² = ‖D c − (−F)‖²``, which saves a pass over the largest array of the fit.
The rows of the stress are the derivatives with respect to strain over the volume.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from linmlp.exceptions import LabelError
from linmlp.units import FloatArray

if TYPE_CHECKING:
    from linmlp.descriptors.base import Descriptor
    from linmlp.neighbors import Pairs
    from linmlp.structures import Labels
    from linmlp.structures.baselines import BaselineResult


class Targets(NamedTuple):
    """Targets of the rows of one structure: energy (a number or None), forces (3 n_atoms,) and stress (6,)."""

    energy: float | None
    forces: FloatArray | None
    stress: FloatArray | None


def write_structure_rows(
    pairs: Pairs,
    descriptor: Descriptor,
    energy: FloatArray,
    forces: FloatArray | None,
    stress: FloatArray | None,
) -> None:
    """Write the rows of one structure.

    Parameters
    ----------
    pairs : Pairs
        Pairs of the structure.
    descriptor : Descriptor
        Fitted descriptor.
    energy : ndarray of shape (n_features,)
        Is overwritten with the energy row: features summed over atoms.
    forces : ndarray of shape (3 n_atoms, n_features) or None
        Is overwritten with the *negative* force rows: derivatives with respect to positions, 1/Å.
    stress : ndarray of shape (6, n_features) or None
        Is overwritten with the stress rows: derivatives with respect to strain over the volume, 1/Å³.
    """
    descriptor.write_rows(pairs, energy, forces, stress)
    if stress is not None:
        stress /= volume_of(pairs)


def compute_targets(
    label: Labels, reference_energy: float, baselines: Sequence[BaselineResult], volume: float | None
) -> Targets:
    """Return what the rows of one structure are fitted to: labels minus baselines minus reference energy.

    Parameters
    ----------
    label : Labels
        Labels of the structure.
    reference_energy : float
        Sum of the (provisional) reference energies of its atoms, eV.
    baselines : sequence of BaselineResult
        What the baselines say of the structure.
    volume : float or None
        Volume of the cell, Å³.

    Returns
    -------
    Targets
        None where there is no label; the forces with the sign of `write_structure_rows`.
    """
    energy = None if label.energy is None else label.energy - reference_energy
    forces = None if label.forces is None else -np.asarray(label.forces, dtype=float)
    stress = None if label.stress is None else np.array(label.stress, dtype=float)
    for baseline in baselines:
        energy = None if energy is None else energy - float(baseline.energies.sum())
        forces = None if forces is None else forces + baseline.forces
        if stress is not None and volume is not None:
            stress -= baseline.strain_gradient / volume
    return Targets(energy, None if forces is None else forces.ravel(), stress)


def volume_of(pairs: Pairs) -> float:
    """Return the volume of a structure that has a stress.

    Parameters
    ----------
    pairs : Pairs
        Pairs of the structure.

    Returns
    -------
    float
        Volume, Å³.

    Raises
    ------
    LabelError
        If it has none.
    """
    if pairs.volume is None:
        raise LabelError("there is a stress, but the cell has no volume; remove the stress or correct the cell")
    return pairs.volume
