"""`linmlp report`: one HTML file that says how good a potential is."""

import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

from linmlp.cli.console import ConsoleReporter
from linmlp.evaluation.report import Report, write_report
from linmlp.exceptions import InputError
from linmlp.potentials.model_file import check_writable
from linmlp.structures import read_structures

STYLES = {"good": "green", "warning": "yellow", "bad": "bold red", "plain": ""}


def run_report(
    model: Path,
    test: Path,
    train: Path | None,
    md: Path | None,
    output: Path,
    temperatures: str,
    time: float,
    timestep: float,
    ensemble: str,
    md_folder: Path | None,
    skip: list[str],
    console: Console,
) -> Report:
    """Read what was given, write the report, print its verdicts.

    Parameters
    ----------
    model, test : Path
        Model file and labelled test structures.
    train, md : Path or None
        Labelled training structures; a structure to start MD from.
    output : Path
        HTML file.
    temperatures : str
        K, separated by commas.
    time, timestep : float
        Of MD, ps and fs.
    ensemble : str
        Of MD.
    md_folder : Path or None
        Where trajectories are kept.
    skip : list of str
        Sections to leave out.
    console : Console
        Where to print.

    Returns
    -------
    Report
        What was written.
    """
    check_writable(output)
    for source in (model, test, train, md):
        if source is not None and output.resolve() == source.resolve():
            raise InputError(f"{output} would be overwritten, but it is read from; choose another --output")
    given = {name: path for name, path in (("test", test), ("train", train), ("md", md)) if path is not None}
    with ConsoleReporter(console) as reporter:
        shown: list[str] = []

        def progress(title: str, done: float, total: int) -> None:
            if shown[-1:] != [title]:
                shown.append(title)
                reporter.start(title, total)
            reporter.reach(done)

        report = write_report(
            model,
            output,
            read_structures(test),
            None if train is None else read_structures(train),
            None if md is None else read_structures(md, "-1")[0],
            temperatures=_numbers(temperatures),
            time=time,
            timestep=timestep,
            ensemble=ensemble,  # type: ignore[arg-type]  # check_stability says which are known
            md_folder=md_folder,
            skip=skip,
            names={name: str(path) for name, path in given.items()},
            command=["linmlp", *sys.argv[1:]],
            progress=progress,
        )
    _print(report, console)
    console.print(f"\nwrote {output} ({output.stat().st_size / 1e6:.1f} MB)")
    return report


def _print(report: Report, console: Console) -> None:
    """Print verdicts, and what is not in the report."""
    for section in report.sections:
        console.print(Text(section.title, style="bold"))
        for verdict in section.content.verdicts:
            console.print(Text(f"  {verdict.text}", style=STYLES[verdict.level]))
        if section.status != "made":
            style = STYLES["bad"] if section.status == "failed" else "dim"
            console.print(Text(f"  {section.status}: {section.reason}", style=style))


def _numbers(text: str) -> list[float]:
    """Return temperatures."""
    try:
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise InputError(f"--temperatures {text}: give numbers in K separated by commas, such as 300,600") from error
