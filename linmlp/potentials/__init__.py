"""The estimators: labelled structures in, fitted potentials out; model files."""

from linmlp.potentials.errors import ErrorTable
from linmlp.potentials.linear import LinearPotential
from linmlp.potentials.linear_cv import LinearPotentialCV
from linmlp.potentials.persistence import load
from linmlp.potentials.predictor import Precision, Prediction, Predictor
from linmlp.potentials.scorers import scorer, scorer_names
from linmlp.potentials.solver_setting import UpToDegree
from linmlp.potentials.sparse_kernel import SparseKernelPotential
from linmlp.potentials.structure_selection import select_structures

__all__ = [
    "ErrorTable",
    "LinearPotential",
    "LinearPotentialCV",
    "Precision",
    "Prediction",
    "Predictor",
    "SparseKernelPotential",
    "UpToDegree",
    "load",
    "scorer",
    "scorer_names",
    "select_structures",
]
