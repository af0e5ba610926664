"""What dscribe 2.1 needs to work with ASE 3.29."""

import warnings
from typing import Any

from ase import Atoms


def repair_system() -> None:
    """Let dscribe's System hand its arguments to ASE by name, if it cannot be made as it is.

    dscribe 2.1 hands them on by position, and ASE 3.29 took one of them away, so that all many-body tensors fail with
    'Use only one of "momenta" and "velocities"'. Nothing is changed where they work.
    """
    from dscribe.core.system import System

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            System.from_atoms(Atoms("H"))
        except TypeError:
            System.__init__ = _make_system
            System.from_atoms = staticmethod(_system_from_atoms)


def _make_system(
    self: Any,
    symbols: Any = None,
    positions: Any = None,
    wyckoff_positions: Any = None,
    equivalent_atoms: Any = None,
    **arguments: Any,
) -> None:
    Atoms.__init__(self, symbols, positions, **arguments)
    self.wyckoff_positions, self.equivalent_atoms = wyckoff_positions, equivalent_atoms
    for cached in ("_cell_inverse", "_displacement_tensor", "_distance_matrix", "_inverse_distance_matrix"):
        setattr(self, cached, None)


def _system_from_atoms(atoms: Atoms) -> Any:
    from dscribe.core.system import System

    return System(atoms.get_chemical_symbols(), atoms.get_positions(), cell=atoms.get_cell(), pbc=atoms.get_pbc())
