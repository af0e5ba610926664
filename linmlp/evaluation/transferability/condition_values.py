"""The condition of a structure: its volume per atom, or a number that it carries."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase import Atoms

from linmlp.exceptions import SettingsError
from linmlp.structures.cells import cell_volume
from linmlp.units import FloatArray

VOLUME = "volume"
"""The condition that needs no key: the volume per atom of structures without vacuum."""

VACUUM = 5.0
"""A gap between atomic layers along a cell vector that is wider than this (Å) is vacuum: the volume means nothing."""


def condition_values(structures: Sequence[Atoms], condition: str) -> FloatArray:
    """Return the condition of every structure.

    Parameters
    ----------
    structures : sequence of ase.Atoms
        Structures.
    condition : str
        "volume" or a key of ``info``.

    Returns
    -------
    ndarray of shape (n_structures,)
        Å³ per atom, or the number under the key; NaN where there is none.

    Raises
    ------
    SettingsError
        If what is under the key is no number.
    """
    if condition == VOLUME:
        return np.array([volume_per_atom(atoms) for atoms in structures])
    values = np.full(len(structures), np.nan)
    for index, atoms in enumerate(structures):
        value = atoms.info.get(condition)
        if value is None:
            continue
        try:
            values[index] = float(value)
        except (TypeError, ValueError) as error:
            raise SettingsError(
                f"info[{condition!r}] of structure {index} is {value!r}; a condition must be a number"
            ) from error
    return values


def volume_per_atom(atoms: Atoms) -> float:
    """Return the volume per atom.

    Parameters
    ----------
    atoms : ase.Atoms
        Structure.

    Returns
    -------
    float
        Å³; NaN for a structure that is not periodic in all directions, or holds a gap wider than `VACUUM`.
    """
    volume = cell_volume(atoms.cell.array)
    if volume is None or not atoms.pbc.all():
        return float("nan")
    scaled = np.sort(atoms.get_scaled_positions(wrap=True) % 1.0, axis=0)
    gaps = np.diff(np.vstack([scaled, scaled[:1] + 1.0]), axis=0).max(axis=0)
    heights = volume / np.linalg.norm(
        np.cross(np.roll(atoms.cell.array, -1, 0), np.roll(atoms.cell.array, -2, 0)), axis=1
    )
    return float("nan") if (gaps * heights).max() > VACUUM else volume / len(atoms)
