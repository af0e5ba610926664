"""Isolated atoms among the structures, and their energies."""

from collections.abc import Sequence

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols
from ase.geometry import minkowski_reduce

from linmlp.structures.checks import config_type
from linmlp.structures.label_set import Labels

ISOLATED_NAMES = frozenset({"isolatedatom", "isolated_atom", "isolated"})
"""Names of the group of isolated atoms, in small letters."""

ISOLATION = 12.0
"""A lone atom whose periodic images are at least this far away (Å) is isolated."""

SAME_ENERGY = 1e-3
"""Isolated atoms whose energies differ by less than this (eV) are the same."""


def is_isolated_atom(atoms: Atoms) -> bool:
    """Return whether a structure is one atom without neighbors.

    Parameters
    ----------
    atoms : ase.Atoms
        Structure.

    Returns
    -------
    bool
        True for one atom whose group is named so (IsolatedAtom, isolated_atom, isolated), or that has no periodic image
        within 12 Å.
    """
    if len(atoms) != 1:
        return False
    if config_type(atoms).lower() in ISOLATED_NAMES or not atoms.pbc.any():
        return True
    reduced, _ = minkowski_reduce(atoms.cell, pbc=atoms.pbc)
    return bool(np.linalg.norm(reduced[atoms.pbc], axis=1).min() >= ISOLATION)


def isolated_atom_energies(
    structures: Sequence[Atoms], labels: Sequence[Labels]
) -> tuple[dict[str, float], tuple[str, ...]]:
    """Return the energies of isolated atoms by element.

    Parameters
    ----------
    structures : sequence of ase.Atoms
        Structures.
    labels : sequence of Labels
        Their labels.

    Returns
    -------
    energies : dict of str to float
        Energies by symbol, eV; the lowest where there are several (of other spin states).
    notes : tuple of str
        Says so where they differ.
    """
    found: dict[str, list[float]] = {}
    for atoms, item in zip(structures, labels, strict=True):
        if item.energy is not None and is_isolated_atom(atoms):
            found.setdefault(chemical_symbols[int(item.numbers[0])], []).append(item.energy)
    notes = tuple(
        f"{len(energies)} isolated {symbol} atoms differ in energy ({min(energies):.6f} to {max(energies):.6f} eV): "
        "the lowest was taken"
        for symbol, energies in sorted(found.items())
        if max(energies) - min(energies) > SAME_ENERGY
    )
    return {symbol: min(energies) for symbol, energies in found.items()}, notes
