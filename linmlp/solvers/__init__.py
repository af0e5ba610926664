"""Matrices in, coefficients out: scikit-learn regressors that also take compressed systems."""

from linmlp.solvers.base import SystemSolver
from linmlp.solvers.ridge import ALPHAS, Ridge, ridge_path
from linmlp.solvers.solution import Solution, Status

__all__ = ["ALPHAS", "Ridge", "Solution", "Status", "SystemSolver", "ridge_path"]
