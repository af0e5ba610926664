"""Pairs in, features and their derivatives out."""

from linmlp.descriptors.ace import ACE, ImportedACE
from linmlp.descriptors.base import Descriptor
from linmlp.descriptors.dscribe import DScribeDescriptor
from linmlp.descriptors.evaluators import (
    Committee,
    Evaluator,
    Judged,
    JudgingEvaluator,
    QuadraticForm,
    SummingEvaluator,
)
from linmlp.descriptors.joined import JoinedDescriptors
from linmlp.descriptors.kernel import KernelFeatures
from linmlp.descriptors.mean_features import MeanFeatures
from linmlp.descriptors.soap import SOAP

__all__ = [
    "ACE",
    "SOAP",
    "Committee",
    "DScribeDescriptor",
    "Descriptor",
    "Evaluator",
    "ImportedACE",
    "JoinedDescriptors",
    "Judged",
    "JudgingEvaluator",
    "KernelFeatures",
    "MeanFeatures",
    "QuadraticForm",
    "SummingEvaluator",
]
