"""One MD run: from a structure or its last written frame, watched, and written as it runs."""

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
from ase.md.bussi import Bussi
from ase.md.langevin import Langevin
from ase.md.nose_hoover_chain import IsotropicMTKNPT
from ase.md.velocitydistribution import Stationary, thermalize_momenta
from ase.md.verlet import VelocityVerlet

from linmlp.evaluation.core import closest_in_training
from linmlp.evaluation.md.failures import Failure, Limits, Watcher
from linmlp.evaluation.md.run import Run
from linmlp.evaluation.md.trace import Trace
from linmlp.exceptions import InputError, SettingsError

if TYPE_CHECKING:
    from linmlp.potentials import LinearPotential, Precision

Ensemble = Literal["nve", "nvt", "npt", "rescaled"]

FRICTION = 0.01
"""Friction of the Langevin thermostat, 1/fs: a temperature is reached within some tenths of a ps."""

RESCALING_TIME = 1000.0
"""Relaxation time of the thermostat that rescales all velocities together, fs."""

NPT_DAMPING = (100.0, 1000.0)
"""Periods of thermostat and barostat in time steps, as the integrator's authors advise."""


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
class RunSettings:
    """What a run is to be.

    Parameters
    ----------
    ensemble : {"nve", "nvt", "npt", "rescaled"}
        What is kept: velocity Verlet; Langevin; the Martyna-Tobias-Klein chain with a cell that keeps its shape; nvt by
        stochastic rescaling of all velocities together, which hardly disturbs how atoms move.
    temperature : float
        K.
    timestep : float
        fs.
    every : int
        Steps from one record to the next.
    pressure : float
        GPa.
    equilibration : float
        ps with a thermostat before the run.
    seed : tuple of int
        Of velocities and thermostats.
    folder : path-like or None
        Where the trajectory goes.
    precision : {"double", "single"}
        Of the potential's evaluation.
    """

    ensemble: Ensemble
    temperature: float
    timestep: float
    every: int
    pressure: float
    equilibration: float
    seed: tuple[int, ...]
    folder: str | Path | None
    precision: Precision = "double"

    @property
    def path(self) -> Path | None:
        """The trajectory's file."""
        return None if self.folder is None else Path(self.folder) / f"{self.ensemble}_{self.temperature:g}K.traj"

    @property
    def description(self) -> dict[str, float]:
        """What must be the same for a run to go on."""
        return {"timestep": self.timestep, "every": self.every, "pressure": self.pressure}


class Simulation:
    """One run, from its start or its last frame.

    Parameters
    ----------
    model : LinearPotential
        Fitted.
    atoms : ase.Atoms
        Start.
    settings : RunSettings
        What it is to be.
    observe : callable, optional
        Is given every recorded frame, those that were written before, too.

    Raises
    ------
    InputError
        If a trajectory that is there cannot be gone on with.
    """

    def __init__(
        self,
        model: LinearPotential,
        atoms: Atoms,
        settings: RunSettings,
        observe: Callable[[Atoms], None] | None = None,
    ) -> None:
        self.model, self.settings, self.observe = model, settings, observe or (lambda _: None)
        self.trace = Trace()
        path = settings.path
        frames = [] if path is None or not path.exists() else self._read_frames(path, atoms)
        for index, frame in enumerate(frames):
            self.trace.record(frame, index * settings.every * settings.timestep / 1000.0)
            self.observe(frame)
        self.is_new = not frames
        self.start = max(len(frames) - 1, 0) * settings.every
        # A run that goes on must not draw the same noise again.
        self.rng = np.random.default_rng((*settings.seed, self.start))
        self.atoms = (frames[-1] if frames else atoms).copy()
        self.constraints = list(atoms.constraints)
        self.atoms.set_constraint(self.constraints)
        if self.is_new:
            thermalize_momenta(self.atoms, temperature_K=settings.temperature, rng=self.rng)
            Stationary(self.atoms)

    def go(
        self,
        n_steps: int,
        limits: Limits,
        structures: Sequence[Atoms] | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> Run:
        """Run up to a number of steps in all.

        Parameters
        ----------
        n_steps : int
            Steps, those that were written before included.
        limits : Limits
            What counts as a failure.
        structures : sequence of ase.Atoms, optional
            Training structures, for their closest approaches.
        progress : callable, optional
            Is told how far the run is.

        Returns
        -------
        Run
            What it showed.
        """
        settings = self.settings
        elements = tuple(self.model.descriptor_.elements_)
        closest = closest_in_training(self.model, elements, structures)
        self.atoms.calc = self.model.calculator(uncertainty=limits.grade is not None, precision=settings.precision)
        watcher = Watcher(
            limits, elements, closest, self.model.predictor(settings.precision).cutoff, settings.temperature
        )
        failure = self._equilibrate(watcher) if self.is_new else None
        with self._trajectory() as writer:
            steps = 0 if failure else max(n_steps - self.start, 0)
            # The first thing that the integrators yield is the start itself.
            for step, _ in enumerate(self._integrator(settings.ensemble).irun(steps), self.start):
                recorded = step % settings.every == 0
                failure = failure or watcher.look(self.atoms, step, recorded)
                if (recorded and (step > self.start or self.is_new)) or failure:
                    self.trace.record(self.atoms, step * settings.timestep / 1000.0)
                    self.observe(self.atoms)
                    if writer is not None and recorded:
                        writer.write(self.atoms)
                if progress is not None and recorded:
                    progress(Progress(settings.ensemble, settings.temperature, step, n_steps, self.trace))
                if failure is not None:
                    break
        self.atoms.set_constraint(self.constraints)  # not that of a thermostat
        last = frozen(self.atoms)
        if failure is not None and settings.path is not None:
            write(settings.path.with_name(f"{settings.path.stem}_failed.xyz"), last, format="extxyz")
        return Run(settings.temperature, settings.ensemble, self.trace, failure, last)

    def _equilibrate(self, watcher: Watcher) -> Failure | None:
        """Bring the atoms to the temperature; return what went wrong."""
        n_steps = round(1000.0 * self.settings.equilibration / self.settings.timestep)
        if n_steps == 0:
            return None
        for step, _ in enumerate(self._integrator("nvt").irun(n_steps)):
            failure = watcher.look(self.atoms, step, step % self.settings.every == 0)
            if failure is not None:
                return Failure(step, f"{failure.reason} (while the atoms were brought to the temperature)")
        self.atoms.set_constraint(self.constraints)
        Stationary(self.atoms)
        return None

    @contextmanager
    def _trajectory(self) -> Iterator[Any]:
        """Open the trajectory to write to, if there is a folder; say what a full disk leaves."""
        path = self.settings.path
        if path is None:
            yield None
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            writer = Trajectory(path, "w" if self.is_new else "a", self.atoms)
            if self.is_new:
                writer.set_description(self.settings.description)
            try:
                yield writer
            finally:
                writer.close()
        except OSError as error:
            raise InputError(
                f"cannot write to {path}: {error.strerror}; the frames before can be read: make room, and the "
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
        if description != self.settings.description:
            raise SettingsError(
                f"{path} holds a run with {description}, which cannot go on with {self.settings.description}; {advice}"
            )
        written, found = frames[-1].get_potential_energy(), float(self.model.predict([frames[-1]])[0])
        if not np.isclose(written, found, rtol=0.0, atol=1e-6 * len(atoms)):
            raise SettingsError(
                f"the last frame of {path} has {written:.6f} eV, but {found:.6f} eV by this potential: it is a run of "
                f"another one; {advice}"
            )
        return frames

    def _integrator(self, ensemble: Ensemble) -> Any:
        """Return the integrator of the ensemble."""
        settings = self.settings
        step = settings.timestep * units.fs
        if ensemble == "nve":
            return VelocityVerlet(self.atoms, step)
        if ensemble in ("nvt", "rescaled"):  # these thermostats count degrees of freedom; the center of mass has none
            self.atoms.set_constraint([*self.constraints, FixCom()])
        if ensemble == "rescaled":
            damping = RESCALING_TIME * units.fs
            return Bussi(self.atoms, step, temperature_K=settings.temperature, taut=damping, rng=self.rng)
        if ensemble == "nvt":
            friction = FRICTION / units.fs
            return Langevin(
                self.atoms, step, temperature_K=settings.temperature, friction=friction, fixcm=False, rng=self.rng
            )
        thermostat, barostat = NPT_DAMPING
        return IsotropicMTKNPT(
            self.atoms,
            step,
            temperature_K=settings.temperature,
            pressure_au=settings.pressure * units.GPa,
            tdamp=thermostat * step,
            pdamp=barostat * step,
        )


def frozen(atoms: Atoms) -> Atoms:
    """Return a copy that keeps its results, but no calculator that computes.

    Parameters
    ----------
    atoms : ase.Atoms
        With a calculator.

    Returns
    -------
    ase.Atoms
        With energy, forces and stress where they were computed.
    """
    copy = atoms.copy()
    kept = {name: atoms.calc.results[name] for name in ("energy", "forces", "stress") if name in atoms.calc.results}
    copy.calc = SinglePointCalculator(copy, **kept)
    return copy
