"""Residuals of training structures, predicted by potentials that did not see them, and what they calibrate."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from linmlp.potentials.uncertainty.calibration import Calibration
from linmlp.units import FloatArray


@dataclass(frozen=True)
class HeldOut:
    """Residuals of training structures, predicted without their fold, in the order of the structures.

    Parameters
    ----------
    energy_std, energy_residual : ndarray of shape (n_structures,)
        Per atom, eV; NaN without a label.
    force_std, force_size : list of ndarray of shape (n_counted,)
        Raw standard deviation and magnitude of the predicted force of each atom whose components all count, eV/Å.
    force_residual : list of ndarray of shape (n_counted, 3)
        In eV/Å.
    """

    energy_std: FloatArray
    energy_residual: FloatArray
    force_std: list[FloatArray]
    force_size: list[FloatArray]
    force_residual: list[FloatArray]


class HeldOutStructure(NamedTuple):
    """One structure, predicted without its fold: as in `HeldOut`, and its largest leverage and novelty."""

    energy_std: float
    energy_residual: float
    force_std: FloatArray
    force_size: FloatArray
    force_residual: FloatArray
    leverage: float
    novelty: float


def calibrate_held_out(
    held: Sequence[HeldOutStructure],
) -> tuple[HeldOut, Calibration | None, Calibration | None]:
    """Return the calibrations that held-out structures ask for.

    Parameters
    ----------
    held : sequence of HeldOutStructure
        All training structures.

    Returns
    -------
    held_out : HeldOut
        Their residuals.
    forces, energies : Calibration or None
        None where there are no labels.
    """
    std, residual = (np.array([getattr(h, name) for h in held]) for name in ("energy_std", "energy_residual"))
    has = np.flatnonzero(np.isfinite(residual))
    energies = Calibration.fit(std[has], residual[has], has) if len(has) else None
    owner = np.repeat(np.arange(len(held)), [len(h.force_std) for h in held])
    forces = None
    if len(owner):
        stds, sizes, residuals = (
            np.concatenate([getattr(h, name) for h in held]) for name in ("force_std", "force_size", "force_residual")
        )
        forces = Calibration.fit(stds, residuals, owner, sizes)
    kept = HeldOut(
        std, residual, [h.force_std for h in held], [h.force_size for h in held], [h.force_residual for h in held]
    )
    return kept, forces, energies
