"""Potentials and results of searches in, learning curves, diagnoses and plots out."""

from linmlp.evaluation.core import CompressionScan, CoreScan, DimerScan, scan_compression, scan_dimers
from linmlp.evaluation.diagnosis import diagnose_fit
from linmlp.evaluation.learning import LearningCurve, learning_curve
from linmlp.evaluation.plots import plot_compression, plot_dimers, plot_gaps, plot_learning_curve, plot_search

__all__ = [
    "CompressionScan",
    "CoreScan",
    "DimerScan",
    "LearningCurve",
    "diagnose_fit",
    "learning_curve",
    "plot_compression",
    "plot_dimers",
    "plot_gaps",
    "plot_learning_curve",
    "plot_search",
    "scan_compression",
    "scan_dimers",
]
