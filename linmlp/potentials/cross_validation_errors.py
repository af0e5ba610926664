"""Errors on held-out folds, as sums that add over folds, and the score that a search goes by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from linmlp.exceptions import SettingsError
from linmlp.system import LossWeights, ValidationErrors
from linmlp.units import FloatArray

METRICS = ("energy_mae", "energy_rmse", "force_rmse", "stress_rmse", "loss")
"""Errors that a search knows of every combination; all of them are better when smaller."""

Scoring = str | Mapping[str, float] | Callable[[Mapping[str, FloatArray]], Any]

TINY = float(np.finfo(float).tiny)


@dataclass(frozen=True)
class ErrorSums:
    """Sums of weighted errors of sets of coefficients, and of the weights; they add over folds.

    Parameters
    ----------
    energy_absolute, energy_squared : ndarray of shape (n_sets,)
        Of the energy per atom, eV and eV².
    energy_weight : float
        Structures.
    force, stress : ndarray of shape (n_sets,)
        Squared errors of components, (eV/Å)² and (eV/Å³)².
    force_weight, stress_weight : float
        Components.
    energy_loss : ndarray of shape (n_sets,)
        Squared energy residuals as the reference loss takes them.
    force_count, stress_count : float
        N_atoms and N_cfg of the loss.
    """

    energy_absolute: FloatArray
    energy_squared: FloatArray
    energy_weight: float
    force: FloatArray
    force_weight: float
    stress: FloatArray
    stress_weight: float
    energy_loss: FloatArray
    force_count: float
    stress_count: float

    @classmethod
    def of(cls, errors: ValidationErrors, reference: LossWeights) -> ErrorSums:
        """Return the sums of some folds.

        Parameters
        ----------
        errors : ValidationErrors
            Errors on these folds.
        reference : LossWeights
            Weights of the loss that is reported, the same for all sets.

        Returns
        -------
        ErrorSums
            Sums.
        """
        per_atom = errors.energy / errors.n_atoms
        return cls(
            np.abs(per_atom) @ errors.listed,
            per_atom**2 @ errors.listed,
            float(errors.listed.sum()),
            errors.force.squared,
            errors.force.row_weight,
            errors.stress.squared,
            errors.stress.row_weight,
            errors.squared_energies(reference.energy_per),
            errors.force.count,
            errors.stress.count,
        )

    @classmethod
    def total(cls, parts: Sequence[ErrorSums]) -> ErrorSums:
        """Return the sums over folds.

        Parameters
        ----------
        parts : sequence of ErrorSums
            Sums of single folds.

        Returns
        -------
        ErrorSums
            Their sum.
        """
        return cls(*(sum(getattr(part, name) for part in parts) for name in cls.__dataclass_fields__))

    def metrics(self, reference: LossWeights) -> dict[str, FloatArray]:
        """Return the errors, NaN where nothing carries the label.

        Parameters
        ----------
        reference : LossWeights
            Weights of the loss that is reported.

        Returns
        -------
        dict of str to ndarray of shape (n_sets,)
            `METRICS`: energies in eV per atom, forces in eV/Å, stress in eV/Å³, the loss at the reference weights.
        """
        loss = np.zeros_like(self.energy_absolute)
        for weight, total, count in (
            (reference.energy, self.energy_loss, self.energy_weight),
            (reference.force, self.force, self.force_count),
            (reference.stress, self.stress, self.stress_count),
        ):
            if count > 0.0:
                loss = loss + weight * total / count
        return {
            "energy_mae": _ratio(self.energy_absolute, self.energy_weight),
            "energy_rmse": np.sqrt(_ratio(self.energy_squared, self.energy_weight)),
            "force_rmse": np.sqrt(_ratio(self.force, self.force_weight)),
            "stress_rmse": np.sqrt(_ratio(self.stress, self.stress_weight)),
            "loss": loss,
        }


def check_scoring(scoring: Scoring) -> None:
    """Raise where a score cannot be computed.

    Parameters
    ----------
    scoring : str, mapping of str to float, or callable
        See `evaluate_score`.

    Raises
    ------
    SettingsError
        If a name is unknown, or a mix has no positive weight.
    """
    if callable(scoring):
        return
    names = [scoring] if isinstance(scoring, str) else list(scoring) if isinstance(scoring, Mapping) else None
    known = ("score", *METRICS)
    if names is None or any(name not in known for name in names):
        raise SettingsError(
            f"scoring={scoring!r} is not known; give one of {', '.join(known)}, a mix of errors such as "
            '{"energy_mae": 0.5, "force_rmse": 0.5}, or a function of the table of errors'
        )
    if isinstance(scoring, Mapping):
        weights = np.array(list(scoring.values()), dtype=float)
        if "score" in names or not (np.isfinite(weights).all() and (weights >= 0).all() and weights.any()):
            raise SettingsError(
                f"scoring={dict(scoring)}: a mix holds weights, 0 or more and not all 0, of {', '.join(METRICS)}"
            )


def evaluate_score(metrics: Mapping[str, FloatArray], scoring: Scoring = "score") -> FloatArray:
    """Return what a search minimizes.

    Parameters
    ----------
    metrics : mapping of str to ndarray
        `METRICS`.
    scoring : str, mapping of str to float, or callable, default="score"
        "score" is ``½ ln(energy MAE) + ½ ln(force RMSE)``; one of `METRICS` is that error; a mapping is the sum of the
        logarithms of errors, each times its weight; a callable takes the metrics.

    Returns
    -------
    ndarray
        Smaller is better.
    """
    if callable(scoring):
        return np.asarray(scoring(metrics), dtype=float)
    if isinstance(scoring, Mapping):
        terms = [weight * np.log(np.maximum(metrics[name], TINY)) for name, weight in scoring.items() if weight > 0]
        return np.asarray(np.sum(terms, axis=0))
    if scoring == "score":
        return compute_score(metrics["energy_mae"], metrics["force_rmse"], metrics["stress_rmse"])
    return metrics[scoring]


def compute_score(energy_mae: FloatArray, force_rmse: FloatArray, stress_rmse: FloatArray | None = None) -> FloatArray:
    """Return the score of a candidate, ``½ ln(energy MAE) + ½ ln(force RMSE)``; smaller is better.

    A change of 0.01 is 1 % in both errors. A kind that no structure carries (NaN) is left out; with neither it is half
    the logarithm of the stress error.

    Parameters
    ----------
    energy_mae : ndarray
        Mean absolute error of the energy, eV per atom.
    force_rmse : ndarray
        Root mean square error of force components, eV/Å.
    stress_rmse : ndarray, optional
        Root mean square error of stress components, eV/Å³.

    Returns
    -------
    ndarray
        Scores.
    """
    terms = np.array([0.5 * np.log(np.maximum(values, TINY)) for values in (energy_mae, force_rmse)])
    score: FloatArray = np.nansum(terms, axis=0)
    if stress_rmse is None:
        return score
    has_neither = np.isnan(terms).all(axis=0) & ~np.isnan(stress_rmse)
    return np.where(has_neither, 0.5 * np.log(np.maximum(stress_rmse, TINY)), score)


def _ratio(total: FloatArray, weight: float) -> FloatArray:
    """Return a weighted mean, NaN without weights."""
    return total / weight if weight > 0.0 else np.full(len(total), np.nan)
