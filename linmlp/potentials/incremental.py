"""More training structures for a fitted potential, without the ones that it was fitted to before."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
from ase import Atoms
from ase.data import atomic_numbers
from sklearn.base import clone

from linmlp.descriptors import Descriptor, ImportedACE
from linmlp.descriptors.ace.imported import refuse_rows
from linmlp.exceptions import SettingsError
from linmlp.potentials.candidates import Candidate
from linmlp.potentials.core import CoreRows
from linmlp.potentials.fit_result import Chosen, Fit
from linmlp.potentials.fitting import solve_system
from linmlp.potentials.holes import HoleRows, join_holes
from linmlp.potentials.preparation import check_elements, choose_structures
from linmlp.potentials.provenance import merge_provenance, provenance
from linmlp.potentials.reporting import reporter
from linmlp.potentials.row_assembly import assemble_rows
from linmlp.potentials.training_set import TrainedSystem, TrainingSet
from linmlp.potentials.uncertainty.atom_statistics import AtomStatistics
from linmlp.potentials.uncertainty.extending import extend_uncertainty
from linmlp.potentials.uncertainty.fold_fit import count_atoms
from linmlp.potentials.uncertainty.uncertainty import Uncertainty
from linmlp.potentials.usable_labels import usable_labels
from linmlp.structures import Baseline, ReferenceEnergies, check_structures
from linmlp.system import AssembledData

if TYPE_CHECKING:
    from linmlp.potentials.linear import LinearPotential

FREE = ("n_jobs", "max_memory", "verbose", "keep_system", "memory", "uncertainty")
"""Settings that do not change the result, so that they may differ between a fit and what is added to it."""


def settings_snapshot(potential: "LinearPotential") -> dict[str, str]:
    """Return the settings that a fit depends on, as text that tells whether they were changed.

    Parameters
    ----------
    potential : LinearPotential
        Any.

    Returns
    -------
    dict of str to str
        By name, nested ones included.
    """
    return {name: _as_text(value) for name, value in potential.get_params().items() if name not in FREE}


def fit_more(potential: "LinearPotential", structures: Sequence[Atoms], sample_weight: Any) -> None:
    """Add structures to a fitted potential and solve again.

    Parameters
    ----------
    potential : LinearPotential
        Fitted; changed only when everything has gone well.
    structures : sequence of ase.Atoms
        Labelled structures.
    sample_weight : array-like of shape (n_structures,) or None
        How often each counts.

    Raises
    ------
    SettingsError
        If settings were changed, an element is new, or no rows were kept.
    """
    system = kept_system(potential, "partial_fit")
    _check_unchanged(potential)
    structures = check_structures(structures)
    labels = usable_labels(potential._read_labels(structures), potential.descriptor_)
    check_elements(potential.descriptor_, structures)
    tell = reporter(potential.verbose)
    rejection, kept, weight = choose_structures(potential.reject, structures, labels, sample_weight, tell)
    structures, labels = [structures[i] for i in kept], replace(labels, items=tuple(labels[i] for i in kept))
    data = TrainingSet(structures, labels, potential.descriptor_, potential.baselines_, system.reference, weight)
    settings = replace(potential._fit_settings(), form=system.data.form)
    new = assemble_rows(data, settings, None, tell, system.data.groups_apart)
    fit, uncertainty = _solve_again(
        potential,
        replace(system, data=system.data.merge(new).as_one_fold()),
        potential.holes_,
        lambda candidate: [_count_new_atoms(data, new, candidate)],
    )
    potential.training_ = merge_provenance([potential.training_, provenance(structures, labels)])
    potential._take_solution(fit)
    potential.uncertainty_ = uncertainty
    potential.rejected_ = list(rejection.rejected)


def merge_potentials(potential: "LinearPotential", others: Sequence["LinearPotential"]) -> "LinearPotential":
    """Return a potential that is fitted to the training structures of several.

    Parameters
    ----------
    potential : LinearPotential
        Fitted; its loss weights and strength are used.
    others : sequence of LinearPotential
        Fitted with the same settings, descriptor state and baselines.

    Returns
    -------
    LinearPotential
        A new one.

    Raises
    ------
    SettingsError
        If they are not alike.
    """
    system = kept_system(potential, "merge")
    parts = [system.data]
    for other in others:
        _check_alike(potential, other)
        theirs = kept_system(other, "merge")
        parts.append(_relative_to(system.reference, theirs))
    merged = replace(system, data=parts[0].merge(*parts[1:]).as_one_fold())
    known = [None if other.uncertainty_ is None else other.uncertainty_.statistics for other in others]
    holes = join_holes(part.holes_ for part in (potential, *others))
    fit, uncertainty = _solve_again(potential, merged, holes, lambda candidate: known)
    result: LinearPotential = clone(potential)
    result.__dict__ |= {name: value for name, value in potential.__dict__.items() if name.endswith("_")}
    result.training_ = merge_provenance([p.training_ for p in (potential, *others)])
    result._take_solution(fit)
    result.uncertainty_ = uncertainty
    return result


def kept_system(potential: "LinearPotential", what: str) -> TrainedSystem:
    """Return the folded rows of a potential.

    Parameters
    ----------
    potential : LinearPotential
        Fitted.
    what : str
        What they are needed for.

    Returns
    -------
    TrainedSystem
        Rows of all training structures.

    Raises
    ------
    SettingsError
        If they were not kept.
    """
    if isinstance(potential.descriptor_, ImportedACE):
        refuse_rows(what)
    system: TrainedSystem | None = potential.system_
    if system is None:
        raise SettingsError(
            f"{what} needs the folded rows of the training structures, which this potential did not keep; fit with "
            "keep_system=True (and fold_rows=True), and save with system=True"
        )
    return system


def _as_text(value: Any) -> str:
    """Return a setting as text, with all of an array in it."""
    if isinstance(value, np.ndarray):
        return f"array of shape {value.shape} with hash {joblib.hash(value)}"
    return repr(value)


def _solve_again(
    potential: "LinearPotential",
    system: TrainedSystem,
    holes: HoleRows | None,
    count_added: Callable[[Candidate], Sequence[AtomStatistics | None]],
) -> tuple[Fit, Uncertainty | None]:
    """Return the fit to a larger system with the weights and the strength that the potential has.

    Its uncertainty, where the potential has one, comes beside it; `count_added` gives the statistics of new atoms.
    """
    choice = potential._fit_settings().solver_choice(potential.descriptor_)
    value = potential.alpha_ if choice.solver.path_parameter is not None else np.nan
    chosen = Chosen(choice.candidate(potential.loss_weights_, (value,)), value)
    rows = CoreRows.of(potential.descriptor_, potential.baselines_)
    fit = solve_system(system, chosen, system.reference.source == "lstsq", rows, holes)
    known: Uncertainty | None = potential.uncertainty_
    added = [] if known is None else count_added(chosen.candidate)
    return fit, extend_uncertainty(known, fit, chosen.candidate, rows, added, potential.random_state)


def _count_new_atoms(data: TrainingSet, new: AssembledData, candidate: Candidate) -> AtomStatistics:
    """Return the statistics of the atoms of the structures that have rows."""
    numbers = tuple(atomic_numbers[symbol] for symbol in data.descriptor.elements_)
    return count_atoms(data, new.energy.index, numbers, candidate.columns)


def _check_unchanged(potential: "LinearPotential") -> None:
    """Raise where settings were changed since the fit."""
    now = settings_snapshot(potential)
    changed = sorted(name for name, value in potential.fitted_settings_.items() if now.get(name) != value)
    if changed:
        told = "; ".join(f"{name} was {potential.fitted_settings_[name]} and is {now.get(name)}" for name in changed)
        raise SettingsError(
            f"partial_fit goes on with the settings of the fit, but these were changed: {told}. Set them back, or fit "
            "to all structures"
        )


def _check_alike(potential: "LinearPotential", other: "LinearPotential") -> None:
    """Raise where two potentials have no common training problem."""
    mine, theirs = potential.fitted_settings_, other.fitted_settings_
    state = ("descriptor", "baseline")  # what matters of these is compared below
    different = sorted(n for n in mine if mine[n] != theirs.get(n) and not n.startswith(state))
    if different:
        raise SettingsError(
            f"the potentials to merge were fitted with different {', '.join(different)}; fit them alike"
        )
    if not _same_state(potential.descriptor_, other.descriptor_):
        raise SettingsError(
            "the potentials to merge have descriptors of different states (elements, cutoff or radial functions); fit "
            "the descriptor once and give FrozenEstimator(descriptor) to all of them"
        )
    if not _same_baselines(potential.baselines_, other.baselines_):
        raise SettingsError(
            "the potentials to merge have different baselines; give the baselines of one of them to all, as "
            "baseline=potential.baselines_"
        )
    if (potential.reference_.source == "lstsq") != (other.reference_.source == "lstsq"):
        raise SettingsError("some of the potentials to merge solved their reference energies and some did not")


def _same_state(one: Descriptor, two: Descriptor) -> bool:
    (settings, arrays), (others, other_arrays) = one.to_state(), two.to_state()
    settings, others = ({k: v for k, v in s.items() if k != "arguments"} for s in (settings, others))
    return (
        type(one) is type(two)
        and settings == others
        and arrays.keys() == other_arrays.keys()
        and all(np.array_equal(arrays[name], other_arrays[name]) for name in arrays)
    )


def _same_baselines(one: Sequence[Baseline], two: Sequence[Baseline]) -> bool:
    return [repr(baseline.to_state()) for baseline in one] == [repr(baseline.to_state()) for baseline in two]


def _relative_to(reference: ReferenceEnergies, system: TrainedSystem) -> AssembledData:
    """Return the rows of a system with energies above other provisional reference energies."""
    energy = system.data.energy
    shift = energy.composition @ (system.reference.values - reference.values)
    shifted = np.where(energy.label_weight > 0.0, energy.y + shift, energy.y)
    return replace(system.data, energy=replace(energy, y=shifted))
