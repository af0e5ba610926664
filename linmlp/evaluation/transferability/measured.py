"""Labelled structures predicted once, for all that is asked of the errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms
from sklearn.utils.validation import check_is_fitted

from linmlp.exceptions import StructureError
from linmlp.potentials.errors import ErrorTable, StructureErrors
from linmlp.potentials.uncertainty import UncertainPrediction
from linmlp.structures import LabelSet, check_structures
from linmlp.units import FloatArray

if TYPE_CHECKING:
    from linmlp.potentials import LinearPotential, LinearPotentialCV


@dataclass(frozen=True)
class Measured:
    """Structures, labels, errors, and predictions with grades where the potential has them.

    Parameters
    ----------
    structures : list of ase.Atoms
        Those that can be predicted.
    labels : LabelSet
        Theirs.
    errors : tuple of StructureErrors
        Theirs.
    uncertain : tuple of UncertainPrediction or None
        With grades; None where the potential has no uncertainty.
    strange : dict of str to int
        Elements that the potential does not know, and how many structures were left out for each.
    """

    structures: list[Atoms]
    labels: LabelSet
    errors: tuple[StructureErrors, ...]
    uncertain: tuple[UncertainPrediction, ...] | None
    strange: dict[str, int]

    @property
    def table(self) -> ErrorTable:
        """Errors in total and per group."""
        return ErrorTable(self.errors)

    def atom_errors(self, index: int) -> tuple[FloatArray, FloatArray]:
        """Return force errors of the atoms of a structure all whose components count.

        Parameters
        ----------
        index : int
            Structure.

        Returns
        -------
        squared : ndarray of shape (n_counted,)
            Sum over components of the squared error, (eV/Å)².
        counted : ndarray of shape (n_atoms,), bool
            Which atoms these are.
        """
        label = self.labels[index]
        if label.forces is None:
            return np.empty(0), np.zeros(label.n_atoms, dtype=bool)
        counted = np.all(np.broadcast_to(np.asarray(label.force_weight) > 0, (label.n_atoms, 3)), axis=1)
        # `StructureErrors.force` lists the components that count; those of other atoms have to go.
        residual = np.zeros((label.n_atoms, 3))
        residual[np.broadcast_to(np.asarray(label.force_weight) > 0, residual.shape)] = self.errors[index].force.ravel()
        return np.asarray(np.sum(residual[counted] ** 2, axis=1)), counted


def fitted_potential(model: LinearPotential | LinearPotentialCV) -> LinearPotential:
    """Return the fitted potential: that which a search found best, if it is one."""
    fitted: LinearPotential = getattr(model, "best_estimator_", model)  # type: ignore[assignment]
    check_is_fitted(fitted)
    return fitted


def measure(model: LinearPotential, structures: Sequence[Atoms]) -> Measured:
    """Return labelled structures with their errors; those of elements that the potential does not know are left out.

    Parameters
    ----------
    model : LinearPotential
        Fitted.
    structures : sequence of ase.Atoms
        Labelled structures.

    Returns
    -------
    Measured
        Errors, with grades if the potential was fitted with ``uncertainty=True``.

    Raises
    ------
    InputError
        If structures cannot be used, none has labels, or none is of the elements of the potential.
    """
    structures = check_structures(structures)
    known = set(model.descriptor_.elements_)
    lacking = [sorted(set(atoms.get_chemical_symbols()) - known) for atoms in structures]
    strange: dict[str, int] = {}
    for symbol in (symbol for symbols in lacking for symbol in symbols):
        strange[symbol] = strange.get(symbol, 0) + 1
    kept = [atoms for atoms, symbols in zip(structures, lacking, strict=True) if not symbols]
    if not kept:
        raise StructureError(
            f"all {len(structures)} structures hold {', '.join(strange)}, but the potential knows "
            f"{', '.join(sorted(known))} alone; fit it to structures with them"
        )
    labels = model._read_labels(kept)
    uncertain = None
    if model.uncertainty_ is not None:
        uncertain = tuple(model.predict_uncertainty(kept))
        predictions = [result.prediction for result in uncertain]
    else:
        predictions = model._predictions(kept)
    errors = tuple(StructureErrors.of(p, label) for p, label in zip(predictions, labels, strict=True))
    return Measured(kept, labels, errors, uncertain, strange)


def root_mean_square(errors: Sequence[FloatArray]) -> float | None:
    """Return the root mean square of errors of several structures; None without any."""
    joined = np.concatenate([np.empty(0), *(np.ravel(part) for part in errors)])
    return float(np.sqrt(np.mean(joined**2))) if len(joined) else None


def mean_absolute(errors: Sequence[FloatArray]) -> float | None:
    """Return the mean absolute error of several structures; None without any."""
    joined = np.concatenate([np.empty(0), *(np.ravel(part) for part in errors)])
    return float(np.mean(np.abs(joined))) if len(joined) else None
