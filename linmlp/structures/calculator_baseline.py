"""Any ASE calculator as baseline of a fit."""

import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import PropertyNotImplementedError

from linmlp.exceptions import ModelFileError, SettingsError
from linmlp.structures.baseline_contract import BaselineResult, PairData
from linmlp.units import FloatArray, voigt_from_matrix

_LOCK = threading.Lock()  # ASE calculators keep state; the map over structures may use threads


class CalculatorBaseline:
    """Any ASE calculator as baseline.

    A calculator cannot be stored in a model file: its name is, and the calculator must be passed again on loading.
    Where it gives no energies or stresses per atom, totals are spread evenly over the atoms.

    Parameters
    ----------
    calculator : ase calculator
        Must give energy and forces, and stress for structures with a cell that has a volume.
    """

    cutoff = 0.0

    def __init__(self, calculator: Any) -> None:
        self.calculator = calculator
        kind = type(calculator)
        self.name = f"{kind.__module__}.{kind.__qualname__}"

    def compute(self, pairs: PairData, atoms: Atoms | None = None) -> BaselineResult:
        """Return energies, forces and strain gradient of a structure.

        Parameters
        ----------
        pairs : Pairs
            Its volume is used.
        atoms : ase.Atoms
            The structure.

        Returns
        -------
        BaselineResult
            Results of the calculator; the energy is the one to which forces belong (the free energy if there is one).
        """
        if atoms is None:
            raise SettingsError(f"the baseline {self.name} is a calculator and needs the structure, not only its pairs")
        bare = Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=atoms.pbc)
        with _LOCK:
            bare.calc = self.calculator
            energy = float(bare.get_potential_energy(force_consistent=True))
            forces = np.array(bare.get_forces(), dtype=float)
            energies = self._get("energies", bare, (len(bare),))
            gradient = np.zeros(6)
            per_atom = None
            if pairs.volume is not None:
                gradient = pairs.volume * _as_voigt(bare.get_stress())
                per_atom = self._get("stresses", bare, (len(bare), 6))
        is_per_atom = energies is not None and (per_atom is not None or pairs.volume is None)
        if energies is None:
            energies = np.full(len(bare), energy / len(bare))
        if per_atom is None or pairs.volume is None:
            per_atom = np.tile(gradient / len(bare), (len(bare), 1))
        else:
            # ASE's codes differ in the volume they divide by; the shares must add up to the total.
            per_atom = pairs.volume * per_atom
            per_atom += (gradient - per_atom.sum(axis=0)) / len(bare)
        energies = energies + (energy - energies.sum()) / len(bare)
        return BaselineResult(energies, forces, gradient, per_atom, is_per_atom)

    def _get(self, name: str, atoms: Atoms, shape: tuple[int, ...]) -> FloatArray | None:
        """Return a per-atom result, or None where the calculator does not give it."""
        if name not in getattr(self.calculator, "implemented_properties", ()):
            return None
        try:
            value = np.array(self.calculator.get_property(name, atoms), dtype=float)
        except (NotImplementedError, PropertyNotImplementedError):
            return None
        return value if value.shape == shape else None

    def report(self) -> str:
        """Return the name of the calculator as text."""
        return f"calculator {self.name}"

    def to_state(self) -> dict[str, Any]:
        """Return the name of the calculator.

        Returns
        -------
        dict
            Can be written as JSON.
        """
        return {"kind": "calculator", "name": self.name}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], calculator: Any = None) -> "CalculatorBaseline":
        """Return the baseline of a stored state.

        Parameters
        ----------
        state : mapping
            As given by `to_state`.
        calculator : ase calculator
            The calculator the model was fitted with.

        Returns
        -------
        CalculatorBaseline
            Baseline that uses it.
        """
        if calculator is None:
            raise ModelFileError(
                f"the model was fitted on top of the calculator {state['name']}, which is not in the file; "
                "pass it: linmlp.load(path, baseline=calculator)"
            )
        baseline = cls(getattr(calculator, "calculator", calculator) if isinstance(calculator, cls) else calculator)
        if baseline.name != state["name"]:
            raise ModelFileError(
                f"the model was fitted on top of {state['name']}, but got {baseline.name}; pass the former"
            )
        return baseline


def _as_voigt(stress: FloatArray) -> FloatArray:
    """Return a stress as six components."""
    stress = np.asarray(stress, dtype=float)
    return stress if stress.shape == (6,) else voigt_from_matrix(stress.reshape(3, 3))
