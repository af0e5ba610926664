"""The linear potential: labelled structures in, a fitted potential out."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from ase import Atoms
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from linmlp.descriptors import ACE, Descriptor
from linmlp.exceptions import InputError, SettingsError, StructureError
from linmlp.potentials.baseline_setting import BaselineSetting, resolve_baselines
from linmlp.potentials.cutoff import choose_cutoff
from linmlp.potentials.errors import ErrorTable, StructureErrors
from linmlp.potentials.fitting import Fit, FitSettings, TrainingSet, fit_linear
from linmlp.potentials.persistence import data_hash, save_potential
from linmlp.potentials.predictor import Prediction, Predictor
from linmlp.potentials.reporting import reporter
from linmlp.potentials.summary import describe, describe_cross_validation
from linmlp.structures import (
    Baseline,
    LabelSet,
    ReferenceEnergies,
    RejectSetting,
    check_structures,
    fit_reference_energies,
    read_labels,
    reject_structures,
)
from linmlp.structures.checks import describe as name_structure
from linmlp.system import LossParts, LossWeights, check_group_names, compute_loss
from linmlp.units import FloatArray

Auto = Literal["auto"]


class LinearPotential(BaseEstimator):  # type: ignore[misc]
    r"""Interatomic potential that is linear in its coefficients, fitted by weighted ridge regression.

    One sample is one structure; labels (energy, forces, stress) live on the structures.

    Parameters
    ----------
    descriptor : Descriptor or None, default=None
        Features of atoms; None means ``ACE()``.
    energy_weight, force_weight, stress_weight : float or "auto", default="auto"
        The weights w of the loss (see Notes). "auto" starts from a rule (an energy error of 1/150 eV/atom, a force
        component of 1 eV/Å and a virial of 1/3 eV/atom weigh the same) and lets cross-validation choose the energy
        weight around it.
    energy_per : {"auto", "structure", "atom", "sqrt_atom"}, default="auto"
        What energy residuals are divided by: nothing, n_atoms, or its square root. "auto" is chosen by
        cross-validation if `energy_weight` is "auto", and "structure" otherwise.
    group_weights : dict or None, default=None
        Weight of each ``config_type`` on top; key "default" for those not named.
    alpha : float or "auto", default="auto"
        Ridge strength on columns scaled to unit norm; "auto" is chosen by cross-validation.
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
        How rows are compressed.
    reject : dict, callable or None, default=None
        Which structures `fit` leaves out, such as ``{"max_force": 30.0, "min_distance": 0.8, "duplicates": True}``
        (eV/Å, Å; see `linmlp.structures.reject_structures`). Predictions and errors never leave any out.
    memory : path-like, joblib.Memory or None, default=None
        Where folded rows are kept, so that a fit with the same data, descriptor and weights does not compute them
        again, for example in a search over `alpha`. None keeps none.
    energy_key, forces_key, stress_key, virial_key : str or None, default=None
        Where labels stand; None searches the usual places.
    n_jobs : int or None, default=None
        Threads that assemble rows (joblib; None means 1 unless in a ``joblib.parallel_config``).
    max_memory : float or None, default=None
        GB that the fit may take; one that is predicted to need more is refused.
    random_state : int, default=0
        Seed of the folds.
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

    rejected_ : list of (int, str)
        Structures that `reject` left out: index in the list given to `fit`, and reason.

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
        energy_weight: float | Auto = "auto",
        force_weight: float | Auto = "auto",
        stress_weight: float | Auto = "auto",
        energy_per: Literal["auto", "structure", "atom", "sqrt_atom"] = "auto",
        group_weights: Mapping[str, float] | None = None,
        alpha: float | Auto = "auto",
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
        self.random_state = random_state
        self.verbose = verbose

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
        structures = check_structures(structures)
        labels = self._read_labels(structures)
        tell.say(labels.report())
        settings = self._settings()
        check_group_names(self.group_weights, labels)
        rejection = reject_structures(self.reject, structures, labels)
        if rejection.rejected:
            tell.say(rejection.report())
        structures, labels, sample_weight = _take_some(rejection.kept, structures, labels, sample_weight)
        structures, labels, sample_weight = _present(structures, labels, sample_weight)
        descriptor = self._new_descriptor()
        if getattr(descriptor, "cutoff", None) == "auto":
            cutoff = choose_cutoff(descriptor, structures, labels, self.e0, settings, tell)
            descriptor.set_params(cutoff=cutoff)
        descriptor.fit(_distinct(structures))
        tell.say(f"{descriptor.n_features_out_} functions of {', '.join(descriptor.elements_)}: {descriptor!r}")
        baselines = resolve_baselines(self.baseline, descriptor, structures)
        reference = fit_reference_energies(self.e0, structures, labels, descriptor.elements_)
        data = TrainingSet(structures, labels, descriptor, baselines, reference, sample_weight)
        self._take(fit_linear(data, settings, tell), descriptor, baselines)
        self.rejected_ = list(rejection.rejected)
        if rejection.rejected:
            self.notes_ += (rejection.report(),)
        self.training_ = _provenance(structures, labels)
        self.loss_share_ = self._loss(structures, labels, None, sample_weight).shares
        return self

    def predict(self, structures: Sequence[Atoms]) -> FloatArray:
        """Return total energies in eV, (n_structures,)."""
        return np.array([prediction.energy for prediction in self._predictions(structures)])

    def predict_forces(self, structures: Sequence[Atoms]) -> list[FloatArray]:
        """Return forces in eV/Å, one array of shape (n_atoms, 3) per structure."""
        return [prediction.forces for prediction in self._predictions(structures)]

    def predict_stress(self, structures: Sequence[Atoms]) -> FloatArray:
        """Return stresses in eV/Å³ (Voigt, positive under tension), (n_structures, 6); NaN for one without volume."""
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
        structures = check_structures(structures)
        return self._loss(structures, self._read_labels(structures), weights, sample_weight).total

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
        structures = check_structures(structures)
        labels = self._read_labels(structures)
        weight = None if sample_weight is None else np.asarray(sample_weight, dtype=float)
        return -self._loss(structures, labels, LossWeights.from_labels(labels, weight), sample_weight).total

    def evaluate(self, structures: Sequence[Atoms]) -> ErrorTable:
        """Return the table of errors on labelled structures, in total and per ``config_type``.

        Parameters
        ----------
        structures : sequence of ase.Atoms
            Labelled structures.

        Returns
        -------
        ErrorTable
            MAE and RMSE of energy (meV/atom), forces (eV/Å) and stress (GPa); print it, or use `to_dict`, `to_frame`.
        """
        structures = check_structures(structures)
        labels = self._read_labels(structures)
        predictions = self._predictions(structures)
        return ErrorTable(tuple(StructureErrors.of(p, label) for p, label in zip(predictions, labels, strict=True)))

    def calculator(self, skin: float = 0.5, n_threads: int | None = None) -> Any:
        """Return an ASE calculator.

        Parameters
        ----------
        skin : float, default=0.5
            Extra radius of the neighbor list in Å.
        n_threads : int or None, default=None
            Threads; None means all cores.

        Returns
        -------
        linmlp.calculators.PotentialCalculator
            With energy, energies, free_energy, forces, stress and stresses.
        """
        from linmlp.calculators import PotentialCalculator

        return PotentialCalculator(self.predictor(), skin=skin, n_threads=n_threads)

    def predictor(self) -> Predictor:
        """Return what evaluates this potential."""
        check_is_fitted(self)
        return Predictor(self.descriptor_, self.coef_, self.reference_, self.baselines_)

    def save(self, path: str | Path) -> None:
        """Write the potential to one file that `linmlp.load` reads; it holds arrays and JSON, no code.

        Parameters
        ----------
        path : path-like
            Where to write; an existing file is replaced once the new one is whole.
        """
        check_is_fitted(self)
        save_potential(self, path)

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

    def _take(self, fit: Fit, descriptor: Descriptor, baselines: tuple[Baseline, ...]) -> None:
        self.descriptor_ = descriptor
        self.baselines_ = baselines
        self.reference_: ReferenceEnergies = fit.reference
        self.coef_ = fit.solution.coef
        self.solution_ = fit.solution
        self.loss_weights_ = fit.weights
        self.alpha_ = fit.alpha
        self.form_ = fit.form
        self.core_weight_ = fit.core_weight
        self.cv_errors_ = fit.cv_errors
        self.cv_results_ = fit.cv_results
        self.notes_: tuple[str, ...] = fit.notes
        self.n_features_in_ = descriptor.n_features_out_

    def _read_labels(self, structures: Sequence[Atoms]) -> LabelSet:
        return read_labels(structures, self.energy_key, self.forces_key, self.stress_key, self.virial_key)

    def _new_descriptor(self) -> Descriptor:
        if not (self.descriptor is None or isinstance(self.descriptor, Descriptor)):
            raise SettingsError(f"descriptor={self.descriptor!r} is none; give one such as ACE(cutoff=5.0), or None")
        return ACE() if self.descriptor is None else clone(self.descriptor)

    def _settings(self) -> FitSettings:
        names = FitSettings.__dataclass_fields__
        return FitSettings(**{name: getattr(self, name) for name in names if hasattr(self, name)})

    def _predictions(self, structures: Sequence[Atoms]) -> list[Prediction]:
        predictor = self.predictor()
        structures = check_structures(structures)
        chunks = np.array_split(np.arange(len(structures)), min(len(structures), 64))
        parts = Parallel(n_jobs=self.n_jobs if len(chunks) > 1 else 1, prefer="threads")(
            delayed(_predict_some)(predictor, {int(i): structures[i] for i in chunk}) for chunk in chunks
        )
        return [prediction for part in parts for prediction in part]

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


def _predict_some(predictor: Predictor, structures: Mapping[int, Atoms]) -> list[Prediction]:
    predictions = []
    for index, structure in structures.items():
        try:
            predictions.append(predictor(structure))
        except InputError as error:
            raise StructureError(f"{name_structure(index, structure)}: {error}") from error
    return predictions


def _distinct(structures: Sequence[Atoms]) -> list[Atoms]:
    """Return structures without repetitions: radial functions shall not know how often one is listed."""
    seen: dict[tuple[bytes, ...], Atoms] = {}
    for structure in structures:
        arrays = (structure.numbers, structure.positions, structure.cell.array, structure.pbc)
        seen.setdefault(tuple(array.tobytes() for array in arrays), structure)
    return list(seen.values())


def _present(
    structures: list[Atoms], labels: LabelSet, sample_weight: Any
) -> tuple[list[Atoms], LabelSet, FloatArray | None]:
    """Return structures, labels and weights without structures of weight 0, which count as not listed."""
    if sample_weight is None:
        return structures, labels, None
    weight = np.asarray(sample_weight, dtype=float)
    if weight.shape != (len(structures),) or not np.any(weight > 0):
        return structures, labels, weight  # the assembly says what is wrong with it
    kept = [i for i, w in enumerate(weight) if w != 0]
    return [structures[i] for i in kept], replace(labels, items=tuple(labels[i] for i in kept)), weight[kept]


def _take_some(
    kept: Sequence[int], structures: list[Atoms], labels: LabelSet, sample_weight: Any
) -> tuple[list[Atoms], LabelSet, Any]:
    """Return some structures with their labels and weights."""
    if len(kept) == len(structures):
        return structures, labels, sample_weight
    weight = None if sample_weight is None else np.asarray(sample_weight, dtype=float)
    if weight is not None:
        if weight.shape != (len(structures),):
            raise SettingsError(f"sample_weight has shape {weight.shape}; give one number per structure")
        weight = weight[list(kept)]
    return [structures[i] for i in kept], replace(labels, items=tuple(labels[i] for i in kept)), weight


def _provenance(structures: Sequence[Atoms], labels: LabelSet) -> dict[str, Any]:
    return {"n_structures": len(structures), "data_hash": data_hash(structures, labels), "labels": labels.report()}
