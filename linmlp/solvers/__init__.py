"""Matrices in, coefficients out: scikit-learn regressors that also take compressed systems."""

from linmlp.solvers.ard import ARD
from linmlp.solvers.backward_selection import BackwardSelection
from linmlp.solvers.base import SystemSolver
from linmlp.solvers.bayesian_ridge import BayesianRidge
from linmlp.solvers.evidence import Evidence, maximize_evidence
from linmlp.solvers.feature_costs import FeatureCosts
from linmlp.solvers.forward_selection import ForwardSelection
from linmlp.solvers.lasso import Lasso
from linmlp.solvers.least_squares import LeastSquares
from linmlp.solvers.lsmr import LSMR
from linmlp.solvers.mini_batch import MiniBatchGradientDescent
from linmlp.solvers.ordered_selection import OrderedSelection
from linmlp.solvers.orthogonal_matching_pursuit import OrthogonalMatchingPursuit
from linmlp.solvers.ridge import ALPHAS, Ridge, ridge_path
from linmlp.solvers.row_solver import RowSolver
from linmlp.solvers.scikit_learn import ScikitLearnSolver
from linmlp.solvers.solution import Solution, Status
from linmlp.solvers.truncated_svd import TruncatedSVDRegression

__all__ = [
    "ALPHAS",
    "ARD",
    "LSMR",
    "BackwardSelection",
    "BayesianRidge",
    "Evidence",
    "FeatureCosts",
    "ForwardSelection",
    "Lasso",
    "LeastSquares",
    "MiniBatchGradientDescent",
    "OrderedSelection",
    "OrthogonalMatchingPursuit",
    "Ridge",
    "RowSolver",
    "ScikitLearnSolver",
    "Solution",
    "Status",
    "SystemSolver",
    "TruncatedSVDRegression",
    "maximize_evidence",
    "ridge_path",
]
