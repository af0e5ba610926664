"""Pairs in, features and their derivatives out."""

from linmlp.descriptors.ace import ACE
from linmlp.descriptors.base import Descriptor
from linmlp.descriptors.evaluators import (
    Committee,
    Evaluator,
    Judged,
    JudgingEvaluator,
    QuadraticForm,
    SummingEvaluator,
)

__all__ = [
    "ACE",
    "Committee",
    "Descriptor",
    "Evaluator",
    "Judged",
    "JudgingEvaluator",
    "QuadraticForm",
    "SummingEvaluator",
]
