"""Interatomic potentials that are linear in their parameters, fitted to DFT data on CPUs."""

from importlib.metadata import version

from linmlp.descriptors import ACE, SOAP, DScribeDescriptor
from linmlp.potentials import (
    ErrorTable,
    LinearPotential,
    LinearPotentialCV,
    SparseKernelPotential,
    UpToDegree,
    load,
    scorer,
    scorer_names,
)

__version__ = version("linmlp")
__all__ = [
    "ACE",
    "SOAP",
    "DScribeDescriptor",
    "ErrorTable",
    "LinearPotential",
    "LinearPotentialCV",
    "SparseKernelPotential",
    "UpToDegree",
    "load",
    "scorer",
    "scorer_names",
]
