"""`linmlp conductivity`: diffusion coefficients and ionic conductivity, of MD with a potential or of trajectories."""

import json as json_format
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from linmlp.cli.md import LiveFigures, read_numbers, read_supercell
from linmlp.evaluation.transport import Transport, TransportSeries, compute_transport, run_transport
from linmlp.evaluation.transport.results import format_estimate
from linmlp.exceptions import SettingsError
from linmlp.potentials import load

console = Console(highlight=False, soft_wrap=True)


def conductivity(
    model: Annotated[Path | None, typer.Argument(help="model file")] = None,
    structure: Annotated[
        Path | None, typer.Argument(help="structure to start from, of the volume that is wanted; its last frame")
    ] = None,
    trajectory: Annotated[
        list[Path] | None, typer.Option(help="instead of a model: a trajectory; more for independent runs")
    ] = None,
    charges: Annotated[str | None, typer.Option(help="formal charge of every element, as Li=1,Cl=-1")] = None,
    mobile: Annotated[
        str | None, typer.Option(help="elements whose diffusion is looked at, as Li; all by default")
    ] = None,
    temperatures: Annotated[
        str | None, typer.Option("--temperatures", "-T", help="K; several as 900,1000,1100; of a trajectory: one")
    ] = None,
    time: Annotated[float, typer.Option(help="ps of each run")] = 100.0,
    equilibration: Annotated[float, typer.Option(help="ps with a thermostat before each run")] = 10.0,
    ensemble: Annotated[str, typer.Option(help="nvt (velocity rescaling) or nve")] = "nvt",
    timestep: Annotated[
        float | None, typer.Option(help="of the MD, fs; 1 by default, must be given for a trajectory")
    ] = None,
    frame_interval: Annotated[
        int | None, typer.Option(help="steps from one frame to the next; 20 by default, 1 for a trajectory")
    ] = None,
    runs: Annotated[int, typer.Option(help="independent runs at each temperature")] = 1,
    supercell: Annotated[str, typer.Option(help="repeats of the structure, as 2 or 2,2,1")] = "1",
    start: Annotated[
        float | None, typer.Option(help="ps from which on displacements are linear; looked for by default")
    ] = None,
    skip: Annotated[float, typer.Option(help="ps to leave out at the beginning of a trajectory")] = 0.0,
    unwrapped: Annotated[bool, typer.Option("--unwrapped", help="positions of a trajectory are continuous")] = False,
    viscosity: Annotated[float | None, typer.Option(help="mPa s; corrects for the size of a cubic cell")] = None,
    folder: Annotated[
        Path, typer.Option("--folder", "-o", help="for trajectories; interrupted runs go on from there")
    ] = Path("conductivity"),
    seed: Annotated[int, typer.Option(help="of velocities and thermostats")] = 0,
    json: Annotated[bool, typer.Option("--json", help="print JSON instead of a table")] = False,
) -> None:
    """Print diffusion coefficients, ionic conductivity and activation energies with error bars."""
    kelvin = None if temperatures is None else read_numbers("--temperatures", temperatures)
    settings: dict[str, Any] = {
        "charges": None if charges is None else _charges(charges),
        "mobile": None if mobile is None else [element.strip() for element in mobile.split(",")],
        "start": start,
        "viscosity": viscosity,
        "random_state": seed,
    }
    if trajectory:
        if model is not None:
            raise SettingsError("give a model and a structure, or --trajectory, not both")
        if kelvin is not None and len(kelvin) > 1:
            raise SettingsError(f"--temperatures {temperatures}: trajectories are of one temperature; give one")
        found = compute_transport(
            *trajectory,
            timestep=timestep,
            every=frame_interval or 1,
            temperature=None if kelvin is None else kelvin[0],
            skip=skip,
            unwrapped=True if unwrapped else None,
            **settings,
        )
        series = TransportSeries((found,))
    else:
        if model is None or structure is None or kelvin is None:
            raise SettingsError("give a model, a structure and --temperatures, or --trajectory with --timestep")
        if skip or unwrapped:
            raise SettingsError("--skip and --unwrapped are for --trajectory; --equilibration is for MD")
        atoms = read_supercell(structure, supercell)
        with LiveFigures(len(atoms)) as live:
            series = run_transport(
                load(model),
                atoms,
                kelvin,
                time=time,
                equilibration=equilibration,
                ensemble=ensemble,  # type: ignore[arg-type]  # checked by the function
                timestep=timestep or 1.0,
                every=frame_interval or 20,
                n_runs=runs,
                folder=folder,
                progress=live.show,
                **settings,
            )
    if json:
        print(json_format.dumps(series.to_dict(), indent=1))
    else:
        _print(series)


def _print(series: TransportSeries) -> None:
    """Print a table of the temperatures, then all that has to be said."""
    first = series.results[0]
    lengths = " x ".join(f"{sum(x * x for x in row) ** 0.5:.2f}" for row in first.cell)
    console.print(f"{first.formula}, {first.n_atoms} atoms in {lengths} Å\n")
    table = Table("", *(f"{result.temperature.value:.0f} K" for result in series.results))
    for element in first.diffusion:
        table.add_row(f"D({element}), cm²/s", *(_tracer(result, element) for result in series.results))
    if first.conductivity is not None:
        found = [result.conductivity for result in series.results if result.conductivity is not None]
        table.add_row(
            "conductivity, S/cm",
            *(format_estimate(c.collective) if c.is_resolved else f"< {c.upper:.2g}" for c in found),
        )
        table.add_row("  Nernst-Einstein", *(format_estimate(c.nernst_einstein) for c in found))
        havens = [c.haven_ratio for c in found]
        table.add_row("Haven ratio", *("not determined" if h is None else format_estimate(h) for h in havens))
    table.add_row("length, ps", *(f"{result.time:.4g} ({result.n_runs})" for result in series.results))
    table.add_row("linear from, ps", *(f"{result.start:.3g}" for result in series.results))
    console.print(table)
    for result in series.results:
        for note in result.notes:
            console.print(f"note, {result.temperature.value:.0f} K: {note}")
    for fit in series.arrhenius().values():
        console.print(f"Arrhenius, {fit}")


def _tracer(result: Transport, element: str) -> str:
    """Return a cell of the table."""
    found = result.diffusion[element]
    return format_estimate(found.coefficient) if found.is_resolved else f"< {found.upper:.2g}"


def _charges(text: str) -> dict[str, float]:
    """Return the charges of an option."""
    try:
        return {element.strip(): float(value) for element, value in (part.split("=") for part in text.split(","))}
    except ValueError as error:
        raise SettingsError(f"--charges {text}: give a charge for every element, as Li=1,Cl=-1") from error
