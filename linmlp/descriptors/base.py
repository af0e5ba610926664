"""The contract of a descriptor: structures in, features and their derivatives out."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Protocol, Self

import numpy as np
from ase import Atoms
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from linmlp.exceptions import SettingsError
from linmlp.neighbors import Pairs, find_pairs
from linmlp.units import FloatArray, IntArray


class Evaluator(Protocol):
    """Energies, forces and strain gradients for fixed coefficients."""

    def compute(self, pairs: Pairs, n_threads: int = 1) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return energies (n_atoms,), forces (n_atoms, 3) and strain gradients per atom (n_atoms, 6)."""
        ...


class Committee(Protocol):
    """Energies, forces and strain gradients for several sets of coefficients."""

    def compute(self, pairs: Pairs, n_threads: int = 1) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return energies (n_members, n_atoms), forces (n_members, n_atoms, 3) and strain gradients per atom.

        The last have the shape (n_members, n_atoms, 6).
        """
        ...


class SummingEvaluator(Protocol):
    """Energies, forces, strain gradients and sums of features for fixed coefficients."""

    def compute(self, pairs: Pairs, n_threads: int = 1) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Return what an `Evaluator` does, and features summed over atoms (n_summed,)."""
        ...


class Descriptor(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Base of all descriptors: a scikit-learn transformer over lists of structures.

    After `fit`: ``elements_`` (symbols), ``cutoff_`` (Å), ``n_features_out_``.
    """

    elements_: tuple[str, ...]
    cutoff_: float
    n_features_out_: int

    @abstractmethod
    def fit(self, structures: Sequence[Atoms], y: Any = None) -> Self:
        """Learn the elements and whatever else the features depend on."""

    @abstractmethod
    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray[Any, Any]:
        """Return the names of the features."""

    @abstractmethod
    def compute_features(self, pairs: Pairs) -> FloatArray:
        """Return the features of every atom, (n_atoms, n_features)."""

    @abstractmethod
    def allocate_rows(self, n_atoms: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return arrays for `write_rows`: (n_features,), (3 n_atoms, n_features), (6, n_features)."""

    @abstractmethod
    def write_rows(
        self, pairs: Pairs, energy: FloatArray, d_positions: FloatArray | None, d_strain: FloatArray | None
    ) -> None:
        """Overwrite the arrays with the features summed over atoms and their derivatives."""

    @abstractmethod
    def pull_back(self, pairs: Pairs, d_energy_d_features: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return forces (n_atoms, 3) and strain gradients per atom (n_atoms, 6) from (n_atoms, n_features)."""

    @abstractmethod
    def evaluator(self, coefficients: FloatArray) -> Evaluator:
        """Return the fast evaluation of the energy that is linear in the features."""

    def committee(self, coefficients: FloatArray) -> Committee:
        """Return the evaluation of several energies that are linear in the features.

        Parameters
        ----------
        coefficients : ndarray of shape (n_members, n_features)
            Coefficients of each member, at least one, eV.

        Returns
        -------
        Committee
            One evaluator after the other, unless the descriptor knows a faster way.

        Raises
        ------
        SettingsError
            If the coefficients have another shape.
        """
        return _EvaluatorsInTurn(self, check_member_coefficients(coefficients, self.n_features_out_))

    def feature_sums(self, pairs: Pairs) -> FloatArray:
        """Return the features summed over the atoms, (n_features,)."""
        sums = self.allocate_rows(0)[0]
        self.write_rows(pairs, sums, None, None)
        return sums

    def summing_evaluator(self, coefficients: FloatArray, features: IntArray | None = None) -> SummingEvaluator:
        """Return the evaluation of an energy that is linear in the features, with sums of features beside it.

        With the sums b the variance of the energy is bᵀ Σ b, where Σ is the covariance of the coefficients.

        Parameters
        ----------
        coefficients : ndarray of shape (n_features,)
            Coefficients, eV.
        features : ndarray of int, shape (n_summed,), or None
            Features to sum over atoms, such as those that a selection kept; None for all.

        Returns
        -------
        SummingEvaluator
            An evaluator and `feature_sums` in turn, unless the descriptor knows a faster way.
        """
        return _EvaluatorAndSums(self, coefficients, features)

    @abstractmethod
    def to_state(self) -> tuple[dict[str, Any], dict[str, FloatArray]]:
        """Return the fitted state as json-able settings and arrays."""

    @classmethod
    @abstractmethod
    def from_state(cls, settings: dict[str, Any], arrays: dict[str, FloatArray]) -> Self:
        """Return the descriptor that `to_state` described."""

    def pairs(self, structure: Atoms) -> Pairs:
        """Return the pairs of a structure within the cutoff."""
        return find_pairs(structure, self.cutoff_)

    def transform(self, structures: Sequence[Atoms]) -> FloatArray:
        """Return the features summed over the atoms of each structure.

        Parameters
        ----------
        structures : sequence of ase.Atoms
            Structures of the elements that were fitted.

        Returns
        -------
        ndarray of shape (n_structures, n_features)
            Dimensionless.
        """
        check_is_fitted(self)
        features = np.empty((len(structures), self.n_features_out_))
        for row, structure in zip(features, structures, strict=True):
            self.write_rows(self.pairs(structure), row, None, None)
        return features

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.no_validation = True
        return tags


def check_member_coefficients(coefficients: FloatArray, n_features: int) -> FloatArray:
    """Return the coefficients (n_members, n_features) of a committee as floats.

    Parameters
    ----------
    coefficients : array_like of shape (n_members, n_features)
        Coefficients of each member, eV.
    n_features : int
        Number of features of the descriptor.

    Returns
    -------
    ndarray of shape (n_members, n_features)
        The same.

    Raises
    ------
    SettingsError
        If the shape is another, or there is no member.
    """
    coefficients = np.asarray(coefficients, dtype=float)
    if coefficients.ndim != 2 or len(coefficients) == 0 or coefficients.shape[1] != n_features:
        raise SettingsError(
            f"coefficients of a committee have the shape {coefficients.shape}; it must be "
            f"(n_members, {n_features}) with at least one member: stack one row per member"
        )
    return coefficients


class _EvaluatorsInTurn:
    """A committee of any descriptor."""

    def __init__(self, descriptor: Descriptor, coefficients: FloatArray) -> None:
        self._evaluators = [descriptor.evaluator(of_member) for of_member in coefficients]

    def compute(self, pairs: Pairs, n_threads: int = 1) -> tuple[FloatArray, FloatArray, FloatArray]:
        results = [evaluator.compute(pairs, n_threads) for evaluator in self._evaluators]
        energies, forces, gradients = (np.stack(of_kind) for of_kind in zip(*results, strict=True))
        return energies, forces, gradients


class _EvaluatorAndSums:
    """Sums of features beside an energy, of any descriptor."""

    def __init__(self, descriptor: Descriptor, coefficients: FloatArray, features: IntArray | None) -> None:
        self._descriptor = descriptor
        self._evaluator = descriptor.evaluator(coefficients)
        self._features = slice(None) if features is None else np.asarray(features)

    def compute(self, pairs: Pairs, n_threads: int = 1) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        return *self._evaluator.compute(pairs, n_threads), self._descriptor.feature_sums(pairs)[self._features]
