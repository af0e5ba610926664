"""The contracts of what evaluates energies that are linear in the features, and forms that serve any descriptor."""

from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from linmlp.exceptions import SettingsError
from linmlp.neighbors import Pairs
from linmlp.units import FloatArray, IntArray

if TYPE_CHECKING:
    from linmlp.descriptors.base import Descriptor


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


class QuadraticForm(Protocol):
    """A positive quadratic form of the features of an atom, such as its leverage. It never changes."""

    def __call__(self, features: FloatArray) -> FloatArray:
        """Return the values (n,) for features (n, n_features)."""
        ...

    def triangle(self, columns: IntArray) -> FloatArray:
        """Return W (n_columns, n_columns), lower triangular, such that the value is ``|W b|²``.

        b are the features in `columns`, those of one element; all others are 0. Columns of W that are 0 belong to
        features that do not matter.
        """
        ...


class Judged(NamedTuple):
    """What a potential predicts for a structure, and what tells how far that may be trusted.

    Attributes
    ----------
    energies, forces, atom_strain_gradient : ndarray of shape (n_atoms,), (n_atoms, 3), (n_atoms, 6)
        As an `Evaluator` has them.
    member_forces : ndarray of shape (n_members, n_atoms, 3)
        Forces of the members of a committee, eV/Å.
    feature_sums : ndarray of shape (n_features,)
        Features summed over the atoms; 0 for those that were not asked for.
    leverages : ndarray of shape (n_atoms,)
        Values of the quadratic form.
    """

    energies: FloatArray
    forces: FloatArray
    atom_strain_gradient: FloatArray
    member_forces: FloatArray
    feature_sums: FloatArray
    leverages: FloatArray


class JudgingEvaluator(Protocol):
    """Energies, forces and strain gradients, and what tells how far they may be trusted."""

    def compute(self, pairs: Pairs, n_threads: int = 1) -> Judged:
        """Return the prediction and what is beside it."""
        ...


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


class EvaluatorsInTurn:
    """A committee of any descriptor.

    Parameters
    ----------
    descriptor : Descriptor
        Fitted.
    coefficients : ndarray of shape (n_members, n_features)
        Coefficients of each member, eV.
    """

    def __init__(self, descriptor: "Descriptor", coefficients: FloatArray) -> None:
        self._evaluators = [descriptor.evaluator(of_member) for of_member in coefficients]

    def compute(self, pairs: Pairs, n_threads: int = 1) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return energies, forces and strain gradients of every member."""
        results = [evaluator.compute(pairs, n_threads) for evaluator in self._evaluators]
        energies, forces, gradients = (np.stack(of_kind) for of_kind in zip(*results, strict=True))
        return energies, forces, gradients


class EvaluatorAndSums:
    """Sums of features beside an energy, of any descriptor.

    Parameters
    ----------
    descriptor : Descriptor
        Fitted.
    coefficients : ndarray of shape (n_features,)
        Coefficients, eV.
    features : ndarray of int or None
        Features to sum; None for all.
    """

    def __init__(self, descriptor: "Descriptor", coefficients: FloatArray, features: IntArray | None) -> None:
        self._descriptor = descriptor
        self._evaluator = descriptor.evaluator(coefficients)
        self._features = slice(None) if features is None else np.asarray(features)

    def compute(self, pairs: Pairs, n_threads: int = 1) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Return what an evaluator does, and the sums."""
        return *self._evaluator.compute(pairs, n_threads), self._descriptor.feature_sums(pairs)[self._features]


class EvaluatorAndFeatures:
    """A prediction and what tells how far it may be trusted, of any descriptor.

    Parameters
    ----------
    descriptor : Descriptor
        Fitted.
    coefficients : ndarray of shape (n_features,)
        Coefficients of the potential, eV.
    members : ndarray of shape (n_members, n_features)
        Coefficients of the committee, eV.
    form : QuadraticForm
        Of the features of an atom.
    features : ndarray of int or None
        Features to sum; None for all.
    """

    def __init__(
        self,
        descriptor: "Descriptor",
        coefficients: FloatArray,
        members: FloatArray,
        form: QuadraticForm,
        features: IntArray | None,
    ) -> None:
        self._descriptor, self._form = descriptor, form
        self._features = slice(None) if features is None else np.asarray(features)
        self._all = descriptor.committee(np.vstack([np.asarray(coefficients, dtype=float), members]))

    def compute(self, pairs: Pairs, n_threads: int = 1) -> Judged:
        """Return the prediction and what is beside it."""
        energies, forces, strain = self._all.compute(pairs, n_threads)
        features = self._descriptor.compute_features(pairs)
        sums = np.zeros(features.shape[1])
        sums[self._features] = features.sum(axis=0)[self._features]
        return Judged(energies[0], forces[0], strain[0], forces[1:], sums, self._form(features))
