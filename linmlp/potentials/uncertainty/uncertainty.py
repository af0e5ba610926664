"""What a fitted potential knows of its own errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from linmlp.potentials.uncertainty.atom_statistics import AtomStatistics
from linmlp.potentials.uncertainty.calibration import Calibration
from linmlp.potentials.uncertainty.grade import Grade
from linmlp.potentials.uncertainty.held_out import HeldOut
from linmlp.potentials.uncertainty.posterior import Posterior
from linmlp.units import FloatArray, IntArray

PARTS = ("posterior", "grade", "force_calibration", "energy_calibration", "statistics")


@dataclass(frozen=True)
class Uncertainty:
    """What a fitted potential knows of its own errors.

    Parameters
    ----------
    posterior : Posterior
        Covariance of the coefficients.
    members : ndarray of shape (n_members, n_features)
        Deviations of the committee's coefficients from the fitted ones, eV.
    grade : Grade
        Extrapolation.
    force_calibration, energy_calibration : Calibration or None
        None if no training structure has such labels.
    statistics : AtomStatistics or None
        Sums over the features of all training atoms, to which those of more structures can be added.
    held_out : HeldOut or None
        What it was calibrated on; not kept in model files, and not after structures were added.
    """

    posterior: Posterior
    members: FloatArray
    grade: Grade
    force_calibration: Calibration | None
    energy_calibration: Calibration | None
    statistics: AtomStatistics | None = None
    held_out: HeldOut | None = None

    @property
    def summed_features(self) -> IntArray:
        """Features whose sums over the atoms of a structure matter."""
        in_novelty = np.any(self.grade.novelty.projection != 0.0, axis=1)
        return np.flatnonzero((self.posterior.scale > 0.0) | in_novelty).astype(np.int64)

    def to_state(self, statistics: bool = True) -> dict[str, FloatArray]:
        """Return arrays for `from_state`, without the held-out residuals.

        Parameters
        ----------
        statistics : bool, default=True
            Whether the sums over training atoms are among them.

        Returns
        -------
        dict of str to ndarray
            Names are "part/name".
        """
        parts = {name: getattr(self, name) for name in PARTS if statistics or name != "statistics"}
        state = {
            f"{name}/{key}": array
            for name, part in parts.items()
            if part is not None
            for key, array in part.to_state().items()
        }
        return {**state, "members": self.members}

    @classmethod
    def from_state(cls, arrays: Mapping[str, FloatArray]) -> Uncertainty:
        """Return what `to_state` described.

        Parameters
        ----------
        arrays : mapping of str to ndarray
            From `to_state`.

        Returns
        -------
        Uncertainty
            The same numbers.
        """
        parts: dict[str, dict[str, FloatArray]] = {name: {} for name in PARTS}
        for name, array in arrays.items():
            part, _, key = name.partition("/")
            if key:
                parts[part][key] = array
        forces, energies = (
            Calibration.from_state(parts[name]) if parts[name] else None
            for name in ("force_calibration", "energy_calibration")
        )
        posterior, grade = Posterior.from_state(parts["posterior"]), Grade.from_state(parts["grade"])
        statistics = AtomStatistics.from_state(parts["statistics"]) if parts["statistics"] else None
        return cls(posterior, np.asarray(arrays["members"]), grade, forces, energies, statistics)
