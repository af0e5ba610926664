"""Degrees of ACE as a user gives them: settings in, one degree per order out, or an error that says what to do."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np

from linmlp.descriptors.ace.basis import MAX_ORDER, count_by_order, count_functions
from linmlp.descriptors.ace.presets import DEFAULT, PRESETS, default_degrees
from linmlp.exceptions import SettingsError

Degrees: TypeAlias = int | Sequence[int] | Literal["auto", "fast", "balanced", "accurate"]

MAX_FUNCTIONS = 50_000
"""Functions of all elements beyond which a fit is refused: folded rows of one kind would take 10 GB."""


def check_order(order: int | str, max_degree: Degrees, max_l: int) -> None:
    """Raise where a correlation order is not implemented.

    Parameters
    ----------
    order : int
        Correlation order.
    max_degree : int, sequence of int, "auto" or name of a preset
        As given by the user.
    max_l : int
        Largest angular momentum.

    Raises
    ------
    SettingsError
        With the size of what a higher order would make, if the degrees say so.
    """
    if order in range(1, MAX_ORDER + 1):
        return
    told = f"order={order!r}; it must be 1, 2, 3 or 4 (the body order minus one)"
    if isinstance(order, int) and MAX_ORDER < order <= 8 and not isinstance(max_degree, str):
        degrees = (int(max_degree),) * order if isinstance(max_degree, int | np.integer) else tuple(max_degree)
        if len(degrees) == order and 0 <= min(degrees) <= max(degrees) <= 40:
            n_functions = count_functions(1, tuple(int(degree) for degree in degrees), max_l)
            told += (
                f"; max_degree={max_degree!r} would make {n_functions} functions of one element, whose folded rows "
                f"would take {_gigabytes(n_functions)} for every kind of rows and fold"
            )
    raise SettingsError(told)


def _gigabytes(n_functions: int) -> str:
    """Return the memory of the folded rows of one kind and fold: half a square matrix of doubles."""
    gigabytes = 4e-9 * n_functions**2
    return f"{gigabytes:.2g} GB" if gigabytes < 10 else f"{gigabytes:.0f} GB"


def resolve_degrees(
    max_degree: Degrees, order: int, n_elements: int, max_l: int, n_channels: int | None = None
) -> tuple[int, ...]:
    """Return one degree per order.

    Parameters
    ----------
    max_degree : int, sequence of int, "auto" or name of a preset
        As given by the user.
    order : int
        Correlation order, 1 to 4.
    n_elements : int
        Number of elements.
    max_l : int
        Largest angular momentum.
    n_channels : int or None, default=None
        Densities that elements are mixed to; None for those of the elements.

    Returns
    -------
    tuple of int
        Degrees of orders 1, 2, ...

    Raises
    ------
    SettingsError
        If there are too few or too many numbers, or more than `MAX_FUNCTIONS` functions.
    """
    if isinstance(max_degree, str):
        if max_degree not in ("auto", *PRESETS):
            names = ", ".join(f'"{name}"' for name in PRESETS)
            raise SettingsError(
                f'max_degree={max_degree!r}; it must be "auto", a number, one per order, or a preset: {names}'
            )
        preset = DEFAULT if max_degree == "auto" else max_degree
        return default_degrees(n_elements, order, max_l, preset, n_channels)
    if isinstance(max_degree, int | np.integer):
        degrees = (int(max_degree),) * order
    else:
        degrees = tuple(int(d) for d in max_degree)
    if len(degrees) != order or min(degrees) < 0:
        raise SettingsError(f"max_degree={max_degree!r}; order {order} needs {order} numbers >= 0")
    of_order = [n_elements * count for count in count_by_order(n_elements, degrees, max_l, n_channels)]
    if sum(of_order) > MAX_FUNCTIONS:
        largest = int(np.argmax(of_order)) + 1
        raise SettingsError(
            f"max_degree={degrees} makes {sum(of_order)} functions of {n_elements} element(s), whose folded rows would "
            f"take {_gigabytes(sum(of_order))} for every kind of rows and fold; at most {MAX_FUNCTIONS} are "
            f"allowed: lower the degree {degrees[largest - 1]} of order {largest}, which has {max(of_order)} of them"
        )
    return degrees
