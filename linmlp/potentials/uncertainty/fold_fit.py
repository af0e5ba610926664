"""The fit without one fold, and what it says of the structures of that fold."""

from dataclasses import dataclass, replace

import numpy as np

from linmlp.descriptors import Judged
from linmlp.neighbors import find_pairs
from linmlp.potentials.candidates import Candidate
from linmlp.potentials.core import CoreRows, solve_with_core
from linmlp.potentials.predictor import Additions, Prediction
from linmlp.potentials.training_set import TrainingSet
from linmlp.potentials.uncertainty.atom_statistics import AtomStatistics
from linmlp.potentials.uncertainty.grade import Scorer
from linmlp.potentials.uncertainty.held_out import HeldOutStructure
from linmlp.potentials.uncertainty.posterior import Posterior
from linmlp.potentials.uncertainty.predictor import count_elements, pooled_std
from linmlp.potentials.uncertainty.ridge_posterior import ridge_posterior
from linmlp.structures import Labels, ReferenceEnergies
from linmlp.system import AssembledData, TrainingData
from linmlp.units import FloatArray, IntArray


@dataclass(frozen=True)
class FoldFit:
    """The fit without one fold.

    Parameters
    ----------
    data : TrainingSet
        Structures and labels of the fit.
    assembled : AssembledData
        Its compressed systems.
    candidate : Candidate
        Loss weights, ridge regression with its prior, features.
    alpha : float
        Ridge strength.
    rows : CoreRows or None
        Rows that make dimers repel.
    numbers : tuple of int
        Atomic numbers of the elements.
    n_members, random_state : int
        Members of the committee and its seed.
    """

    data: TrainingSet
    assembled: AssembledData
    candidate: Candidate
    alpha: float
    rows: CoreRows | None
    numbers: tuple[int, ...]
    n_members: int
    random_state: int

    def solve(self, fold: int | None) -> tuple[Posterior, FloatArray, ReferenceEnergies]:
        """Return what training on the other folds gives.

        Parameters
        ----------
        fold : int or None
            Fold to leave out; None for none.

        Returns
        -------
        posterior : Posterior
            Of the coefficients.
        coef : ndarray of shape (n_features,)
            Coefficients in eV.
        reference : ReferenceEnergies
            Energies of the separate atoms.
        """
        data, folds = self.data, [k for k in self.assembled.folds if k != fold]
        training = TrainingData(self.assembled, folds, data.solves_reference, keep=False)
        problem = training.problem(self.candidate.loss_weights)
        solution, core_weight = solve_with_core(
            lambda system: self.candidate.solve_system(system, [self.alpha])[0], problem.system, self.rows
        )
        posterior = ridge_posterior(problem, self.candidate, self.alpha, self.rows, core_weight)
        values = data.reference.values + problem.composition.recover(solution.coef)
        return posterior, solution.coef, replace(data.reference, values=values)

    def leave_out(
        self, position: int, members: IntArray, scorer: Scorer, noise_variance: float
    ) -> list[HeldOutStructure]:
        """Return the held-out predictions of the structures of a fold.

        Parameters
        ----------
        position : int
            Position of the fold.
        members : ndarray of int
            Its structures.
        scorer : Scorer
            Gives their distances from the other folds.
        noise_variance : float
            Of the posterior of all folds.

        Returns
        -------
        list of HeldOutStructure
            In the order of the members.
        """
        data, descriptor = self.data, self.data.descriptor
        posterior, coef, reference = self.solve(self.assembled.folds[position])
        # Most of the error is what the functions cannot describe. It does not shrink with the number of structures as
        # random noise would, so that the fit with and without a fold share the scale of their standard deviations.
        posterior = replace(posterior, noise_variance=noise_variance)
        leverage, novelty = scorer.held_out(position)
        deviations, summed = posterior.sample(self.n_members, self.random_state), np.flatnonzero(posterior.scale > 0.0)
        evaluator = descriptor.judging_evaluator(coef, deviations, leverage, summed)
        additions = Additions(reference, data.baselines)
        held = []
        for index, novel in zip(members, novelty, strict=True):
            structure, label = data.structures[index], data.labels[index]
            pairs = find_pairs(structure, additions.cutoff_with(descriptor.cutoff_))
            judged = evaluator.compute(pairs)
            prediction = additions.complete(pairs, structure, *judged[:3])
            energy_std = posterior.energy_std(judged.feature_sums, count_elements(pairs.numbers, self.numbers))
            energy = float(energy_std[0]) / len(structure), _energy_residual(prediction, label)
            largest = float(judged.leverages.max(initial=0.0))
            held.append(HeldOutStructure(*energy, *_force_residuals(prediction, judged, label), largest, float(novel)))
        return held


def _energy_residual(prediction: Prediction, label: Labels) -> float:
    """Return the residual of the energy per atom in eV; NaN without a label."""
    if label.energy is None or not label.energy_weight > 0:
        return np.nan
    return float(prediction.energy - label.energy) / len(prediction.energies)


def _force_residuals(
    prediction: Prediction, judged: Judged, label: Labels
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return raw standard deviation, magnitude and residual of the forces of atoms whose components all count."""
    if label.forces is None:
        return np.empty(0), np.empty(0), np.empty((0, 3))
    n_atoms = len(prediction.energies)
    counted = np.all(np.broadcast_to(np.asarray(label.force_weight) > 0, (n_atoms, 3)), axis=1)
    size = np.linalg.norm(prediction.forces, axis=1)
    return pooled_std(judged.member_forces)[counted], size[counted], (prediction.forces - label.forces)[counted]


def count_atoms(
    data: TrainingSet, members: IntArray, numbers: tuple[int, ...], columns: IntArray | None = None
) -> AtomStatistics:
    """Return the statistics of the atoms of some structures.

    Parameters
    ----------
    data : TrainingSet
        Structures and descriptor.
    members : ndarray of int
        Positions of the structures to count.
    numbers : tuple of int
        Atomic numbers of the elements.
    columns : ndarray of int, optional
        Features that count; all by default.

    Returns
    -------
    AtomStatistics
        Sums over the features of their atoms; those that do not count are as if no atom had them.
    """
    descriptor = data.descriptor
    statistics = AtomStatistics(numbers, descriptor.n_features_out_)
    for index in members:
        pairs = find_pairs(data.structures[index], descriptor.cutoff_)
        features = descriptor.compute_features(pairs)
        if columns is not None:
            counted = np.zeros_like(features)
            counted[:, columns] = features[:, columns]
            features = counted
        statistics.add(features, pairs.numbers)
    return statistics
