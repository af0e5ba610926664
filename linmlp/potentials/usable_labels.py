"""Labels that a descriptor can be fitted to and judged by: energies alone, where it has no derivatives."""

from dataclasses import replace

from linmlp.descriptors import Descriptor
from linmlp.exceptions import SettingsError
from linmlp.potentials.fit_settings import FitSettings
from linmlp.structures import LabelSet

DERIVED = {"forces": "force_weight", "stress": "stress_weight"}
"""Labels that are derivatives, and the settings of their weights."""


def usable_labels(labels: LabelSet, descriptor: Descriptor) -> LabelSet:
    """Return the labels that a descriptor has features for.

    Parameters
    ----------
    labels : LabelSet
        Of any structures.
    descriptor : Descriptor
        Fitted.

    Returns
    -------
    LabelSet
        The same; without forces and stresses, if the descriptor has no derivatives.
    """
    if descriptor.derivatives_lack is None:
        return labels
    return replace(labels, items=tuple(replace(label, forces=None, stress=None) for label in labels))


def check_derivatives(labels: LabelSet, descriptor: Descriptor, settings: FitSettings) -> None:
    """Raise where a fit needs derivatives that a descriptor has not.

    Parameters
    ----------
    labels : LabelSet
        Of the training structures.
    descriptor : Descriptor
        Fitted.
    settings : FitSettings
        Settings of the fit.

    Raises
    ------
    SettingsError
        If there are forces or stresses whose weights are not 0, or uncertainties or filled holes are wanted.
    """
    lack = descriptor.derivatives_lack
    if lack is None:
        return
    wanted = [
        f"{kind} of {labels.counts[kind]} structures ({setting}={getattr(settings, setting)!r})"
        for kind, setting in DERIVED.items()
        if labels.counts[kind] and getattr(settings, setting) != 0
    ]
    if settings.uncertainty:
        wanted.append("uncertainty=True, which includes that of forces,")
    if settings.fill_holes is True:
        wanted.append("fill_holes=True")
    if wanted:
        raise SettingsError(f"{lack}; asked for were {' and '.join(wanted)}")
