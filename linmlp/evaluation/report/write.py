"""The whole report: sections in their order, one file out."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ase import Atoms
from sklearn.utils.validation import check_is_fitted

from linmlp.evaluation.report.contract import Advance, Content, Section, Verdict
from linmlp.evaluation.report.core import CoreSection
from linmlp.evaluation.report.errors import ErrorsSection
from linmlp.evaluation.report.inputs import Inputs
from linmlp.evaluation.report.learning import LearningSection
from linmlp.evaluation.report.mechanics import MechanicsSection
from linmlp.evaluation.report.page import render_page
from linmlp.evaluation.report.parity import ParitySection
from linmlp.evaluation.report.provenance import ProvenanceSection
from linmlp.evaluation.report.search import SearchSection
from linmlp.evaluation.report.stability import StabilitySection
from linmlp.evaluation.report.transferability import TransferabilitySection
from linmlp.evaluation.report.transport import TransportSection
from linmlp.exceptions import InputError, SettingsError
from linmlp.potentials import LinearPotential, LinearPotentialCV, load
from linmlp.potentials.model_file import check_writable, replacing

SECTIONS: tuple[Section, ...] = (
    ErrorsSection(),
    ParitySection(),
    LearningSection(),
    TransferabilitySection(),
    SearchSection(),
    CoreSection(),
    MechanicsSection(),
    StabilitySection(),
    TransportSection(),
    ProvenanceSection(),
)
"""In the order of the page."""

Progress = Callable[[str, float, int], None]


@dataclass(frozen=True)
class Made:
    """A section of a report.

    Parameters
    ----------
    key, title : str
        Of the section.
    status : {"made", "not made", "failed"}
        "not made" where something was not given or the section was skipped.
    reason : str
        Why it is not there.
    content : Content
        What it says; empty where it is not there.
    """

    key: str
    title: str
    status: Literal["made", "not made", "failed"]
    reason: str
    content: Content


@dataclass(frozen=True)
class Report:
    """What a report says.

    Parameters
    ----------
    title : str
        Of the page.
    sections : tuple of Made
        In the order of the page.
    """

    title: str
    sections: tuple[Made, ...]

    @property
    def failed(self) -> list[str]:
        """Titles of the sections that failed."""
        return [section.title for section in self.sections if section.status == "failed"]

    @property
    def verdicts(self) -> list[tuple[Made, Verdict]]:
        """All verdicts with their sections, in the order of the page."""
        return [(section, verdict) for section in self.sections for verdict in section.content.verdicts]

    def to_dict(self) -> dict[str, Any]:
        """Return title, and for each section its status, reason and verdicts."""
        return {
            "title": self.title,
            "sections": {
                section.key: {
                    "status": section.status,
                    "reason": section.reason,
                    "verdicts": [{"level": v.level, "text": v.text} for v in section.content.verdicts],
                }
                for section in self.sections
            },
        }

    def __str__(self) -> str:
        """Return the verdicts, and what is not there."""
        lines = []
        for section in self.sections:
            lines += [section.title] + [f"  {v.level:8}{v.text}" for v in section.content.verdicts]
            if section.status != "made":
                lines.append(f"  {section.status}: {section.reason}")
        return "\n".join(lines)


def write_report(
    model: LinearPotential | LinearPotentialCV | str | os.PathLike[str],
    path: str | os.PathLike[str],
    test: Sequence[Atoms],
    train: Sequence[Atoms] | None = None,
    md: Atoms | None = None,
    *,
    temperatures: Sequence[float] = (300.0,),
    time: float = 10.0,
    timestep: float = 1.0,
    ensemble: Literal["nve", "nvt", "npt"] = "nvt",
    md_folder: str | os.PathLike[str] | None = None,
    crystal: Atoms | None = None,
    charges: Mapping[str, float] | None = None,
    transport_time: float = 100.0,
    skip: Collection[str] = (),
    names: Mapping[str, str] | None = None,
    command: Sequence[str] = (),
    random_state: int = 0,
    progress: Progress | None = None,
) -> Report:
    """Write one HTML file that says how good a potential is; it needs no network and no other file.

    Parameters
    ----------
    model : LinearPotential, LinearPotentialCV or path-like
        Fitted, or a model file.
    path : path-like
        Where to write; an existing file is replaced once the new one is whole.
    test : sequence of ase.Atoms
        Labelled structures that the potential was not fitted to.
    train : sequence of ase.Atoms, optional
        Those that it was fitted to, for the learning curve and a comparison with their errors.
    md : ase.Atoms, optional
        Start of MD runs.
    temperatures : sequence of float, default=(300.0,)
        Of the MD runs, K.
    time : float, default=10.0
        Of each run, ps.
    timestep : float, default=1.0
        fs.
    ensemble : {"nve", "nvt", "npt"}, default="nvt"
        Of the runs.
    md_folder : path-like, optional
        Where trajectories are kept, so that an interrupted run goes on; a temporary folder by default.
    crystal : ase.Atoms, optional
        To compress and to strain; by default `md` if it is a crystal, else one of the test structures.
    charges : mapping of str to float, optional
        Formal charge of every element, e, for diffusion and conductivity of `md`.
    transport_time : float, default=100.0
        Of each run for these, ps.
    skip : collection of str, optional
        Keys of sections to leave out, as in `SECTIONS`: "errors", "parity", "learning", "transferability", ...
    names : mapping of str to str, optional
        What to call "test", "train", "md" and "crystal", such as the files they were read from.
    command : sequence of str, optional
        The command line, to be shown.
    random_state : int, default=0
        Seed of the MD runs and the folds of the learning curve.
    progress : callable, optional
        Is told the title of a section, how many are done (with fractions) and how many there are.

    Returns
    -------
    Report
        Verdicts by ``str``; `failed` names sections that could not be made of what was given.

    Raises
    ------
    InputError
        If the model cannot be read, or the file cannot be written. What only a section needs and cannot use is said in
        that section.
    """
    unknown = sorted(set(skip) - {section.key for section in SECTIONS})
    if unknown:
        keys = ", ".join(section.key for section in SECTIONS)
        raise SettingsError(f"skip={list(skip)}: there is no section {', '.join(unknown)}; known are {keys}")
    target = Path(path)
    check_writable(target)
    file, potential, cv_results = _read(model)
    inputs = Inputs(
        potential,
        file,
        test,
        train,
        md,
        tuple(temperatures),
        time,
        timestep,
        ensemble,
        None if md_folder is None else Path(md_folder),
        crystal,
        charges,
        transport_time,
        dict(names or {}),
        shlex.join(command),
        random_state,
        cv_results,
    )
    title = f"Report on {'-'.join(potential.descriptor_.elements_)} potential" + (f" {file.name}" if file else "")
    report = Report(title, tuple(_make_all(inputs, skip, progress or _silent)))
    with replacing(target) as temporary:
        temporary.write_text(render_page(report), encoding="utf-8")
    return report


def _read(
    model: LinearPotential | LinearPotentialCV | str | os.PathLike[str],
) -> tuple[Path | None, LinearPotential, Mapping[str, Any]]:
    """Return the file of a model, the fitted potential, and the table of what its search tried."""
    if isinstance(model, str | os.PathLike):
        potential = load(model)
        return Path(model), potential, potential.cv_results_
    check_is_fitted(model)
    best = model if isinstance(model, LinearPotential) else model.best_estimator_
    return None, best, model.cv_results_


def _make_all(inputs: Inputs, skip: Collection[str], progress: Progress) -> list[Made]:
    """Return all sections; one that fails does not keep the others from being made."""
    made = []
    for index, section in enumerate(SECTIONS):
        progress(section.title, index, len(SECTIONS))
        made.append(_make(section, inputs, skip, _advance(progress, section.title, index)))
    progress("report", len(SECTIONS), len(SECTIONS))
    return made


def _make(section: Section, inputs: Inputs, skip: Collection[str], advance: Advance) -> Made:
    """Return one section."""
    nothing = Content((), ())
    if section.key in skip:
        return Made(section.key, section.title, "not made", f"it was left out (--skip {section.key})", nothing)
    missing = section.missing(inputs)
    if missing:
        return Made(section.key, section.title, "not made", missing, nothing)
    try:
        return Made(section.key, section.title, "made", "", section.make(inputs, advance))
    except InputError as error:
        return Made(section.key, section.title, "failed", str(error), nothing)


def _advance(progress: Progress, title: str, index: int) -> Advance:
    return lambda part: progress(title, index + part, len(SECTIONS))


def _silent(title: str, done: float, total: int) -> None:
    """Say nothing."""
