"""Bayesian ridge regression: the strength and the noise level that make the targets most probable."""

from __future__ import annotations

from dataclasses import replace

from linmlp.solvers.evidence import Evidence, maximize_evidence
from linmlp.solvers.evidence_solver import EvidenceSolver
from linmlp.solvers.ridge import ridge_path
from linmlp.solvers.solution import Solution, Status
from linmlp.system.compressed import CompressedSystem
from linmlp.units import FloatArray


class BayesianRidge(EvidenceSolver):
    """Ridge regression whose strength is found by maximizing the evidence, without an intercept.

    All rows have one noise level, as they are weighted: in a potential the ratios of the noise levels of energies,
    forces and stresses are what the loss weights say (`energy_weight="evidence"` finds them, too).

    Parameters
    ----------
    scale_columns : bool, default=True
        Whether the prior of a coefficient follows the norm of its column.
    prior : array-like of shape (n_features,), optional
        Factor gamma on each coefficient in the penalty, 1 by default; 0 is not penalized.
    max_iter : int, default=300
        Largest number of steps.
    tol : float, default=1e-3
        Relative change of noise level and strength at which it has converged.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        Coefficients, the mean of the posterior.
    alpha_ : float
        Ridge strength: `Ridge` with it gives the same coefficients.
    noise_variance_ : float
        Variance of the noise of a row of weight 1, in squared units of the targets.
    log_evidence_ : float
        Logarithm of the probability density of the (weighted) targets.
    n_determined_ : float
        Number of parameters that the rows determine.
    n_iter_ : int
        Steps taken.
    solution_ : Solution
        Coefficients, rank, condition number, residual norm, status and strength.
    n_features_in_ : int
        Number of features.

    See Also
    --------
    maximize_evidence : The equations, and noise levels of several kinds of rows.

    Examples
    --------
    >>> import numpy as np
    >>> from linmlp.solvers import BayesianRidge
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(500, 3))
    >>> model = BayesianRidge().fit(X, X @ [1.0, 2.0, 0.0] + 0.1 * rng.normal(size=500))
    >>> model.coef_.round(1), round(model.noise_variance_**0.5, 2)
    (array([1., 2., 0.]), 0.1)
    """

    alpha_: float
    noise_variance_: float
    log_evidence_: float
    n_determined_: float
    n_iter_: int

    def __init__(
        self,
        scale_columns: bool = True,
        prior: FloatArray | None = None,
        max_iter: int = 300,
        tol: float = 1e-3,
    ) -> None:
        self.scale_columns = scale_columns
        self.prior = prior
        self.max_iter = max_iter
        self.tol = tol

    def solve(self, system: CompressedSystem) -> Solution:
        """Return the mean of the posterior at the most probable strength.

        Parameters
        ----------
        system : CompressedSystem
            Rows and targets, folded.

        Returns
        -------
        Solution
            Its `alpha` is the strength.
        """
        return self._at(system, self._maximize(system))

    def _solve_and_remember(self, system: CompressedSystem) -> Solution:
        """Return the solution, and keep what the evidence tells."""
        evidence = self._maximize(system)
        solution = self._at(system, evidence)
        self.alpha_ = solution.alpha
        self.noise_variance_ = float(evidence.noise_variance[0])
        self.log_evidence_, self.n_iter_ = evidence.log_evidence, evidence.n_iter
        self.n_determined_ = float(evidence.n_determined[0])
        return solution

    def _maximize(self, system: CompressedSystem) -> Evidence:
        """Return noise level and strength."""
        self._check_iterations()
        return maximize_evidence(
            [system], [system.n_observations], self.scale_columns, self.prior, self.max_iter, self.tol
        )

    def _at(self, system: CompressedSystem, evidence: Evidence) -> Solution:
        """Return the ridge solution, whose residual is in the units of the system."""
        # The evidence divides rows by their noise, which columns of unit norm do not show.
        alpha = evidence.alpha * (1.0 if self.scale_columns else float(evidence.noise_variance[0]))
        (solution,) = ridge_path(system, [alpha], self.scale_columns, self.prior)
        status = solution.status if evidence.converged else Status.NOT_CONVERGED
        return replace(solution, status=status, alpha=alpha)
