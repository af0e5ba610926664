"""Energies, forces and stress of structures from coefficients, reference energies and baselines."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers, chemical_symbols

from linmlp.descriptors.base import Descriptor
from linmlp.descriptors.evaluators import Evaluator
from linmlp.exceptions import SettingsError
from linmlp.neighbors import Pairs, find_pairs, find_pairs_of_all
from linmlp.structures import Baseline, CalculatorBaseline, ReferenceEnergies
from linmlp.units import FloatArray

Precision: TypeAlias = Literal["double", "single"]
"""Precision of the numbers that an evaluation computes with."""


@dataclass(frozen=True)
class Prediction:
    """What a potential says of one structure.

    Attributes
    ----------
    energies : ndarray of shape (n_atoms,)
        Energy per atom in eV, reference energies included.
    forces : ndarray of shape (n_atoms, 3)
        Forces in eV/Å.
    atom_strain_gradient : ndarray of shape (n_atoms, 6)
        Derivative of the energy with respect to the strain (Voigt) in eV, attributed to atoms; its sum over the
        volume is the stress.
    volume : float or None
        Volume of the cell in Å³; None without one.
    """

    energies: FloatArray
    forces: FloatArray
    atom_strain_gradient: FloatArray
    volume: float | None

    @property
    def energy(self) -> float:
        """Total energy in eV."""
        return float(self.energies.sum())

    @property
    def stress(self) -> FloatArray:
        """Stress (6,) in eV/Å³, positive under tension; NaN for a structure without volume."""
        if self.volume is None:
            return np.full(6, np.nan)
        return np.asarray(self.atom_strain_gradient.sum(0) / self.volume)


class Additions:
    """Reference energies and baselines: what a potential adds to its linear part.

    Parameters
    ----------
    reference : ReferenceEnergies
        Energies of the separate atoms.
    baselines : sequence of Baseline
        Named energies that were subtracted before the fit.
    """

    def __init__(self, reference: ReferenceEnergies, baselines: Sequence[Baseline] = ()) -> None:
        self.reference = reference
        self.baselines = tuple(baselines)
        self._reference_of_number = np.zeros(len(chemical_symbols))
        self._reference_of_number[[atomic_numbers[symbol] for symbol in reference.elements]] = reference.values

    def cutoff_with(self, cutoff: float) -> float:
        """Return the cutoff in Å that the pairs need, given that of the linear part."""
        return max([cutoff, *(baseline.cutoff for baseline in self.baselines)])

    def complete(
        self, pairs: Pairs, structure: Atoms | None, energies: FloatArray, forces: FloatArray, gradient: FloatArray
    ) -> Prediction:
        """Return the prediction of the potential from that of its linear part.

        Parameters
        ----------
        pairs : Pairs
            Pairs within the cutoff at least.
        structure : ase.Atoms or None
            The structure itself, for a baseline that is an ASE calculator.
        energies, forces, gradient : ndarray
            Of the linear part.

        Returns
        -------
        Prediction
            Energies, forces and strain gradients.
        """
        for baseline in self.baselines:
            extra = baseline.compute(pairs, structure)
            energies = energies + extra.energies
            forces = forces + extra.forces
            gradient = gradient + extra.atom_strain_gradient
        return Prediction(energies + self._reference_of_number[pairs.numbers], forces, gradient, pairs.volume)


class Predictor(Additions):
    """The sum of a linear potential, reference energies and baselines, ready to be evaluated.

    Parameters
    ----------
    descriptor : Descriptor
        Fitted descriptor.
    coefficients : ndarray of shape (n_features,)
        Coefficients in eV.
    reference : ReferenceEnergies
        Energies of the separate atoms.
    baselines : sequence of Baseline
        Named energies that were subtracted before the fit.
    precision : {"double", "single"}
        Of the linear part; reference energies and baselines are always computed in double precision.

    Raises
    ------
    SettingsError
        If the precision is not known, or the descriptor lacks it.
    """

    def __init__(
        self,
        descriptor: Descriptor,
        coefficients: FloatArray,
        reference: ReferenceEnergies,
        baselines: Sequence[Baseline] = (),
        precision: Precision = "double",
    ) -> None:
        super().__init__(reference, baselines)
        self.cutoff = self.cutoff_with(descriptor.cutoff_)
        if precision not in get_args(Precision):
            raise SettingsError(f'precision={precision!r} is not known; it must be "double" or "single"')
        make = descriptor.evaluator if precision == "double" else descriptor.single_evaluator
        self._evaluator: Evaluator = make(coefficients)

    def __call__(self, structure: Atoms, n_threads: int = 1) -> Prediction:
        """Return the prediction for a structure."""
        return self.compute(find_pairs(structure, self.cutoff), structure, n_threads)

    def predict_all(self, structures: Sequence[Atoms]) -> list[Prediction]:
        """Return the predictions for several structures, evaluated as one: small structures fill no lanes of their own.

        Parameters
        ----------
        structures : sequence of ase.Atoms
            At least one.

        Returns
        -------
        list of Prediction
            The last digits of forces depend on which structures are evaluated together.
        """
        if len(structures) == 1 or any(isinstance(baseline, CalculatorBaseline) for baseline in self.baselines):
            return [self(structure) for structure in structures]
        pairs, bounds, volumes = find_pairs_of_all(structures, self.cutoff)
        merged = self.compute(pairs)
        return [
            Prediction(merged.energies[a:b], merged.forces[a:b], merged.atom_strain_gradient[a:b], volume)
            for a, b, volume in zip(bounds[:-1], bounds[1:], volumes, strict=True)
        ]

    def compute(self, pairs: Pairs, structure: Atoms | None = None, n_threads: int = 1) -> Prediction:
        """Return the prediction for the pairs of a structure.

        Parameters
        ----------
        pairs : Pairs
            Pairs within `cutoff` at least.
        structure : ase.Atoms, optional
            The structure itself, for a baseline that is an ASE calculator.
        n_threads : int
            Threads of the compiled loops.

        Returns
        -------
        Prediction
            Energies, forces and strain gradients.
        """
        return self.complete(pairs, structure, *self._evaluator.compute(pairs, n_threads))
