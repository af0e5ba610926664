"""The contract of a descriptor: structures in, features and their derivatives out."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from linmlp.descriptors.center_rows import CenterRows
from linmlp.descriptors.elements import element_indices
from linmlp.descriptors.evaluators import (
    Committee,
    Evaluator,
    EvaluatorAndFeatures,
    EvaluatorAndSums,
    EvaluatorsInTurn,
    JudgingEvaluator,
    QuadraticForm,
    SummingEvaluator,
    check_member_coefficients,
)
from linmlp.exceptions import SettingsError
from linmlp.neighbors import Pairs, find_pairs
from linmlp.units import FloatArray, IntArray


class Descriptor(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Base of all descriptors: a scikit-learn transformer over lists of structures.

    After `fit`: ``elements_`` (symbols), ``cutoff_`` (Å), ``n_features_out_``.
    """

    scale_columns = True
    """Whether the ridge acts on columns of unit norm: not where the norm of coefficients means something of its own."""

    affords_hot_runs = True
    """Whether forces are fast enough for the hot runs with which a fit looks for holes."""

    elements_: tuple[str, ...]
    cutoff_: float
    n_features_out_: int

    @property
    def derivatives_lack(self) -> str | None:
        """Why there are no derivatives, so that only energies can be fitted and predicted; None if there are."""
        return None

    @abstractmethod
    def fit(self, structures: Sequence[Atoms], y: Any = None) -> Self:
        """Learn the elements and whatever else the features depend on."""

    @abstractmethod
    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray[Any, Any]:
        """Return the names of the features."""

    @abstractmethod
    def compute_features(self, pairs: Pairs) -> FloatArray:
        """Return the features of every atom, (n_atoms, n_features); pairs beyond the cutoff are left out."""

    def environment_features(self, pairs: Pairs) -> FloatArray:
        """Return what a kernel compares atoms by, (n_atoms, n_features): the features, if not something else."""
        return self.compute_features(pairs)

    def allocate_rows(self, n_atoms: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return arrays for `write_rows`: (n_features,), (3 n_atoms, n_features), (6, n_features)."""
        n = self.n_features_out_
        return np.zeros(n), np.zeros((3 * n_atoms, n)), np.zeros((6, n))

    @abstractmethod
    def write_rows(
        self, pairs: Pairs, energy: FloatArray, d_positions: FloatArray | None, d_strain: FloatArray | None
    ) -> None:
        """Overwrite the arrays with the features summed over atoms and their derivatives."""

    @abstractmethod
    def pull_back(self, pairs: Pairs, d_energy_d_features: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return forces (n_atoms, 3) and strain gradients per atom (n_atoms, 6) from (n_atoms, n_features)."""

    def pull_back_own(self, pairs: Pairs, d_energy_d_features: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return forces and strain gradients of several energies, each of the features around an atom's own element.

        Parameters
        ----------
        pairs : Pairs
            Pairs of a structure.
        d_energy_d_features : ndarray of shape (n_members, n_atoms, n_functions)
            Derivatives with respect to the functions around the element of each atom, eV.

        Returns
        -------
        forces : ndarray of shape (n_members, n_atoms, 3)
            In eV/Å.
        atom_strain_gradient : ndarray of shape (n_members, n_atoms, 6)
            In eV; one `pull_back` after the other, unless the descriptor knows a faster way.
        """
        kinds = self.element_indices(pairs.numbers)
        n_members, n_atoms, n = d_energy_d_features.shape
        forces, strain = np.empty((n_members, n_atoms, 3)), np.empty((n_members, n_atoms, 6))
        for m, of_member in enumerate(d_energy_d_features):
            weights = np.zeros((n_atoms, len(self.elements_), n))
            weights[np.arange(n_atoms), kinds] = of_member
            forces[m], strain[m] = self.pull_back(pairs, weights.reshape(n_atoms, -1))
        return forces, strain

    def element_indices(self, numbers: IntArray) -> IntArray:
        """Return the place in ``elements_`` of every atom.

        Parameters
        ----------
        numbers : ndarray of shape (n_atoms,)
            Atomic numbers.

        Returns
        -------
        ndarray of shape (n_atoms,)
            Element indices.

        Raises
        ------
        StructureError
            If an element is not known.
        """
        return element_indices(tuple(atomic_numbers[symbol] for symbol in self.elements_), numbers)

    def feature_multiplicities(self) -> FloatArray:
        """Return how often every function around one element counts in the scalar product of a kernel."""
        return np.ones(self.n_features_out_ // len(self.elements_))

    def center_rows(self, pairs: Pairs, centers: IntArray) -> CenterRows:
        """Return features and derivatives of single centers of one element, as a kernel needs them."""
        raise SettingsError(
            f"{type(self).__name__} has no derivatives of single centers, which a kernel needs; take ACE or SOAP"
        )

    @abstractmethod
    def evaluator(self, coefficients: FloatArray) -> Evaluator:
        """Return the fast evaluation of the energy that is linear in the features."""

    def single_evaluator(self, coefficients: FloatArray) -> Evaluator:
        """Return the evaluation in single precision, which is faster.

        Parameters
        ----------
        coefficients : ndarray of shape (n_features,)
            Coefficients, eV.

        Returns
        -------
        Evaluator
            Its results are of double precision in form.

        Raises
        ------
        SettingsError
            If the descriptor has no such evaluation.
        """
        raise SettingsError(
            f'precision="single" is not possible with {type(self).__name__}, which has no evaluation in single '
            'precision; take precision="double", or fit LinearPotential(ACE())'
        )

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
        return EvaluatorsInTurn(self, check_member_coefficients(coefficients, self.n_features_out_))

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
        return EvaluatorAndSums(self, coefficients, features)

    def judging_evaluator(
        self, coefficients: FloatArray, members: FloatArray, form: QuadraticForm, features: IntArray | None = None
    ) -> JudgingEvaluator:
        """Return the evaluation of a potential with a committee and a quadratic form of every atom's features.

        Parameters
        ----------
        coefficients : ndarray of shape (n_features,)
            Coefficients of the potential, eV.
        members : ndarray of shape (n_members, n_features)
            Coefficients of the committee, at least one, eV.
        form : QuadraticForm
            Such as the leverage of an atom.
        features : ndarray of int, shape (n_summed,), or None
            Features to sum over atoms; None for all.

        Returns
        -------
        JudgingEvaluator
            Evaluators, `committee` and `compute_features` in turn, unless the descriptor knows a faster way.

        Raises
        ------
        SettingsError
            If the coefficients of the committee have another shape.
        """
        members = check_member_coefficients(members, self.n_features_out_)
        return EvaluatorAndFeatures(self, coefficients, members, form, features)

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
