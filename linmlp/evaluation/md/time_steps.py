"""How well energy is conserved over the time step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms, units
from ase.md.langevin import Langevin
from ase.md.velocitydistribution import Stationary, thermalize_momenta
from ase.md.verlet import VelocityVerlet
from sklearn.utils.validation import check_is_fitted

from linmlp.evaluation.md.statistics import Estimate, mean_with_error, slope_with_error
from linmlp.exceptions import SettingsError

if TYPE_CHECKING:
    from linmlp.potentials import LinearPotential, Precision

FRICTION = 0.02
"""Friction of the thermostat that brings the start to its temperature, 1/fs."""


@dataclass(frozen=True)
class TimeSteps:
    r"""Conservation of energy over the time step.

    The energy that velocity Verlet conserves exactly differs from the true one by :math:`O(\Delta t^2)`, so that the
    fluctuation :math:`\sigma` of the true one falls as :math:`\Delta t^2` where forces are exact and smooth derivatives
    of the energy. Another order tells of steps that are too long, or of an energy that jumps.

    Parameters
    ----------
    timesteps : tuple of float
        fs.
    fluctuations : tuple of Estimate
        Root mean square of the total energy about its line over time, meV per atom.
    drifts : tuple of Estimate
        meV per atom and ps.
    time : float
        Of each run, ps.
    temperature : float
        Of the start, K.
    """

    timesteps: tuple[float, ...]
    fluctuations: tuple[Estimate, ...]
    drifts: tuple[Estimate, ...]
    time: float
    temperature: float

    @property
    def order(self) -> Estimate:
        """Slope of the logarithm of the fluctuation over that of the time step."""
        x = np.log(self.timesteps)
        y = np.log([fluctuation.value for fluctuation in self.fluctuations])
        relative = np.array([fluctuation.error / fluctuation.value for fluctuation in self.fluctuations])
        weights = (x - x.mean()) / np.sum((x - x.mean()) ** 2)
        return Estimate(float(weights @ y), float(np.sqrt(np.sum((weights * relative) ** 2))))

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain numbers."""
        rows = zip(self.timesteps, self.fluctuations, self.drifts, strict=True)
        return {
            "temperature": self.temperature,
            "time": self.time,
            "order": self.order._asdict(),
            "steps": [
                {"timestep": step, "fluctuation": fluctuation._asdict(), "drift": drift._asdict()}
                for step, fluctuation, drift in rows
            ],
        }

    def __str__(self) -> str:
        lines = [f"NVE from {self.temperature:g} K, {self.time:g} ps for each time step"]
        lines += [
            f"  {step:5.2f} fs: fluctuation {fluctuation.value:.4g} ± {fluctuation.error:.2g} meV/atom, "
            f"drift {drift.value:+.4f} ± {drift.error:.4f} meV/atom/ps"
            for step, fluctuation, drift in zip(self.timesteps, self.fluctuations, self.drifts, strict=True)
        ]
        order = self.order
        lines.append(f"  the fluctuation goes with the time step to the power {order.value:.2f} ± {order.error:.2f}")
        return "\n".join(lines)


def check_time_steps(
    model: LinearPotential,
    atoms: Atoms,
    temperature: float,
    timesteps: Sequence[float] = (0.5, 1.0, 2.0),
    time: float = 10.0,
    equilibration: float = 2.0,
    random_state: int = 0,
    precision: Precision = "double",
) -> TimeSteps:
    """Run NVE from one state with several time steps and return how well each conserves energy.

    Parameters
    ----------
    model : LinearPotential
        Fitted.
    atoms : ase.Atoms
        Start; brought to the temperature by a Langevin thermostat first.
    temperature : float
        K.
    timesteps : sequence of float, default=(0.5, 1.0, 2.0)
        fs; two or more, all different.
    time : float, default=10.0
        ps of each run.
    equilibration : float, default=2.0
        ps with the thermostat before them, with the shortest time step.
    random_state : int, default=0
        Seed.
    precision : {"double", "single"}, default="double"
        Of the potential's evaluation, as in `LinearPotential.calculator`.

    Returns
    -------
    TimeSteps
        Fluctuation and drift of every time step, and the order of the fluctuation.

    Raises
    ------
    SettingsError
        If there are fewer than two time steps, or a number is not above 0.
    StructureError
        If the structure holds elements that the model lacks.
    """
    check_is_fitted(model)
    steps = [float(step) for step in timesteps]
    if len(set(steps)) < 2 or len(set(steps)) < len(steps):
        raise SettingsError(f"timesteps={steps}; give two or more different ones in fs")
    if not min(*steps, time, temperature) > 0.0 or equilibration < 0.0:
        raise SettingsError(
            f"timesteps={steps} fs, time={time} ps, equilibration={equilibration} ps, temperature={temperature} K; "
            "all must be above 0 (equilibration may be 0)"
        )
    if 1000.0 * time < 50 * max(steps):
        raise SettingsError(f"{time} ps are fewer than 50 steps of {max(steps)} fs; give more time")
    start = _equilibrated(model, atoms, temperature, min(steps), equilibration, random_state, precision)
    found = [_conservation(model, start, step, time, precision) for step in steps]
    fluctuations, drifts = zip(*found, strict=True)
    return TimeSteps(tuple(steps), fluctuations, drifts, time, temperature)


def _equilibrated(
    model: LinearPotential,
    atoms: Atoms,
    temperature: float,
    timestep: float,
    time: float,
    seed: int,
    precision: Precision,
) -> Atoms:
    """Return the structure at a temperature."""
    rng = np.random.default_rng(seed)
    start = atoms.copy()
    start.calc = model.calculator(precision=precision)
    start.get_potential_energy()  # elements that the model lacks are refused before velocities are drawn
    thermalize_momenta(start, temperature_K=temperature, rng=rng)
    Stationary(start)
    thermostat = Langevin(
        start, timestep * units.fs, temperature_K=temperature, friction=FRICTION / units.fs, fixcm=False, rng=rng
    )
    thermostat.run(round(1000.0 * time / timestep))
    Stationary(start)
    return start


def _conservation(
    model: LinearPotential, start: Atoms, timestep: float, time: float, precision: Precision
) -> tuple[Estimate, Estimate]:
    """Return fluctuation (meV per atom) and drift (meV per atom and ps) of a run with one time step."""
    atoms = start.copy()
    atoms.calc = model.calculator(precision=precision)
    steps = VelocityVerlet(atoms, timestep * units.fs).irun(round(1000.0 * time / timestep))
    energies = np.array([1e3 * atoms.get_total_energy() / len(atoms) for _ in steps], dtype=np.float64)
    times = 1e-3 * timestep * np.arange(len(energies), dtype=np.float64)
    drift = slope_with_error(times, energies)
    squares = (energies - np.mean(energies) - drift.value * (times - np.mean(times))) ** 2
    variance = mean_with_error(squares)
    deviation = float(np.sqrt(variance.value))
    return Estimate(deviation, variance.error / (2.0 * deviation)), drift
