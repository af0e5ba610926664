"""A fitted potential and its data in; everything that they tell of where it may be trusted out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from ase import Atoms

from linmlp.evaluation.transferability.cases import (
    Case,
    chemical_systems,
    element_cases,
    group_cases,
    group_names,
)
from linmlp.evaluation.transferability.condition_values import VOLUME
from linmlp.evaluation.transferability.conditions import ConditionErrors, condition_errors
from linmlp.evaluation.transferability.grades import GradeErrors, grade_errors
from linmlp.evaluation.transferability.leaving import kept_of, leave_out
from linmlp.evaluation.transferability.left_out import LeaveOut
from linmlp.evaluation.transferability.measured import Measured, fitted_potential, measure
from linmlp.evaluation.transferability.refits import training_data
from linmlp.evaluation.transferability.volumes import VolumeCoverage, cover_volumes, stable_crystals
from linmlp.exceptions import InputError
from linmlp.potentials.errors import ErrorTable
from linmlp.structures.groups import GroupBy

if TYPE_CHECKING:
    from linmlp.potentials import LinearPotential, LinearPotentialCV
    from linmlp.potentials.training_set import TrainingSet

T = TypeVar("T")

TITLES = {
    "groups": "Groups left out",
    "chemical_systems": "Chemical systems left out",
    "elements": "Compounds of elements left out",
    "test": "Errors on test structures",
    "grades": "Grades of extrapolation",
    "volume": "Volumes",
    "temperature": "Temperatures",
    "crystals": "Crystals over their volume",
}
"""Sections, in the order of the report."""


@dataclass(frozen=True)
class Transferability:
    """Where a potential may be trusted beyond what it was trained on.

    Parameters
    ----------
    groups, chemical_systems, elements : LeaveOut or None
        Errors on what was left out.
    test : ErrorTable or None
        Errors on the test structures.
    grades : GradeErrors or None
        Errors on the test structures against their distance from training.
    volume, temperature : ConditionErrors or None
        Errors on the test structures by condition, inside and outside of the range of training.
    crystals : tuple of VolumeCoverage
        Where training covers the volumes of crystals.
    missing : dict of str to str
        Sections that could not be made, and why.
    notes : tuple of str
        What a user should know.
    """

    groups: LeaveOut | None = None
    chemical_systems: LeaveOut | None = None
    elements: LeaveOut | None = None
    test: ErrorTable | None = None
    grades: GradeErrors | None = None
    volume: ConditionErrors | None = None
    temperature: ConditionErrors | None = None
    crystals: tuple[VolumeCoverage, ...] = ()
    missing: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def statement(self) -> str:
        """Return in short where the potential may be trusted.

        Returns
        -------
        str
            A line or some for each section.
        """
        lines = [f"note: {note}" for note in self.notes]
        lines += [part.summary() for part in (self.groups, self.chemical_systems, self.elements) if part is not None]
        parts: list[GradeErrors | ConditionErrors | VolumeCoverage | None] = [self.grades, self.volume]
        parts += [self.temperature, *self.crystals]
        return "\n".join([*lines, *(part.statement() for part in parts if part is not None)])

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, section by section.

        Returns
        -------
        dict
            Sections that could not be made are None; "missing" says why.
        """
        single = {name: getattr(self, name) for name in TITLES if name != "crystals"}
        sections = {name: None if part is None else part.to_dict() for name, part in single.items()}
        return {
            **sections,
            "crystals": [scan.to_dict() for scan in self.crystals],
            "missing": dict(self.missing),
            "notes": list(self.notes),
            "statement": self.statement(),
        }

    def to_json(self) -> str:
        """Return `to_dict` as JSON."""
        return json.dumps(self.to_dict(), indent=2)

    def __str__(self) -> str:
        """Return the statement, then all tables; sections that could not be made say why."""
        blocks = [f"Where the potential may be trusted\n{self.statement()}"]
        for name, title in TITLES.items():
            part = getattr(self, name)
            text = "\n".join(map(str, part)) if name == "crystals" else "" if part is None else str(part)
            if not text and name in self.missing:
                text = f"not assessed: {self.missing[name]}"
            if text:
                blocks.append(f"{title}\n{text}")
        return "\n\n".join(blocks)


def assess_transferability(
    model: LinearPotential | LinearPotentialCV,
    train: Sequence[Atoms],
    test: Sequence[Atoms] | None = None,
    *,
    groups: GroupBy = "config_type",
    temperature_key: str = "temperature",
    crystals: Mapping[str, Atoms] | None = None,
    n_folds: int | None = None,
    sample_weight: Any = None,
) -> Transferability:
    """Return all that a potential and its data tell of where it may be trusted.

    Parameters
    ----------
    model : LinearPotential or LinearPotentialCV
        Fitted; with ``uncertainty=True`` there are grades of extrapolation.
    train : sequence of ase.Atoms
        The structures that it was fitted to.
    test : sequence of ase.Atoms, optional
        Labelled structures that it was not fitted to.
    groups : str, callable or sequence, default="config_type"
        Groups of training structures that are left out, as `linmlp.structures.structure_groups` takes them.
    temperature_key : str, default="temperature"
        Key of info that holds a temperature in K, or another condition.
    crystals : dict of str to ase.Atoms, optional
        Periodic structures whose volume is scanned, by name; by default that of lowest energy of every chemical system
        in training.
    n_folds : int, optional
        Folds of the cross-validation that left-out errors are compared with; those of the model by default, 0 for none.
    sample_weight : array-like of shape (n_structures,), optional
        Of the training structures, as in the fit.

    Returns
    -------
    Transferability
        Print it. Sections that model and data do not allow say what is missing.

    Raises
    ------
    InputError
        If the training structures or their labels cannot be used, or hold elements that the potential does not know.

    Examples
    --------
    >>> from linmlp import ACE, LinearPotential
    >>> from linmlp.datasets import load_silicon
    >>> train, test = load_silicon()
    >>> model = LinearPotential(ACE(cutoff=4.0, order=2, max_degree=(6, 4)), alpha=1e-6, energy_weight=1.0).fit(train)
    >>> result = assess_transferability(model, train, test)
    >>> print(result.missing["grades"].split(";")[0])
    the potential has no grades
    """
    fitted = fitted_potential(model)
    missing: dict[str, str] = {}
    data = training_data(fitted, train, sample_weight)
    left_out = _left_out(fitted, data, _names(train, groups, data, missing), n_folds, missing)
    usual = _usual_errors(fitted, left_out)
    measured = None if test is None else _try(lambda: measure(fitted, test), missing, "test")
    if test is None:
        missing |= dict.fromkeys(("test", "grades", "volume", "temperature"), "no test structures were given")
    notes = []
    if measured is not None:
        notes = [
            f"{n} test structures hold {symbol}, which the potential does not know: they cannot be predicted"
            for symbol, n in measured.strange.items()
        ]
    elif "test" in missing:
        missing |= {name: missing["test"] for name in ("grades", "volume", "temperature")}
    conditions = _conditions(data, measured, temperature_key, missing)
    if fitted.uncertainty_ is None:
        missing["grades"] = missing["crystals"] = NO_GRADES
    return Transferability(
        groups=left_out.get("groups"),
        chemical_systems=left_out.get("chemical_systems"),
        elements=left_out.get("elements"),
        test=None if measured is None else measured.table,
        grades=None if measured is None or measured.uncertain is None else grade_errors(measured, usual),
        volume=conditions.get("volume"),
        temperature=conditions.get("temperature"),
        crystals=_crystals(fitted, data, crystals, missing),
        missing=missing,
        notes=tuple(notes),
    )


NO_GRADES = "the potential has no grades; fit it with uncertainty=True (linmlp fit --uncertainty)"


def _names(train: Sequence[Atoms], groups: GroupBy, data: TrainingSet, missing: dict[str, str]) -> list[str] | None:
    """Return the groups of the structures that count; None where they cannot be found."""
    found = _try(lambda: group_names(train, groups), missing, "groups")
    return None if found is None else kept_of(found, data)


def _left_out(
    model: LinearPotential, data: TrainingSet, names: list[str] | None, n_folds: int | None, missing: dict[str, str]
) -> dict[str, LeaveOut]:
    """Return what leaving out says, by section; all from one assembly."""
    structures = data.structures
    made: dict[str, Callable[[], list[Case]]] = {
        "chemical_systems": lambda: group_cases(structures, chemical_systems(structures), "chemical system"),
        "elements": lambda: element_cases(structures),
    }
    if names is not None:
        made["groups"] = lambda: group_cases(structures, names)
    cases = {name: _try(make, missing, name) for name, make in made.items()}
    kinds = {"groups": "group", "chemical_systems": "chemical system", "elements": "element"}
    asked = {kinds[name]: of_kind for name, of_kind in cases.items() if of_kind is not None}
    if not asked:
        return {}
    results = leave_out(model, data, asked, n_folds)
    return {name: results[kind] for name, kind in kinds.items() if kind in results}


def _usual_errors(model: LinearPotential, left_out: Mapping[str, LeaveOut]) -> dict[str, float]:
    """Return errors in cross-validation: those measured beside what was left out, else those of the fit."""
    overall = next((part.overall for part in left_out.values() if part.overall is not None), None)
    found = model.cv_errors_ if overall is None else asdict(overall)
    return {name: value for name, value in found.items() if value is not None}


def _conditions(
    data: TrainingSet, measured: Measured | None, temperature_key: str, missing: dict[str, str]
) -> dict[str, ConditionErrors | None]:
    """Return errors by volume and temperature."""
    if measured is None:
        return {}
    return {
        name: _try(partial(condition_errors, data.structures, measured, key), missing, name)
        for name, key in (("volume", VOLUME), ("temperature", temperature_key))
    }


def _crystals(
    model: LinearPotential, data: TrainingSet, crystals: Mapping[str, Atoms] | None, missing: dict[str, str]
) -> tuple[VolumeCoverage, ...]:
    """Return scans over volume."""
    if model.uncertainty_ is None:
        return ()
    chosen = stable_crystals(model, data.structures) if crystals is None else crystals
    if not chosen:
        missing["crystals"] = "no training structure has an energy and a volume without vacuum; give crystals"
    return tuple(cover_volumes(model, atoms, name=name) for name, atoms in chosen.items())


def _try(make: Callable[[], T], missing: dict[str, str], name: str) -> T | None:
    """Return what is made; where that is not possible, the reason is noted."""
    try:
        return make()
    except InputError as error:
        missing[name] = str(error)
        return None
