"""The steps before a fit: labelled structures in, checked labels, a fitted descriptor and baselines out."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from linmlp.descriptors import Descriptor
from linmlp.exceptions import SettingsError
from linmlp.potentials.baseline_setting import resolve_baselines
from linmlp.potentials.cutoff import choose_cutoff
from linmlp.potentials.element_channels import learn_channels, learns_channels
from linmlp.potentials.fit_settings import FitSettings
from linmlp.potentials.reporting import Reporter
from linmlp.potentials.size import fit_largest, sizes_to_choose_from
from linmlp.potentials.training_set import TrainingSet
from linmlp.potentials.usable_labels import check_derivatives, usable_labels
from linmlp.structures import (
    LabelSet,
    Rejection,
    RejectSetting,
    check_structures,
    fit_reference_energies,
    reject_structures,
)
from linmlp.system import check_group_names
from linmlp.units import FloatArray

if TYPE_CHECKING:
    from linmlp.potentials.linear import LinearPotential


def prepare(
    potential: "LinearPotential",
    structures: Sequence[Atoms],
    sample_weight: Any,
    settings: FitSettings,
    tell: Reporter,
    may_choose_size: bool = True,
) -> TrainingSet:
    """Return what a potential with these settings is fitted to.

    Parameters
    ----------
    potential : LinearPotential
        Its settings are used; nothing is changed.
    structures : sequence of ase.Atoms
        Training structures.
    sample_weight : array-like of shape (n_structures,) or None
        How often each structure counts.
    settings : FitSettings
        The settings of the fit, checked.
    tell : Reporter
        Is told what was found and chosen.
    may_choose_size : bool, default=True
        Whether the number of functions may be left open, where the settings leave it.

    Returns
    -------
    TrainingSet
        Structures that count, their labels, the fitted descriptor, baselines, (provisional) reference energies.
    """
    structures = check_structures(structures)
    labels = potential._read_labels(structures)
    tell.say(labels.report())
    check_group_names(settings.group_weights, labels)
    rejection, kept, weight = choose_structures(potential.reject, structures, labels, sample_weight, tell)
    structures, labels = [structures[i] for i in kept], replace(labels, items=tuple(labels[i] for i in kept))
    descriptor, is_frozen = _new_descriptor(potential._feature_setting())
    sizes: tuple[tuple[int, ...], ...] = ()
    if not is_frozen:
        if getattr(descriptor, "cutoff", None) == "auto":
            descriptor.set_params(cutoff=choose_cutoff(descriptor, structures, labels, potential.e0, settings, tell))
        if learns_channels(descriptor):
            descriptor.set_params(channels=learn_channels(descriptor, structures, labels, potential.e0, settings, tell))
        sizes = sizes_to_choose_from(descriptor, structures, settings) if may_choose_size else ()
        descriptor = fit_largest(descriptor, _distinct(structures), sizes)
    most = "up to " if sizes else ""
    tell.say(f"{most}{descriptor.n_features_out_} functions of {', '.join(descriptor.elements_)}: {descriptor!r}")
    for note in getattr(descriptor, "notes_", ()):
        tell.say(note)
    check_elements(descriptor, structures)
    check_derivatives(labels, descriptor, settings)
    labels = usable_labels(labels, descriptor)
    baselines = resolve_baselines(potential.baseline, descriptor, structures)
    reference = fit_reference_energies(potential.e0, structures, labels, descriptor.elements_)
    return TrainingSet(structures, labels, descriptor, baselines, reference, weight, rejection, tuple(kept), sizes)


def choose_structures(
    reject: RejectSetting, structures: list[Atoms], labels: LabelSet, sample_weight: Any, tell: Reporter
) -> tuple[Rejection, list[int], FloatArray | None]:
    """Return the structures that are fitted to: not rejected, and not of weight 0, which counts as not listed.

    Parameters
    ----------
    reject : None, dict or callable
        See `linmlp.structures.reject_structures`.
    structures : list of ase.Atoms
        Structures.
    labels : LabelSet
        Their labels.
    sample_weight : array-like of shape (n_structures,) or None
        How often each structure counts.
    tell : Reporter
        Is told what is rejected.

    Returns
    -------
    rejection : Rejection
        What was rejected and why.
    kept : list of int
        Structures that count, ascending.
    sample_weight : ndarray or None
        Their weights.

    Raises
    ------
    SettingsError
        If weights are of a wrong number.
    """
    rejection = reject_structures(reject, structures, labels)
    if rejection.rejected:
        tell.say(rejection.report())
    kept = list(rejection.kept)
    weight = None
    if sample_weight is not None:
        weight = np.asarray(sample_weight, dtype=float)
        if weight.shape != (len(structures),):
            raise SettingsError(
                f"sample_weight has shape {weight.shape} for {len(structures)} structures; give one number per "
                "structure"
            )
        if np.any(weight[kept] > 0):  # else the assembly says what is wrong with it
            kept = [i for i in kept if weight[i] != 0]
        weight = weight[kept]
    return rejection, kept, weight


def kept_groups(groups: Any, data: TrainingSet, n_structures: int) -> Any:
    """Return the groups of the structures that are fitted to.

    Parameters
    ----------
    groups : array-like of shape (n_structures,) or None
        Of the structures that the user gave.
    data : TrainingSet
        Which of them are fitted to.
    n_structures : int
        How many the user gave.

    Returns
    -------
    list or None
        None without groups.

    Raises
    ------
    SettingsError
        If groups are of a wrong number.
    """
    if groups is None:
        return None
    if len(groups) != n_structures:
        raise SettingsError(f"groups has {len(groups)} entries for {n_structures} structures; give one per structure")
    return [groups[i] for i in (range(n_structures) if data.kept is None else data.kept)]


def check_elements(descriptor: Descriptor, structures: Sequence[Atoms]) -> None:
    """Raise where a structure holds an element that a fitted descriptor does not know.

    Parameters
    ----------
    descriptor : Descriptor
        Fitted.
    structures : sequence of ase.Atoms
        Structures.

    Raises
    ------
    SettingsError
        With the elements.
    """
    found = {symbol for structure in structures for symbol in set(structure.symbols)}
    strange = sorted(found - set(descriptor.elements_))
    if strange:
        raise SettingsError(
            f"the structures hold {', '.join(strange)}, but the descriptor was fitted to "
            f"{', '.join(descriptor.elements_)}; fit a new potential to all structures"
        )


def _new_descriptor(setting: Any) -> tuple[Descriptor, bool]:
    """Return an unfitted descriptor, or a fitted one that is to stay as it is, and whether it is that."""
    if isinstance(setting, FrozenEstimator) and isinstance(setting.estimator, Descriptor):
        if not hasattr(setting.estimator, "elements_"):
            raise SettingsError("descriptor is frozen, but not fitted; fit it before it is frozen")
        return setting.estimator, True
    if not isinstance(setting, Descriptor):
        raise SettingsError(f"descriptor={setting!r} is none; give one such as ACE(cutoff=5.0), or None")
    return clone(setting), False


def _distinct(structures: Sequence[Atoms]) -> list[Atoms]:
    """Return structures without repetitions: radial functions shall not know how often one is listed."""
    seen: dict[tuple[bytes, ...], Atoms] = {}
    for structure in structures:
        arrays = (structure.numbers, structure.positions, structure.cell.array, structure.pbc)
        seen.setdefault(tuple(array.tobytes() for array in arrays), structure)
    return list(seen.values())
