"""`linmlp check`: what the checks of a data set found, as a table."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from linmlp.structures.data_checks import DataReport, Finding

STYLES = {"error": "bold red", "warning": "yellow", "info": "dim"}
SHOWN = 6
"""Structures that a line names; JSON names all."""


def print_report(report: DataReport, n_train: int, console: Console) -> None:
    """Print the labels per group, the findings, and the verdict.

    Parameters
    ----------
    report : DataReport
        What was found.
    n_train : int
        Number of training structures.
    console : Console
        Where to print.
    """
    console.print(Text(report.labels.report() + "\n"))
    table = Table("severity", "check", "structures", "seen", "wanted", "what to do", width=max(console.width, 100))
    for finding in report.findings:
        places = Text(_places(finding, n_train))
        texts = (Text(text) for text in (finding.seen, finding.wanted, finding.advice))
        table.add_row(Text(finding.severity, style=STYLES[finding.severity]), finding.check, places, *texts)
    console.print(table)
    counts = report.to_dict()["counts"]
    console.print(f"{counts['error']} errors, {counts['warning']} warnings")


def _places(finding: Finding, n_train: int) -> str:
    """Return the places of structures, those of the test set counted from 0 again, and their groups."""
    names = [str(i) if i < n_train else f"test {i - n_train}" for i in finding.structures[:SHOWN]]
    more = f" and {len(finding.structures) - SHOWN} more" if len(finding.structures) > SHOWN else ""
    groups = ", ".join(finding.groups[:SHOWN]) + (", ..." if len(finding.groups) > SHOWN else "")
    return f"{', '.join(names)}{more} ({groups})"
