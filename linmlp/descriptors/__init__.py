"""Pairs in, features and their derivatives out."""

from linmlp.descriptors.ace import ACE
from linmlp.descriptors.base import Committee, Descriptor, Evaluator, SummingEvaluator

__all__ = ["ACE", "Committee", "Descriptor", "Evaluator", "SummingEvaluator"]
