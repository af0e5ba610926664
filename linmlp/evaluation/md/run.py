"""What an MD run showed, and whether that passes."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms

from linmlp.evaluation.md.failures import Failure
from linmlp.evaluation.md.statistics import Estimate, mean_with_error, slope_with_error
from linmlp.evaluation.md.trace import Trace

SETTLING = 0.2
"""Part of a run with thermostat that is left out of means."""

MAX_DRIFT = 0.01
"""Largest drift of the energy in NVE that passes, meV per atom and ps."""

STANDARD_ERRORS = 3.0
"""A mean temperature, or a drift beyond what passes, may be off by this many standard errors."""

RELAXATION = 0.1
"""Time in which the energy forgets, ps: one over the friction of the Langevin thermostat."""

LEAST_RECORDS = 10
"""Means and slopes of fewer records are not told."""


@dataclass(frozen=True)
class Run:
    """One MD run.

    Parameters
    ----------
    temperature : float
        Target, K.
    ensemble : {"nve", "nvt", "npt"}
        What is kept.
    trace : Trace
        Recorded steps.
    failure : Failure or None
        What ended it early.
    last : ase.Atoms
        The last frame: the offending one, where it failed.
    """

    temperature: float
    ensemble: str
    trace: Trace
    failure: Failure | None
    last: Atoms

    @property
    def reasons(self) -> list[str]:
        """Why the run did not pass; empty if it did."""
        if self.failure is not None:
            return [f"step {self.failure.step}: {self.failure.reason}"]
        reasons = []
        if self.ensemble == "nve":
            drift = self.drift
            if abs(drift.value) > MAX_DRIFT + STANDARD_ERRORS * drift.error:
                reasons.append(f"the energy drifts by {drift.value:+.4f} ± {drift.error:.4f} meV/atom/ps")
            return reasons
        mean = mean_with_error(self._settled("temperature"))
        error = max(mean.error, self._least_error())
        if abs(mean.value - self.temperature) > STANDARD_ERRORS * error:
            reasons.append(f"the temperature is {mean.value:.1f} ± {error:.1f} K instead of {self.temperature:g} K")
        return reasons

    def _least_error(self) -> float:
        """Return the standard error of the mean temperature of a harmonic crystal with this thermostat, K.

        Half of the variance of the temperature, which is that of the energy, decays with `RELAXATION`; blocks of a
        short run do not show it.
        """
        spread = self.temperature * float(np.sqrt(2.0 / max(3 * len(self.last) - 3, 1)))
        settled = (1.0 - SETTLING) * float(self.trace["time"][-1])
        return spread * float(np.sqrt(RELAXATION / max(settled, RELAXATION)))

    @property
    def passed(self) -> bool:
        """Whether nothing has to be said against it."""
        return not self.reasons

    @property
    def drift(self) -> Estimate:
        """Slope of the total energy over time, meV per atom and ps, with its error from blocks."""
        return slope_with_error(self.trace["time"], 1e3 * self.trace["total_energy"])

    @property
    def fluctuation(self) -> float:
        """Root mean square of the total energy about its line over time, meV per atom, once the run has settled."""
        kept = slice(int(SETTLING * len(self.trace)), None)
        times, energies = self.trace["time"][kept], 1e3 * self.trace["total_energy"][kept]
        return float(np.std(energies - np.polyval(np.polyfit(times, energies, 1), times)))

    def means(self) -> dict[str, Estimate]:
        """Return means over the settled part of the run, of what has one.

        Returns
        -------
        dict of str to Estimate
            ``temperature`` (K), ``potential_energy`` (eV per atom), ``pressure`` (GPa), ``volume`` (Å³ per atom).
        """
        names = ("temperature", "potential_energy", "pressure", "volume")
        series = {name: self._settled(name) for name in names}
        return {name: mean_with_error(v) for name, v in series.items() if len(v) > 1 and np.isfinite(v).all()}

    def to_dict(self) -> dict[str, Any]:
        """Return verdict and figures as plain numbers and texts."""
        told: dict[str, Any] = {
            "ensemble": self.ensemble,
            "temperature": self.temperature,
            "time": float(self.trace["time"][-1]),
            "passed": self.passed,
            "reasons": self.reasons,
            "failed_at_step": None if self.failure is None else self.failure.step,
            "means": {name: mean._asdict() for name, mean in self.means().items()},
        }
        if self.ensemble == "nve" and len(self.trace) >= LEAST_RECORDS:
            told |= {"drift": self.drift._asdict(), "fluctuation": self.fluctuation}
        return told

    def __str__(self) -> str:
        time = self.trace["time"][-1]
        told = f"{self.ensemble.upper()} {self.temperature:g} K, {time:.1f} ps: "
        told += "passed" if self.passed else "FAILED, " + "; ".join(self.reasons)
        if self.failure is not None or len(self.trace) < LEAST_RECORDS:
            return told
        means = self.means()
        temperature = means["temperature"]
        told += f"\n    temperature {temperature.value:.1f} ± {temperature.error:.1f} K"
        told += f", spread {np.std(self._settled('temperature')):.1f} K"
        n_atoms = len(self.last)
        if self.ensemble != "nve":
            told += f" (canonical {self.temperature * np.sqrt(2.0 / (3 * n_atoms - 3)):.1f} K)"
        else:
            told += f"\n    energy: drift {self.drift.value:+.4f} ± {self.drift.error:.4f} meV/atom/ps"
            if self.drift.error > MAX_DRIFT / 2.0:
                told += f" (longer runs tell whether it is below {MAX_DRIFT:g})"
            told += f", fluctuation {self.fluctuation:.4f} meV/atom"
        for name, unit in (("pressure", "GPa"), ("volume", "Å³/atom")):
            if name in means and (name == "pressure" or self.ensemble == "npt"):
                told += f"\n    {name} {means[name].value:.3f} ± {means[name].error:.3f} {unit}"
        return told

    def _settled(self, name: str) -> Any:
        values = self.trace[name]
        return values if self.ensemble == "nve" else values[int(SETTLING * len(values)) :]


@dataclass(frozen=True)
class Stability:
    """Runs at several temperatures.

    Parameters
    ----------
    runs : tuple of Run
        In the order of the temperatures.
    """

    runs: tuple[Run, ...]

    @property
    def passed(self) -> bool:
        """Whether all runs passed."""
        return all(run.passed for run in self.runs)

    @property
    def survival(self) -> dict[float, float]:
        """Time that each temperature lasted, ps."""
        return {run.temperature: float(run.trace["time"][-1]) for run in self.runs}

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict and those of the runs as plain numbers and texts."""
        return {"passed": self.passed, "runs": [run.to_dict() for run in self.runs]}

    def __str__(self) -> str:
        return "\n".join(map(str, self.runs))
