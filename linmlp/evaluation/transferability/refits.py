"""Refits of a potential to parts of its training structures, from compressed systems: no second pass over the rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms
from sklearn.utils.validation import check_is_fitted

from linmlp.exceptions import SettingsError
from linmlp.potentials.candidates import Candidate
from linmlp.potentials.core import CoreRows, solve_with_core
from linmlp.potentials.preparation import check_elements, choose_structures
from linmlp.potentials.provenance import data_hash
from linmlp.potentials.reporting import reporter
from linmlp.potentials.row_assembly import assemble_rows
from linmlp.potentials.training_set import TrainingSet
from linmlp.structures import FoldPlan, check_structures, composition_matrix
from linmlp.system import AssembledData, CompressedSystem, RowSystem, TrainingData, ValidationErrors, validate
from linmlp.system.training import range_and_pseudoinverse
from linmlp.units import FloatArray, IntArray

if TYPE_CHECKING:
    from linmlp.potentials import LinearPotential

NEVER_SEEN = 1e-20
"""A function is not seen by some structures if its squared column norm is below this part of that of all."""

OPEN = 1e-6
"""Relative part of a composition outside of the span of others, from which on it is not determined by them."""


@dataclass(frozen=True)
class Refit:
    """A potential fitted to a part of its training structures.

    Parameters
    ----------
    coef : ndarray of shape (n_features,)
        Coefficients in eV.
    reference : ndarray of shape (n_elements,)
        Reference energies on top of those of the whole fit, eV.
    n_unseen : int
        Functions that the other structures have and these do not: their coefficients are 0.
    n_rows : int
        Rows that it was fitted to.
    """

    coef: FloatArray
    reference: FloatArray
    n_unseen: int
    n_rows: int


def training_data(model: LinearPotential, structures: Sequence[Atoms], sample_weight: Any = None) -> TrainingSet:
    """Return training structures with the descriptor, baselines and reference energies of a fitted potential.

    Parameters
    ----------
    model : LinearPotential
        Fitted.
    structures : sequence of ase.Atoms
        The structures that it was fitted to; what its `reject` leaves out is left out here as well.
    sample_weight : array-like of shape (n_structures,), optional
        As in the fit.

    Returns
    -------
    TrainingSet
        `kept` says which structures count.

    Raises
    ------
    InputError
        If structures or labels cannot be used, an element is unknown, or the fit did not fold its rows.
    """
    check_is_fitted(model)
    if not model.fold_rows:
        raise SettingsError(
            "refits without some structures come from folded rows, but this potential was fitted with "
            "fold_rows=False; fit with fold_rows=True and fewer functions"
        )
    structures = check_structures(structures)
    labels = model._read_labels(structures)
    check_elements(model.descriptor_, structures)
    rejection, kept, weight = choose_structures(
        model.reject, structures, labels, sample_weight, reporter(model.verbose)
    )
    labels = replace(labels, items=tuple(labels[i] for i in kept))
    structures = [structures[i] for i in kept]
    descriptor, baselines, reference = model.descriptor_, model.baselines_, model.reference_
    return TrainingSet(structures, labels, descriptor, baselines, reference, weight, rejection, tuple(kept))


def is_training_set(model: LinearPotential, data: TrainingSet) -> bool:
    """Return whether these are the structures that the potential was fitted to, as far as it remembers.

    After `partial_fit` and `merge` it knows hashes of the parts, but not where one ends: their number has to do.
    """
    known = model.training_
    if "parts" in known:
        return bool(known["n_structures"] == len(data.structures))
    return bool(data_hash(data.structures, data.labels) == known["data_hash"])


class Refits:
    """The folded rows of training structures, in blocks of which all training and test sets are unions.

    Refits take descriptor, baselines, loss weights, solver and its strength from the fitted potential; coefficients
    and (where these are solved for) reference energies know nothing of what is left out.

    Parameters
    ----------
    model : LinearPotential
        Fitted.
    data : TrainingSet
        As `training_data` gives it.
    splits : sequence of (train, test)
        Indices of structures, for every refit that will be asked for.
    """

    def __init__(self, model: LinearPotential, data: TrainingSet, splits: Sequence[tuple[IntArray, IntArray]]) -> None:
        self.data = data
        self.plan = FoldPlan.of(splits, len(data.structures))
        settings = replace(model._fit_settings(), form=model.form_, uncertainty=False)
        choice = settings.solver_choice(data.descriptor)
        self.n_jobs = settings.n_jobs
        self._value = model.alpha_ if choice.solver.path_parameter is not None else np.nan
        self._candidate: Candidate = choice.candidate(model.loss_weights_, (self._value,))
        self._core = CoreRows.of(data.descriptor, data.baselines)
        apart = bool(model.loss_weights_.groups)  # errors are measured without the weights of groups
        self.assembled: AssembledData = assemble_rows(
            data, settings, self.plan.blocks, reporter(model.verbose), groups_apart=apart
        )

    @property
    def n_functions(self) -> int:
        """Number of functions that may be used."""
        columns = self._candidate.columns
        return self.assembled.n_features if columns is None else len(columns)

    def blocks(self, structures: IntArray) -> tuple[int, ...]:
        """Return the blocks that a union of blocks consists of.

        Parameters
        ----------
        structures : ndarray of int
            Train or test set of a split, or an intersection of such sets.

        Returns
        -------
        tuple of int
            Ascending; those without rows are left out.
        """
        known = set(self.assembled.folds)
        return tuple(int(block) for block in np.unique(self.plan.blocks[structures]) if int(block) in known)

    def solve(self, blocks: Sequence[int]) -> Refit:
        """Return the fit to some blocks.

        Parameters
        ----------
        blocks : sequence of int
            Blocks to train on.

        Returns
        -------
        Refit
            Coefficients and reference energies.
        """
        training = TrainingData(self.assembled, blocks, self.data.solves_reference, keep=False)
        problem = training.problem(self._candidate.loss_weights)
        solution, _ = solve_with_core(
            lambda system: self._candidate.solve_system(system, [self._value])[0], problem.system, self._core
        )
        return Refit(
            solution.coef, problem.composition.recover(solution.coef), self._n_unseen(blocks), problem.system.n_rows
        )

    def errors(self, refit: Refit, blocks: Sequence[int]) -> ValidationErrors:
        """Return the errors of a refit on some blocks.

        Parameters
        ----------
        refit : Refit
            Coefficients and reference energies.
        blocks : sequence of int
            Blocks to test on.

        Returns
        -------
        ValidationErrors
            Exact, for one set of coefficients.
        """
        return validate(self.assembled, blocks, refit.coef[None, :], refit.reference[None, :])

    def leaves_reference_open(self, train: IntArray, test: IntArray) -> bool:
        """Return whether training structures do not determine the reference energies that test structures need.

        Parameters
        ----------
        train, test : ndarray of int
            Structures.

        Returns
        -------
        bool
            False where reference energies are not solved for.
        """
        if not self.data.solves_reference:
            return False
        elements = self.data.descriptor.elements_
        known, asked = (
            composition_matrix([self.data.labels[i].numbers for i in part if self._has_energy(i)], elements)
            for part in (train, test)
        )
        if not len(asked) or not len(known):
            return bool(len(asked))
        known, asked = (counts / counts.sum(axis=1, keepdims=True) for counts in (known, asked))
        span, _ = range_and_pseudoinverse(known.T)
        return bool(np.abs(asked - asked @ span @ span.T).max() > OPEN)

    def _has_energy(self, index: int) -> bool:
        label = self.data.labels[index]
        return label.energy is not None and label.energy_weight > 0.0

    def _n_unseen(self, blocks: Sequence[int]) -> int:
        """Return how many functions have columns of zeros in some blocks, but not in all."""
        at = np.isin(self.assembled.folds, blocks)
        columns = slice(None) if self._candidate.columns is None else self._candidate.columns
        seen, total = self._column_squares[at].sum(axis=0)[columns], self._column_squares.sum(axis=0)[columns]
        return int(np.count_nonzero((seen <= NEVER_SEEN * total) & (total > 0.0)))

    @cached_property
    def _column_squares(self) -> FloatArray:
        """Squared norms of the columns in every block, (n_blocks, n_features)."""
        assembled = self.assembled
        squares = np.zeros((len(assembled.folds), assembled.n_features))
        for k, block in enumerate(assembled.folds):
            squares[k] = np.sum(assembled.energy.X[assembled.energy.in_folds([block])] ** 2, axis=0)
            for kind in ("force", "stress"):
                for _, part in assembled.kind_systems_apart(kind, [block]):
                    squares[k] += column_squares(part.system)
        return squares


def column_squares(system: CompressedSystem) -> FloatArray:
    """Return the squared norms of the columns of a system, by the cheapest way that its form has.

    Parameters
    ----------
    system : CompressedSystem
        Rows, folded or not.

    Returns
    -------
    ndarray of shape (n_features,)
        Diagonal of ``XᵀX``.
    """
    if isinstance(system, RowSystem):
        return np.asarray(np.einsum("ij,ij->j", system.X, system.X))
    if system.keeps_condition:
        R = system.to_factor().R
        return np.asarray(np.einsum("ij,ij->j", R, R))
    return np.diagonal(system.to_gram().matrix).copy()
