"""Whether MD with a potential runs, holds its temperature and conserves its energy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms
from sklearn.utils.validation import check_is_fitted

from linmlp.evaluation.md.failures import Limits
from linmlp.evaluation.md.run import Stability
from linmlp.evaluation.md.simulation import Ensemble, Progress, RunSettings, Simulation
from linmlp.exceptions import SettingsError, StructureError

if TYPE_CHECKING:
    from linmlp.potentials import LinearPotential, Precision

ENSEMBLES = ("nve", "nvt", "npt")


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
    equilibration: float = 1.0,
    random_state: int = 0,
    progress: Callable[[Progress], None] | None = None,
    precision: Precision = "double",
) -> Stability:
    """Run MD at some temperatures and return whether and how it went wrong.

    Parameters
    ----------
    model : LinearPotential
        Fitted.
    atoms : ase.Atoms
        Start; velocities are drawn from the Maxwell-Boltzmann distribution.
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
    equilibration : float, default=1.0
        ps with a Langevin thermostat before each run, watched but not recorded. Without it a crystal in NVE ends at
        half the temperature.
    random_state : int, default=0
        Seed.
    progress : callable, optional
        Is told how far the run is.
    precision : {"double", "single"}, default="double"
        Of the potential's evaluation, as in `LinearPotential.calculator`; "single" goes without a limit on the grade.

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
    _check(model, atoms, temperatures, ensemble, time, timestep, every, equilibration, limits)
    runs = []
    for index, temperature in enumerate(temperatures):
        settings = RunSettings(
            ensemble,
            float(temperature),
            timestep,
            every,
            pressure,
            equilibration,
            (random_state, index),
            folder,
            precision,
        )
        run = Simulation(model, atoms, settings)
        runs.append(run.go(round(1000.0 * time / timestep), limits, structures, progress))
    return Stability(tuple(runs))


def _check(
    model: LinearPotential,
    atoms: Atoms,
    temperatures: Sequence[float],
    ensemble: str,
    time: float,
    timestep: float,
    every: int,
    equilibration: float,
    limits: Limits,
) -> None:
    """Raise where a run cannot start."""
    if ensemble not in ENSEMBLES:
        raise SettingsError(f"ensemble={ensemble!r} is not known; give one of {', '.join(ENSEMBLES)}")
    if not len(temperatures) or not all(np.isfinite(t) and t > 0.0 for t in temperatures):
        raise SettingsError(f"temperatures={list(temperatures)}; give at least one, all above 0 K")
    if not (time > 0.0 and timestep > 0.0 and every >= 1 and equilibration >= 0.0):
        raise SettingsError(
            f"time={time} ps, timestep={timestep} fs, every={every}, equilibration={equilibration} ps; all must be "
            "above 0 (equilibration may be 0)"
        )
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
