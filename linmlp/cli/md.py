"""`linmlp md`: MD runs with a potential, with live figures and verdicts."""

import json as json_format
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from ase import Atoms
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn

from linmlp.evaluation import md as simulations
from linmlp.exceptions import InputError, SettingsError
from linmlp.potentials import load
from linmlp.structures import read_structures

console = Console(highlight=False, soft_wrap=True)


def md(
    model: Annotated[Path, typer.Argument(help="model file")],
    structure: Annotated[Path, typer.Argument(help="structure to start from, any file that ASE reads; its last frame")],
    temperature: Annotated[str, typer.Option("--temperature", "-T", help="K; several as 300,600,900")] = "300",
    ensemble: Annotated[str, typer.Option(help="nve, nvt (Langevin) or npt")] = "nvt",
    time: Annotated[float, typer.Option(help="ps at each temperature")] = 10.0,
    timestep: Annotated[float, typer.Option(help="fs")] = 1.0,
    pressure: Annotated[float, typer.Option(help="of npt, GPa")] = 0.0,
    equilibration: Annotated[float, typer.Option(help="ps with a thermostat before each run")] = 1.0,
    supercell: Annotated[str, typer.Option(help="repeats of the structure, as 2 or 2,2,1")] = "1",
    folder: Annotated[
        Path, typer.Option("--folder", "-o", help="for trajectories; an interrupted run goes on from there")
    ] = Path("md"),
    every: Annotated[int, typer.Option(help="steps from one written frame to the next")] = 10,
    train: Annotated[
        Path | None, typer.Option(help="training structures, for their closest approaches; the model's by default")
    ] = None,
    min_approach: Annotated[
        float, typer.Option(help="smallest distance, in units of the closest approach in training")
    ] = 0.7,
    max_force: Annotated[float, typer.Option(help="largest force, eV/Å")] = 100.0,
    max_heating: Annotated[float, typer.Option(help="largest temperature, in units of the target")] = 2.0,
    max_grade: Annotated[float | None, typer.Option(help="largest extrapolation grade")] = None,
    timesteps: Annotated[
        str | None, typer.Option(help="instead: NVE with each of these time steps (fs), and how energy is conserved")
    ] = None,
    seed: Annotated[int, typer.Option(help="of velocities and thermostat")] = 0,
    precision: Annotated[str, typer.Option(help="double, or single: faster, ACE only, without --max-grade")] = "double",
    json: Annotated[bool, typer.Option("--json", help="print JSON instead of sentences")] = False,
) -> None:
    """Run MD and say whether it is stable; exit code 1 if a run failed."""
    potential, atoms = load(model), read_supercell(structure, supercell)
    temperatures = read_numbers("--temperature", temperature)
    if timesteps is not None:
        steps = read_numbers("--timesteps", timesteps)
        for kelvin in temperatures:
            found = simulations.check_time_steps(
                potential,
                atoms,
                kelvin,
                steps,
                time,
                equilibration,
                seed,
                precision,  # type: ignore[arg-type]  # checked by the function
            )
            print(json_format.dumps(found.to_dict()) if json else found)
        return
    limits = simulations.Limits(min_approach, max_force, max_heating, max_grade)
    with LiveFigures(len(atoms)) as live:
        result = simulations.check_stability(
            potential,
            atoms,
            temperatures,
            ensemble,  # type: ignore[arg-type]  # checked by the function
            time,
            timestep,
            limits,
            structures=None if train is None else read_structures(train),
            pressure=pressure,
            folder=folder,
            every=every,
            equilibration=equilibration,
            random_state=seed,
            progress=live.show,
            precision=precision,  # type: ignore[arg-type]  # checked by the function
        )
    if json:
        print(json_format.dumps(result.to_dict(), indent=1))
    else:
        console.print(str(result))
        console.print(f"trajectories of {len(atoms)} atoms are in {folder}")
    raise typer.Exit(0 if result.passed else 1)


class LiveFigures:
    """A bar with temperature, energy and pressure of the run; nothing without a terminal."""

    def __init__(self, n_atoms: int) -> None:
        self.n_atoms = n_atoms
        errors = Console(stderr=True)
        self.bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(20),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[figures]}"),
            console=errors,
            disable=not errors.is_terminal,
        )
        self.tasks: dict[float, tuple[TaskID, int]] = {}

    def __enter__(self) -> "LiveFigures":
        self.bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bars.stop()

    def show(self, told: simulations.Progress) -> None:
        """Move the bar of a temperature and renew its figures."""
        if told.temperature not in self.tasks:
            name = f"{told.ensemble.upper()} {told.temperature:g} K"
            task = self.bars.add_task(name, total=told.n_steps, completed=told.step, figures="")
            self.tasks[told.temperature] = (task, told.step)
        task, start = self.tasks[told.temperature]
        row = told.trace.last()
        figures = f"{row['time']:.2f} ps  {row['temperature']:.0f} K  {row['total_energy']:+.4f} eV/atom"
        if np.isfinite(row["pressure"]):
            figures += f"  {row['pressure']:+.1f} GPa"
        seconds = self.bars.tasks[task].elapsed
        if seconds and told.step > start:
            figures += f"  {1e6 * seconds / ((told.step - start) * self.n_atoms):.1f} µs/atom/step"
        self.bars.update(task, completed=told.step, figures=figures)


def read_supercell(path: Path, supercell: str) -> Atoms:
    """Return the last structure of a file, repeated.

    Parameters
    ----------
    path : Path
        File that ASE reads.
    supercell : str
        One number of repeats, or three with commas.

    Returns
    -------
    ase.Atoms
        The supercell.

    Raises
    ------
    SettingsError
        If the repeats cannot be understood.
    """
    atoms = read_structures(path)[-1]
    repeats = supercell.split(",")
    if len(repeats) not in (1, 3) or not all(part.strip().isdigit() and int(part) > 0 for part in repeats):
        raise SettingsError(f"--supercell {supercell}: give one whole number above 0, or three as 2,2,1")
    return atoms.repeat([int(part) for part in repeats] * (3 // len(repeats)))


def read_numbers(option: str, text: str) -> list[float]:
    """Return the numbers of an option.

    Parameters
    ----------
    option : str
        Its name.
    text : str
        Numbers with commas.

    Returns
    -------
    list of float
        At least one.

    Raises
    ------
    InputError
        If it is something else.
    """
    try:
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise InputError(f"{option} {text}: give a number, or several as 300,600") from error
