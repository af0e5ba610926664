"""What is known of diffusion and conductivity, with how it was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from linmlp.evaluation.md.statistics import Estimate
from linmlp.units import FloatArray

RESOLVED = 2.0
"""A number of less than so many standard errors is told as an upper limit."""


@dataclass(frozen=True)
class Diffusion:
    """Tracer diffusion of one element.

    Parameters
    ----------
    element : str
        Symbol.
    n_atoms : int
        Of that element in the cell.
    coefficient : Estimate
        cm²/s, in the periodic cell.
    upper : float
        95 % of the posterior lie below, cm²/s.
    corrected : Estimate or None
        Coefficient for an infinite cell by Yeh and Hummer, cm²/s, where a viscosity was given.
    windows : ndarray of shape (n_windows,)
        Time windows, ps.
    displacements, errors : ndarray of shape (n_windows,)
        Mean-square displacements and standard errors, Å².
    line : tuple of float
        Slope (Å²/ps) and offset (Å²) of the line.
    """

    element: str
    n_atoms: int
    coefficient: Estimate
    upper: float
    corrected: Estimate | None
    windows: FloatArray
    displacements: FloatArray
    errors: FloatArray
    line: tuple[float, float]

    @property
    def is_resolved(self) -> bool:
        """Whether the coefficient is above zero by `RESOLVED` standard errors."""
        return self.coefficient.value > RESOLVED * self.coefficient.error

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers and lists."""
        return {
            "n_atoms": self.n_atoms,
            "coefficient_cm2_per_s": self.coefficient._asdict(),
            "is_resolved": self.is_resolved,
            "upper_95_cm2_per_s": self.upper,
            "corrected_cm2_per_s": None if self.corrected is None else self.corrected._asdict(),
            "windows_ps": self.windows.tolist(),
            "displacements_A2": self.displacements.tolist(),
            "errors_A2": self.errors.tolist(),
            "line": {"slope_A2_per_ps": self.line[0], "offset_A2": self.line[1]},
        }

    def __str__(self) -> str:
        told = f"D({self.element}) "
        if self.is_resolved:
            told += f"{format_estimate(self.coefficient)} cm²/s"
        else:
            told += f"below {self.upper:.2g} cm²/s (95 %): no diffusion seen"
        if self.corrected is not None:
            told += f", {format_estimate(self.corrected)} cm²/s for an infinite cell (Yeh-Hummer)"
        return told + f"; root mean square {np.sqrt(self.displacements[-1]):.2f} Å in {self.windows[-1]:.3g} ps"


@dataclass(frozen=True)
class Conductivity:
    """Ionic conductivity from formal charges.

    Parameters
    ----------
    charges : dict of str to float
        Of each element, e.
    nernst_einstein : Estimate
        From the tracer coefficients, as if ions moved independently of each other, S/cm.
    collective : Estimate
        From the displacement of all charges together, S/cm.
    upper : float
        95 % of the posterior of the collective one lie below, S/cm.
    ratio : Estimate or None
        Collective over Nernst-Einstein conductivity: the inverse of the Haven ratio, 0 for ions that move in pairs.
        Their errors are taken as independent; None where nothing moves.
    windows : ndarray of shape (n_windows,)
        Time windows, ps.
    displacements, errors : ndarray of shape (n_windows,)
        Mean-square displacements of all charges together and standard errors, e² Å².
    line : tuple of float
        Slope (e² Å²/ps) and offset (e² Å²) of the line.
    """

    charges: dict[str, float]
    nernst_einstein: Estimate
    collective: Estimate
    upper: float
    ratio: Estimate | None
    windows: FloatArray
    displacements: FloatArray
    errors: FloatArray
    line: tuple[float, float]

    @property
    def is_resolved(self) -> bool:
        """Whether the collective conductivity is above zero by `RESOLVED` standard errors."""
        return self.collective.value > RESOLVED * self.collective.error

    @property
    def haven_ratio(self) -> Estimate | None:
        """Nernst-Einstein over collective conductivity; None where the collective one is not above zero."""
        if not self.is_resolved or self.ratio is None:
            return None
        value = 1.0 / self.ratio.value
        return Estimate(value, value**2 * self.ratio.error)

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers and lists."""
        haven = self.haven_ratio
        return {
            "charges": dict(self.charges),
            "nernst_einstein_S_per_cm": self.nernst_einstein._asdict(),
            "collective_S_per_cm": self.collective._asdict(),
            "is_resolved": self.is_resolved,
            "upper_95_S_per_cm": self.upper,
            "collective_over_nernst_einstein": None if self.ratio is None else self.ratio._asdict(),
            "haven_ratio": None if haven is None else haven._asdict(),
            "windows_ps": self.windows.tolist(),
            "displacements_e2_A2": self.displacements.tolist(),
            "errors_e2_A2": self.errors.tolist(),
            "line": {"slope_e2_A2_per_ps": self.line[0], "offset_e2_A2": self.line[1]},
        }

    def __str__(self) -> str:
        charges = ", ".join(f"{element} {charge:+g}" for element, charge in self.charges.items())
        told = f"conductivity with {charges}: "
        if self.is_resolved:
            told += f"{format_estimate(self.collective)} S/cm"
        else:
            told += f"below {self.upper:.2g} S/cm (95 %)"
        told += f" collective, {format_estimate(self.nernst_einstein)} S/cm Nernst-Einstein"
        haven = self.haven_ratio
        if haven is None:
            return told + "; Haven ratio not determined"
        return told + f"; Haven ratio {format_estimate(haven)}"


@dataclass(frozen=True)
class Transport:
    """Diffusion and conductivity at one temperature.

    Parameters
    ----------
    formula : str
        Of the cell.
    n_atoms : int
        In the cell.
    cell : ndarray of shape (3, 3)
        Å.
    temperature : Estimate
        K; with an error where it was measured.
    is_measured : bool
        Whether the temperature comes from momenta, not from the user.
    n_runs : int
        Independent runs that were put together.
    time : float
        Length of all runs, ps.
    interval : float
        Time from one frame to the next, ps.
    start : float
        Time window from which on displacements grow linearly, ps.
    diffusion : dict of str to Diffusion
        By element.
    conductivity : Conductivity or None
        Where charges were given.
    notes : tuple of str
        What has to be kept in mind.
    """

    formula: str
    n_atoms: int
    cell: FloatArray
    temperature: Estimate
    is_measured: bool
    n_runs: int
    time: float
    interval: float
    start: float
    diffusion: dict[str, Diffusion]
    conductivity: Conductivity | None
    notes: tuple[str, ...] = ()

    @property
    def volume(self) -> float:
        """Volume of the cell, Å³."""
        return float(abs(np.linalg.det(self.cell)))

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, texts and lists."""
        return {
            "formula": self.formula,
            "n_atoms": self.n_atoms,
            "cell_A": self.cell.tolist(),
            "volume_A3": self.volume,
            "temperature_K": self.temperature._asdict(),
            "temperature_is_measured": self.is_measured,
            "n_runs": self.n_runs,
            "time_ps": self.time,
            "interval_ps": self.interval,
            "start_ps": self.start,
            "diffusion": {element: found.to_dict() for element, found in self.diffusion.items()},
            "conductivity": None if self.conductivity is None else self.conductivity.to_dict(),
            "notes": list(self.notes),
        }

    def __str__(self) -> str:
        lengths = " x ".join(f"{length:.2f}" for length in np.linalg.norm(self.cell, axis=1))
        temperature = f"{self.temperature.value:.1f}"
        temperature += f" ± {self.temperature.error:.1f} K (measured)" if self.is_measured else " K"
        runs = f"{self.n_runs} runs of together " if self.n_runs > 1 else ""
        told = [
            f"{self.formula}, {self.n_atoms} atoms in {lengths} Å ({self.volume:.0f} Å³), {temperature}, "
            f"{runs}{self.time:.4g} ps in frames of {1000 * self.interval:g} fs, linear from {self.start:.3g} ps on"
        ]
        told += [f"    {found}" for found in self.diffusion.values()]
        if self.conductivity is not None:
            told.append(f"    {self.conductivity}")
        told += [f"    note: {note}" for note in self.notes]
        return "\n".join(told)


def format_estimate(estimate: Estimate) -> str:
    """Return value and error with two digits of the error.

    Parameters
    ----------
    estimate : Estimate
        Number and standard error.

    Returns
    -------
    str
        Such as ``(5.32 ± 0.21)e-05`` or ``5.32 ± 0.21``.

    Examples
    --------
    >>> from linmlp.evaluation.md import Estimate
    >>> format_estimate(Estimate(5.3219e-5, 2.13e-6)), format_estimate(Estimate(5.3219, 0.213))
    ('(5.32 ± 0.21)e-05', '5.32 ± 0.21')
    """
    value, error = estimate
    largest = max(abs(value), abs(error))
    power = int(np.floor(np.log10(largest))) if largest > 0.0 else 0
    shift = power if not -2 <= power <= 3 else 0
    value, error = value / 10.0**shift, error / 10.0**shift
    digits = int(np.clip(1 - np.floor(np.log10(error)), 0, 4)) if error > 0.0 else 3
    told = f"{value:.{digits}f} ± {error:.{digits}f}"
    return told if shift == 0 else f"({told})e{shift:+03d}"
