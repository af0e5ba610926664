"""What a user may give as solver, strength, prior and features, and the solver that it means for a descriptor."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone

from linmlp.descriptors import Descriptor
from linmlp.exceptions import SettingsError
from linmlp.potentials.candidates import Candidate, path_value
from linmlp.potentials.evidence_weights import EvidenceWeights
from linmlp.solvers import Ridge, SystemSolver
from linmlp.system import LossWeights
from linmlp.units import FloatArray, IntArray

PriorSetting = float | str | FloatArray | Sequence[float] | None
FeatureSetting = Sequence[int] | IntArray | Callable[[Descriptor], Any] | None


@dataclass(frozen=True, eq=False)
class SolverChoice:
    """A solver with its prior, the values of its strength (None: those it tries by default), and its features.

    Parameters
    ----------
    solver : SystemSolver
        Solver.
    values : tuple of float or None
        Values of its path parameter; one where it is given.
    columns : ndarray of int or None
        Features that may be used.
    """

    solver: SystemSolver
    values: tuple[float, ...] | None
    columns: IntArray | None

    @property
    def is_searched(self) -> bool:
        """Whether the strength has to be chosen."""
        return self.values is None or len(self.values) > 1

    def candidate(self, weights: LossWeights | EvidenceWeights, values: tuple[float, ...] | None = None) -> Candidate:
        """Return the candidate of a search.

        Parameters
        ----------
        weights : LossWeights or EvidenceWeights
            Weights of the loss.
        values : tuple of float, optional
            Strengths instead of those of the choice.

        Returns
        -------
        Candidate
            With this solver.
        """
        return Candidate(weights, self.solver, values or self.values, self.columns)


def resolve_solver(
    solver: SystemSolver | None,
    alpha: float | str,
    prior: PriorSetting,
    features: FeatureSetting,
    descriptor: Descriptor,
) -> SolverChoice:
    """Return the solver that a user's settings mean.

    Parameters
    ----------
    solver : SystemSolver or None
        None is ridge regression with strength `alpha`.
    alpha : float or "auto"
        Strength of the ridge.
    prior : None, "degree", float or array-like of shape (n_features,)
        See `resolve_prior`.
    features : None, array-like of int or bool, or callable
        See `resolve_features`.
    descriptor : Descriptor
        Fitted descriptor.

    Returns
    -------
    SolverChoice
        Solver, strengths and features.

    Raises
    ------
    SettingsError
        If something is no solver, or a setting does not go with it.
    """
    columns = resolve_features(features, descriptor)
    gamma = resolve_prior(prior, descriptor, columns)
    if solver is None:
        ridge = Ridge(scale_columns=descriptor.scale_columns, prior=gamma)
        return SolverChoice(ridge, None if alpha == "auto" else (float(alpha),), columns)
    if not isinstance(solver, SystemSolver):
        raise SettingsError(f"solver={solver!r} is not a solver; give one of linmlp.solvers, such as Ridge(), or None")
    if alpha != "auto":
        raise SettingsError(f"alpha={alpha!r} is the strength of the default solver; give it to {solver!r} instead")
    own: SystemSolver = clone(solver)
    if gamma is not None:
        if "prior" not in own.get_params():
            raise SettingsError(
                f"prior={prior!r}, but {type(solver).__name__} knows no prior; use Ridge, or prior=None"
            )
        own.set_params(prior=gamma)
    value = path_value(own)
    return SolverChoice(own, None if isinstance(value, str) and value == "auto" else (value,), columns)


def resolve_prior(prior: PriorSetting, descriptor: Descriptor, columns: IntArray | None = None) -> FloatArray | None:
    r"""Return the factor on each coefficient in the penalty.

    Parameters
    ----------
    prior : None, "degree", float or array-like of shape (n_features,)
        A number p is :math:`\gamma_k \propto d_k^p` with d the total degree of the function (at least 1), scaled to
        mean square 1; "degree" is p = 2. An array is taken as it is.
    descriptor : Descriptor
        Fitted; must know `feature_degrees` for a prior by degree.
    columns : ndarray of int, optional
        Features that may be used.

    Returns
    -------
    ndarray of shape (n_features,) or None
        None without a prior.

    Raises
    ------
    SettingsError
        If it is none of these.
    """
    if prior is None:
        return None
    if isinstance(prior, str | int | float | np.number):
        if isinstance(prior, str) and prior != "degree":
            raise SettingsError(
                f'prior={prior!r} is not known; give None, "degree", an exponent, or one number a feature'
            )
        if not hasattr(descriptor, "feature_degrees"):
            raise SettingsError(f"prior={prior!r}, but {type(descriptor).__name__} has no degrees; give an array")
        exponent = 2.0 if isinstance(prior, str) else float(prior)
        gamma = np.maximum(descriptor.feature_degrees()[:, 1], 1.0) ** exponent
        gamma /= np.sqrt(np.mean(gamma**2))
    else:
        gamma = np.asarray(prior, dtype=float)
        if gamma.shape != (descriptor.n_features_out_,) or not (np.isfinite(gamma).all() and (gamma >= 0).all()):
            raise SettingsError(
                f"prior has shape {gamma.shape}; give {descriptor.n_features_out_} finite numbers, 0 or more, "
                "one per feature"
            )
    return np.asarray(gamma if columns is None else gamma[columns])


def resolve_features(features: FeatureSetting, descriptor: Descriptor) -> IntArray | None:
    """Return the features that may be used, ascending.

    Parameters
    ----------
    features : None, array-like of int or bool, or callable
        Indices, a mask, or a function of the fitted descriptor that returns one of them.
    descriptor : Descriptor
        Fitted.

    Returns
    -------
    ndarray of int or None
        None for all.

    Raises
    ------
    SettingsError
        If there is none, or an index is out of range.
    """
    if features is None:
        return None
    n_features = descriptor.n_features_out_
    chosen = np.asarray(features(descriptor) if callable(features) else features)
    if chosen.dtype == bool:
        if chosen.shape != (n_features,):
            raise SettingsError(f"features is a mask of shape {chosen.shape}; the descriptor has {n_features} features")
        chosen = np.flatnonzero(chosen)
    if not len(chosen) or not np.issubdtype(chosen.dtype, np.integer):
        raise SettingsError(f"features={features!r} chooses no feature; give indices or a mask with at least one")
    if chosen.min() < 0 or chosen.max() >= n_features:
        raise SettingsError(
            f"features holds {chosen.min()} to {chosen.max()}, but the descriptor has features 0 to {n_features - 1}"
        )
    return np.unique(chosen).astype(np.int64)


@dataclass(frozen=True)
class UpToDegree:
    """The features whose total degree is at most some number per order, of a descriptor that has more.

    A callable for ``features=``, so that sizes of the basis can be searched without assembling rows again.

    Parameters
    ----------
    max_degree : tuple of int
        Largest total degree of the functions of order 1, 2, ...; functions of higher order are left out.

    Examples
    --------
    >>> from ase.build import bulk
    >>> from linmlp import ACE
    >>> large = ACE(cutoff=4.0, order=2, max_degree=(6, 4)).fit([bulk("Cu", cubic=True)])
    >>> small = ACE(cutoff=4.0, order=2, max_degree=(5, 3)).fit([bulk("Cu", cubic=True)])
    >>> len(UpToDegree((5, 3))(large)) == small.n_features_out_
    True
    """

    max_degree: tuple[int, ...]

    def __call__(self, descriptor: Descriptor) -> IntArray:
        """Return the indices of the features."""
        if not hasattr(descriptor, "feature_degrees"):
            raise SettingsError(f"{type(descriptor).__name__} has no degrees; give indices of features")
        order, degree = descriptor.feature_degrees().T
        limit = np.append(np.asarray(self.max_degree), np.full(max(order.max() - len(self.max_degree), 0), -1))
        return np.flatnonzero(degree <= limit[order - 1])
