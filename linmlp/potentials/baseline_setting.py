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


def baseline_setting_state(setting: BaselineSetting, n_baselines: int) -> list[str | int] | None:
    """Return a setting as JSON takes it: "zbl", or the place of a baseline among those of the fit.

    Parameters
    ----------
    setting : "zbl", None, Baseline, ASE calculator, or a sequence of these
        What the user gave.
    n_baselines : int
        Number of baselines of the fit; those are meant where the setting was changed after it.

    Returns
    -------
    list of str and int, or None
        One entry per baseline.
    """
    if setting is None:
        return None
    parts = setting if isinstance(setting, list | tuple) else (setting,)
    if len(parts) != n_baselines:
        return list(range(n_baselines))
    return ["zbl" if isinstance(part, str) else place for place, part in enumerate(parts)]


def baseline_setting_from_state(state: Sequence[str | int] | None, baselines: Sequence[Baseline]) -> BaselineSetting:
    """Return the setting of a stored state.

    Parameters
    ----------
    state : sequence of str and int, or None
        As given by `baseline_setting_state`.
    baselines : sequence of Baseline
        Baselines of the fit.

    Returns
    -------
    "zbl", None, Baseline, or a list of these
        A setting that a new fit takes.
    """
    if state is None:
        return None
    parts: list[Any] = [part if isinstance(part, str) else baselines[part] for part in state]
    return parts[0] if len(parts) == 1 else parts
