"""Labels and predictions of one kind, side by side, as plots take them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from linmlp.evaluation.report.figures import COLORS
from linmlp.evaluation.report.inputs import Evaluated
from linmlp.units import EV_PER_A3_IN_GPA, FloatArray

SHOWN_GROUPS = 6
"""Groups that get a colour of their own."""


@dataclass(frozen=True)
class Points:
    """Labels and predictions of one kind.

    Parameters
    ----------
    kind : {"energy", "force", "stress"}
        Kind of label.
    reference, predicted : ndarray of shape (n,)
        Energy per atom less reference energies (eV/atom), force components (eV/Å), stress components (GPa).
    error : ndarray of shape (n,)
        Predictions minus labels, in the units of the table of errors.
    group : ndarray of shape (n,)
        Name of the group of each.
    """

    kind: str
    reference: FloatArray
    predicted: FloatArray
    error: FloatArray
    group: Any


def collect_points(evaluated: Evaluated, kind: str, e0: Mapping[str, float]) -> Points:
    """Return labels and predictions of one kind, masked components left out.

    Parameters
    ----------
    evaluated : Evaluated
        Structures.
    kind : {"energy", "force", "stress"}
        Kind of label.
    e0 : mapping of str to float
        Reference energies, eV.

    Returns
    -------
    Points
        Empty where nothing carries the label.
    """
    errors, references, groups = [], [], []
    for atoms, label, found in zip(evaluated.structures, evaluated.labels, evaluated.table.structures, strict=True):
        error = getattr(found, kind).ravel()
        if not error.size:
            continue
        if kind == "energy":
            reference = np.array([(label.energy or 0.0) - sum(e0[s] for s in atoms.get_chemical_symbols())]) / len(
                atoms
            )
        elif kind == "force":
            assert label.forces is not None
            reference = label.forces[label.force_weight > 0]
        else:
            assert label.stress is not None
            reference = label.stress[label.stress_weight > 0] * EV_PER_A3_IN_GPA
        errors.append(error)
        references.append(reference.ravel())
        groups.append(np.full(error.size, found.group))
    if not errors:
        return Points(kind, np.empty(0), np.empty(0), np.empty(0), np.empty(0, dtype=str))
    error, reference = np.concatenate(errors), np.concatenate(references)
    factor = 1e-3 if kind == "energy" else 1.0  # the table has energies in meV
    return Points(kind, reference, reference + factor * error, error, np.concatenate(groups))


def force_vectors(evaluated: Evaluated) -> tuple[FloatArray, FloatArray]:
    """Return the sizes of labelled forces and of their errors, of atoms without masked components.

    Parameters
    ----------
    evaluated : Evaluated
        Structures.

    Returns
    -------
    sizes, errors : ndarray of shape (n_atoms,)
        eV/Å.
    """
    sizes, errors = [np.empty(0)], [np.empty(0)]
    for label, prediction in zip(evaluated.labels, evaluated.predictions, strict=True):
        if label.forces is not None:
            whole = (label.force_weight > 0).all(axis=1)
            sizes.append(np.linalg.norm(label.forces[whole], axis=1))
            errors.append(np.linalg.norm(prediction.forces[whole] - label.forces[whole], axis=1))
    return np.concatenate(sizes), np.concatenate(errors)


def color_groups(groups: Sequence[str]) -> list[tuple[str, Any, str]]:
    """Return name, mask and colour of the largest groups, and of all others together.

    Parameters
    ----------
    groups : sequence of str
        Group of each point.

    Returns
    -------
    list of (str, ndarray of bool, str)
        At most `SHOWN_GROUPS` + 1, largest first.
    """
    names, counts = np.unique(np.asarray(groups), return_counts=True)
    largest = names[np.argsort(-counts, kind="stable")]
    shown = largest if len(largest) <= SHOWN_GROUPS + 1 else largest[:SHOWN_GROUPS]
    found = [(str(n), np.asarray(groups) == n, c) for n, c in zip(shown, COLORS, strict=False)]
    if len(shown) < len(largest):
        found.append(("others", ~np.isin(groups, shown), COLORS[-1]))
    return found
