"""The posterior of a training problem: what the fit solved, the rows of the core included."""

from linmlp.exceptions import SettingsError
from linmlp.potentials.candidates import Candidate
from linmlp.potentials.core import CoreRows
from linmlp.potentials.uncertainty.posterior import Posterior
from linmlp.solvers import BayesianRidge, Ridge
from linmlp.system import SystemSum, TrainingProblem


def ridge_posterior(
    problem: TrainingProblem, candidate: Candidate, alpha: float, rows: CoreRows | None, core_weight: float
) -> Posterior:
    """Return the posterior of the coefficients of a fit.

    Parameters
    ----------
    problem : TrainingProblem
        What was solved.
    candidate : Candidate
        Ridge regression with its prior, and the features that it used.
    alpha : float
        Ridge strength.
    rows : CoreRows or None
        Rows that make dimers repel.
    core_weight : float
        Their weight in the fit; 0 if they were not needed.

    Returns
    -------
    Posterior
        Of all features; those that were not used are certain to be 0.

    Raises
    ------
    SettingsError
        If the solver is not ridge regression.
    """
    solver, columns = ridge_of(candidate), candidate.columns
    system = problem.system
    if rows is not None and core_weight > 0.0:
        every = rows.system(set(range(len(rows.names))))
        system = SystemSum([*system.parts, every], [*system.weights, core_weight * len(rows.names) / every.n_rows])
    composition = problem.composition.matrix
    if columns is None:
        return Posterior.of(system, alpha, composition, solver.scale_columns, solver.prior)
    part = Posterior.of(system.subset(columns), alpha, composition[:, columns], solver.scale_columns, solver.prior)
    return part.spread(columns, system.n_features)


def ridge_of(candidate: Candidate) -> Ridge:
    """Return the solver of a candidate, which must be ridge regression.

    Parameters
    ----------
    candidate : Candidate
        With any solver.

    Returns
    -------
    Ridge
        Its solver; of a `BayesianRidge` the one that it becomes with the strength that it finds.

    Raises
    ------
    SettingsError
        If it is another one.
    """
    if isinstance(candidate.solver, BayesianRidge):
        return Ridge(scale_columns=candidate.solver.scale_columns, prior=candidate.solver.prior)
    if not isinstance(candidate.solver, Ridge):
        raise SettingsError(
            f"uncertainties are those of ridge regression, but the solver is {type(candidate.solver).__name__}; leave "
            "solver at None (prior and features may be given), or uncertainty at False"
        )
    return candidate.solver
