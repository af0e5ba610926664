"""Uncertainty of a linear potential: posterior, calibration on held-out folds, extrapolation grades."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import joblib
import numpy as np
from ase import Atoms
from ase.data import atomic_numbers

from linmlp.descriptors import Committee, Descriptor
from linmlp.exceptions import SettingsError
from linmlp.neighbors import find_pairs
from linmlp.potentials.calibration import Calibration
from linmlp.potentials.core import CoreRows, solve_with_core
from linmlp.potentials.extrapolation import AtomStatistics, Grade, Scorer
from linmlp.potentials.fitting import TrainingSet
from linmlp.potentials.posterior import Posterior
from linmlp.potentials.predictor import Prediction, Predictor
from linmlp.solvers import Ridge
from linmlp.system import AssembledData, LossWeights, SystemSum, TrainingData
from linmlp.units import FloatArray, IntArray

N_MEMBERS = 10
ONE_SIGMA = 0.6827
"""Level of an interval of one standard deviation of a normal distribution."""

PARTS = ("posterior", "grade", "force_calibration", "energy_calibration")


@dataclass(frozen=True)
class UncertainPrediction:
    """A prediction with standard deviations, intervals and grades.

    Parameters
    ----------
    prediction : Prediction
        Of the fitted coefficients.
    raw_energy_std : float
        Standard deviation of the total energy in the posterior, eV.
    raw_force_std : ndarray of shape (n_atoms,)
        Root mean square deviation of the committee's force components of each atom, eV/Å; invariant under rotations.
    atom_grades : ndarray of shape (n_atoms,)
        Extrapolation grades of atoms; above 1 is beyond what held-out training structures show.
    grade : float
        Extrapolation grade of the structure.
    force_calibration, energy_calibration : Calibration or None
        None if no training structure has such labels.
    """

    prediction: Prediction
    raw_energy_std: float
    raw_force_std: FloatArray
    atom_grades: FloatArray
    grade: float
    force_calibration: Calibration | None
    energy_calibration: Calibration | None

    @property
    def energy_std(self) -> float:
        """Calibrated standard deviation of the total energy in eV: the half-width of its 68.27 % interval."""
        return self.energy_half_width(ONE_SIGMA)

    @property
    def force_std(self) -> FloatArray:
        """Calibrated standard deviation of each atom's force components in eV/Å, (n_atoms,)."""
        return self.force_half_width(ONE_SIGMA)

    def energy_half_width(self, level: float) -> float:
        """Return the half-width of the interval of the total energy.

        Parameters
        ----------
        level : float
            Probability that the label is inside, between 0 and 1.

        Returns
        -------
        float
            In eV.
        """
        calibration = _present(self.energy_calibration, "energies")
        n_atoms = len(self.raw_force_std)
        return n_atoms * float(calibration.half_width(np.array([self.raw_energy_std / n_atoms]), level)[0])

    def force_half_width(self, level: float) -> FloatArray:
        """Return the half-widths of the intervals of force components.

        Parameters
        ----------
        level : float
            Probability that the label is inside, between 0 and 1.

        Returns
        -------
        ndarray of shape (n_atoms,)
            In eV/Å, the same for the three components of an atom; 0 for forces that symmetry fixes.
        """
        calibration = _present(self.force_calibration, "forces")
        return calibration.half_width(self.raw_force_std, level, np.linalg.norm(self.prediction.forces, axis=1))


@dataclass(frozen=True)
class HeldOut:
    """Residuals of training structures, predicted without their fold, in the order of the structures.

    Parameters
    ----------
    energy_std, energy_residual : ndarray of shape (n_structures,)
        Per atom, eV; NaN without a label.
    force_std, force_size : list of ndarray of shape (n_counted,)
        Raw standard deviation and magnitude of the predicted force of each atom whose components all count, eV/Å.
    force_residual : list of ndarray of shape (n_counted, 3)
        In eV/Å.
    """

    energy_std: FloatArray
    energy_residual: FloatArray
    force_std: list[FloatArray]
    force_size: list[FloatArray]
    force_residual: list[FloatArray]


@dataclass(frozen=True)
class Uncertainty:
    """What a fitted potential knows of its own errors.

    Parameters
    ----------
    posterior : Posterior
        Covariance of the coefficients.
    members : ndarray of shape (n_members, n_features)
        Deviations of the committee's coefficients from the fitted ones, eV.
    grade : Grade
        Extrapolation.
    force_calibration, energy_calibration : Calibration or None
        None if no training structure has such labels.
    held_out : HeldOut or None
        What it was calibrated on; not kept in model files.
    """

    posterior: Posterior
    members: FloatArray
    grade: Grade
    force_calibration: Calibration | None
    energy_calibration: Calibration | None
    held_out: HeldOut | None = None

    def of(
        self,
        predictor: Predictor,
        descriptor: Descriptor,
        structure: Atoms,
        n_threads: int = 1,
        committee: Committee | None = None,
    ) -> UncertainPrediction:
        """Return the prediction of a structure with its uncertainty.

        Parameters
        ----------
        predictor : Predictor
            The fitted potential.
        descriptor : Descriptor
            Its descriptor.
        structure : ase.Atoms
            Structure.
        n_threads : int
            Threads of the compiled loops.
        committee : Committee, optional
            ``descriptor.committee(members)``, made once for many structures.

        Returns
        -------
        UncertainPrediction
            Standard deviations, intervals, grades.
        """
        pairs = find_pairs(structure, predictor.cutoff)
        own = pairs if predictor.cutoff == descriptor.cutoff_ else find_pairs(structure, descriptor.cutoff_)
        prediction = predictor.compute(pairs, structure, n_threads)
        features = descriptor.compute_features(own)
        forces = (committee or descriptor.committee(self.members)).compute(own, n_threads)[1]
        counts = count_elements(pairs.numbers, self.grade.numbers)
        return UncertainPrediction(
            prediction,
            float(self.posterior.energy_std(features.sum(axis=0), counts)[0]),
            pooled_std(forces),
            self.grade.atoms(features),
            self.grade.structure(features, pairs.numbers),
            self.force_calibration,
            self.energy_calibration,
        )

    def to_state(self) -> dict[str, FloatArray]:
        """Return arrays for `from_state`, without the held-out residuals.

        Returns
        -------
        dict of str to ndarray
            Names are "part/name".
        """
        parts = {name: getattr(self, name) for name in PARTS}
        state = {
            f"{name}/{key}": array
            for name, part in parts.items()
            if part is not None
            for key, array in part.to_state().items()
        }
        return {**state, "members": self.members}

    @classmethod
    def from_state(cls, arrays: Mapping[str, FloatArray]) -> Uncertainty:
        """Return what `to_state` described.

        Parameters
        ----------
        arrays : mapping of str to ndarray
            From `to_state`.

        Returns
        -------
        Uncertainty
            The same numbers.
        """
        parts: dict[str, dict[str, FloatArray]] = {name: {} for name in PARTS}
        for name, array in arrays.items():
            part, _, key = name.partition("/")
            if key:
                parts[part][key] = array
        forces, energies = (
            Calibration.from_state(parts[name]) if parts[name] else None
            for name in ("force_calibration", "energy_calibration")
        )
        posterior, grade = Posterior.from_state(parts["posterior"]), Grade.from_state(parts["grade"])
        return cls(posterior, np.asarray(arrays["members"]), grade, forces, energies)


def fit_uncertainty(
    data: TrainingSet,
    assembled: AssembledData,
    weights: LossWeights,
    alpha: float,
    core: bool = True,
    n_members: int = N_MEMBERS,
    random_state: int = 0,
    n_jobs: int | None = None,
) -> Uncertainty:
    """Return the uncertainty of a fit, calibrated on its folds.

    Coefficients without a fold come from the compressed systems of the other folds; every structure is evaluated once
    by the potential and the committee that did not see it.

    Parameters
    ----------
    data : TrainingSet
        Structures and labels of the fit.
    assembled : AssembledData
        Its compressed systems, with two folds or more.
    weights : LossWeights
        Loss weights of the fit.
    alpha : float
        Its ridge strength, above 0.
    core : bool, default=True
        Whether the fit makes dimers repel (see `linmlp.potentials.core`).
    n_members : int, default=10
        Members of the committee.
    random_state : int, default=0
        Seed of the committee.
    n_jobs : int, optional
        Folds at a time, as joblib has it.

    Returns
    -------
    Uncertainty
        Posterior, committee, calibrations, grade.

    Raises
    ------
    SettingsError
        If there are fewer than two folds or members, or too few held-out structures to calibrate with.
    """
    if len(assembled.folds) < 2:
        raise SettingsError(f"{len(assembled.folds)} fold; there are no held-out residuals without two folds or more")
    if n_members < 2:
        raise SettingsError(f"n_members={n_members}; a committee needs 2 or more")
    rows = CoreRows.of(data.descriptor, data.baselines) if core else None
    fit = _FoldFit(data, assembled, weights, alpha, rows, n_members, random_state)
    numbers = tuple(atomic_numbers[symbol] for symbol in data.descriptor.elements_)
    wanted = assembled.energy.index
    positions = np.searchsorted(assembled.folds, assembled.energy.fold)
    posterior = fit.posterior(None)
    parallel = joblib.Parallel(n_jobs=n_jobs, prefer="threads")
    members_of = [wanted[positions == k] for k in range(len(assembled.folds))]
    statistics = parallel(joblib.delayed(count_atoms)(data, members, numbers) for members in members_of)
    counts = np.array([count_elements(data.structures[i].numbers, numbers) for i in wanted])
    scorer = Grade.fit(statistics, assembled.energy.X, counts, positions)
    results = parallel(
        joblib.delayed(fit.leave_out)(k, members, scorer, numbers, posterior.noise_variance)
        for k, members in enumerate(members_of)
    )
    order = np.argsort(np.concatenate(members_of), kind="stable")
    held = [structure for k in results for structure in k]
    held = [held[i] for i in order]
    held_out, forces, energies = _calibrate(held)
    grade = scorer.grade(np.array([h.leverage for h in held]), np.array([h.novelty for h in held]))
    return Uncertainty(posterior, posterior.sample(n_members, random_state), grade, forces, energies, held_out)


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
    return np.asarray(np.sqrt(np.mean(forces**2, axis=(0, 2))))


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


def count_atoms(data: TrainingSet, members: IntArray, numbers: tuple[int, ...]) -> AtomStatistics:
    """Return the statistics of the atoms of some structures.

    Parameters
    ----------
    data : TrainingSet
        Structures and descriptor.
    members : ndarray of int
        Positions of the structures to count.
    numbers : tuple of int
        Atomic numbers of the elements.

    Returns
    -------
    AtomStatistics
        Sums over the features of their atoms.
    """
    statistics = AtomStatistics(numbers, data.descriptor.n_features_out_)
    for index in members:
        pairs = find_pairs(data.structures[index], data.descriptor.cutoff_)
        statistics.add(data.descriptor.compute_features(pairs), pairs.numbers)
    return statistics


class _HeldOutStructure(NamedTuple):
    """One structure, predicted without its fold."""

    energy_std: float
    energy_residual: float
    force_std: FloatArray
    force_size: FloatArray
    force_residual: FloatArray
    leverage: float
    novelty: float


@dataclass(frozen=True)
class _FoldFit:
    """The fit without one fold."""

    data: TrainingSet
    assembled: AssembledData
    weights: LossWeights
    alpha: float
    rows: CoreRows | None
    n_members: int
    random_state: int

    def posterior(self, fold: int | None) -> Posterior:
        """Return the posterior without a fold, or of all folds."""
        return self._solve(fold)[0]

    def leave_out(
        self, position: int, members: IntArray, scorer: Scorer, numbers: tuple[int, ...], noise_variance: float
    ) -> list[_HeldOutStructure]:
        """Return the held-out predictions of the structures of a fold."""
        data = self.data
        posterior, predictor = self._solve(self.assembled.folds[position])
        # Most of the error is what the functions cannot describe. It does not shrink with the number of structures as
        # random noise would, so that the fit with and without a fold share the scale of their standard deviations.
        posterior = replace(posterior, noise_variance=noise_variance)
        deviations = posterior.sample(self.n_members, self.random_state)
        committee = data.descriptor.committee(deviations)
        leverage, novelty = scorer.held_out(position)
        held = []
        for index, novel in zip(members, novelty, strict=True):
            structure, label = data.structures[index], data.labels[index]
            pairs = find_pairs(structure, data.descriptor.cutoff_)
            wide = pairs if predictor.cutoff == pairs.cutoff else find_pairs(structure, predictor.cutoff)
            prediction = predictor.compute(wide, structure)
            features = data.descriptor.compute_features(pairs)
            n, counts = len(structure), count_elements(pairs.numbers, numbers)
            energy_std = float(posterior.energy_std(features.sum(axis=0), counts)[0]) / n
            has_energy = label.energy is not None and label.energy_weight > 0
            energy_residual = (prediction.energy - label.energy) / n if has_energy else np.nan
            std, size, residual = np.empty(0), np.empty(0), np.empty((0, 3))
            if label.forces is not None:
                counted = np.all(np.broadcast_to(np.asarray(label.force_weight) > 0, (n, 3)), axis=1)
                std = pooled_std(committee.compute(pairs)[1])[counted]
                size = np.linalg.norm(prediction.forces, axis=1)[counted]
                residual = (prediction.forces - label.forces)[counted]
            largest = float(leverage(features).max(initial=0.0))
            held.append(_HeldOutStructure(energy_std, energy_residual, std, size, residual, largest, float(novel)))
        return held

    def _solve(self, fold: int | None) -> tuple[Posterior, Predictor]:
        """Return posterior and potential trained on the other folds."""
        data, folds = self.data, [k for k in self.assembled.folds if k != fold]
        problem = TrainingData(self.assembled, folds, data.solves_reference, keep=False).problem(self.weights)
        solution, core_weight = solve_with_core(Ridge(self.alpha).solve, problem.system, self.rows)
        system = problem.system
        if self.rows is not None and core_weight > 0.0:
            every = self.rows.system(set(range(len(self.rows.names))))
            n_rows = every.n_rows / len(self.rows.names)
            system = SystemSum([*system.parts, every], [*system.weights, core_weight / n_rows])
        posterior = Posterior.of(system, self.alpha, problem.composition.matrix)
        values = data.reference.values + problem.composition.recover(solution.coef)
        reference = replace(data.reference, values=values)
        return posterior, Predictor(data.descriptor, solution.coef, reference, data.baselines)


def _calibrate(held: Sequence[_HeldOutStructure]) -> tuple[HeldOut, Calibration | None, Calibration | None]:
    """Return the held-out residuals, and the calibrations of forces and energies where there are labels."""
    std, residual = (np.array([getattr(h, name) for h in held]) for name in ("energy_std", "energy_residual"))
    has = np.flatnonzero(np.isfinite(residual))
    energies = Calibration.fit(std[has], residual[has], has) if len(has) else None
    owner = np.repeat(np.arange(len(held)), [len(h.force_std) for h in held])
    forces = None
    if len(owner):
        stds, sizes, residuals = (
            np.concatenate([getattr(h, name) for h in held]) for name in ("force_std", "force_size", "force_residual")
        )
        forces = Calibration.fit(stds, residuals, owner, sizes)
    kept = HeldOut(
        std, residual, [h.force_std for h in held], [h.force_size for h in held], [h.force_residual for h in held]
    )
    return kept, forces, energies


def _present(calibration: Calibration | None, what: str) -> Calibration:
    if calibration is None:
        raise SettingsError(f"no training structure has {what}, so that their intervals are not calibrated")
    return calibration
