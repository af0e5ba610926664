"""The linear potential: labelled structures in, a fitted potential out."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from ase import Atoms
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from linmlp.descriptors import ACE, Descriptor
from linmlp.exceptions import SettingsError
from linmlp.potentials.baseline_setting import BaselineSetting
from linmlp.potentials.batches import map_structures
from linmlp.potentials.errors import ErrorTable, StructureErrors
from linmlp.potentials.fit_result import Fit
from linmlp.potentials.fit_settings import FitSettings
from linmlp.potentials.fitting import fit_linear
from linmlp.potentials.holes import HoleRows
from linmlp.potentials.incremental import fit_more, merge_potentials, settings_snapshot
from linmlp.potentials.persistence import save_potential
from linmlp.potentials.predictor import Precision, Prediction, Predictor
from linmlp.potentials.preparation import prepare
from linmlp.potentials.provenance import provenance
from linmlp.potentials.reporting import reporter
from linmlp.potentials.row_fitting import fit_rows
from linmlp.potentials.solver_setting import FeatureSetting, PriorSetting
from linmlp.potentials.summary import describe, describe_cross_validation
from linmlp.potentials.training_set import TrainingSet
from linmlp.potentials.uncertainty import EnergyStdPredictor, UncertainPrediction, UncertainPredictor, Uncertainty
from linmlp.potentials.uncertainty.setting import calibrate, kept_uncertainty
from linmlp.potentials.uncertainty.table import UncertaintyTable
from linmlp.potentials.usable_labels import usable_labels
from linmlp.solvers import SystemSolver
from linmlp.structures import Baseline, LabelSet, ReferenceEnergies, RejectSetting, as_structure_list, read_labels
from linmlp.system import LossParts, LossWeights, compute_loss
from linmlp.units import FloatArray

Auto = Literal["auto"]


class LinearPotential(BaseEstimator):  # type: ignore[misc]
    r"""Interatomic potential that is linear in its coefficients, fitted by weighted ridge regression.

    One sample is one structure; labels (energy, forces, stress) live on the structures.

    Parameters
    ----------
    descriptor : Descriptor or None, default=None
        Features of atoms; None means ``ACE()``, whose cutoff and number of functions are chosen by cross-validation.
        ``sklearn.frozen.FrozenEstimator(fitted)`` uses a fitted one as it is.
    energy_weight, force_weight, stress_weight : float, "auto" or "evidence", default="auto"
        The weights w of the loss (see Notes). "auto" starts from a rule (an energy error of 1/150 eV/atom, a force
        component of 1 eV/Å and a virial of 1/3 eV/atom weigh the same) and lets cross-validation choose the energy
        weight around it. "evidence" (energies and stresses) takes them from the noise level of each kind on held-out
        folds, relative to forces (see `linmlp.potentials.evidence_weights`): no grid, and inside a cross-validation
        the training folds alone decide.
    energy_per : {"auto", "structure", "atom", "sqrt_atom"}, default="auto"
        What energy residuals are divided by: nothing, n_atoms, or its square root. "auto" is chosen by
        cross-validation if `energy_weight` is "auto", by the evidence if it is "evidence", and "structure" otherwise.
    group_weights : dict or None, default=None
        Weight of each ``config_type`` on top; key "default" for those not named.
    alpha : float or "auto", default="auto"
        Ridge strength, on columns scaled to unit norm but for kernel features; "auto" is chosen by cross-validation.
    solver : SystemSolver or None, default=None
        One of `linmlp.solvers`; None is ridge regression with strength `alpha`. Where the solver's own strength is
        "auto", cross-validation chooses it.
    prior : None, "degree", float or array-like of shape (n_features,), default=None
        Factor on each coefficient in the penalty: a power of the degree of the function ("degree" is 2), or an array.
    features : None, array-like of int or bool, or callable, default=None
        Features that may be used: indices, a mask, or a function of the fitted descriptor that returns one, such as
        `linmlp.UpToDegree`.
    e0 : "auto", "isolated", "lstsq" or dict, default="auto"
        Reference energies of the elements in eV: from one-atom structures, least squares on the compositions
        (unpenalized and solved with the rest, anew in every fold), or given. "auto" takes isolated atoms where every
        element has one, else least squares.
    baseline : "zbl", None, Baseline, ASE calculator, or a sequence of these, default="zbl"
        Energies that are subtracted before the fit and added after it. "zbl" is the universal repulsion of Ziegler,
        Biersack and Littmark below the closest approach of each pair of elements in the training structures.
    n_folds : int, default=5
        Folds of the cross-validation, random within each ``config_type``.
    form : {"auto", "gram", "qr"}, default="auto"
        How rows are compressed; "auto" is "gram" where the number of functions is chosen, or rows are many.
    reject : dict, callable or None, default=None
        Which structures `fit` leaves out, such as ``{"max_force": 30.0, "min_distance": 0.8, "duplicates": True}``
        (eV/Å, Å; see `linmlp.structures.reject_structures`). Predictions and errors never leave any out.
    memory : path-like, joblib.Memory or None, default=None
        Where folded rows are kept, so that a fit with the same data, descriptor and weights does not compute them
        again, for example in a search over `alpha`. None keeps none.
    energy_key, forces_key, stress_key, virial_key : str or None, default=None
        Where labels stand; None searches the usual places.
    n_jobs : int or None, default=None
        Threads (joblib). None means 1 for the rows of a fit and all cores for predictions of many structures, unless a
        ``joblib.parallel_config`` says otherwise; inside of workers of joblib it means 1.
    max_memory : float or None, default=None
        GB that the fit may take; one that is predicted to need more is refused.
    keep_system : bool, default=True
        Whether to keep the folded rows (``system_``), for `partial_fit`, `merge` and uncertainties.
    fold_rows : bool, default=True
        Whether rows are folded into compressed systems, from which everything else comes: searches, `partial_fit`,
        uncertainties. False is for more functions than square matrices of them fit into memory: `solver`, an `LSMR` or
        a `MiniBatchGradientDescent`, makes the rows again at every pass. Automatic weights are then those of the rule,
        with an automatic `energy_per` of "structure".
    fill_holes : bool or "auto", default="auto"
        Whether the fit runs small training structures hot and dense, and raises the energies of crowded atoms that fall
        far below those of the data (see `linmlp.potentials.holes`). "auto" does so where `alpha` is "auto" and `solver`
        None. Fits that make rows anew at every pass (`fold_rows` False) do not.
    uncertainty : bool, default=False
        Whether the fit calibrates uncertainties on its folds, for `predict` with ``return_std=True``,
        `predict_uncertainty`, `evaluate` and the calculator; every training structure is evaluated once for that. Ridge
        regression alone has them, with or without `prior` and `features`.
    random_state : int, default=0
        Seed of the folds and of the committee.
    verbose : int, default=0
        1 prints what the fit does, the predicted memory first.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        Coefficients in eV.
    e0_ : dict
        Reference energy of every element in eV.
    descriptor_ : Descriptor
        The fitted descriptor.
    baselines_ : tuple of Baseline
        What is added to the linear part.
    energy_weight_, force_weight_, stress_weight_, energy_per_, alpha_ : float, str
        What was used.
    cv_errors_ : dict
        Cross-validation errors of what was used: energy_mae, energy_rmse (meV/atom), force_rmse (eV/Å), stress_rmse
        (GPa), score.
    cv_results_ : dict of arrays
        All combinations that were tried, in scikit-learn's form.
    solution_ : Solution
        Rank, condition number, residual and status of the solve.
    system_ : TrainedSystem or None
        Folded rows of all training structures; None without them.
    holes_ : HoleRows or None
        Rows that fill holes; None if none was found or looked for. `partial_fit` and `merge` keep them.
    uncertainty_ : Uncertainty or None
        Posterior, committee, calibration on held-out folds and extrapolation grades; None unless asked for.
    rejected_ : list of (int, str)
        Structures that `reject` left out: index in the list given to the last `fit` or `partial_fit`, and reason.

    Notes
    -----
    The loss is

    .. math:: L(c) = \frac{w_E}{N_{cfg}} \sum_i (E_i - \hat E_i)^2
       + \frac{w_F}{N_{atoms}} \sum_{ia} \|F_{ia} - \hat F_{ia}\|^2
       + \frac{w_S}{N_{cfg}} \sum_i \|S_i - \hat S_i\|^2

    with the Frobenius norm of the 3x3 stress. No design matrix is kept: rows are folded into compressed systems, one
    per fold, from which all combinations of weights and ridge strengths are cross-validated.

    Examples
    --------
    >>> from linmlp import ACE, LinearPotential
    >>> from linmlp.datasets import load_silicon
    >>> train, test = load_silicon()
    >>> model = LinearPotential(ACE(cutoff=4.0, order=2, max_degree=(6, 4))).fit(train[:30])
    >>> sorted(model.evaluate(test).to_dict()["total"])[:2]
    ['energy_mae', 'energy_rmse']
    """

    def __init__(
        self,
        descriptor: Descriptor | None = None,
        *,
        energy_weight: float | Literal["auto", "evidence"] = "auto",
        force_weight: float | Auto = "auto",
        stress_weight: float | Literal["auto", "evidence"] = "auto",
        energy_per: Literal["auto", "structure", "atom", "sqrt_atom"] = "auto",
        group_weights: Mapping[str, float] | None = None,
        alpha: float | Auto = "auto",
        solver: SystemSolver | None = None,
        prior: PriorSetting = None,
        features: FeatureSetting = None,
        e0: Literal["auto", "isolated", "lstsq"] | Mapping[str, float] = "auto",
        baseline: BaselineSetting = "zbl",
        n_folds: int = 5,
        form: Literal["auto", "gram", "qr"] = "auto",
        reject: RejectSetting = None,
        memory: Any = None,
        energy_key: str | None = None,
        forces_key: str | None = None,
        stress_key: str | None = None,
        virial_key: str | None = None,
        n_jobs: int | None = None,
        max_memory: float | None = None,
        keep_system: bool = True,
        fold_rows: bool = True,
        fill_holes: bool | Auto = "auto",
        uncertainty: bool = False,
        random_state: int = 0,
        verbose: int = 0,
    ) -> None:
        self.descriptor = descriptor
        self.energy_weight = energy_weight
        self.force_weight = force_weight
        self.stress_weight = stress_weight
        self.energy_per = energy_per
        self.group_weights = group_weights
        self.alpha = alpha
        self.solver = solver
        self.prior = prior
        self.features = features
        self.e0 = e0
        self.baseline = baseline
        self.n_folds = n_folds
        self.form = form
        self.reject = reject
        self.memory = memory
        self.energy_key = energy_key
        self.forces_key = forces_key
        self.stress_key = stress_key
        self.virial_key = virial_key
        self.n_jobs = n_jobs
        self.max_memory = max_memory
        self.keep_system = keep_system
        self.fold_rows = fold_rows
        self.fill_holes = fill_holes
        self.uncertainty = uncertainty
        self.random_state = random_state
        self.verbose = verbose

    def _default_descriptor(self) -> Descriptor:
        return ACE()

    def _feature_setting(self) -> Any:
        """Return what makes the features: an unfitted descriptor, or a fitted one that is frozen."""
        return self._default_descriptor() if self.descriptor is None else self.descriptor

    @classmethod
    def _with_features(cls, features: Descriptor, settings: dict[str, Any]) -> Self:
        """Return an unfitted potential whose features these would be."""
        return cls(clone(features), **settings)

    def fit(self, structures: Sequence[Atoms], y: Any = None, *, sample_weight: Any = None) -> Self:
        """Fit to labelled structures.

        Parameters
        ----------
        structures : sequence of ase.Atoms
            Training structures; one that lacks a kind of label is used for what it has.
        y : ignored
            Labels live on the structures.
        sample_weight : array-like of shape (n_structures,), optional
            2 means listed twice, 0 means absent.

        Returns
        -------
        LinearPotential
            Itself.

        Raises
        ------
        InputError
            If structures, labels or settings cannot be used; the message says what to do.
        """
        tell = reporter(self.verbose)
        settings = self._fit_settings()
        data = prepare(self, structures, sample_weight, settings, tell)
        fit = (fit_linear if settings.fold_rows else fit_rows)(data, settings, tell)
        data = data if fit.data is None else fit.data
        uncertainty = calibrate(data, fit, settings, tell)
        self._take(fit, data, uncertainty)
        return self

    def partial_fit(self, structures: Sequence[Atoms], y: Any = None, *, sample_weight: Any = None) -> Self:
        """Add labelled structures to the training set and solve again; the first call fits.

        The result is that of one fit to all structures with the same descriptor state, baselines, loss weights and
        strength: those of the first call stay. The order of the calls does not matter. Uncertainties become those
        of the fit to all structures (posterior, committee), and grades take the new structures into account; the
        calibration of intervals and the edges of grades stay those of the first call, whose folds were held out.

        Parameters
        ----------
        structures : sequence of ase.Atoms
            Structures that were not fitted to yet, of the elements of the first call.
        y : ignored
            Labels live on the structures.
        sample_weight : array-like of shape (n_structures,), optional
            2 means listed twice, 0 means absent.

        Returns
        -------
        LinearPotential
            Itself; unchanged where an error is raised.

        Raises
        ------
        InputError
            If structures or labels cannot be used, settings have changed since the fit, an element is new, or the
            folded rows were not kept.
        """
        if not hasattr(self, "coef_"):
            return self.fit(structures, y, sample_weight=sample_weight)
        fit_more(self, structures, sample_weight)
        return self

    def merge(self, *others: "LinearPotential") -> "LinearPotential":
        """Return the potential that is fitted to the training structures of this one and the others together.

        Parameters
        ----------
        *others : LinearPotential
            Fitted with the same settings and the same state of the descriptor (see `FrozenEstimator` above).

        Returns
        -------
        LinearPotential
            A new one, with the loss weights and the strength of this one.

        Raises
        ------
        InputError
            If settings, descriptor or baselines differ, or the folded rows were not kept.
        """
        check_is_fitted(self)
        return merge_potentials(self, others)

    def predict(self, structures: Sequence[Atoms], return_std: bool = False) -> Any:
        """Return total energies.

        Parameters
        ----------
        structures : sequence of ase.Atoms
            Structures.
        return_std : bool, default=False
            Whether to return standard deviations, too.

        Returns
        -------
        energies : ndarray of shape (n_structures,)
            In eV.
        std : ndarray of shape (n_structures,)
            Half-widths of 68 % intervals, calibrated on held-out folds, eV; only if `return_std`.

        Raises
        ------
        SettingsError
            If standard deviations are asked of a potential without `uncertainty_`.
        """
        if return_std:
            predictor = EnergyStdPredictor(*self._parts(), kept_uncertainty(self))
            results = map_structures(predictor, structures, self.n_jobs)
            energies, sums, counts = (np.array(of_kind) for of_kind in zip(*results, strict=True))
            return energies, predictor.std(sums, counts, counts.sum(axis=1))
        return np.array([prediction.energy for prediction in self._predictions(structures)])

    def predict_forces(self, structures: Sequence[Atoms], return_std: bool = False) -> Any:
        """Return forces.

        Parameters
        ----------
        structures : sequence of ase.Atoms
            Structures.
        return_std : bool, default=False
            Whether to return standard deviations, too.

        Returns
        -------
        forces : list of ndarray of shape (n_atoms, 3)
            In eV/Å.
        std : list of ndarray of shape (n_atoms,)
            Half-widths of 68 % intervals of the components of each atom, eV/Å; only if `return_std`.

        Raises
        ------
        SettingsError
            If the descriptor has no derivatives.
        """
        self._check_derivatives()
        if return_std:
            results = self.predict_uncertainty(structures)
            return [r.prediction.forces for r in results], [r.force_std for r in results]
        return [prediction.forces for prediction in self._predictions(structures)]

    def predict_uncertainty(self, structures: Sequence[Atoms]) -> list[UncertainPrediction]:
        """Return predictions with standard deviations, intervals and extrapolation grades.

        Parameters
        ----------
        structures : sequence of ase.Atoms
            Structures.

        Returns
        -------
        list of UncertainPrediction
            `energy_std`, `force_std`, `energy_half_width(level)`, `force_half_width(level)`, `atom_grades`, `grade`.

        Raises
        ------
        SettingsError
            If the potential has no `uncertainty_`.
        """
        return map_structures(self.uncertain_predictor(), structures, self.n_jobs)

    def predict_stress(self, structures: Sequence[Atoms]) -> FloatArray:
        """Return stresses in eV/Å³ (Voigt, positive under tension), (n_structures, 6); NaN for one without volume."""
        self._check_derivatives()
        return np.array([prediction.stress for prediction in self._predictions(structures)]).reshape(-1, 6)

    def loss(
        self,
        structures: Sequence[Atoms],
        y: Any = None,
        *,
        sample_weight: Any = None,
        weights: LossWeights | None = None,
    ) -> float:
        """Return the loss L on labelled structures.

        Parameters
        ----------
        structures : sequence of ase.Atoms
            Labelled structures.
        y : ignored
            Labels live on the structures.
        sample_weight : array-like of shape (n_structures,), optional
            How often each structure counts.
        weights : LossWeights, optional
            Weights of the loss; those of the fit by default (``loss_weights_``).

        Returns
        -------
        float
            L.
        """
        structures = as_structure_list(structures)
        return self._loss(structures, self._usable_labels(structures), weights, sample_weight).total

    def score(self, structures: Sequence[Atoms], y: Any = None, *, sample_weight: Any = None) -> float:
        """Return -L at reference weights that depend on the structures alone, so that candidates can be compared.

        Parameters
        ----------
        structures : sequence of ase.Atoms
            Labelled structures.
        y : ignored
            Labels live on the structures.
        sample_weight : array-like of shape (n_structures,), optional
            How often each structure counts.

        Returns
        -------
        float
            Larger is better.
        """
        structures = as_structure_list(structures)
        labels = self._usable_labels(structures)
        weight = None if sample_weight is None else np.asarray(sample_weight, dtype=float)
        return -self._loss(structures, labels, LossWeights.from_labels(labels, weight), sample_weight).total

    def evaluate(self, structures: Sequence[Atoms], uncertainty: bool = False) -> ErrorTable:
        """Return the table of errors on labelled structures, in total and per ``config_type``.

        Parameters
        ----------
        structures : sequence of ase.Atoms
            Labelled structures.
        uncertainty : bool, default=False
            Whether to say how well stated intervals hold, too, and how far the structures are from the training set.

        Returns
        -------
        ErrorTable
            MAE and RMSE of energy (meV/atom), forces (eV/Å) and stress (GPa); print it, or use `to_dict`, `to_frame`.
            Its ``uncertainty`` is an `UncertaintyTable`, or None if not asked for.

        Raises
        ------
        SettingsError
            If uncertainties are asked of a potential without `uncertainty_`.
        """
        structures = as_structure_list(structures)
        labels = self._usable_labels(structures)
        if not uncertainty:
            predictions, stated = self._predictions(structures), None
        else:
            results = self.predict_uncertainty(structures)
            predictions = [result.prediction for result in results]
            stated = UncertaintyTable.of(results, labels, kept_uncertainty(self))
        errors = tuple(StructureErrors.of(p, label) for p, label in zip(predictions, labels, strict=True))
        return ErrorTable(errors, stated)

    def calculator(
        self,
        skin: float = 0.5,
        n_threads: int | None = None,
        uncertainty: bool = False,
        precision: Precision = "double",
    ) -> Any:
        """Return an ASE calculator.

        Parameters
        ----------
        skin : float, default=0.5
            Extra radius of the neighbor list in Å.
        n_threads : int or None, default=None
            Threads; None means all cores.
        uncertainty : bool, default=False
            Whether ``results`` gets energy_std, force_std, grades and grade at every step.
        precision : {"double", "single"}, default="double"
            Of the evaluation of ACE; see `predictor`.

        Returns
        -------
        linmlp.calculators.PotentialCalculator
            With energy, energies, free_energy, forces, stress and stresses.

        Raises
        ------
        SettingsError
            If the descriptor has no derivatives, or lacks the precision, which uncertainties always do.
        """
        from linmlp.calculators import PotentialCalculator

        if uncertainty and precision != "double":
            raise SettingsError(
                f'precision={precision!r} is not possible with uncertainty=True; take precision="double", or leave the '
                "uncertainty out"
            )
        predictor = self.uncertain_predictor() if uncertainty else self.predictor(precision)
        return PotentialCalculator(predictor, skin=skin, n_threads=n_threads)

    def predictor(self, precision: Precision = "double") -> Predictor:
        """Return what evaluates this potential, forces included.

        Parameters
        ----------
        precision : {"double", "single"}, default="double"
            "single" computes the angular functions, densities and products of ACE in single precision, 1.6 times as
            fast at 500 functions; distances, radial functions and sums of forces and energies stay in double precision.

        Returns
        -------
        Predictor
            Call it with a structure.

        Raises
        ------
        SettingsError
            If the descriptor has no derivatives, or lacks the precision: only ACE has "single".

        Notes
        -----
        Measured on the test structures of Zuo et al.: forces in single precision differ by 1.4e-6 eV/Å (root mean
        square, 8e-6 at most) for silicon with 750 functions at 5 Å, which is 1.4e-5 of the force RMSE of the fit; for
        silicon with 1604 functions, order 4 included, at 5.5 Å by 0.7e-5 of it, for molybdenum by 0.8e-5, for lithium
        by 1.7e-5. Energies of atoms differ by 1e-7 to 7e-7 eV. Forces add up to zero as in double precision.

        In NVE runs of silicon (64 atoms, 10 ps, 1 fs) the energy fluctuates by 0.0038 meV per atom at 300 K and 0.0147
        at 1000 K in both precisions, and drifts alike: by (1.5 ± 0.4)e-4 in both, and by (-2.9 ± 2.3)e-4 in both, meV
        per atom and ps.
        """
        self._check_derivatives()
        return Predictor(*self._parts(), precision=precision)

    def uncertain_predictor(self) -> UncertainPredictor:
        """Return what evaluates this potential together with its uncertainty."""
        return UncertainPredictor(*self._parts(), kept_uncertainty(self))

    def save(self, path: str | Path, system: bool = True) -> None:
        """Write the potential to one file that `linmlp.load` reads; it holds arrays and JSON, no code.

        Parameters
        ----------
        path : path-like
            Where to write; an existing file is replaced once the new one is whole.
        system : bool, default=True
            Whether the folded rows go into the file, if they were kept: `partial_fit`, `merge` and uncertainties need
            them, and they are most of its size.
        """
        check_is_fitted(self)
        save_potential(self, path, system)

    def describe(self) -> str:
        """Return what the fitted potential is made of, as text."""
        check_is_fitted(self)
        return describe(self)

    def describe_cross_validation(self) -> str:
        """Return the cross-validation errors of the chosen settings, as text."""
        check_is_fitted(self)
        return describe_cross_validation(self)

    @property
    def e0_(self) -> dict[str, float]:
        """Reference energy of every element in eV."""
        return {s: float(v) for s, v in zip(self.reference_.elements, self.reference_.values, strict=True)}

    @property
    def energy_weight_(self) -> float:
        """w_E of the loss that was used."""
        return self.loss_weights_.energy

    @property
    def force_weight_(self) -> float:
        """w_F of the loss that was used."""
        return self.loss_weights_.force

    @property
    def stress_weight_(self) -> float:
        """w_S of the loss that was used."""
        return self.loss_weights_.stress

    @property
    def energy_per_(self) -> str:
        """What energy residuals were divided by."""
        return self.loss_weights_.energy_per

    def _take(self, fit: Fit, data: TrainingSet, uncertainty: Uncertainty | None = None) -> None:
        """Become the potential of a fit."""
        self.descriptor_ = data.descriptor
        self.baselines_ = data.baselines
        self.training_ = provenance(data.structures, data.labels)
        self.fitted_settings_ = settings_snapshot(self)
        self.n_features_in_ = data.descriptor.n_features_out_
        self.uncertainty_ = uncertainty
        self.cv_errors_ = fit.cv_errors
        self.cv_results_ = fit.cv_results
        self._take_solution(fit)
        self.rejected_ = [] if data.rejection is None else list(data.rejection.rejected)
        if data.rejection is not None and data.rejection.rejected:
            self.notes_ += (data.rejection.report(),)

    def _take_solution(self, fit: Fit) -> None:
        """Take the coefficients of a fit with the same descriptor and baselines."""
        self.reference_: ReferenceEnergies = fit.reference
        self.coef_ = fit.solution.coef
        self.solution_ = fit.solution
        self.loss_weights_ = fit.weights
        self.alpha_ = fit.alpha
        self.form_ = fit.form
        self.core_weight_ = fit.core_weight
        self.holes_: HoleRows | None = fit.holes
        self.loss_share_ = fit.loss.shares
        self.notes_: tuple[str, ...] = fit.notes
        self.system_ = fit.system if self.keep_system else None

    def _read_labels(self, structures: Sequence[Atoms]) -> LabelSet:
        return read_labels(structures, self.energy_key, self.forces_key, self.stress_key, self.virial_key)

    def _usable_labels(self, structures: Sequence[Atoms]) -> LabelSet:
        """Return the labels that the fitted descriptor has features for."""
        check_is_fitted(self)
        return usable_labels(self._read_labels(structures), self.descriptor_)

    def _check_derivatives(self) -> None:
        """Raise where forces are asked of a descriptor without derivatives."""
        check_is_fitted(self)
        if self.descriptor_.derivatives_lack is not None:
            raise SettingsError(self.descriptor_.derivatives_lack)

    def _fit_settings(self) -> FitSettings:
        names = FitSettings.__dataclass_fields__
        return FitSettings(**{name: getattr(self, name) for name in names if hasattr(self, name)})

    def _parts(self) -> tuple[Descriptor, FloatArray, ReferenceEnergies, tuple[Baseline, ...]]:
        """Return what predictors are made of."""
        check_is_fitted(self)
        return self.descriptor_, self.coef_, self.reference_, self.baselines_

    def _predictions(self, structures: Sequence[Atoms]) -> list[Prediction]:
        return map_structures(Predictor(*self._parts()), structures, self.n_jobs)

    def _loss(
        self, structures: Sequence[Atoms], labels: LabelSet, weights: LossWeights | None, sample_weight: Any
    ) -> LossParts:
        predictions = self._predictions(structures)
        return compute_loss(
            self.loss_weights_ if weights is None else weights,
            labels,
            [p.energy for p in predictions],
            [p.forces for p in predictions],
            [p.stress for p in predictions],
            None if sample_weight is None else np.asarray(sample_weight, dtype=float),
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.estimator_type = "regressor"
        tags.input_tags.two_d_array = False
        tags.no_validation = True
        return tags
