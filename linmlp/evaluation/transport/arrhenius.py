r"""Arrhenius fits: :math:`\ln y = \ln y_0 - E_a/(k_B T)`, weighted by the errors of :math:`\ln y`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase.units import kB
from scipy.stats import chi2

from linmlp.evaluation.md.statistics import Estimate
from linmlp.evaluation.transport.results import RESOLVED, format_estimate
from linmlp.exceptions import SettingsError
from linmlp.units import FloatArray

UNLIKELY = 0.01
"""Probability of a worse fit below which the points are said not to lie on a line."""


@dataclass(frozen=True)
class ArrheniusFit:
    """Line through the logarithm of a coefficient over the inverse temperature.

    Parameters
    ----------
    quantity, unit : str
        What was fitted.
    temperatures : ndarray of shape (n_temperatures,)
        K.
    values, errors : ndarray of shape (n_temperatures,)
        Coefficients and standard errors.
    activation_energy : Estimate
        eV.
    log_prefactor : Estimate
        Natural logarithm of the prefactor in `unit`.
    covariance : ndarray of shape (2, 2)
        Of the logarithm of the prefactor and the activation energy.
    probability : float
        Of a worse fit by chance, if the errors are right and the law holds; NaN for two temperatures.
    """

    quantity: str
    unit: str
    temperatures: FloatArray
    values: FloatArray
    errors: FloatArray
    activation_energy: Estimate
    log_prefactor: Estimate
    covariance: FloatArray
    probability: float

    def at(self, temperature: float) -> Estimate:
        """Return the coefficient at a temperature.

        Parameters
        ----------
        temperature : float
            K; beyond those of the fit it is an extrapolation, whose error holds if the law does.

        Returns
        -------
        Estimate
            In `unit`; the error is the value times the standard error of its logarithm.

        Raises
        ------
        SettingsError
            If the temperature is not above zero.
        """
        if not temperature > 0.0:
            raise SettingsError(f"temperature={temperature} K; give one above 0 K")
        of_line = np.array([1.0, -1.0 / (kB * temperature)])
        value = float(np.exp(of_line @ [self.log_prefactor.value, self.activation_energy.value]))
        return Estimate(value, value * float(np.sqrt(of_line @ self.covariance @ of_line)))

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, texts and lists."""
        return {
            "quantity": self.quantity,
            "unit": self.unit,
            "temperatures_K": self.temperatures.tolist(),
            "values": self.values.tolist(),
            "errors": self.errors.tolist(),
            "activation_energy_eV": self.activation_energy._asdict(),
            "log_prefactor": self.log_prefactor._asdict(),
            "covariance": self.covariance.tolist(),
            "probability": None if np.isnan(self.probability) else self.probability,
        }

    def __str__(self) -> str:
        told = f"{self.quantity}: activation energy {format_estimate(self.activation_energy)} eV, "
        told += f"prefactor {np.exp(self.log_prefactor.value):.3g} {self.unit} within a factor of "
        told += f"{np.exp(self.log_prefactor.error):.2f}, {self.temperatures.min():g} to {self.temperatures.max():g} K"
        if self.probability < UNLIKELY:
            told += f"; the points do not lie on a line (a worse fit by chance: {self.probability:.1g})"
        return told


def fit_arrhenius(
    temperatures: Sequence[float],
    values: Sequence[Estimate],
    quantity: str = "D",
    unit: str = "cm²/s",
) -> ArrheniusFit:
    """Return activation energy and prefactor of a coefficient.

    Parameters
    ----------
    temperatures : sequence of float
        K, two different ones or more.
    values : sequence of Estimate
        Coefficients with standard errors, each above zero by `RESOLVED` standard errors.
    quantity, unit : str
        What is fitted, for the statement.

    Returns
    -------
    ArrheniusFit
        Least squares, weighted by the errors of the logarithms.

    Raises
    ------
    SettingsError
        If temperatures are too few or not above zero, or a value is not above zero or has no error.
    """
    t = np.asarray(temperatures, dtype=float)
    if len(t) != len(values) or len(set(t.tolist())) < 2 or not (t > 0.0).all():
        raise SettingsError(
            f"temperatures={t.tolist()} for {len(values)} values; an Arrhenius fit needs two different ones or more"
        )
    y, error = np.array([v.value for v in values]), np.array([v.error for v in values])
    for temperature, value in zip(t, values, strict=True):
        if not (value.error > 0.0 and value.value > RESOLVED * value.error):
            raise SettingsError(
                f"{quantity} at {temperature:g} K is {format_estimate(value)} {unit}: not known to be above zero; run "
                "longer there, or leave this temperature out"
            )
    weights = y / error  # one over the standard error of ln y
    X = np.column_stack([np.ones(len(t)), -1.0 / (kB * t)])
    covariance = np.linalg.inv((X * weights[:, None] ** 2).T @ X)
    line = covariance @ (X.T @ (weights**2 * np.log(y)))
    misfit = float(np.sum((weights * (np.log(y) - X @ line)) ** 2))
    probability = float(chi2.sf(misfit, len(t) - 2)) if len(t) > 2 else float("nan")
    prefactor, energy = (Estimate(float(v), float(e)) for v, e in zip(line, np.sqrt(np.diag(covariance)), strict=True))
    return ArrheniusFit(quantity, unit, t, y, error, energy, prefactor, covariance, probability)
