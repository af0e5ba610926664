"""A prediction with standard deviations, intervals and grades."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from linmlp.exceptions import SettingsError
from linmlp.potentials.predictor import Prediction
from linmlp.potentials.uncertainty.calibration import Calibration
from linmlp.units import FloatArray, IntArray

ONE_SIGMA = 0.6827
"""Level of an interval of one standard deviation of a normal distribution."""


@dataclass(frozen=True)
class UncertainPrediction:
    """A prediction with standard deviations, intervals and grades.

    Parameters
    ----------
    prediction : Prediction
        Of the fitted coefficients.
    raw_energy_std : float
        Standard deviation of the total energy in the posterior, eV.
    raw_force_std : ndarray of shape (n_atoms,)
        Root mean square deviation of the committee's force components of each atom, eV/Å; invariant under rotations.
    atom_grades : ndarray of shape (n_atoms,)
        Extrapolation grades of atoms; above 1 is beyond what held-out training structures show.
    grade : float
        Extrapolation grade of the structure.
    force_calibration, energy_calibration : Calibration or None
        None if no training structure has such labels.
    """

    prediction: Prediction
    raw_energy_std: float
    raw_force_std: FloatArray
    atom_grades: FloatArray
    grade: float
    force_calibration: Calibration | None
    energy_calibration: Calibration | None

    @property
    def energy_std(self) -> float:
        """Calibrated standard deviation of the total energy in eV: the half-width of its 68.27 % interval."""
        return self.energy_half_width(ONE_SIGMA)

    @property
    def force_std(self) -> FloatArray:
        """Calibrated standard deviation of each atom's force components in eV/Å, (n_atoms,)."""
        return self.force_half_width(ONE_SIGMA)

    def energy_half_width(self, level: float) -> float:
        """Return the half-width of the interval of the total energy.

        Parameters
        ----------
        level : float
            Probability that the label is inside, between 0 and 1.

        Returns
        -------
        float
            In eV.
        """
        n_atoms = np.array([len(self.raw_force_std)])
        return float(energy_half_widths(self.energy_calibration, np.array([self.raw_energy_std]), n_atoms, level)[0])

    def force_half_width(self, level: float) -> FloatArray:
        """Return the half-widths of the intervals of force components.

        Parameters
        ----------
        level : float
            Probability that the label is inside, between 0 and 1.

        Returns
        -------
        ndarray of shape (n_atoms,)
            In eV/Å, the same for the three components of an atom; 0 for forces that symmetry fixes.
        """
        calibration = _present(self.force_calibration, "forces")
        return calibration.half_width(self.raw_force_std, level, np.linalg.norm(self.prediction.forces, axis=1))


def energy_half_widths(
    calibration: Calibration | None, raw_std: FloatArray, n_atoms: IntArray, level: float = ONE_SIGMA
) -> FloatArray:
    """Return half-widths of intervals of total energies.

    Parameters
    ----------
    calibration : Calibration or None
        Of energies per atom; None is an error.
    raw_std : ndarray of shape (n_structures,)
        Standard deviations of total energies in the posterior, eV.
    n_atoms : ndarray of shape (n_structures,)
        Numbers of atoms.
    level : float
        Probability that the label is inside.

    Returns
    -------
    ndarray of shape (n_structures,)
        In eV.
    """
    return n_atoms * _present(calibration, "energies").half_width(raw_std / n_atoms, level)


def _present(calibration: Calibration | None, what: str) -> Calibration:
    if calibration is None:
        raise SettingsError(f"no training structure has {what}, so that their intervals are not calibrated")
    return calibration
