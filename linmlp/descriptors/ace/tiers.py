"""Sizes of ACE that a potential chooses from: elements in, nested bases out."""

from linmlp.descriptors.ace.presets import PRESETS, default_degrees

ONE_ELEMENT = ((12, 9, 6), (14, 12, 9), (16, 14, 11), (16, 14, 11, 8), (18, 15, 13, 8))
"""145, 399, 750, 1040 and 1604 functions; each holds the one before. The third is the preset "balanced", the first and
the last are "fast" and "accurate"."""


def tier_degrees(n_elements: int, max_l: int, n_channels: int | None = None) -> tuple[tuple[int, ...], ...]:
    """Return degrees per order of bases of growing size, each of which holds the one before.

    Parameters
    ----------
    n_elements : int
        Number of elements.
    max_l : int
        Largest angular momentum.
    n_channels : int or None, default=None
        Densities that elements are mixed to; None for those of the elements.

    Returns
    -------
    tuple of tuple of int
        For one element up to the preset "accurate", with order 4; for several from "fast" to "balanced", up to order 3.
    """
    if n_elements == 1:
        return ONE_ELEMENT
    small, large = (default_degrees(n_elements, 3, max_l, name, n_channels) for name in ("fast", "balanced"))
    middle = tuple((a + b) // 2 for a, b in zip(small, large, strict=True))
    return tuple(dict.fromkeys((small, middle, large)))


def resolve_order(order: int | str, max_degree: object) -> int | str:
    """Return the correlation order of a descriptor that is fitted on its own.

    Parameters
    ----------
    order : int or "auto"
        As given by the user.
    max_degree : int, sequence of int, "auto" or name of a preset
        As given by the user.

    Returns
    -------
    int
        "auto" is the order of a preset, the number of degrees where there is one per order, and 3 otherwise. What is
        no order is returned as it is.
    """
    if order != "auto":
        return order
    if isinstance(max_degree, str):
        return PRESETS[max_degree].order if max_degree in PRESETS else 3
    return len(max_degree) if hasattr(max_degree, "__len__") else 3
