"""The folded rows of a front and what was chosen for every potential in; coefficients and fitted potentials out."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from sklearn.base import clone

from linmlp.evaluation.front.points import Point
from linmlp.exceptions import LinmlpWarning
from linmlp.potentials import LinearPotential, Predictor
from linmlp.potentials.fit_result import Chosen, Fit
from linmlp.potentials.fit_settings import FitSettings
from linmlp.potentials.fitting import solve_chosen, solve_system
from linmlp.potentials.reporting import reporter
from linmlp.potentials.training_set import TrainedSystem, TrainingSet
from linmlp.potentials.uncertainty.setting import calibrate
from linmlp.structures import CalculatorBaseline
from linmlp.system import AssembledData
from linmlp.system.threads import one_blas_thread


@dataclass(frozen=True, eq=False)
class Material:
    """What a front was made from, so that its potentials are solved without a second pass over the rows.

    Parameters
    ----------
    potential : LinearPotential
        Settings that all share; its descriptor is the pool.
    settings : FitSettings
        The same, checked.
    data : TrainingSet
        Structures, labels, and the fitted pool.
    assembled : AssembledData
        Folded rows.
    chosen : tuple of Chosen
        Weights, solver, strength and features of every potential.
    """

    potential: LinearPotential
    settings: FitSettings
    data: TrainingSet
    assembled: AssembledData
    chosen: tuple[Chosen, ...]

    @cached_property
    def _fits(self) -> tuple[Fit, ...]:
        """Fits to all structures, without rows for dimers and holes, which change no sizes."""
        data, solves_reference = self.data, self.data.solves_reference
        with warnings.catch_warnings(), one_blas_thread():
            warnings.simplefilter("ignore", LinmlpWarning)  # errors tell of few rows; `fit` warns
            whole = TrainedSystem(self.assembled.as_one_fold(), data.reference)
            fits = []
            for chosen in self.chosen:
                candidate = chosen.candidate.with_numbers(self.assembled, self.assembled.folds, solves_reference)
                fits.append(solve_system(whole, replace(chosen, candidate=candidate), solves_reference, None))
        return tuple(fits)

    @property
    def n_functions(self) -> list[int]:
        """Functions with a coefficient, of every potential."""
        return [int(np.count_nonzero(fit.solution.coef)) for fit in self._fits]

    def predictors(self) -> list[Predictor]:
        """Return what evaluates every potential, with baselines but for calculators of ASE."""
        data = self.data
        baselines = [baseline for baseline in data.baselines if not isinstance(baseline, CalculatorBaseline)]
        return [Predictor(data.descriptor, fit.solution.coef, fit.reference, baselines) for fit in self._fits]

    def fit(self, point: Point, index: int) -> LinearPotential:
        """Return a potential fitted to all structures.

        Parameters
        ----------
        point : Point
            Its settings.
        index : int
            Its place among the potentials.

        Returns
        -------
        LinearPotential
            As `LinearPotential.fit` gives it: dimers repel, and holes are filled where that is wanted.
        """
        tell = reporter(self.potential.verbose)
        fit = solve_chosen(self.data, self.assembled, self.chosen[index], self.settings, tell)
        potential: LinearPotential = clone(self.potential).set_params(**point.settings)
        potential._take(fit, self.data, calibrate(self.data, fit, potential._fit_settings(), tell))
        return potential
