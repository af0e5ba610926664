"""Whether more structures would help: errors at several sizes of the training set."""

from __future__ import annotations

import warnings

from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from linmlp.evaluation.learning import METRICS, LearningCurve, learning_curve
from linmlp.evaluation.plots import plot_learning_curve
from linmlp.evaluation.report.contract import Advance, Block, Content, Gallery, Paragraph, Section, Verdict
from linmlp.evaluation.report.figures import embed, new_axes, plain_ticks, style
from linmlp.evaluation.report.inputs import Inputs
from linmlp.evaluation.report.words import NAMES, number
from linmlp.exceptions import LinmlpWarning
from linmlp.potentials import LinearPotential
from linmlp.potentials.errors import UNITS

N_FOLDS = 3
PARTS = (1 / 8, 1 / 4, 1 / 2, 1)
"""Parts of the training folds that are fitted to: all fits together take the rows of four fits to all structures."""

LEAST = 8
"""Fits to fewer structures say nothing."""

STILL_FALLS = 0.05
"""An error that falls by more than this from half to all of the structures still falls."""


class LearningSection(Section):
    """Learning curve, of fits with the settings that this fit chose."""

    key = "learning"
    title = "Learning curve"

    def missing(self, inputs: Inputs) -> str:
        """Return that training structures are needed."""
        return "" if inputs.train is not None else "give --train DATA"

    def make(self, inputs: Inputs, advance: Advance) -> Content:
        """Return errors on structures left out over the number of structures fitted to."""
        trained = inputs.trained
        assert trained is not None
        structures = list(trained.structures)
        most = len(structures) - -(-len(structures) // N_FOLDS)
        sizes = sorted({round(part * most) for part in PARTS if round(part * most) >= LEAST})
        if len(sizes) < 2:
            told = f"{len(structures)} training structures are too few for a learning curve."
            return Content((), (Paragraph(told),))
        model = with_chosen_settings(inputs.model)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", LinmlpWarning)  # fits to few structures have few rows: that is the point
            curve = learning_curve(model, structures, sizes, N_FOLDS, random_state=inputs.random_state)
        prose = (
            f"Fits to {', '.join(map(str, sizes))} structures in each of {N_FOLDS} folds, with descriptor, weights and "
            "ridge strength of this fit; errors on the structures of the fold left out. Bars are standard deviations "
            "over folds."
        )
        blocks: list[Block] = [Paragraph(prose)]
        figures, verdicts = [], []
        for metric in ("energy_mae", "force_rmse"):
            if not (curve.validation[metric] > 0.0).all():
                continue
            verdicts.append(_verdict(curve, metric))
            with style():
                ax = plot_learning_curve(curve, metric, new_axes())
                plain_ticks(ax.yaxis)
                caption = f"{NAMES[metric.split('_')[0]].capitalize()} by number of training structures."
                figures.append(embed(f"learning-{metric.replace('_', '-')}", ax, verdicts[-1].text, caption))
        return Content(tuple(verdicts), (*blocks, Gallery(tuple(figures))))


def with_chosen_settings(model: LinearPotential) -> LinearPotential:
    """Return an unfitted potential whose automatic settings are those that a fit chose.

    Parameters
    ----------
    model : LinearPotential
        Fitted.

    Returns
    -------
    LinearPotential
        A fit of it searches nothing, states no uncertainties and keeps no rows.
    """
    weights = model.loss_weights_
    chosen: LinearPotential = clone(model).set_params(
        descriptor=FrozenEstimator(model.descriptor_),
        energy_weight=weights.energy,
        force_weight=weights.force,
        stress_weight=weights.stress,
        energy_per=weights.energy_per,
        uncertainty=False,
        keep_system=False,
        reject=None,
        verbose=0,
    )
    return chosen.set_params(alpha=model.alpha_) if model.solver is None else chosen


def _verdict(curve: LearningCurve, metric: str) -> Verdict:
    """Return whether the error still falls."""
    assert metric in METRICS
    mean = curve.validation[metric].mean(axis=1)
    unit, name = UNITS[metric.split("_")[0]], metric.replace("_", " ").replace("mae", "MAE").replace("rmse", "RMSE")
    fall = 1.0 - mean[-1] / mean[-2]
    told = (
        f"From {curve.sizes[-2]} to {curve.sizes[-1]} training structures the {name} on structures left out goes from "
        f"{number(float(mean[-2]))} to {number(float(mean[-1]))} {unit}"
    )
    if fall > STILL_FALLS:
        return Verdict("plain", f"{told}: more structures like these would help further.")
    return Verdict("plain", f"{told}: more structures like these would change little.")
