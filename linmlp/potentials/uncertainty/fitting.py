"""The uncertainty of a fit: posterior, calibration on held-out folds, extrapolation grades."""

import joblib
import numpy as np
from ase.data import atomic_numbers

from linmlp.exceptions import SettingsError
from linmlp.potentials.candidates import Candidate
from linmlp.potentials.core import CoreRows
from linmlp.potentials.training_set import TrainingSet
from linmlp.potentials.uncertainty.fold_fit import FoldFit, count_atoms
from linmlp.potentials.uncertainty.grade import Grade
from linmlp.potentials.uncertainty.held_out import calibrate_held_out
from linmlp.potentials.uncertainty.predictor import count_elements
from linmlp.potentials.uncertainty.ridge_posterior import ridge_of
from linmlp.potentials.uncertainty.uncertainty import Uncertainty
from linmlp.system import AssembledData

N_MEMBERS = 10


def fit_uncertainty(
    data: TrainingSet,
    assembled: AssembledData,
    candidate: Candidate,
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
    candidate : Candidate
        What was solved with: loss weights, ridge regression with its prior, features.
    alpha : float
        Ridge strength, above 0.
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
        If there are fewer than two folds or members, too few held-out structures to calibrate with, or another solver.
    """
    if len(assembled.folds) < 2:
        raise SettingsError(f"{len(assembled.folds)} fold; there are no held-out residuals without two folds or more")
    if n_members < 2:
        raise SettingsError(f"n_members={n_members}; a committee needs 2 or more")
    ridge_of(candidate)
    rows = CoreRows.of(data.descriptor, data.baselines) if core else None
    numbers = tuple(atomic_numbers[symbol] for symbol in data.descriptor.elements_)
    fit = FoldFit(data, assembled, candidate, alpha, rows, numbers, n_members, random_state)
    wanted = assembled.energy.index
    positions = np.searchsorted(assembled.folds, assembled.energy.fold)
    posterior = fit.solve(None)[0]
    parallel = joblib.Parallel(n_jobs=n_jobs, prefer="threads")
    members_of = [wanted[positions == k] for k in range(len(assembled.folds))]
    statistics = parallel(joblib.delayed(count_atoms)(data, m, numbers, candidate.columns) for m in members_of)
    counts = np.array([count_elements(data.structures[i].numbers, numbers) for i in wanted])
    scorer = Grade.fit(statistics, assembled.energy.X, counts, positions)
    results = parallel(
        joblib.delayed(fit.leave_out)(k, members, scorer, posterior.noise_variance)
        for k, members in enumerate(members_of)
    )
    order = np.argsort(np.concatenate(members_of), kind="stable")
    held = [structure for k in results for structure in k]
    held = [held[i] for i in order]
    held_out, forces, energies = calibrate_held_out(held)
    grade = scorer.grade(np.array([h.leverage for h in held]), np.array([h.novelty for h in held]))
    members = posterior.sample(n_members, random_state)
    return Uncertainty(posterior, members, grade, forces, energies, scorer.statistics, held_out)
