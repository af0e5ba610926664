"""A fitted potential and its training structures in; errors on groups, chemical systems and elements left out, out.

The potential is refitted without each, with its descriptor, baselines, loss weights, solver and strength, from folded
rows: one compressed system per block of structures that stay together, of which every training set is a merge. That is
one pass over the rows, whatever the number of refits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
from ase import Atoms

from linmlp.evaluation.transferability.cases import (
    Case,
    chemical_systems,
    element_cases,
    group_cases,
    group_names,
)
from linmlp.evaluation.transferability.figures import Errors
from linmlp.evaluation.transferability.left_out import LeaveOut, LeftOut
from linmlp.evaluation.transferability.measured import fitted_potential
from linmlp.evaluation.transferability.refits import Refit, Refits, is_training_set, training_data
from linmlp.exceptions import SettingsError
from linmlp.potentials.training_set import TrainingSet
from linmlp.structures import assign_folds
from linmlp.structures.groups import GroupBy
from linmlp.system.threads import one_blas_thread
from linmlp.units import IntArray

if TYPE_CHECKING:
    from linmlp.potentials import LinearPotential, LinearPotentialCV


def leave_one_group_out(
    model: LinearPotential | LinearPotentialCV,
    structures: Sequence[Atoms],
    groups: GroupBy = "config_type",
    n_folds: int | None = None,
    sample_weight: Any = None,
) -> LeaveOut:
    """Return the errors on each group of a potential that is fitted to the others.

    Parameters
    ----------
    model : LinearPotential or LinearPotentialCV
        Fitted.
    structures : sequence of ase.Atoms
        The structures that it was fitted to.
    groups : str, callable or sequence, default="config_type"
        As `linmlp.structures.structure_groups` takes it: "config_type", a key of info, "trajectory", a function, or
        one value per structure.
    n_folds : int, optional
        Folds of the cross-validation to compare with; those of the model by default, 0 for none.
    sample_weight : array-like of shape (n_structures,), optional
        As in the fit.

    Returns
    -------
    LeaveOut
        Table and statements by ``str``.

    Raises
    ------
    InputError
        If structures or labels cannot be used, or there is one group only.

    Notes
    -----
    Loss weights and the strength were chosen with all structures, and descriptor and baselines know their distances:
    what is left out is unknown to coefficients and reference energies. Labels count with their own weights. The folds
    to compare with are random within every ``config_type``: where these hold frames of one trajectory, errors in
    cross-validation are small and ratios large.

    Examples
    --------
    >>> from linmlp import ACE, LinearPotential
    >>> from linmlp.datasets import load_silicon
    >>> train, _ = load_silicon()
    >>> model = LinearPotential(ACE(cutoff=4.0, order=2, max_degree=(6, 4)), alpha=1e-6, energy_weight=1.0).fit(train)
    >>> result = leave_one_group_out(model, train)
    >>> result["liquid"].n_structures, result["liquid"].ratio("force_rmse") > 1.0
    (14, True)
    """
    model = fitted_potential(model)
    data = training_data(model, structures, sample_weight)
    names = kept_of(group_names(structures, groups), data)
    return leave_out(model, data, {"group": group_cases(data.structures, names)}, n_folds)["group"]


def leave_one_chemical_system_out(
    model: LinearPotential | LinearPotentialCV,
    structures: Sequence[Atoms],
    n_folds: int | None = None,
    sample_weight: Any = None,
) -> LeaveOut:
    """Return the errors on each set of elements of a potential that is fitted to structures of all other sets.

    Parameters
    ----------
    model : LinearPotential or LinearPotentialCV
        Fitted.
    structures : sequence of ase.Atoms
        The structures that it was fitted to.
    n_folds : int, optional
        Folds of the cross-validation to compare with; those of the model by default, 0 for none.
    sample_weight : array-like of shape (n_structures,), optional
        As in the fit.

    Returns
    -------
    LeaveOut
        Systems whose elements do not remain are said to be impossible.

    Raises
    ------
    InputError
        If structures or labels cannot be used, or there is one chemical system only.
    """
    model = fitted_potential(model)
    data = training_data(model, structures, sample_weight)
    cases = group_cases(data.structures, chemical_systems(data.structures), "chemical system")
    return leave_out(model, data, {"chemical system": cases}, n_folds)["chemical system"]


def leave_one_element_out(
    model: LinearPotential | LinearPotentialCV,
    structures: Sequence[Atoms],
    n_folds: int | None = None,
    sample_weight: Any = None,
) -> LeaveOut:
    """Return the errors on the compounds of each element of a potential that knows it as a pure element only.

    Parameters
    ----------
    model : LinearPotential or LinearPotentialCV
        Fitted.
    structures : sequence of ase.Atoms
        The structures that it was fitted to.
    n_folds : int, optional
        Folds of the cross-validation to compare with; those of the model by default, 0 for none.
    sample_weight : array-like of shape (n_structures,), optional
        As in the fit.

    Returns
    -------
    LeaveOut
        Elements of which nothing but compounds or isolated atoms is known are said to be impossible.

    Raises
    ------
    InputError
        If structures or labels cannot be used, or there is one element only.
    """
    model = fitted_potential(model)
    data = training_data(model, structures, sample_weight)
    return leave_out(model, data, {"element": element_cases(data.structures)}, n_folds)["element"]


def kept_of(names: Sequence[str], data: TrainingSet) -> list[str]:
    """Return the names of the structures that count."""
    return [names[i] for i in (range(len(names)) if data.kept is None else data.kept)]


def leave_out(
    model: LinearPotential, data: TrainingSet, cases: dict[str, list[Case]], n_folds: int | None = None
) -> dict[str, LeaveOut]:
    """Return the errors of all cases of several kinds, from one assembly.

    Parameters
    ----------
    model : LinearPotential
        Fitted.
    data : TrainingSet
        From `training_data`.
    cases : dict of str to list of Case
        By kind.
    n_folds : int, optional
        Folds of the cross-validation to compare with; those of the model by default, 0 for none.

    Returns
    -------
    dict of str to LeaveOut
        By kind.
    """
    folds = _folds(model, data, n_folds)
    splits = [(np.flatnonzero(folds != k), np.flatnonzero(folds == k)) for k in np.unique(folds[folds >= 0])]
    possible = [case for of_kind in cases.values() for case in of_kind if not case.impossible]
    everything = np.arange(len(data.structures))
    refits = Refits(
        model, data, [*((case.train, case.test) for case in possible), *splits, (everything, everything[:0])]
    )
    with one_blas_thread():
        parallel = joblib.Parallel(n_jobs=refits.n_jobs, prefer="threads")
        of_folds = parallel(joblib.delayed(refits.solve)(refits.blocks(train)) for train, _ in splits)
        without = parallel(joblib.delayed(refits.solve)(refits.blocks(case.train)) for case in possible)
        usual = list(zip(of_folds, (held_out for _, held_out in splits), strict=True))
        known = {
            id(case): _row(refits, case, refit, _within(refits, usual, case.test))
            for case, refit in zip(possible, without, strict=True)
        }
        overall = _within(refits, usual, everything)
    notes = () if is_training_set(model, data) else (OTHER_DATA,)
    return {
        kind: LeaveOut(
            kind,
            tuple(known.get(id(case)) or _impossible(case) for case in of_kind),
            overall,
            len(splits),
            refits.n_functions,
            notes,
        )
        for kind, of_kind in cases.items()
    }


OTHER_DATA = (
    "these are not the structures that the potential was fitted to (other hash): its loss weights, strength and "
    "descriptor come from others"
)


def _within(refits: Refits, usual: Sequence[tuple[Refit, IntArray]], test: IntArray) -> Errors | None:
    """Return the errors on some structures in cross-validation, of refits and what was held out of each."""
    parts = [refits.errors(refit, refits.blocks(np.intersect1d(test, held_out))) for refit, held_out in usual]
    return Errors.of(parts) if parts else None


def _row(refits: Refits, case: Case, refit: Refit, within: Errors | None) -> LeftOut:
    return LeftOut(
        case.name,
        len(case.test),
        sum(refits.data.labels[i].n_atoms for i in case.test),
        Errors.of([refits.errors(refit, refits.blocks(case.test))]),
        within,
        refit.n_unseen,
        case.n_skipped,
        refits.leaves_reference_open(case.train, case.test),
        few_rows=refit.n_rows if refit.n_rows < refits.n_functions else 0,
    )


def _impossible(case: Case) -> LeftOut:
    return LeftOut(case.name, 0, 0, None, None, n_skipped=case.n_skipped, impossible=case.impossible)


def _folds(model: LinearPotential, data: TrainingSet, n_folds: int | None) -> IntArray:
    """Return the fold of every structure, as the fit has them; -1 for all without cross-validation."""
    wanted = model.n_folds if n_folds is None else n_folds
    if wanted == 0:
        return np.full(len(data.structures), -1)
    if wanted < 2:
        raise SettingsError(f"n_folds={wanted}; give 2 or more, or 0 for no cross-validation to compare with")
    return assign_folds(data.labels.config_types, min(wanted, len(data.structures)), model.random_state)
