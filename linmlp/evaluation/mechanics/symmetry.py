"""What spglib knows of the symmetry of a crystal."""

import warnings
from typing import Any

import numpy as np
import spglib
from ase import Atoms

from linmlp.exceptions import StructureError
from linmlp.units import FloatArray, IntArray

SYMMETRY_TOLERANCE = 1e-3
"""Positions within this distance are symmetrically equivalent, Å."""


def rotations_of(atoms: Atoms, tolerance: float = SYMMETRY_TOLERANCE) -> FloatArray:
    """Return the rotations, proper and improper, of the point group of a crystal.

    Parameters
    ----------
    atoms : ase.Atoms
        Periodic structure.
    tolerance : float, default=1e-3
        Distance within which positions are equivalent, Å.

    Returns
    -------
    ndarray of shape (n_rotations, 3, 3)
        Cartesian: x goes to ``R @ x``.
    """
    lattice = atoms.cell.array.T
    rotations = np.unique(np.asarray(dataset_of(atoms, tolerance).rotations, dtype=float), axis=0)
    return np.asarray(lattice @ rotations @ np.linalg.inv(lattice))


def inequivalent_atoms(atoms: Atoms, tolerance: float = SYMMETRY_TOLERANCE) -> IntArray:
    """Return one atom of every set of symmetrically equivalent ones.

    Parameters
    ----------
    atoms : ase.Atoms
        Periodic structure.
    tolerance : float, default=1e-3
        Distance within which positions are equivalent, Å.

    Returns
    -------
    ndarray of int
        Ascending.
    """
    return np.unique(np.asarray(dataset_of(atoms, tolerance).equivalent_atoms, dtype=np.int64))


def dataset_of(atoms: Atoms, tolerance: float = SYMMETRY_TOLERANCE) -> Any:
    """Return what spglib knows of the symmetry of a crystal.

    Parameters
    ----------
    atoms : ase.Atoms
        Periodic structure.
    tolerance : float, default=1e-3
        Distance within which positions are equivalent, Å.

    Returns
    -------
    spglib.SpglibDataset
        Rotations, equivalent atoms, names.

    Raises
    ------
    StructureError
        If spglib finds no symmetry at all, which happens where atoms sit on each other.
    """
    return _ask_spglib("get_symmetry_dataset", atoms, symprec=tolerance)


def conventional_cell(atoms: Atoms, tolerance: float = SYMMETRY_TOLERANCE) -> Atoms:
    """Return the conventional cell of a crystal, in the standard orientation.

    Parameters
    ----------
    atoms : ase.Atoms
        Periodic structure.
    tolerance : float, default=1e-3
        Distance within which positions are equivalent, Å.

    Returns
    -------
    ase.Atoms
        With positions that have the symmetry exactly.
    """
    lattice, positions, numbers = _ask_spglib(
        "standardize_cell", atoms, to_primitive=False, no_idealize=False, symprec=tolerance
    )
    return Atoms(numbers, cell=lattice, scaled_positions=positions, pbc=True)


def _ask_spglib(function: str, atoms: Atoms, **settings: Any) -> Any:
    """Return the answer of a function of spglib, which gives None or raises where there is none."""
    cell = atoms.cell.array, atoms.get_scaled_positions(), np.asarray(atoms.numbers, dtype=np.int64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the two ways of handling errors
        try:
            answer = getattr(spglib, function)(cell, **settings)
        except spglib.error.SpglibError:
            answer = None
    if answer is None:
        raise StructureError(f"spglib finds no symmetry of {atoms.get_chemical_formula()}; are atoms on each other?")
    return answer
