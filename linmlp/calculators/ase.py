"""The ASE calculator of a fitted potential."""

from collections.abc import Sequence
from typing import Any, ClassVar

import joblib
import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, PropertyNotImplementedError, all_changes

from linmlp.exceptions import SettingsError
from linmlp.neighbors import VerletList
from linmlp.potentials.predictor import Predictor
from linmlp.potentials.uncertainty import UncertainPrediction, UncertainPredictor


class PotentialCalculator(Calculator):  # type: ignore[misc]
    """ASE calculator with a Verlet skin: most steps of an MD run search no neighbors.

    Parameters
    ----------
    predictor : Predictor or UncertainPredictor
        What evaluates a fitted potential. From the second one ``results`` gets energy_std (eV), force_std (n_atoms,)
        (eV/Å), grades (n_atoms,) and grade, too, from the same pass over the neighbors.
    skin : float, default=0.5
        Extra radius of the neighbor list in Å; the list is made again once an atom has moved by half of it.
    n_threads : int or None, default=None
        Threads of the compiled loops; None means all cores that the process may use.
    **kwargs
        Passed to ASE's Calculator.

    Notes
    -----
    energy and free_energy are the same number (there is no electronic entropy in a potential); energies (per atom)
    sum to it. stress is in eV/Å³, positive under tension; stresses (per atom, over the cell's volume) sum to it.
    """

    implemented_properties: ClassVar[list[str]] = ["energy", "energies", "free_energy", "forces", "stress", "stresses"]

    def __init__(
        self,
        predictor: Predictor | UncertainPredictor,
        skin: float = 0.5,
        n_threads: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not 0 <= skin < np.inf:
            raise SettingsError(f"skin={skin!r}; it must be a number of Å that is not negative")
        if n_threads is not None and not (isinstance(n_threads, int | np.integer) and n_threads >= 1):
            raise SettingsError(f"n_threads={n_threads!r}; it must be None (all cores) or a whole number, 1 or more")
        self.predictor = predictor
        self.n_threads = int(n_threads or joblib.cpu_count())
        self._neighbors = VerletList(predictor.cutoff, skin)

    def check_state(self, atoms: Atoms, tol: float = 0.0) -> list[str]:
        """Return what differs from the last structure, exactly; only what the energy depends on is looked at.

        ASE's own comparison takes as long as a third of the evaluation of 500 atoms.

        Parameters
        ----------
        atoms : ase.Atoms
            Structure.
        tol : float
            Not used: every change is a change.

        Returns
        -------
        list of str
            Some of positions, numbers, cell, pbc; everything if there was no last structure.
        """
        last = self.atoms
        if last is None:
            return list(all_changes)
        pairs = {
            "positions": (last.positions, atoms.positions),
            "numbers": (last.numbers, atoms.numbers),
            "cell": (last.cell.array, atoms.cell.array),
            "pbc": (last.pbc, atoms.pbc),
        }
        return [name for name, (before, now) in pairs.items() if not np.array_equal(before, now)]

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = all_changes,
    ) -> None:
        """Evaluate the potential; see ASE's Calculator.

        Parameters
        ----------
        atoms : ase.Atoms
            Structure.
        properties : sequence of str
            What is asked for; all that can be had is computed at once.
        system_changes : sequence of str
            What changed since the last call.

        Raises
        ------
        PropertyNotImplementedError
            If stress is asked of a structure without volume.
        """
        if atoms is not None and self.check_state(atoms):
            self.atoms = atoms.copy()
        computed = self.predictor.compute(self._neighbors.pairs(self.atoms), self.atoms, self.n_threads)
        prediction = computed.prediction if isinstance(computed, UncertainPrediction) else computed
        energy = prediction.energy
        self.results = {
            "energy": energy,
            "free_energy": energy,
            "energies": prediction.energies,
            "forces": prediction.forces,
        }
        if prediction.volume is not None:
            self.results["stress"] = prediction.stress
            self.results["stresses"] = prediction.atom_strain_gradient / prediction.volume
        elif {"stress", "stresses"} & set(properties):
            raise PropertyNotImplementedError("stress needs a cell with a volume; this structure has none")
        if isinstance(computed, UncertainPrediction):
            self.results |= {
                "energy_std": computed.energy_std,
                "force_std": computed.force_std,
                "grades": computed.atom_grades,
                "grade": computed.grade,
            }
