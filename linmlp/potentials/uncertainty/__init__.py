"""A fitted potential in; how far its predictions may be trusted out.

`fitting` makes an `Uncertainty` from the folds of a fit: the `posterior` of the coefficients and a committee drawn
from it, the `calibration` of standard deviations on structures that were left out, and the `grade` of extrapolation,
made of the `leverage` of atoms and the `novelty` of structures. `predictor` evaluates all of it, `coverage` says how
well stated intervals hold.
"""

from linmlp.potentials.uncertainty.fitting import fit_uncertainty
from linmlp.potentials.uncertainty.prediction import UncertainPrediction
from linmlp.potentials.uncertainty.predictor import EnergyStdPredictor, UncertainPredictor
from linmlp.potentials.uncertainty.uncertainty import Uncertainty

__all__ = ["EnergyStdPredictor", "UncertainPrediction", "UncertainPredictor", "Uncertainty", "fit_uncertainty"]
