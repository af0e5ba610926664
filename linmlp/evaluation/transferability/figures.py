"""Errors of coefficients on folded rows: energies with and without their mean, forces, stress."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from linmlp.system import ValidationErrors
from linmlp.units import EV_PER_A3_IN_GPA

METRICS = {
    "energy_mae": ("energy MAE", "meV/atom", 2),
    "shape_mae": ("energy less offset", "meV/atom", 2),
    "force_rmse": ("force RMSE", "eV/Å", 4),
    "stress_rmse": ("stress RMSE", "GPa", 3),
}
"""Name, unit and digits of each error."""


@dataclass(frozen=True)
class Errors:
    """Errors on some structures; None where nothing carries the label.

    Parameters
    ----------
    energy_mae : float or None
        Mean of |ΔE|/n_atoms over structures, meV/atom.
    energy_shift : float or None
        Mean of ΔE/n_atoms (predicted minus label), meV/atom.
    shape_mae : float or None
        Mean absolute deviation from that mean, meV/atom: what is wrong besides an offset. None for one structure.
    force_rmse : float or None
        Over Cartesian components, eV/Å.
    stress_rmse : float or None
        Over the nine components of the tensor, GPa.
    """

    energy_mae: float | None
    energy_shift: float | None
    shape_mae: float | None
    force_rmse: float | None
    stress_rmse: float | None

    @classmethod
    def of(cls, parts: Sequence[ValidationErrors]) -> Errors:
        """Return the errors over several sets of structures, each with coefficients of its own.

        Parameters
        ----------
        parts : sequence of ValidationErrors
            For one set of coefficients each.

        Returns
        -------
        Errors
            Pooled.
        """
        energy = np.concatenate([np.empty(0), *(1e3 * part.energy[0] / part.n_atoms for part in parts)])
        listed = np.concatenate([np.empty(0), *(part.listed for part in parts)])
        mae = shift = shape = None
        if listed.sum() > 0.0:
            mae, shift = float(np.average(np.abs(energy), weights=listed)), float(np.average(energy, weights=listed))
            if np.count_nonzero(listed) > 1:
                shape = float(np.average(np.abs(energy - shift), weights=listed))
        squares = {
            kind: (
                sum(float(getattr(p, kind).squared[0]) for p in parts),
                sum(getattr(p, kind).row_weight for p in parts),
            )
            for kind in ("force", "stress")
        }
        rmse = {
            kind: float(np.sqrt(total / weight)) if weight > 0.0 else None for kind, (total, weight) in squares.items()
        }
        stress = None if rmse["stress"] is None else EV_PER_A3_IN_GPA * rmse["stress"]
        return cls(mae, shift, shape, rmse["force"], stress)
