"""Values beside those of a reference, with differences in units and per cent; results as plain JSON types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np
from ase import Atoms

from linmlp.exceptions import SettingsError


@dataclass(frozen=True)
class Difference:
    """A value beside its reference.

    Parameters
    ----------
    name : str
        What it is.
    value : float
        Of the potential.
    reference : float
        What it should be.
    unit : str
        Of both.
    """

    name: str
    value: float
    reference: float
    unit: str

    @property
    def absolute(self) -> float:
        """Value less reference, in the unit."""
        return self.value - self.reference

    @property
    def per_cent(self) -> float:
        """Of the size of the reference; NaN where that is zero."""
        return 100.0 * self.absolute / abs(self.reference) if self.reference else float("nan")

    def __str__(self) -> str:
        return (
            f"{self.name:24}{self.value:12.4f}{self.reference:12.4f}{self.absolute:+12.4f}{self.per_cent:+9.1f} %"
            f"   {self.unit}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return names and numbers.

        Returns
        -------
        dict
            Plain JSON types.
        """
        return as_dict(self) | {"absolute": plain(self.absolute), "per_cent": plain(self.per_cent)}


def compare(
    values: Mapping[str, float], reference: Mapping[str, float], units: Mapping[str, str] | str
) -> tuple[Difference, ...]:
    """Return the values that have a reference beside it.

    Parameters
    ----------
    values : mapping of str to float
        What was computed.
    reference : mapping of str to float
        Some of the same names.
    units : mapping of str to str, or str
        Unit of each name, or of all.

    Returns
    -------
    tuple of Difference
        In the order of the reference.

    Raises
    ------
    SettingsError
        If the reference names what was not computed, or is not a number.
    """
    strange = [name for name in reference if name not in values]
    if strange:
        raise SettingsError(f"reference names {', '.join(strange)}, which is not known; known are {', '.join(values)}")
    for name, number in reference.items():
        if not isinstance(number, int | float | np.number) or not np.isfinite(number):
            raise SettingsError(f"reference of {name} is {number!r}; give a number")
    return tuple(
        Difference(name, float(values[name]), float(number), units if isinstance(units, str) else units[name])
        for name, number in reference.items()
    )


def table(differences: Sequence[Difference]) -> str:
    """Return differences below each other.

    Parameters
    ----------
    differences : sequence of Difference
        Any number.

    Returns
    -------
    str
        Empty if there are none.
    """
    if not differences:
        return ""
    header = f"{'against the reference':24}{'potential':>12}{'reference':>12}{'difference':>12}"
    return "\n".join([header, *map(str, differences)])


def is_calculator(reference: Any) -> bool:
    """Return whether a reference computes energies, rather than names them.

    Parameters
    ----------
    reference : object
        What the user gave.

    Returns
    -------
    bool
        True for a potential and an ASE calculator.
    """
    return not isinstance(reference, Mapping | Atoms | Sequence) and (
        hasattr(reference, "get_potential_energy") or callable(getattr(reference, "calculator", None))
    )


def as_dict(value: Any) -> dict[str, Any]:
    """Return a dataclass or mapping as plain JSON types.

    Parameters
    ----------
    value : dataclass or mapping
        Result.

    Returns
    -------
    dict
        By field or key.
    """
    return dict(plain(value))


def plain(value: Any) -> Any:
    """Return anything that results are made of as plain JSON types.

    Parameters
    ----------
    value : object
        Dataclasses, mappings, sequences, arrays, numbers; structures are left out.

    Returns
    -------
    object
        Dictionaries, lists, numbers, strings, None; NaN and infinities become None.

    Examples
    --------
    >>> plain({"a": np.array([1.0, np.nan]), 2: (True, "b")})
    {'a': [1.0, None], '2': [True, 'b']}
    """
    if is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: plain(getattr(value, field.name))
            for field in fields(value)
            if not isinstance(getattr(value, field.name), Atoms)
        }
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
