"""What a user may give as baseline, and the baselines that it means."""

from collections.abc import Sequence
from typing import Any, Literal

from ase import Atoms

from linmlp.descriptors import Descriptor
from linmlp.exceptions import SettingsError
from linmlp.structures import (
    Baseline,
    CalculatorBaseline,
    closest_approaches,
    zbl_from_closest_approaches,
)

BaselineSetting = Literal["zbl"] | Baseline | Sequence[Any] | None


def resolve_baselines(
    setting: BaselineSetting, descriptor: Descriptor, structures: Sequence[Atoms]
) -> tuple[Baseline, ...]:
    """Return the baselines that a setting means for some training structures.

    Parameters
    ----------
    setting : "zbl", None, Baseline, ASE calculator, or a sequence of these
        What the user gave.
    descriptor : Descriptor
        Fitted descriptor; its cutoff and elements are used.
    structures : sequence of ase.Atoms
        Training structures, from whose closest approaches the ZBL radii follow.

    Returns
    -------
    tuple of Baseline
        May be empty.

    Raises
    ------
    SettingsError
        If something is no baseline.
    """
    if setting is None:
        return ()
    parts = setting if isinstance(setting, list | tuple) else (setting,)
    return tuple(_resolve(part, descriptor, structures) for part in parts)


def _resolve(part: Any, descriptor: Descriptor, structures: Sequence[Atoms]) -> Baseline:
    if isinstance(part, str) and part == "zbl":
        closest = closest_approaches((descriptor.pairs(a) for a in structures), descriptor.elements_)
        return zbl_from_closest_approaches(descriptor.elements_, closest)
    if isinstance(part, Baseline):
        return part
    if hasattr(part, "get_potential_energy"):
        return CalculatorBaseline(part)
    raise SettingsError(f'baseline={part!r} is not known; give "zbl", None, a baseline or an ASE calculator')
