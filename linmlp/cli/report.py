"""`linmlp report`: one HTML file that says how good a potential is."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from linmlp.cli.console import ConsoleReporter
from linmlp.cli.md import read_numbers, read_supercell
from linmlp.evaluation.report import Report, write_report
from linmlp.exceptions import InputError
from linmlp.potentials.model_file import check_writable
from linmlp.structures import read_structures

STYLES = {"good": "green", "warning": "yellow", "bad": "bold red", "plain": ""}

console = Console(highlight=False, soft_wrap=True)


def report(
    model: Annotated[Path, typer.Argument(help="model file")],
    test: Annotated[Path, typer.Option(help="labelled structures that it was not fitted to")],
    train: Annotated[Path | None, typer.Option(help="its training structures, for the learning curve")] = None,
    md: Annotated[Path | None, typer.Option(help="structure that MD starts from; the last one of the file")] = None,
    supercell: Annotated[str, typer.Option(help="repeats of the structure of --md, as 2 or 2,2,1")] = "1",
    crystal: Annotated[
        Path | None, typer.Option(help="to compress and to strain; by default that of --md, or a test structure")
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="HTML file to write")] = Path("report.html"),
    temperatures: Annotated[str, typer.Option("--temperatures", "-T", help="of MD in K; several as 300,600")] = "300",
    time: Annotated[float, typer.Option(help="of MD at each temperature, ps")] = 10.0,
    timestep: Annotated[float, typer.Option(help="of MD, fs")] = 1.0,
    ensemble: Annotated[str, typer.Option(help="of MD: nve, nvt or npt")] = "nvt",
    charges: Annotated[str | None, typer.Option(help="for transport with --md, as Li=1,Cl=-1")] = None,
    transport_time: Annotated[float, typer.Option(help="of each run for transport, ps")] = 100.0,
    md_folder: Annotated[Path | None, typer.Option(help="folder that keeps the trajectories")] = None,
    skip: Annotated[list[str] | None, typer.Option(help="section to leave out; may be given again")] = None,
) -> None:
    """Write one HTML file with errors, plots, MD runs and verdicts; exit code 1 if a section failed."""
    files = {"test": test, "train": train, "md": md, "crystal": crystal}
    given = {name: path for name, path in files.items() if path is not None}
    check_writable(output)
    for source in (model, *given.values()):
        if output.resolve() == source.resolve():
            raise InputError(f"{output} would be overwritten, but it is read from; choose another --output")
    with ConsoleReporter(console) as bar:
        made = write_report(
            model,
            output,
            read_structures(test),
            None if train is None else read_structures(train),
            None if md is None else read_supercell(md, supercell),
            temperatures=read_numbers("--temperatures", temperatures),
            time=time,
            timestep=timestep,
            ensemble=ensemble,  # type: ignore[arg-type]  # checked by the function
            md_folder=md_folder,
            crystal=None if crystal is None else read_structures(crystal)[-1],
            charges=None if charges is None else _charges(charges),
            transport_time=transport_time,
            skip=skip or [],
            names={name: str(path) for name, path in given.items()},
            command=["linmlp", *sys.argv[1:]],
            progress=_moves(bar),
        )
    _print(made)
    console.print(f"\nwrote {output} ({output.stat().st_size / 1e6:.1f} MB)")
    raise typer.Exit(1 if made.failed else 0)


def _moves(bar: ConsoleReporter) -> Callable[[str, float, int], None]:
    """Return what moves a bar over the sections and names the one that is made."""
    named = ""

    def move(title: str, done: float, total: int) -> None:
        nonlocal named
        if title != named:
            bar.start(title, total)
            named = title
        bar.reach(done)

    return move


def _print(made: Report) -> None:
    """Print verdicts, and what is not in the report."""
    for section in made.sections:
        console.print(Text(section.title, style="bold"))
        for verdict in section.content.verdicts:
            console.print(Text(f"  {verdict.text}", style=STYLES[verdict.level]))
        if section.status != "made":
            style = STYLES["bad"] if section.status == "failed" else "dim"
            console.print(Text(f"  {section.status}: {section.reason}", style=style))


def _charges(text: str) -> dict[str, float]:
    """Return charges by element."""
    try:
        return {element.strip(): float(value) for element, value in (part.split("=") for part in text.split(","))}
    except ValueError as error:
        raise InputError(f"--charges {text}: give formal charges such as Li=1,Cl=-1") from error
