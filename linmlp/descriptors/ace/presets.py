"""Sizes of ACE by name: a name and the number of elements in, one degree per order out."""

from typing import NamedTuple

from linmlp.descriptors.ace.basis import count_functions
from linmlp.exceptions import SettingsError


class Preset(NamedTuple):
    """A size of the basis.

    Parameters
    ----------
    order : int
        Correlation order that it is meant for.
    max_degree : tuple of int
        Degrees of orders 1 to 4 for one element.
    n_functions : tuple of int
        Functions in all that two, three, and four or more elements have at most.
    """

    order: int
    max_degree: tuple[int, int, int, int]
    n_functions: tuple[int, int, int]


PRESETS = {
    "fast": Preset(3, (12, 9, 6, 3), (300, 450, 600)),
    "balanced": Preset(3, (16, 14, 11, 8), (1500, 2250, 3000)),
    "accurate": Preset(4, (18, 15, 13, 8), (3000, 4000, 5000)),
}
"""145, 750 and 1604 functions of one element at their own orders."""

DEFAULT = "balanced"
"""The preset that "auto" stands for."""


def find_preset(name: str) -> Preset:
    """Return a preset by name.

    Parameters
    ----------
    name : str
        Its name.

    Returns
    -------
    Preset
        Order and degrees.

    Raises
    ------
    SettingsError
        If there is none, with the names there are.
    """
    if name not in PRESETS:
        raise SettingsError(f"there is no preset {name!r}; give one of {', '.join(PRESETS)}")
    return PRESETS[name]


def default_degrees(
    n_elements: int, order: int, max_l: int, preset: str = DEFAULT, n_channels: int | None = None
) -> tuple[int, ...]:
    """Return the degrees per order of a preset, which fall with the number of elements.

    One element has by default (16, 14, 11, 8): 750 functions up to order 3, 1040 with order 4. At fixed degree the
    count would grow as elements**order, so orders 2 and higher are lowered until all elements have no more functions
    than the preset allows. The pair term keeps its size. With channels of elements the count grows as channels**order.

    Parameters
    ----------
    n_elements : int
        Number of elements.
    order : int
        Correlation order, 1 to 4.
    max_l : int
        Largest angular momentum.
    preset : str, default="balanced"
        Name of the preset.
    n_channels : int or None, default=None
        Densities that elements are mixed to; None for those of the elements.

    Returns
    -------
    tuple of int
        One degree per order.

    Raises
    ------
    SettingsError
        If there is no such preset.
    """
    wanted = find_preset(preset)
    pair, largest_second, largest_third, largest_fourth = wanted.max_degree
    if n_elements == 1:
        return wanted.max_degree[:order]
    limit = wanted.n_functions[min(n_elements, 4) - 2]
    for third in range(largest_third, -1, -1):
        for second in range(third + 3, third - 1, -1):
            fourth = min(max(third - 3, 0), largest_fourth)
            degrees = (pair, min(second, largest_second), third, fourth)[:order]
            if n_elements * count_functions(n_elements, degrees, max_l, n_channels) <= limit:
                return degrees
    return degrees
