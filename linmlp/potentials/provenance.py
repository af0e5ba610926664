"""What a potential was trained on: numbers and hashes that tell whether two fits saw the same data."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from ase import Atoms

from linmlp.structures import LabelSet


def data_hash(structures: Sequence[Atoms], labels: LabelSet) -> str:
    """Return a hash of structures and labels that tells whether two fits saw the same data.

    Parameters
    ----------
    structures : sequence of ase.Atoms
        Structures.
    labels : LabelSet
        Their labels.

    Returns
    -------
    str
        SHA-256 in hexadecimal.
    """
    digest = hashlib.sha256()
    for structure, label in zip(structures, labels, strict=True):
        for array in (structure.numbers, structure.positions, structure.cell.array, structure.pbc):
            digest.update(np.ascontiguousarray(array).tobytes())
        for value in (label.energy, label.forces, label.stress):
            digest.update(b"-" if value is None else np.ascontiguousarray(value, dtype=float).tobytes())
    return digest.hexdigest()


def provenance(structures: Sequence[Atoms], labels: LabelSet) -> dict[str, Any]:
    """Return what is remembered of training structures.

    Parameters
    ----------
    structures : sequence of ase.Atoms
        Structures.
    labels : LabelSet
        Their labels.

    Returns
    -------
    dict
        Number of structures, hash, report on the labels.
    """
    return {"n_structures": len(structures), "data_hash": data_hash(structures, labels), "labels": labels.report()}


def merge_provenance(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what is remembered of several sets of training structures together.

    Parameters
    ----------
    parts : sequence of mapping
        As given by `provenance` or this function.

    Returns
    -------
    dict
        Does not depend on the order; "parts" holds the hashes of the single sets.
    """
    hashes = sorted(h for part in parts for h in part.get("parts", [part["data_hash"]]))
    return {
        "n_structures": sum(part["n_structures"] for part in parts),
        "data_hash": hashlib.sha256("".join(hashes).encode()).hexdigest(),
        "labels": "\n".join(part["labels"] for part in parts),
        "parts": hashes,
    }
