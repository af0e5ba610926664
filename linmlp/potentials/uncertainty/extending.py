"""The uncertainty of a potential that more structures were added to."""

from collections.abc import Sequence

import numpy as np

from linmlp.potentials.candidates import Candidate
from linmlp.potentials.core import CoreRows
from linmlp.potentials.fit_result import Fit
from linmlp.potentials.uncertainty.atom_statistics import AtomStatistics
from linmlp.potentials.uncertainty.ridge_posterior import ridge_posterior
from linmlp.potentials.uncertainty.uncertainty import Uncertainty
from linmlp.system import TrainingData


def extend_uncertainty(
    known: Uncertainty | None,
    fit: Fit,
    candidate: Candidate,
    rows: CoreRows | None,
    added: Sequence[AtomStatistics | None],
    random_state: int,
) -> Uncertainty | None:
    """Return the uncertainty of a fit to more structures.

    Posterior and committee are exact, those of the fit to all structures. Grades take the new atoms and structures
    into account, so that what was added is no extrapolation any more; their edges, and the calibration of intervals,
    stay those of the structures that were held out in the first fit.

    Parameters
    ----------
    known : Uncertainty or None
        Of the fit before.
    fit : Fit
        To all structures.
    candidate : Candidate
        What was solved with.
    rows : CoreRows or None
        Rows that make dimers repel.
    added : sequence of AtomStatistics or None
        Of the atoms that were added.
    random_state : int
        Seed of the committee.

    Returns
    -------
    Uncertainty or None
        None where there was none, or where the statistics of the atoms were not kept.
    """
    new = [statistics for statistics in added if statistics is not None]
    system = fit.system
    if known is None or known.statistics is None or system is None or len(new) < len(added):
        return None
    problem = TrainingData(system.data, None, system.reference.source == "lstsq", keep=False).problem(fit.weights)
    posterior = ridge_posterior(problem, candidate, fit.alpha, rows, fit.core_weight)
    statistics = known.statistics.plus(*new)
    energy = system.data.energy
    grade = known.grade.with_training(statistics, energy.X, np.asarray(energy.composition, dtype=float))
    members = posterior.sample(len(known.members), random_state)
    return Uncertainty(posterior, members, grade, known.force_calibration, known.energy_calibration, statistics)
