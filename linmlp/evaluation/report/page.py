"""A report in, the text of an HTML page out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

if TYPE_CHECKING:
    from linmlp.evaluation.report.write import Report

MARKS = {"good": "good", "warning": "watch", "bad": "bad", "plain": "note"}
"""What stands before a verdict: words, because colours alone tell some people nothing."""


def render_page(report: Report) -> str:
    """Return a report as one HTML page.

    Parameters
    ----------
    report : Report
        What it says.

    Returns
    -------
    str
        HTML with its style sheet and pictures inside.
    """
    environment = Environment(
        loader=PackageLoader("linmlp.evaluation.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    counts = {level: sum(v.level == level for _, v in report.verdicts) for level in MARKS}
    return environment.get_template("page.html").render(
        report=report, marks=MARKS, counts=counts, style=_style(environment)
    )


def _style(environment: Environment) -> str:
    """Return the style sheet."""
    return environment.get_template("style.css").render()
