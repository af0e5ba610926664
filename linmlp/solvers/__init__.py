"""Matrices in, coefficients out: scikit-learn regressors that also take compressed systems."""

from linmlp.solvers.base import SystemSolver
from linmlp.solvers.evidence import Evidence, maximize_evidence
from linmlp.solvers.least_squares import LeastSquares
from linmlp.solvers.ridge import ALPHAS, Ridge, ridge_path
from linmlp.solvers.solution import Solution, Status
from linmlp.solvers.truncated_svd import TruncatedSVDRegression

__all__ = [
    "ALPHAS",
    "Evidence",
    "LeastSquares",
    "Ridge",
    "Solution",
    "Status",
    "SystemSolver",
    "TruncatedSVDRegression",
    "maximize_evidence",
    "ridge_path",
]
