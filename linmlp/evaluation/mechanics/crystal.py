"""A potential and a crystal, checked; relaxations that say where they do not converge."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.filters import FrechetCellFilter
from ase.optimize import BFGS
from sklearn.utils.validation import check_is_fitted

from linmlp.exceptions import SettingsError, StructureError
from linmlp.units import EV_PER_A3_IN_GPA

if TYPE_CHECKING:
    from linmlp.potentials import LinearPotential

Model: TypeAlias = "LinearPotential | Calculator"

FORCE = 1e-4
"""Relaxations end below this force, eV/Å."""

STEPS = 500
"""Steps after which a relaxation has failed."""


def calculator_of(model: Model) -> Any:
    """Return an ASE calculator.

    Parameters
    ----------
    model : LinearPotential or ASE calculator
        A fitted potential, or a calculator, which is returned as it is.

    Returns
    -------
    ASE calculator
        For energies, forces and stresses.

    Raises
    ------
    SettingsError
        If it is neither.
    """
    if hasattr(model, "get_property") or hasattr(model, "get_potential_energy"):
        return model
    if not callable(getattr(model, "calculator", None)):
        raise SettingsError(f"{type(model).__name__} is no potential; give a LinearPotential or an ASE calculator")
    check_is_fitted(model)
    return model.calculator()


def crystal(model: Model, atoms: Atoms) -> Atoms:
    """Return a copy of a periodic structure that carries the calculator of a potential.

    Parameters
    ----------
    model : LinearPotential or ASE calculator
        Potential.
    atoms : ase.Atoms
        Structure.

    Returns
    -------
    ase.Atoms
        Without constraints.

    Raises
    ------
    StructureError
        If it is not periodic in all three directions, has no volume, or holds elements that the potential lacks.
    """
    if not isinstance(atoms, Atoms) or len(atoms) == 0:
        raise StructureError(f"{atoms!r} is no structure with atoms; give ase.Atoms")
    if not atoms.pbc.all() or abs(atoms.cell.volume) < 1e-6:
        raise StructureError(
            f"pbc is {atoms.pbc.tolist()} and the volume of the cell {abs(atoms.cell.volume):g} Å³; properties of a "
            "crystal need a structure that is periodic in all three directions"
        )
    known = getattr(getattr(model, "descriptor_", None), "elements_", None)
    strange = [] if known is None else sorted(set(atoms.get_chemical_symbols()) - set(known))
    if strange:
        raise StructureError(
            f"the structure holds {', '.join(strange)}, but the potential was fitted to {', '.join(known or ())}; "
            "fit it to structures that hold them, too"
        )
    copy = atoms.copy()
    copy.set_constraint()
    copy.calc = calculator_of(model)
    return copy


def relax(
    atoms: Atoms,
    cell: bool = False,
    fixed_volume: bool = False,
    max_force: float = FORCE,
    max_steps: int = STEPS,
    name: str = "the structure",
) -> Atoms:
    """Relax positions, and the cell where that is asked for, in place.

    Parameters
    ----------
    atoms : ase.Atoms
        With a calculator.
    cell : bool, default=False
        Whether the cell is relaxed, too.
    fixed_volume : bool, default=False
        Whether the cell keeps its volume.
    max_force : float, default=1e-4
        Largest force on an atom that is left, eV/Å; for the cell, volume times stress per atom, eV.
    max_steps : int, default=500
        Steps after which it has failed.
    name : str
        What messages call the structure.

    Returns
    -------
    ase.Atoms
        The same.

    Raises
    ------
    StructureError
        If it does not converge, or leaves the region where energies are finite.
    """
    target = FrechetCellFilter(atoms, constant_volume=fixed_volume) if cell else atoms
    largest = _largest(target)
    if largest > max_force:
        try:
            with warnings.catch_warnings():
                # The logarithm of a cell that has hardly changed is accurate to 1e-12, and scipy says so.
                warnings.filterwarnings("ignore", "logm result may be inaccurate", RuntimeWarning)
                BFGS(target, logfile=None).run(fmax=max_force, steps=max_steps)
        except (RuntimeError, ValueError, np.linalg.LinAlgError) as error:
            raise StructureError(f"the relaxation of {name} broke off: {error}") from error
        largest = _largest(target)
    if not largest <= max_force:
        raise StructureError(
            f"the relaxation of {name} did not converge: the largest force is {largest:.2g} eV/Å after {max_steps} "
            f"steps, wanted {max_force:g}; give more max_steps or a larger max_force, or start closer to the minimum"
        )
    return atoms


def _largest(target: Any) -> float:
    forces = np.asarray(target.get_forces(), dtype=float)
    return float(np.sqrt((forces**2).sum(axis=1)).max())


def pressure_of(atoms: Atoms) -> float:
    """Return the pressure on a crystal.

    Parameters
    ----------
    atoms : ase.Atoms
        With a calculator.

    Returns
    -------
    float
        GPa.
    """
    return -float(atoms.get_stress()[:3].mean()) * EV_PER_A3_IN_GPA


def supercell_of(atoms: Atoms, length: float) -> tuple[int, int, int]:
    """Return how often a cell is repeated for opposite faces to be a length apart.

    Parameters
    ----------
    atoms : ase.Atoms
        Periodic structure.
    length : float
        Å.

    Returns
    -------
    tuple of int
        Along the three cell vectors.
    """
    heights = 1.0 / np.linalg.norm(np.linalg.inv(atoms.cell.array), axis=0)
    a, b, c = (max(1, int(np.ceil(length / height - 1e-6))) for height in heights)
    return a, b, c
