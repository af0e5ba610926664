"""Fitted potential in, ASE calculator out."""

from linmlp.calculators.ase import PotentialCalculator

__all__ = ["PotentialCalculator"]
