"""Scorers for scikit-learn: an estimator and labelled structures in, one number out, greater is better."""

from typing import Any, Self

import numpy as np
from sklearn.utils.metadata_routing import MetadataRequest

from linmlp.exceptions import LabelError, SettingsError
from linmlp.potentials.cross_validation_errors import compute_score
from linmlp.potentials.errors import KINDS, ErrorTable
from linmlp.units import EV_PER_A3_IN_GPA, FloatArray

TO_EV = {"energy": 1e-3, "force": 1.0, "stress": 1.0 / EV_PER_A3_IN_GPA}
"""From the units of the error table to those of the score: eV/atom, eV/Å, eV/Å³."""

ERRORS = {f"{kind}_{mean}": kind for kind in KINDS for mean in ("mae", "rmse")}


def scorer_names() -> list[str]:
    """Return the names that `scorer` knows.

    Returns
    -------
    list of str
        ``energy_mae``, ``energy_rmse``, ``force_mae``, ..., ``score`` and ``loss``.
    """
    return [*ERRORS, "score", "loss"]


def scorer(name: str) -> "Scorer":
    """Return a scorer for ``scoring=`` of scikit-learn's searches, cross-validations and learning curves.

    Parameters
    ----------
    name : str
        ``energy_mae``, ``energy_rmse`` (meV/atom), ``force_mae``, ``force_rmse`` (eV/Å), ``stress_mae``,
        ``stress_rmse`` (GPa): minus that error. ``score``: minus ``½ ln(energy MAE) + ½ ln(force RMSE)``, as the
        potential's own cross-validation has it. ``loss``: minus the loss at reference weights that depend on the
        structures alone, which is the potential's `score`.

    Returns
    -------
    Scorer
        A callable ``(estimator, structures, y=None, sample_weight=None) -> float``; greater is better.

    Raises
    ------
    SettingsError
        If the name is not known; the message lists those that are.

    Examples
    --------
    >>> import linmlp
    >>> from sklearn.model_selection import GridSearchCV
    >>> search = GridSearchCV(linmlp.LinearPotential(), {"alpha": [1e-8, 1e-6]}, scoring=linmlp.scorer("force_rmse"))
    >>> search.scoring
    scorer('force_rmse')
    """
    return Scorer(name)


class Scorer:
    """What `scorer` returns; it takes part in scikit-learn's metadata routing (``sample_weight``).

    Parameters
    ----------
    name : str
        One of `scorer_names`.
    """

    def __init__(self, name: str) -> None:
        if name not in scorer_names():
            raise SettingsError(f"there is no scorer {name!r}; give one of {', '.join(scorer_names())}")
        self.name = name
        self._weight_request: str | bool | None = None

    def __call__(self, estimator: Any, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return the score of a fitted potential on labelled structures.

        Parameters
        ----------
        estimator : LinearPotential
            Fitted; anything with its `evaluate` (and its `score`, for "loss").
        X : sequence of ase.Atoms
            Labelled structures.
        y : ignored
            Labels live on the structures.
        sample_weight : array-like of shape (n_structures,), optional
            How often each structure counts.

        Returns
        -------
        float
            Greater is better.

        Raises
        ------
        LabelError
            If no structure that counts has the label.
        SettingsError
            If the estimator cannot be evaluated, or the weights cannot be used.
        """
        if self.name == "loss":
            return float(estimator.score(X, sample_weight=sample_weight))
        if not hasattr(estimator, "evaluate"):
            raise SettingsError(
                f"{self!r} needs a potential with `evaluate`, such as LinearPotential; got "
                f"{type(estimator).__name__}: use a scorer of scikit-learn for it"
            )
        table = estimator.evaluate(X)
        weight = _check_weight(sample_weight, len(table.structures))
        if self.name in ERRORS:
            return -self._demand(weighted_error(table, self.name, weight))
        return -self._demand(_score(table, weight))

    def set_score_request(self, *, sample_weight: bool | str | None = None) -> Self:
        """Say whether metadata routing hands ``sample_weight`` to this scorer.

        Parameters
        ----------
        sample_weight : bool, str or None
            True asks for it, False refuses it, None makes it an error to give one, a string is its alias.

        Returns
        -------
        Scorer
            Itself.
        """
        self._weight_request = sample_weight
        return self

    def get_metadata_routing(self) -> MetadataRequest:
        """Return what this scorer asks of scikit-learn's metadata routing.

        Returns
        -------
        MetadataRequest
            A request for the method ``score``.
        """
        request = MetadataRequest(owner=self)
        request.score.add_request(param="sample_weight", alias=self._weight_request)
        return request

    def __repr__(self) -> str:
        """Return the call that makes it."""
        return f"scorer({self.name!r})"

    def __eq__(self, other: object) -> bool:
        """Return whether the other scores alike."""
        return isinstance(other, Scorer) and vars(self) == vars(other)

    def __hash__(self) -> int:
        """Return a hash of the name."""
        return hash(self.name)

    def _accept_sample_weight(self) -> bool:
        """Tell scikit-learn that weights given to a search may be handed on where routing is off."""
        return True

    def _demand(self, value: float) -> float:
        """Return the value; raise where nothing carried the label."""
        if np.isnan(value):
            kind = ERRORS.get(self.name, "energy, force or stress")
            raise LabelError(
                f"{self!r} needs structures with a label of {kind}, and none of those given has one that counts; "
                "choose another scorer, or folds of which each has such labels"
            )
        return value


def weighted_error(table: ErrorTable, name: str, weight: FloatArray | None = None) -> float:
    """Return an error over structures that count more or less often.

    Parameters
    ----------
    table : ErrorTable
        Errors of each structure.
    name : str
        Such as ``energy_mae`` or ``force_rmse``.
    weight : ndarray of shape (n_structures,), optional
        How often each structure counts.

    Returns
    -------
    float
        In the units of the table; NaN where nothing carries the label.
    """
    kind, mean = ERRORS[name], name.rsplit("_", 1)[1]
    weight = np.ones(len(table.structures)) if weight is None else weight
    power = 1 if mean == "mae" else 2
    errors = [getattr(structure, kind) for structure in table.structures]
    count = float(weight @ np.array([len(e) for e in errors], dtype=float))
    if not count > 0.0:
        return float("nan")
    total = float(weight @ np.array([np.sum(np.abs(e) ** power) for e in errors]))
    return float((total / count) ** (1 / power))


def _score(table: ErrorTable, weight: FloatArray | None) -> float:
    """Return ½ ln(energy MAE) + ½ ln(force RMSE) as the potential's own cross-validation has it; NaN without labels."""
    names = ("energy_mae", "force_rmse", "stress_rmse")
    errors = [np.array(weighted_error(table, name, weight) * TO_EV[ERRORS[name]]) for name in names]
    return float("nan") if np.isnan(errors).all() else float(compute_score(*errors))


def _check_weight(sample_weight: Any, n_structures: int) -> FloatArray | None:
    """Return weights as an array; raise where they cannot be used."""
    if sample_weight is None:
        return None
    weight: FloatArray = np.asarray(sample_weight, dtype=float)
    if weight.shape != (n_structures,) or not (np.isfinite(weight).all() and (weight >= 0).all()):
        raise SettingsError(
            f"sample_weight of shape {weight.shape} for {n_structures} structures; give one finite number, 0 or more, "
            "per structure"
        )
    return weight
