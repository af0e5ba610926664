"""Entries of a file with checks: what is wrong is said with its place."""

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import numpy as np

from linmlp.exceptions import ModelFileError
from linmlp.units import FloatArray, IntArray


class Fields:
    """A mapping in a file.

    Parameters
    ----------
    content : mapping
        Entries.
    place : str
        Where it stands, for messages.
    """

    def __init__(self, content: Mapping[Any, Any], place: str) -> None:
        self.content, self.place = content, place

    def refuse(self, reason: str) -> NoReturn:
        """Raise ModelFileError with the place and a reason."""
        raise ModelFileError(f"{self.place}: {reason}")

    def child(self, parent: Mapping[Any, Any] | Sequence[Any], key: Any, name: str) -> "Fields":
        """Return a mapping that stands inside."""
        found = key in parent if isinstance(parent, Mapping) else key < len(parent)
        if not found:
            self.refuse(f"there is no {name}; the file may be cut short, and LAMMPS would make one up")
        if not isinstance(parent[key], dict):
            self.refuse(f"{name} is no mapping; the file may be cut short")
        return Fields(parent[key], f"{self.place}, {name}")

    def get(self, name: str, kind: type) -> Any:
        """Return an entry of one kind."""
        if name not in self.content:
            self.refuse(f"there is no {name}; the file may be cut short")
        value = self.content[name]
        if not isinstance(value, kind):
            self.refuse(f"{name} is {value!r}; wanted is a {kind.__name__}")
        return value

    def number(self, name: str, default: float | None = None) -> float:
        """Return a finite number."""
        if default is not None and name not in self.content:
            return default
        value = self.get(name, object)
        try:
            number = float(value)  # PyYAML takes 1e-05 for a word
        except (TypeError, ValueError):
            number = np.nan
        if isinstance(value, bool) or not np.isfinite(number):
            self.refuse(f"{name} is {value!r}; wanted is a number")
        return number

    def integer(self, name: str) -> int:
        """Return a number that is written without a point."""
        value = self.get(name, object)
        if type(value) is not int:
            self.refuse(f"{name} is {value!r}; wanted is an integer, written without a point, or LAMMPS stops at it")
        return value

    def integers(self, name: str, n: int) -> IntArray:
        """Return so many integers."""
        values = self.get(name, list)
        if not all(type(value) is int for value in values):
            strange = next(value for value in values if type(value) is not int)
            self.refuse(f"{name} holds {strange!r}; wanted are integers, written without a point")
        self._check_length(name, len(values), n)
        return np.array(values, dtype=np.int64)

    def floats(self, name: str, shape: int | tuple[int, ...] | None) -> FloatArray:
        """Return an array of finite numbers of a shape, or of any length of at least one."""
        try:
            values = np.array(self.get(name, list), dtype=float)
        except (TypeError, ValueError):
            self.refuse(f"{name} holds something that is no number, or lists of different lengths")
        if shape is None:
            shape = (max(1, values.size),)
        expected = (shape,) if isinstance(shape, int) else shape
        if values.shape != expected:
            self.refuse(f"{name} has the shape {values.shape}; wanted is {expected}")
        if not np.isfinite(values).all():
            self.refuse(f"{name} holds a number that is not finite")
        return values

    def _check_length(self, name: str, seen: int, wanted: int) -> None:
        if seen != wanted:
            self.refuse(f"{name} has {seen} entries; wanted are {wanted}")
