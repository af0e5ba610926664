"""Cells of the tables of this package."""

import math


def cell(value: float | None, width: int, digits: int) -> str:
    """Return a number as text of a given width, a dash where it is missing."""
    if value is None or not math.isfinite(value):
        return f"{'-':>{width}}"
    if abs(value) >= 10.0 ** (width - digits - 2):
        return f"{value:>{width}.1e}"
    return f"{value:>{width}.{digits}f}"


def times(ratio: float | None) -> str:
    """Return a ratio in words."""
    return (
        "an unknown multiple of" if ratio is None else f"{ratio:.1f} times" if ratio < 100.0 else f"{ratio:.0f} times"
    )
