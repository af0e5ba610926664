"""Potentials and results of searches in, learning curves, diagnoses and plots out."""

from linmlp.evaluation.diagnosis import diagnose_fit
from linmlp.evaluation.learning import LearningCurve, learning_curve
from linmlp.evaluation.plots import plot_gaps, plot_learning_curve, plot_search

__all__ = ["LearningCurve", "diagnose_fit", "learning_curve", "plot_gaps", "plot_learning_curve", "plot_search"]
