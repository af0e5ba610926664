r"""Loss weights from the noise levels of energies, forces and stresses, so that none has to be given by hand.

The noise of a kind of row is what a fit misses of it on structures that were held out. With :math:`E_k` the squared
residuals of kind k over all held-out folds, the weights and the form of the energy noise maximize

.. math:: -\tfrac12 \sum_k n_k \left[\ln\frac{E_k}{N_k} + \langle\ln v_k\rangle\right],

the logarithm of the predictive density of held-out rows with the noise variance :math:`\sigma_k^2 v` of each kind at
its most probable value :math:`\sigma_k^2 = E_k/N_k` (the predictive sample reuse of [1]_, the evidence of the held-out
part given the rest); v is what `energy_per` says of an energy, a power of the number of atoms, and 1 for the others.
The weight of a row is :math:`n_k/(N_k\sigma_k^2 v)`, and the residuals are those of the fit with these weights: a
fixed point, reached in a few steps.

The count :math:`n_k` is not the number of rows :math:`N_k`. What is missed is not noise but what the functions cannot
describe of one energy surface, which all rows of a structure share; counted as independent, hundreds of force rows
would outvote each energy, and energies come out two to three times worse than the best weights give. Each structure
counts as two observations instead: its energy is one, its derivatives, forces and stress by their number of rows, are
the other (the weighting of a composite likelihood by clusters [2]_). Where the functions describe the surface fully and
all that is left is noise of the labels, energies get more than their share by this, and a search is the better choice.

References
----------
.. [1] S. Geisser and W. F. Eddy, "A predictive approach to model selection", J. Am. Stat. Assoc. 74, 153 (1979).
.. [2] C. Varin, N. Reid and D. Firth, "An overview of composite likelihood methods", Stat. Sin. 21, 5 (2011),
   section 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from linmlp.exceptions import SettingsError
from linmlp.solvers import Ridge, SystemSolver
from linmlp.system import AssembledData, LossWeights, TrainingData, validate
from linmlp.system.threads import one_blas_thread
from linmlp.system.weights import ENERGY_PER_POWER
from linmlp.units import FloatArray, IntArray

EVIDENCE = "evidence"
"""The value of a weight that means this rule."""

MAX_HELD_OUT = 5
"""Folds are joined to at most so many parts that are held out in turn."""

KEPT_FEATURES = 1500
"""Up to so many features the merged systems of all training parts are kept between steps."""

KEPT_SQUARES = 6 * MAX_HELD_OUT
"""Square matrices of the features that this takes: Gram matrices and factors of three kinds."""

MAX_STEPS = 20
TOLERANCE = 0.02
"""Steps end when no weight changes by more than this part; errors change by a tenth of that."""

KINDS = ("energy", "force", "stress")


@dataclass(frozen=True)
class EvidenceWeights:
    """Loss weights that are found on the training folds.

    Parameters
    ----------
    starts : tuple of LossWeights
        Where to start, one for each `energy_per` that is compared; weights that are not found stay as they are there.
    found : tuple of str
        Kinds whose weights are found, of "energy" and "stress", with labels that have a weight to start from; that of
        forces is the unit.
    """

    starts: tuple[LossWeights, ...]
    found: tuple[str, ...]

    @property
    def energy(self) -> float | str:
        """w_E, or "evidence"."""
        return EVIDENCE if "energy" in self.found else self.starts[0].energy

    @property
    def force(self) -> float:
        """w_F."""
        return self.starts[0].force

    @property
    def stress(self) -> float | str:
        """w_S, or "evidence"."""
        return EVIDENCE if "stress" in self.found else self.starts[0].stress

    @property
    def energy_per(self) -> str:
        """What energy residuals are divided by; "auto" where that is found, too."""
        return self.starts[0].energy_per if len(self.starts) == 1 else "auto"

    @property
    def groups(self) -> Mapping[str, float] | None:
        """Weights of groups."""
        return self.starts[0].groups

    def find(
        self,
        assembled: AssembledData,
        folds: Sequence[int],
        solve_reference: bool = True,
        solver: SystemSolver | None = None,
        columns: IntArray | None = None,
        alphas: Sequence[float] | None = None,
    ) -> LossWeights:
        """Return the weights for some folds, without a look at the others.

        Parameters
        ----------
        assembled : AssembledData
            Assembled data.
        folds : sequence of int
            Training folds, two or more.
        solve_reference : bool, default=True
            Whether reference energies are solved with the rest.
        solver : SystemSolver, optional
            If it is a `Ridge`, its prior is used; residuals are those of ridge regression in any case.
        columns : ndarray of shape (n_chosen,), int, optional
            Features that may be used; all by default.
        alphas : sequence of float, optional
            Ridge strengths, of which the most probable one is taken; those that `Ridge` tries by default.

        Returns
        -------
        LossWeights
            Numbers.

        Raises
        ------
        SettingsError
            If there are not two folds to hold out in turn.
        """
        if len(folds) < 2:
            raise SettingsError(
                'weights by "evidence" come from parts of the training structures that are held out in turn, but there '
                f"is {len(folds)} training fold; use three folds or more"
            )
        ridge = solver if isinstance(solver, Ridge) else Ridge()
        alphas = ridge.path_values(assembled.form, assembled.n_features) if alphas is None else alphas
        held_out = _HeldOut(assembled, tuple(folds), solve_reference, ridge, columns)
        with one_blas_thread():
            results: list[tuple[float, LossWeights]] = []
            for start in self.starts:
                weights, misfit, alphas = self._converge(held_out, start, alphas)
                results.append((misfit, weights))
        return min(results, key=lambda result: result[0])[1]

    def _converge(
        self, held_out: _HeldOut, start: LossWeights, alphas: Sequence[float]
    ) -> tuple[LossWeights, float, Sequence[float]]:
        """Return the fixed point from a start, and the negative logarithm of the density there."""
        weights = start
        for _ in range(MAX_STEPS):
            squared = held_out.squared_residuals(weights, alphas)
            misfits = held_out.misfit(squared, weights)
            best = int(np.argmin(misfits))
            new = self._from_noise(held_out, squared[best], weights)
            change = max((abs(np.log(getattr(new, k) / getattr(weights, k))) for k in self.found), default=0.0)
            alphas = (alphas[best],)
            if change < TOLERANCE:
                break
            weights = new
        return weights, float(misfits[best]), alphas

    def _from_noise(self, held_out: _HeldOut, squared: FloatArray, weights: LossWeights) -> LossWeights:
        """Return weights ``n_k/E_k`` per row in units of that of forces (of energies, if there are no forces)."""
        unit = "force" if held_out.normalization[1] * weights.force > 0.0 else "energy"
        with np.errstate(divide="ignore", invalid="ignore"):
            weight = dict(zip(KINDS, held_out.shares / squared * held_out.normalization, strict=True))
            ratios = {kind: float(weight[kind] / weight[unit]) for kind in self.found if kind != unit}
        # Kinds without residuals, and what a fit leaves nothing of, keep their weights.
        usable = {kind: r * getattr(weights, unit) for kind, r in ratios.items() if np.isfinite(r) and r > 0.0}
        return replace(weights, **usable)


class _HeldOut:
    """Residuals of parts of the training folds, each predicted by a fit to the others."""

    def __init__(
        self,
        assembled: AssembledData,
        folds: tuple[int, ...],
        solve_reference: bool,
        ridge: Ridge,
        columns: IntArray | None,
    ) -> None:
        self.assembled, self.solve_reference, self.ridge, self.columns = assembled, solve_reference, ridge, columns
        n_parts = min(len(folds), MAX_HELD_OUT)
        self.parts = [folds[k::n_parts] for k in range(n_parts)]
        self.folds = folds
        kept = self.parts if assembled.n_features <= KEPT_FEATURES else []
        self._training = {tuple(part): self._others(part) for part in kept}
        energy = assembled.energy
        rows = energy.in_folds(folds)
        n_energy = float(energy.listed[rows].sum())
        self.mean_log_atoms = float(energy.listed[rows] @ np.log(energy.n_atoms[rows])) / max(n_energy, 1.0)
        n_atoms, n_stress = (
            sum(kind.count for _, kind in assembled.kind_systems_apart(name, folds)) for name in ("force", "stress")
        )
        self.normalization = np.array([n_energy, n_atoms, n_stress])
        derivatives = np.array([3.0 * n_atoms, 6.0 * n_stress])
        self.shares = np.array([1.0, *(derivatives / max(float(derivatives.sum()), 1.0))])

    def squared_residuals(self, weights: LossWeights, alphas: Sequence[float]) -> FloatArray:
        """Return the sums of squared residuals of the three kinds over all parts, (n_alphas, 3)."""
        total = np.zeros((len(alphas), len(KINDS)))
        for part in self.parts:
            problem = (self._training.get(tuple(part)) or self._others(part)).problem(weights)
            system = problem.system if self.columns is None else problem.system.subset(self.columns)
            solutions = self.ridge.solve_path(system.keep(), alphas)
            if self.columns is not None:
                solutions = [solution.spread(self.columns, self.assembled.n_features) for solution in solutions]
            coef = np.array([solution.coef for solution in solutions])
            errors = validate(self.assembled, part, coef, problem.composition.recover(coef), weights)
            energies = errors.squared_energies(weights.energy_per)
            total += np.column_stack([energies, errors.force.squared, errors.stress.squared])
        return total

    def _others(self, part: Sequence[int]) -> TrainingData:
        """Return the training data without a part."""
        others = [fold for fold in self.folds if fold not in part]
        keep = self.assembled.n_features <= KEPT_FEATURES
        return TrainingData(self.assembled, others, self.solve_reference, keep=keep, merge=keep)

    def misfit(self, squared: FloatArray, weights: LossWeights) -> FloatArray:
        """Return the negative logarithm of the predictive density up to a constant, (n_alphas,)."""
        present = (self.normalization > 0.0) & (np.array([getattr(weights, kind) for kind in KINDS]) > 0.0)
        logs = np.log(np.maximum(squared[:, present], np.finfo(float).tiny)) @ self.shares[present]
        return np.asarray(logs + present[0] * ENERGY_PER_POWER[weights.energy_per] * self.mean_log_atoms)
