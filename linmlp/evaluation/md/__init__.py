"""Fitted potential and structure in, MD runs with their verdicts out."""

from linmlp.evaluation.md.failures import Failure, Limits
from linmlp.evaluation.md.run import Run, Stability
from linmlp.evaluation.md.simulation import Progress, RunSettings, Simulation
from linmlp.evaluation.md.stability import check_stability
from linmlp.evaluation.md.statistics import Estimate, inefficiency, mean_with_error, slope_with_error
from linmlp.evaluation.md.time_steps import TimeSteps, check_time_steps
from linmlp.evaluation.md.trace import Trace

__all__ = [
    "Estimate",
    "Failure",
    "Limits",
    "Progress",
    "Run",
    "RunSettings",
    "Simulation",
    "Stability",
    "TimeSteps",
    "Trace",
    "check_stability",
    "check_time_steps",
    "inefficiency",
    "mean_with_error",
    "slope_with_error",
]
