"""What a structure must be before anything is computed from it."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from ase import Atom, Atoms
from scipy.spatial import cKDTree

from linmlp.exceptions import InputError, StructureError
from linmlp.structures.cells import check_periodic_vectors, complete_cell
from linmlp.units import FloatArray

CLOSEST = 0.1
"""Two atoms closer than this (Å) are taken for a mistake in the file."""


def config_type(atoms: Atoms) -> str:
    """Return the group a structure belongs to: ``info["config_type"]``, else ``info["group"]``, else "default".

    Parameters
    ----------
    atoms : ase.Atoms
        Structure.

    Returns
    -------
    str
        Name of the group.
    """
    for key in ("config_type", "group"):
        if key in atoms.info:
            return str(atoms.info[key])
    return "default"


def describe(index: int, atoms: Atoms) -> str:
    """Return the words by which messages name a structure.

    Parameters
    ----------
    index : int
        Place in the list the user gave, from 0.
    atoms : ase.Atoms
        Structure.

    Returns
    -------
    str
        For example ``structure 12 (Si64, config_type "Vacancy")``.
    """
    return f'structure {index} ({atoms.get_chemical_formula()}, config_type "{config_type(atoms)}")'


def as_structure_list(structures: Iterable[Atoms]) -> list[Atoms]:
    """Return the structures as a list, after checking that they are structures.

    Parameters
    ----------
    structures : iterable of ase.Atoms
        List, tuple, generator or one-dimensional object array.

    Returns
    -------
    list of ase.Atoms
        The same objects.

    Raises
    ------
    StructureError
        If it is empty, a lone structure, or holds something else.
    """
    wanted = "give a list of ase.Atoms, for example ase.io.read(path, ':')"
    if isinstance(structures, Atoms):
        raise StructureError(f"got one ase.Atoms instead of a list of them; put it in brackets: [{_name(structures)}]")
    if isinstance(structures, str | bytes) or not isinstance(structures, Iterable):
        raise StructureError(f"got {structures!r} ({type(structures).__name__}) instead of structures; {wanted}")
    if isinstance(structures, np.ndarray) and structures.ndim != 1:
        raise StructureError(
            f"got an array of shape {structures.shape}; numpy takes lists of ase.Atoms apart into atoms: {wanted}"
        )
    collected = list(structures)
    if not collected:
        raise StructureError(f"the list of structures is empty; {wanted}")
    for index, atoms in enumerate(collected):
        if isinstance(atoms, Atom):
            raise StructureError(f"entry {index} is a single ase.Atom, taken out of its structure; {wanted}")
        if not isinstance(atoms, Atoms):
            raise StructureError(f"entry {index} is a {type(atoms).__name__} instead of ase.Atoms; {wanted}")
    return collected


def check_structures(structures: Iterable[Atoms]) -> list[Atoms]:
    """Return the structures as a list, after checking that each one can be computed.

    Parameters
    ----------
    structures : iterable of ase.Atoms
        List, tuple, generator or one-dimensional object array.

    Returns
    -------
    list of ase.Atoms
        The same objects.

    Raises
    ------
    StructureError
        If the list is empty or holds something else than structures; if a structure has no atoms, atoms of no element,
        numbers that are not finite, a zero or dependent cell vector along a periodic axis, or atoms closer than 0.1 Å,
        periodic images included. The message names the structure.
    """
    collected = as_structure_list(structures)
    for index, atoms in enumerate(collected):
        check_structure(index, atoms)
    return collected


def check_structure(index: int, atoms: Atoms) -> None:
    """Raise if a structure cannot be computed; see `check_structures`.

    Parameters
    ----------
    index : int
        Place in the list the user gave, for the message.
    atoms : ase.Atoms
        Structure.

    Raises
    ------
    StructureError
        The message names the structure.
    """
    try:
        _check_structure(atoms)
    except InputError as error:
        raise StructureError(f"{describe(index, atoms)}: {error}") from None


def _check_structure(atoms: Atoms) -> None:
    """Raise if a structure cannot be computed."""
    if len(atoms) == 0:
        raise StructureError("has no atoms; remove it from the list")
    if atoms.numbers.min() < 1:
        raise StructureError(f"atom {int(atoms.numbers.argmin())} is of no element ('X'); give it one or remove it")
    bad = np.flatnonzero(~np.isfinite(atoms.positions).all(axis=1))
    if len(bad):
        raise StructureError(
            f"the position of atom {bad[0]} is {atoms.positions[bad[0]].tolist()}; positions must be finite numbers"
        )
    cell = np.asarray(atoms.cell.array, dtype=float)
    if not np.isfinite(cell).all():
        raise StructureError(f"the cell is {cell.tolist()}; cell vectors must be finite numbers")
    check_periodic_vectors(cell, np.flatnonzero(atoms.pbc))
    close = find_close_atoms(atoms)
    if close is not None:
        i, j, distance = close
        raise StructureError(
            f"atoms {i} and {j} are {distance:.3g} Å apart (periodic images included), closer than {CLOSEST} Å; "
            "remove the structure, or check the units of positions and cell"
        )


def find_close_atoms(atoms: Atoms, closest: float = CLOSEST) -> tuple[int, int, float] | None:
    """Return the closest two atoms of a structure where they are closer than a given distance.

    Parameters
    ----------
    atoms : ase.Atoms
        Structure with finite positions, and a cell of full rank along its periodic axes.
    closest : float, default=0.1
        Distance, Å.

    Returns
    -------
    tuple of (int, int, float) or None
        The two atoms and their distance in Å, or None where no two are that close.

    Raises
    ------
    StructureError
        If the cell is thinner than twice the distance: atoms then touch their own images.

    Notes
    -----
    Along the normal of each face of the cell two atoms are at most as far apart as in space. So a search in these
    three coordinates, each with the period of the cell's height, misses no close pair; it finds few others.
    """
    lattice = complete_cell(np.asarray(atoms.cell.array, dtype=float), atoms.pbc)
    inverse = np.linalg.inv(lattice)
    heights = 1.0 / np.sqrt(np.einsum("xk,xk->k", inverse, inverse))
    if (heights[atoms.pbc] < 2.0 * closest).any():
        axis = int(np.flatnonzero(atoms.pbc & (heights < 2.0 * closest))[0])
        raise StructureError(
            f"the cell is only {heights[axis]:.3g} Å thick along axis {axis}, so that atoms touch their own images; "
            "check the units of the cell"
        )
    fractional = atoms.positions @ inverse
    fractional[:, atoms.pbc] %= 1.0
    fractional[:, atoms.pbc] %= 1.0  # a tiny negative number becomes 1.0 at first
    tree = cKDTree(fractional * heights, boxsize=np.where(atoms.pbc, heights, 0.0))
    candidates = tree.query_pairs(closest, p=np.inf, output_type="ndarray")
    if len(candidates) == 0:
        return None
    difference = fractional[candidates[:, 1]] - fractional[candidates[:, 0]]
    difference -= np.where(atoms.pbc, np.round(difference), 0.0)
    distances: FloatArray = np.linalg.norm(difference @ lattice, axis=1)
    best = int(distances.argmin())
    if distances[best] >= closest:
        return None
    i, j = candidates[best].tolist()
    return i, j, float(distances[best])


def _name(structure: Any) -> str:
    """Return a short name for a structure in a message."""
    return f"Atoms('{structure.get_chemical_formula()}')"
