"""A front in, a file out: a page, a picture or JSON, by its ending."""

from __future__ import annotations

import os
from pathlib import Path

from linmlp.evaluation.front.plots import LABELS, plot_front
from linmlp.evaluation.front.result import COLUMNS, Front
from linmlp.evaluation.report.contract import Content, Gallery, Paragraph, Table, Verdict
from linmlp.evaluation.report.figures import embed, new_axes, style
from linmlp.evaluation.report.page import render_page
from linmlp.evaluation.report.write import Made, Report
from linmlp.exceptions import SettingsError
from linmlp.potentials.model_file import check_writable, replacing

ENDINGS = (".html", ".json", ".png", ".svg", ".pdf")

EXPLANATION = (
    "Errors are those of structures that were held out, of potentials with all functions up to some degrees and of "
    "functions selected one by one, anew in every fold; scores are the geometric mean of both errors against the "
    "smallest. Times are medians, on one thread, of energies, forces and stress, without the search for "
    "neighbors. Filled points are on the front: no other is better at the same cost or less."
)


def check_output(path: str | os.PathLike[str]) -> None:
    """Raise where a front cannot be written, before work is spent on it.

    Parameters
    ----------
    path : path-like
        Where it will be written.

    Raises
    ------
    InputError
        If the ending is unknown or the folder cannot be written to.
    """
    if Path(path).suffix.lower() not in ENDINGS:
        raise SettingsError(f"cannot write {path}: its ending says what to write; give one of {', '.join(ENDINGS)}")
    check_writable(path)


def write_front(front: Front, path: str | os.PathLike[str], budget: float | None = None) -> None:
    """Write a front as a page (.html), JSON or a picture (.png, .svg, .pdf).

    Parameters
    ----------
    front : Front
        What to write.
    path : path-like
        Where; an existing file is replaced once the new one is whole.
    budget : float, optional
        Largest cost, µs per atom and step, that the recommendation keeps to.

    Raises
    ------
    InputError
        If the ending is unknown or the file cannot be written.
    """
    check_output(path)
    target = Path(path)
    ending = target.suffix.lower()
    with replacing(target) as temporary:
        if ending == ".json":
            temporary.write_text(front.to_json(budget), encoding="utf-8")
        elif ending == ".html":
            temporary.write_text(render_page(_page(front, budget)), encoding="utf-8")
        else:
            _draw(front, temporary, ending, budget)


def _page(front: Front, budget: float | None) -> Report:
    """Return the front as a page of one section."""
    try:
        verdict = Verdict("good", front.statement(budget), headline=True)
    except SettingsError as error:
        verdict = Verdict("bad", f"{error}.", headline=True)
    caption = f"{front.n_structures} structures, {front.n_folds} folds, cutoff {front.cutoff:g} Å."
    with style():
        figures = [
            embed(metric, plot_front(front, metric, budget=budget), f"{label} over cost", f"{label} over cost.")
            for metric, label in _drawn(front).items()
        ]
    blocks = (Paragraph(EXPLANATION), Table(caption, COLUMNS, tuple(front.rows())), Gallery(tuple(figures)))
    return Report("Accuracy against cost", (Made("front", "Front", "made", "", Content((verdict,), blocks)),))


def _draw(front: Front, path: Path, ending: str, budget: float | None) -> None:
    """Write a picture with a panel for each error."""
    with style():
        drawn = _drawn(front)
        figure = new_axes(4.2 * len(drawn), 3.4).figure
        figure.clear()
        for ax, metric in zip(figure.subplots(1, len(drawn), squeeze=False)[0], drawn, strict=True):
            plot_front(front, metric, ax, budget)
        figure.savefig(path, format=ending[1:], dpi=150)


def _drawn(front: Front) -> dict[str, str]:
    """Return the errors that the points have, with their names."""
    return {k: label for k, label in LABELS.items() if all(getattr(p, k) is not None for p in front.points)}
