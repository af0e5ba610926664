"""Whether MD with a potential runs, holds its temperature and conserves its energy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from ase import Atoms, units
from ase.calculators.singlepoint import SinglePointCalculator
from ase.constraints import FixCom
from ase.io import Trajectory, write
from ase.md.langevin import Langevin
from ase.md.nose_hoover_chain import IsotropicMTKNPT
from ase.md.velocitydistribution import Stationary, thermalize_momenta
from ase.md.verlet import VelocityVerlet
from sklearn.utils.validation import check_is_fitted

from linmlp.evaluation.core import closest_in_training
from linmlp.evaluation.md.failures import Failure, Limits, Watcher
from linmlp.evaluation.md.statistics import Estimate, mean_with_error, slope_with_error
from linmlp.evaluation.md.trace import Trace
from linmlp.exceptions import InputError, SettingsError, StructureError

if TYPE_CHECKING:
    from linmlp.potentials import LinearPotential

Ensemble = Literal["nve", "nvt", "npt"]

ENSEMBLES = ("nve", "nvt", "npt")

FRICTION = 0.01
"""Friction of the Langevin thermostat, 1/fs: a temperature is reached within some tenths of a ps."""

NPT_DAMPING = (100.0, 1000.0)
"""Periods of thermostat and barostat in time steps, as the integrator's authors advise."""

SETTLING = 0.2
"""Part of a run that is left out of means: the start is a crystal, half of whose energy goes into its potential."""

MAX_DRIFT = 0.01
"""Largest drift of the energy in NVE that passes, meV per atom and ps."""

STANDARD_ERRORS = 3.0
"""A mean temperature, or a drift beyond what passes, may be off by this many standard errors."""

LEAST_RECORDS = 10
"""Means and slopes of fewer records are not told."""


class Progress(NamedTuple):
    """How far a run is, told at every recorded step.

    Parameters
    ----------
    ensemble : str
        What is kept.
    temperature : float
        Target, K.
    step, n_steps : int
        Steps done and steps of the run.
    trace : Trace
        What was recorded so far.
    """

    ensemble: str
    temperature: float
    step: int
    n_steps: int
    trace: Trace


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
        if abs(mean.value - self.temperature) > STANDARD_ERRORS * mean.error:
            reasons.append(
                f"the temperature is {mean.value:.1f} ± {mean.error:.1f} K instead of {self.temperature:g} K"
            )
        return reasons

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


def check_stability(
    model: LinearPotential,
    atoms: Atoms,
    temperatures: Sequence[float],
    ensemble: Ensemble = "nvt",
    time: float = 10.0,
    timestep: float = 1.0,
    limits: Limits | None = None,
    structures: Sequence[Atoms] | None = None,
    pressure: float = 0.0,
    folder: str | Path | None = None,
    every: int = 10,
    random_state: int = 0,
    progress: Callable[[Progress], None] | None = None,
) -> Stability:
    """Run MD at some temperatures and return whether and how it went wrong.

    Parameters
    ----------
    model : LinearPotential
        Fitted.
    atoms : ase.Atoms
        Start; velocities are drawn from the Maxwell-Boltzmann distribution (of twice the temperature in NVE, half of
        which goes into the potential energy of a crystal).
    temperatures : sequence of float
        K.
    ensemble : {"nve", "nvt", "npt"}, default="nvt"
        Velocity Verlet, Langevin, or the Martyna-Tobias-Klein chain with a cell that keeps its shape.
    time : float, default=10.0
        ps for each temperature.
    timestep : float, default=1.0
        fs.
    limits : Limits, optional
        What counts as a failure.
    structures : sequence of ase.Atoms, optional
        Training structures, for their closest approaches; those that the ZBL baseline knows by default.
    pressure : float, default=0.0
        Of the NPT ensemble, GPa.
    folder : path-like, optional
        Where trajectories are written as they run, one for each ensemble and temperature. A run that was interrupted
        goes on from its last frame, with the same `timestep` and `every`; of a failed one the last frame is written
        as ``*_failed.xyz``, too.
    every : int, default=10
        Steps from one recorded frame to the next; distances are looked at as often.
    random_state : int, default=0
        Seed.
    progress : callable, optional
        Is told how far the run is.

    Returns
    -------
    Stability
        Verdicts with reasons by ``str``.

    Raises
    ------
    SettingsError
        If a setting cannot be used.
    StructureError
        If the structure holds elements that the model lacks, or NPT is asked of one that is not periodic.
    """
    check_is_fitted(model)
    limits = limits or Limits()
    _check(model, atoms, temperatures, ensemble, time, timestep, every, limits)
    runs = []
    for index, temperature in enumerate(temperatures):
        seed = (random_state, index)
        run = _Simulation(model, atoms, float(temperature), ensemble, timestep, pressure, every, seed, folder)
        runs.append(run.go(round(1000.0 * time / timestep), limits, structures, progress))
    return Stability(tuple(runs))


class _Simulation:
    """One run, from its start or its last frame."""

    def __init__(
        self,
        model: LinearPotential,
        atoms: Atoms,
        temperature: float,
        ensemble: Ensemble,
        timestep: float,
        pressure: float,
        every: int,
        seed: tuple[int, int],
        folder: str | Path | None,
    ) -> None:
        self.model, self.temperature, self.ensemble, self.every = model, temperature, ensemble, every
        self.timestep, self.pressure = timestep, pressure
        self.path = None if folder is None else Path(folder) / f"{ensemble}_{temperature:g}K.traj"
        self.trace = Trace()
        self.description = {"timestep": timestep, "every": every, "pressure": pressure}
        frames = [] if self.path is None or not self.path.exists() else self._read_frames(self.path, atoms)
        for index, frame in enumerate(frames):
            self.trace.record(frame, index * every * timestep / 1000.0)
        self.start = max(len(frames) - 1, 0) * every
        self.rng = np.random.default_rng((*seed, self.start))  # a run that goes on must not draw the same noise again
        self.atoms = (frames[-1] if frames else atoms).copy()
        self.atoms.set_constraint(list(atoms.constraints))
        if not frames:
            factor = 2.0 if ensemble == "nve" else 1.0
            thermalize_momenta(self.atoms, temperature_K=factor * temperature, rng=self.rng)
            Stationary(self.atoms)
        self.is_new = not frames

    def go(
        self,
        n_steps: int,
        limits: Limits,
        structures: Sequence[Atoms] | None,
        progress: Callable[[Progress], None] | None,
    ) -> Run:
        """Run up to a number of steps in all."""
        elements = tuple(self.model.descriptor_.elements_)
        closest = closest_in_training(self.model, elements, structures)
        self.atoms.calc = self.model.calculator(uncertainty=limits.grade is not None)
        hottest = self.temperature * (2.0 if self.ensemble == "nve" else 1.0)  # the start of NVE has twice the energy
        watcher = Watcher(limits, elements, closest, self.model.predictor().cutoff, hottest)
        failure, step = None, self.start
        with self._trajectory() as writer:
            # The first thing that the integrators yield is the start itself.
            for step, _ in enumerate(self._integrator().irun(max(n_steps - self.start, 0)), self.start):
                recorded = step % self.every == 0
                failure = watcher.look(self.atoms, step, recorded)
                if (recorded and (step > self.start or self.is_new)) or failure:
                    self.trace.record(self.atoms, step * self.timestep / 1000.0)
                    if writer is not None and recorded:
                        writer.write(self.atoms)
                if progress is not None and recorded:
                    progress(Progress(self.ensemble, self.temperature, step, n_steps, self.trace))
                if failure is not None:
                    break
        if failure is not None and self.path is not None:
            write(self.path.with_name(f"{self.path.stem}_failed.xyz"), _frozen(self.atoms), format="extxyz")
        return Run(self.temperature, self.ensemble, self.trace, failure, _frozen(self.atoms))

    @contextmanager
    def _trajectory(self) -> Iterator[Any]:
        """Open the trajectory to write to, if there is a folder; say what a full disk leaves."""
        if self.path is None:
            yield None
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            writer = Trajectory(self.path, "w" if self.is_new else "a", self.atoms)
            if self.is_new:
                writer.set_description(self.description)
            try:
                yield writer
            finally:
                writer.close()
        except OSError as error:
            raise InputError(
                f"cannot write to {self.path}: {error.strerror}; the frames before can be read: make room, and the "
                "same call goes on from the last of them"
            ) from error

    def _read_frames(self, path: Path, atoms: Atoms) -> list[Atoms]:
        """Return the frames of a run to go on with; the format lists a frame only once it is whole."""
        try:
            with Trajectory(path) as trajectory:
                frames, description = list(trajectory), trajectory.description
        except Exception as error:  # whatever the reader runs into
            raise InputError(f"{path} cannot be read ({error}); remove it, and the run starts anew") from error
        if not frames:
            return []
        advice = "give another folder, or remove the file"
        if not np.array_equal(frames[0].numbers, atoms.numbers):
            raise SettingsError(
                f"{path} holds a run of {frames[0].get_chemical_formula()}, which cannot go on with "
                f"{atoms.get_chemical_formula()}; {advice}"
            )
        if description != self.description:
            raise SettingsError(
                f"{path} holds a run with {description}, which cannot go on with {self.description}; {advice}"
            )
        written, found = frames[-1].get_potential_energy(), float(self.model.predict([frames[-1]])[0])
        if not np.isclose(written, found, rtol=0.0, atol=1e-6 * len(atoms)):
            raise SettingsError(
                f"the last frame of {path} has {written:.6f} eV, but {found:.6f} eV by this potential: it is a run of "
                f"another one; {advice}"
            )
        return frames

    def _integrator(self) -> Any:
        """Return the integrator of the ensemble."""
        step = self.timestep * units.fs
        if self.ensemble == "nve":
            return VelocityVerlet(self.atoms, step)
        if self.ensemble == "nvt":
            self.atoms.set_constraint([*self.atoms.constraints, FixCom()])
            friction = FRICTION / units.fs
            return Langevin(
                self.atoms, step, temperature_K=self.temperature, friction=friction, fixcm=False, rng=self.rng
            )
        thermostat, barostat = NPT_DAMPING
        return IsotropicMTKNPT(
            self.atoms,
            step,
            temperature_K=self.temperature,
            pressure_au=self.pressure * units.GPa,
            tdamp=thermostat * step,
            pdamp=barostat * step,
        )


def _frozen(atoms: Atoms) -> Atoms:
    """Return a copy that keeps energy and forces, but no calculator that computes."""
    copy = atoms.copy()
    kept = {name: atoms.calc.results[name] for name in ("energy", "forces", "stress") if name in atoms.calc.results}
    copy.calc = SinglePointCalculator(copy, **kept)
    return copy


def _check(
    model: LinearPotential,
    atoms: Atoms,
    temperatures: Sequence[float],
    ensemble: str,
    time: float,
    timestep: float,
    every: int,
    limits: Limits,
) -> None:
    """Raise where a run cannot start."""
    if ensemble not in ENSEMBLES:
        raise SettingsError(f"ensemble={ensemble!r} is not known; give one of {', '.join(ENSEMBLES)}")
    if not len(temperatures) or not all(np.isfinite(t) and t > 0.0 for t in temperatures):
        raise SettingsError(f"temperatures={list(temperatures)}; give at least one, all above 0 K")
    if not (time > 0.0 and timestep > 0.0 and every >= 1):
        raise SettingsError(f"time={time} ps, timestep={timestep} fs, every={every}; all must be above 0")
    if 1000.0 * time < 3 * every * timestep:
        raise SettingsError(
            f"{time} ps are {1000.0 * time / timestep:.0f} steps, of which one in {every} is recorded; a verdict needs "
            "three records or more: give more time or a smaller every"
        )
    strange = sorted(set(atoms.get_chemical_symbols()) - set(model.descriptor_.elements_))
    if strange:
        raise StructureError(
            f"the structure holds {', '.join(strange)}, but the potential was fitted to "
            f"{', '.join(model.descriptor_.elements_)}"
        )
    if ensemble == "npt" and not atoms.pbc.all():
        raise StructureError(f"pbc is {atoms.pbc.tolist()}; NPT needs a structure that is periodic in all three")
    if limits.grade is not None and getattr(model, "uncertainty_", None) is None:
        raise SettingsError("a limit on the grade needs a potential that was fitted with uncertainty=True")
