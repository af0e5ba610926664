"""All checks on one data set."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ase import Atoms

from linmlp.structures.checks import check_structures
from linmlp.structures.data_checks.contract import SEVERITIES, Check, DataSet, Finding
from linmlp.structures.data_checks.coverage import check_coverage
from linmlp.structures.data_checks.distances import check_distances
from linmlp.structures.data_checks.duplicates import check_duplicates
from linmlp.structures.data_checks.elements import check_elements
from linmlp.structures.data_checks.energies import check_energies
from linmlp.structures.data_checks.label_blocks import check_label_blocks
from linmlp.structures.data_checks.net_forces import check_net_forces
from linmlp.structures.data_checks.stresses import check_stresses
from linmlp.structures.label_set import LabelSet
from linmlp.structures.labels import read_labels

CHECKS: tuple[Check, ...] = (
    check_label_blocks,
    check_elements,
    check_duplicates,
    check_distances,
    check_energies,
    check_net_forces,
    check_stresses,
    check_coverage,
)
"""In the order of the report."""


@dataclass(frozen=True)
class DataReport:
    """What the checks found.

    Parameters
    ----------
    findings : tuple of Finding
        Errors first, then warnings, then what is good to know.
    labels : LabelSet
        Labels of all structures; its ``report()`` counts them per group.
    """

    findings: tuple[Finding, ...]
    labels: LabelSet

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Findings that must be mended before a fit."""
        return tuple(finding for finding in self.findings if finding.severity == "error")

    def to_dict(self) -> dict[str, Any]:
        """Return the findings and how many of each severity there are."""
        counts = {name: sum(finding.severity == name for finding in self.findings) for name in SEVERITIES}
        return {"counts": counts, "findings": [finding.to_dict() for finding in self.findings]}

    def to_json(self) -> str:
        """Return `to_dict` as JSON."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False)


def check_data(train: Iterable[Atoms], test: Iterable[Atoms] | None = None, **keys: str | None) -> DataReport:
    """Return what is wrong with a data set, what is strange about it, and what it covers.

    Parameters
    ----------
    train : iterable of ase.Atoms
        Labelled training structures.
    test : iterable of ase.Atoms, optional
        Labelled test structures.
    **keys : str, optional
        ``energy_key``, ``forces_key``, ``stress_key``, ``virial_key`` as in `read_labels`.

    Returns
    -------
    DataReport
        Findings; places of test structures are counted on from those of training.

    Raises
    ------
    StructureError
        If a structure cannot be computed at all.
    LabelError
        If a label cannot be read.

    Examples
    --------
    >>> from linmlp.datasets import load_silicon
    >>> check_data(*load_silicon()).errors
    ()
    """
    training = check_structures(train)
    structures = training + (check_structures(test) if test is not None else [])
    data = DataSet(structures, read_labels(structures, **keys), len(training))
    findings = [finding for check in CHECKS for finding in check(data)]
    findings.sort(key=lambda finding: SEVERITIES.index(finding.severity))
    return DataReport(tuple(findings), data.labels)
