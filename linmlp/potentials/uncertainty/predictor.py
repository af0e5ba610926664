"""What evaluates a potential together with its uncertainty, in one pass over the neighbors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase import Atoms

from linmlp.descriptors import Descriptor
from linmlp.neighbors import Pairs, find_pairs
from linmlp.potentials.predictor import Additions
from linmlp.potentials.uncertainty.prediction import UncertainPrediction, energy_half_widths
from linmlp.potentials.uncertainty.uncertainty import Uncertainty
from linmlp.structures import Baseline, ReferenceEnergies
from linmlp.units import FloatArray, IntArray


class UncertainPredictor(Additions):
    """A linear potential and its uncertainty, ready to be evaluated.

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
    uncertainty : Uncertainty
        Of the coefficients.
    """

    def __init__(
        self,
        descriptor: Descriptor,
        coefficients: FloatArray,
        reference: ReferenceEnergies,
        baselines: Sequence[Baseline],
        uncertainty: Uncertainty,
    ) -> None:
        self.uncertainty = uncertainty
        super().__init__(reference, baselines)
        self.cutoff = self.cutoff_with(descriptor.cutoff_)
        self._evaluator = descriptor.judging_evaluator(
            coefficients, uncertainty.members, uncertainty.grade.leverage, uncertainty.summed_features
        )

    def __call__(self, structure: Atoms, n_threads: int = 1) -> UncertainPrediction:
        """Return the prediction for a structure."""
        return self.compute(find_pairs(structure, self.cutoff), structure, n_threads)

    def predict_all(self, structures: Sequence[Atoms]) -> list[UncertainPrediction]:
        """Return the predictions for several structures."""
        return [self(structure) for structure in structures]

    def compute(self, pairs: Pairs, structure: Atoms | None = None, n_threads: int = 1) -> UncertainPrediction:
        """Return the prediction for the pairs of a structure, with its uncertainty.

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
        UncertainPrediction
            Standard deviations, intervals, grades.
        """
        judged, known = self._evaluator.compute(pairs, n_threads), self.uncertainty
        counts = count_elements(pairs.numbers, known.grade.numbers)
        return UncertainPrediction(
            self.complete(pairs, structure, *judged[:3]),
            float(known.posterior.energy_std(judged.feature_sums, counts)[0]),
            pooled_std(judged.member_forces),
            known.grade.atoms(judged.leverages),
            known.grade.structure(judged.leverages, judged.feature_sums, counts),
            known.force_calibration,
            known.energy_calibration,
        )


class EnergyStdPredictor(Additions):
    """Energies of a linear potential and their standard deviations, at little more than the cost of a prediction.

    Parameters
    ----------
    descriptor, coefficients, reference, baselines, uncertainty
        As for `UncertainPredictor`.
    """

    def __init__(
        self,
        descriptor: Descriptor,
        coefficients: FloatArray,
        reference: ReferenceEnergies,
        baselines: Sequence[Baseline],
        uncertainty: Uncertainty,
    ) -> None:
        self.uncertainty = uncertainty
        super().__init__(reference, baselines)
        self.cutoff = self.cutoff_with(descriptor.cutoff_)
        self._features = np.flatnonzero(uncertainty.posterior.scale > 0.0).astype(np.int64)
        self._evaluator = descriptor.summing_evaluator(coefficients, self._features)

    def __call__(self, structure: Atoms, n_threads: int = 1) -> tuple[float, FloatArray, FloatArray]:
        """Return the energy, the features summed over atoms, and the numbers of atoms of each element."""
        pairs = find_pairs(structure, self.cutoff)
        *linear, of_chosen = self._evaluator.compute(pairs, n_threads)
        sums = np.zeros(self.uncertainty.posterior.n_features)
        sums[self._features] = of_chosen
        energy = self.complete(pairs, structure, *linear).energy
        return energy, sums, count_elements(pairs.numbers, self.uncertainty.grade.numbers)

    def predict_all(self, structures: Sequence[Atoms]) -> list[tuple[float, FloatArray, FloatArray]]:
        """Return the same for several structures."""
        return [self(structure) for structure in structures]

    def std(self, sums: FloatArray, counts: FloatArray, n_atoms: IntArray) -> FloatArray:
        """Return calibrated standard deviations of total energies.

        Parameters
        ----------
        sums : ndarray of shape (n_structures, n_features)
            Features summed over the atoms of each structure.
        counts : ndarray of shape (n_structures, n_elements)
            Atoms of each element.
        n_atoms : ndarray of shape (n_structures,)
            Atoms of each structure.

        Returns
        -------
        ndarray of shape (n_structures,)
            Half-widths of 68.27 % intervals, eV.
        """
        raw = self.uncertainty.posterior.energy_std(sums, counts)
        return energy_half_widths(self.uncertainty.energy_calibration, raw, n_atoms)


def pooled_std(forces: FloatArray) -> FloatArray:
    """Return the root mean square over members and components of force deviations.

    Parameters
    ----------
    forces : ndarray of shape (n_members, n_atoms, 3)
        Forces of deviations of coefficients.

    Returns
    -------
    ndarray of shape (n_atoms,)
        Three components have three times as many samples as one, and no rotation changes it.
    """
    return np.asarray(np.sqrt(np.einsum("mik,mik->i", forces, forces) / (3 * len(forces))))


def count_elements(numbers: IntArray, elements: Sequence[int]) -> FloatArray:
    """Return how many atoms of each element there are.

    Parameters
    ----------
    numbers : ndarray of shape (n_atoms,)
        Atomic numbers.
    elements : sequence of int
        Atomic numbers of the elements.

    Returns
    -------
    ndarray of shape (n_elements,)
        Whole numbers as floats.
    """
    return np.array([np.count_nonzero(numbers == element) for element in elements], dtype=float)
