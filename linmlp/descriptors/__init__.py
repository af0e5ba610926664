"""Pairs in, features and their derivatives out."""

from linmlp.descriptors.ace import ACE
from linmlp.descriptors.base import Descriptor, Evaluator

__all__ = ["ACE", "Descriptor", "Evaluator"]
