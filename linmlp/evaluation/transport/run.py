"""MD with a potential, and the diffusion and conductivity that it gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from ase import Atoms
from sklearn.utils.validation import check_is_fitted

from linmlp.evaluation.md.failures import Limits
from linmlp.evaluation.md.simulation import Ensemble as Integrator
from linmlp.evaluation.md.simulation import Progress, RunSettings, Simulation
from linmlp.evaluation.transport.compute import check_charges, mobile_elements, transport_of
from linmlp.evaluation.transport.motion import LEAST_FRAMES, FrameCollector, Motion
from linmlp.evaluation.transport.series import TransportSeries
from linmlp.exceptions import InputError, SettingsError, StructureError

if TYPE_CHECKING:
    from linmlp.potentials import LinearPotential

Ensemble = Literal["nvt", "nve"]

INTEGRATORS: dict[str, Integrator] = {"nvt": "rescaled", "nve": "nve"}
"""Name of the simulation's ensemble. A Langevin thermostat brakes every atom by itself and with it diffusion;
stochastic velocity rescaling scales all velocities by one factor near 1 and leaves directions and ratios alone."""


def run_transport(
    model: LinearPotential,
    atoms: Atoms,
    temperatures: Sequence[float],
    charges: Mapping[str, float] | None = None,
    mobile: Sequence[str] | None = None,
    time: float = 100.0,
    equilibration: float = 10.0,
    ensemble: Ensemble = "nvt",
    timestep: float = 1.0,
    every: int = 20,
    n_runs: int = 1,
    start: float | None = None,
    viscosity: float | None = None,
    limits: Limits | None = None,
    structures: Sequence[Atoms] | None = None,
    folder: str | Path | None = None,
    random_state: int = 0,
    progress: Callable[[Progress], None] | None = None,
) -> TransportSeries:
    """Return diffusion coefficients and ionic conductivity at some temperatures by MD.

    Parameters
    ----------
    model : LinearPotential
        Fitted.
    atoms : ase.Atoms
        Start, of the volume that is wanted, periodic; a liquid must be given as a liquid.
    temperatures : sequence of float
        K.
    charges : mapping of str to float, optional
        Formal charge of every element, e, for the conductivity.
    mobile : sequence of str, optional
        Elements whose diffusion is looked at; all by default.
    time : float, default=100.0
        Length of each production run, ps.
    equilibration : float, default=10.0
        Length of the run with a Langevin thermostat before each, watched but not recorded, ps.
    ensemble : {"nvt", "nve"}, default="nvt"
        Of production: stochastic velocity rescaling over 1 ps (Bussi, Donadio and Parrinello, J. Chem. Phys. 126,
        014101, 2007), which holds the temperature and hardly disturbs diffusion; or velocity Verlet, whose temperature
        is what the start has by chance.
    timestep : float, default=1.0
        fs.
    every : int, default=20
        Steps from one frame to the next.
    n_runs : int, default=1
        Independent runs at each temperature, put together.
    start : float, optional
        Time window from which on displacements count as linear, ps; looked for by default.
    viscosity : float, optional
        mPa s; adds the correction of Yeh and Hummer for the size of a cubic cell.
    limits : Limits, optional
        What counts as a failure of the MD.
    structures : sequence of ase.Atoms, optional
        Training structures, for their closest approaches; those that the ZBL baseline knows by default.
    folder : path-like, optional
        Where trajectories are written as they run; runs that were interrupted go on from their last frame.
    random_state : int, default=0
        Seed.
    progress : callable, optional
        Is told how far each run is.

    Returns
    -------
    TransportSeries
        With Arrhenius fits for two temperatures or more.

    Raises
    ------
    InputError
        If a setting or the structure cannot be used, or a run fails.
    """
    check_is_fitted(model)
    limits = limits or Limits()
    _check(model, atoms, temperatures, ensemble, time, equilibration, timestep, every, n_runs)
    symbols = np.array(atoms.get_chemical_symbols())
    mobile_elements(symbols, mobile)
    if charges is not None:
        check_charges(symbols, charges)
    results = []
    for index, temperature in enumerate(map(float, temperatures)):
        motions = []
        for run in range(n_runs):
            settings = RunSettings(
                ensemble=INTEGRATORS[ensemble],
                temperature=temperature,
                timestep=timestep,
                every=every,
                pressure=0.0,
                equilibration=equilibration,
                seed=(random_state, index, run),
                folder=None if folder is None else Path(folder) / f"run_{run}",
            )
            motions.append(_motion_of(model, atoms, settings, time, limits, structures, progress))
        given = temperature if ensemble == "nvt" else None
        results.append(transport_of(motions, given, charges, mobile, start, viscosity, random_state))
    return TransportSeries(tuple(results))


def _motion_of(
    model: LinearPotential,
    atoms: Atoms,
    settings: RunSettings,
    time: float,
    limits: Limits,
    structures: Sequence[Atoms] | None,
    progress: Callable[[Progress], None] | None,
) -> Motion:
    """Return the motion of a run, if it did not fail."""
    collector = FrameCollector()
    simulation = Simulation(model, atoms, settings, observe=collector.take)
    failure = simulation.go(round(1000.0 * time / settings.timestep), limits, structures, progress).failure
    if failure is not None:
        raise InputError(
            f"MD at {settings.temperature:g} K failed at step {failure.step}: {failure.reason}; check_stability "
            "tells where the potential can be used, structures like the last frame in the training set help"
        )
    return collector.motion(settings.timestep * settings.every / 1000.0, unwrapped=True)


def _check(
    model: LinearPotential,
    atoms: Atoms,
    temperatures: Sequence[float],
    ensemble: str,
    time: float,
    equilibration: float,
    timestep: float,
    every: int,
    n_runs: int,
) -> None:
    """Raise where runs cannot start."""
    if ensemble not in INTEGRATORS:
        raise SettingsError(
            f"ensemble={ensemble!r}; give nvt (velocity rescaling) or nve: a barostat changes the cell, in which "
            "displacements are not defined"
        )
    if not len(temperatures) or not all(np.isfinite(t) and t > 0.0 for t in temperatures):
        raise SettingsError(f"temperatures={list(temperatures)}; give at least one, all above 0 K")
    if not (time > 0.0 and equilibration > 0.0 and timestep > 0.0 and every >= 1 and n_runs >= 1):
        raise SettingsError(
            f"time={time} ps, equilibration={equilibration} ps, timestep={timestep} fs, every={every}, n_runs={n_runs}"
            "; all must be above 0"
        )
    frames = int(1000.0 * time / (timestep * every)) + 1
    if frames < LEAST_FRAMES:
        raise SettingsError(
            f"{time:g} ps give {frames} frames, {every} steps of {timestep:g} fs apart; at least {LEAST_FRAMES} are "
            "needed, thousands are better: give more time or a smaller every"
        )
    strange = sorted(set(atoms.get_chemical_symbols()) - set(model.descriptor_.elements_))
    if strange:
        raise StructureError(
            f"the structure holds {', '.join(strange)}, but the potential was fitted to "
            f"{', '.join(model.descriptor_.elements_)}"
        )
    if not atoms.pbc.all():
        raise StructureError(f"pbc is {atoms.pbc.tolist()}; give a structure that is periodic in all three directions")
