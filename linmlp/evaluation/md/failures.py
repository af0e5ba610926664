"""How MD goes wrong, found as it happens."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from ase.units import kB

from linmlp.neighbors import find_pairs
from linmlp.units import FloatArray

SPREADS = 5.0
"""The temperature of a few atoms fluctuates: so many standard deviations of it are no failure."""


@dataclass(frozen=True)
class Limits:
    """Numbers beyond which an MD run counts as failed; None leaves a check out.

    Parameters
    ----------
    approach : float or None, default=0.7
        Smallest distance, in units of the closest approach of the pair of elements in training. At twice the melting
        point thermal collisions stay above 0.8.
    force : float or None, default=100.0
        Largest force on an atom, eV/Å; DFT sets rarely hold a tenth of it.
    heating : float or None, default=2.0
        Largest temperature in units of the target, on top of `SPREADS` standard deviations of the canonical ensemble.
    grade : float or None, default=None
        Largest extrapolation grade, of a potential that was fitted with ``uncertainty=True``.
    lost : bool, default=True
        Whether an atom without any neighbor within the cutoff is a failure.
    """

    approach: float | None = 0.7
    force: float | None = 100.0
    heating: float | None = 2.0
    grade: float | None = None
    lost: bool = True


@dataclass(frozen=True)
class Failure:
    """What went wrong, and when.

    Parameters
    ----------
    step : int
        MD step.
    reason : str
        What was seen and what the limit is.
    """

    step: int
    reason: str


def temperature_of(atoms: Atoms) -> float:
    """Return the temperature of atoms whose center of mass rests.

    Parameters
    ----------
    atoms : ase.Atoms
        With momenta.

    Returns
    -------
    float
        K, from the 3N - 3 degrees of freedom that move.
    """
    return float(2.0 * atoms.get_kinetic_energy() / (max(3 * len(atoms) - 3, 1) * kB))


class Watcher:
    """Looks at every step for what must not happen.

    Parameters
    ----------
    limits : Limits
        Numbers.
    elements : tuple of str
        Elements of the potential.
    closest : ndarray of shape (n_elements, n_elements)
        Closest approach in training, Å; NaN where it is not known, where distances are not checked.
    cutoff : float
        Cutoff of the potential, Å.
    target : float
        Temperature that is wanted, K.
    """

    def __init__(
        self, limits: Limits, elements: tuple[str, ...], closest: FloatArray, cutoff: float, target: float
    ) -> None:
        self.limits, self.elements, self.cutoff, self.target = limits, elements, cutoff, target
        self.allowed = (limits.approach or 0.0) * np.nan_to_num(closest)

    def look(self, atoms: Atoms, step: int, distances: bool) -> Failure | None:
        """Return what is wrong with a step.

        Parameters
        ----------
        atoms : ase.Atoms
            Evaluated, with momenta.
        step : int
            Number of the step.
        distances : bool
            Whether to look at distances and lost atoms, too, which takes a neighbor search.

        Returns
        -------
        Failure or None
            The first that is found.
        """
        results: dict[str, Any] = atoms.calc.results
        reasons = [self._of_forces(results["forces"]), self._of_temperature(atoms), self._of_grade(results)]
        if distances:
            reasons.append(self._of_distances(atoms))
        found = [reason for reason in reasons if reason]
        return Failure(step, found[0]) if found else None

    def _of_forces(self, forces: FloatArray) -> str:
        largest = float(np.sqrt(np.max(np.sum(forces**2, axis=1))))
        if not np.isfinite(largest):
            return "a force is not a finite number"
        if self.limits.force is not None and largest > self.limits.force:
            return f"a force of {largest:.3g} eV/Å, above {self.limits.force:g}"
        return ""

    def _of_temperature(self, atoms: Atoms) -> str:
        found = temperature_of(atoms)
        if self.limits.heating is None:
            return ""
        largest = (self.limits.heating + SPREADS * np.sqrt(2.0 / max(3 * len(atoms) - 3, 1))) * self.target
        return "" if found <= largest else f"a temperature of {found:.0f} K, above {largest:.0f} K"

    def _of_grade(self, results: dict[str, Any]) -> str:
        if self.limits.grade is not None and results["grade"] > self.limits.grade:
            return f"an extrapolation grade of {results['grade']:.1f}, above {self.limits.grade:g}"
        return ""

    def _of_distances(self, atoms: Atoms) -> str:
        pairs = find_pairs(atoms, self.cutoff)
        symbols = np.array(atoms.get_chemical_symbols())
        lonely = np.flatnonzero(np.bincount(pairs.i, minlength=len(atoms)) == 0)
        if self.limits.lost and len(lonely) and len(atoms) > 1:
            return f"atom {lonely[0]} ({symbols[lonely[0]]}) has no neighbor within {self.cutoff:g} Å: it is lost"
        place = np.array([self.elements.index(symbol) for symbol in symbols])
        allowed = self.allowed[place[pairs.i], place[pairs.j]]
        close = np.flatnonzero(pairs.distances < allowed)
        if not len(close):
            return ""
        worst = close[np.argmin(pairs.distances[close] / allowed[close])]
        a, b = int(pairs.i[worst]), int(pairs.j[worst])
        return (
            f"atoms {a} and {b} ({symbols[a]}-{symbols[b]}) are {pairs.distances[worst]:.2f} Å apart, below "
            f"{allowed[worst]:.2f} Å, {self.limits.approach:g} of the closest approach in training"
        )
