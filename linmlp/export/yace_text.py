"""YAML as the reader of ML-PACE takes it: values in, text out."""

from collections.abc import Mapping
from typing import Any

import numpy as np


def flow_mapping(entries: Mapping[str, Any]) -> str:
    """Return a mapping on one line; strings must be plain words."""
    return "{" + ", ".join(f"{key}: {flow(value)}" for key, value in entries.items()) + "}"


def flow(value: Any) -> str:
    """Return a word, a number, or a list of such on one line."""
    if isinstance(value, list | tuple | np.ndarray):
        return "[" + ", ".join(map(flow, value)) + "]"
    return value if isinstance(value, str) else number(value)


def number(value: Any) -> str:
    """Return all digits; integers without a point (the reader stops at one), others with one (1e-05 is a word)."""
    if isinstance(value, int | np.integer):
        return str(int(value))
    mantissa, e, exponent = repr(float(value)).partition("e")
    return (mantissa if "." in mantissa else mantissa + ".0") + e + exponent
