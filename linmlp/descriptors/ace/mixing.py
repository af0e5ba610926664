r"""Channels of elements: a setting in, the matrices that mix the densities of elements out.

Densities of orders 2 and higher are mixed over the elements of the neighbors,

.. math:: A_{cnlm} = \sum_e W_{ce} A_{enlm}, \qquad c = 0, \dots, K - 1,

so that the number of functions grows as :math:`K^k` with the order k, whatever the number of elements. With as many
channels as elements nothing is lost.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from ase.data import chemical_symbols, covalent_radii

from linmlp.exceptions import SettingsError
from linmlp.units import FloatArray

Channels: TypeAlias = int | Sequence[Any] | FloatArray | None

NOBLE_GASES = (0, 2, 10, 18, 36, 54, 86, 118)

INDEPENDENT = 1e-6
"""Part of a row that must be left when the rows before it are taken out of it."""


def resolve_channels(channels: Channels, numbers: tuple[int, ...]) -> FloatArray | None:
    """Return the matrices that mix elements.

    Parameters
    ----------
    channels : None, int or array-like of shape (n_channels, n_elements) or (n_elements, n_channels, n_elements)
        As given by the user: nothing mixed, a number of channels (`fixed_channels`), one matrix for all central
        elements or one for each.
    numbers : tuple of int
        Atomic numbers of the elements, ascending.

    Returns
    -------
    ndarray of shape (n_elements, n_channels, n_elements) or None
        W by central element.

    Raises
    ------
    SettingsError
        If there are more channels than elements, or none; if a matrix has another shape, is not finite, or its rows are
        linearly dependent.
    """
    if channels is None:
        return None
    n_elements = len(numbers)
    if isinstance(channels, int | np.integer) and not isinstance(channels, bool):
        check_n_channels(int(channels), numbers)
        matrix = fixed_channels(numbers, int(channels))
    else:
        matrix = _as_matrix(channels)
    if matrix.ndim == 2:
        matrix = np.repeat(matrix[None], n_elements, axis=0)
    if matrix.ndim != 3 or matrix.shape[0] != n_elements or matrix.shape[2] != n_elements:
        raise SettingsError(
            f"channels has the shape {np.shape(channels)}; with the elements {_listed(numbers)} it must be "
            f"(n_channels, {n_elements}), or ({n_elements}, n_channels, {n_elements}) with a matrix for each central "
            "element"
        )
    check_n_channels(matrix.shape[1], numbers)
    for symbol, of_center in zip(_symbols(numbers), matrix, strict=True):
        if not np.isfinite(of_center).all() or np.linalg.matrix_rank(of_center) < len(of_center):
            raise SettingsError(
                f"the {len(of_center)} channels around {symbol} are not finite or linearly dependent: "
                f"{of_center.tolist()}; give independent rows, or fewer"
            )
    return np.ascontiguousarray(matrix)


def count_channels(channels: Channels, numbers: tuple[int, ...]) -> int | None:
    """Return the number of channels; None where nothing is mixed.

    Parameters
    ----------
    channels : None, int or array-like of shape (..., n_channels, n_elements)
        As given by the user.
    numbers : tuple of int
        Atomic numbers of the elements, ascending.

    Returns
    -------
    int or None
        See `resolve_channels` for what is refused.
    """
    matrix = resolve_channels(channels, numbers)
    return None if matrix is None else int(matrix.shape[1])


def check_n_channels(n_channels: int, numbers: tuple[int, ...]) -> None:
    """Raise where a number of channels makes no sense.

    Parameters
    ----------
    n_channels : int
        Number of channels.
    numbers : tuple of int
        Atomic numbers of the elements.

    Raises
    ------
    SettingsError
        If it is not from 1 to the number of elements.
    """
    if not 1 <= n_channels <= len(numbers):
        raise SettingsError(
            f"channels={n_channels!r} with the {len(numbers)} element(s) {_listed(numbers)}; there must be at least 1 "
            f"and at most {len(numbers)}, or None for one channel per element"
        )


def fixed_channels(numbers: tuple[int, ...], n_channels: int) -> FloatArray:
    """Return channels that follow from the place of the elements in the periodic table alone.

    They are orthogonal functions of the elements: the first counts all neighbors alike, the next ones are linear in
    group (which orders elements by electronegativity), covalent radius and period as far as these are independent, and
    powers of the atomic number complete them.

    Parameters
    ----------
    numbers : tuple of int
        Atomic numbers of the elements.
    n_channels : int
        Number of channels, at most that of elements.

    Returns
    -------
    ndarray of shape (n_channels, n_elements)
        Rows of a matrix with orthogonal rows, squares 1 on average; complete where there are as many as elements.
    """
    z = np.array(numbers, dtype=float)
    properties = [np.ones(len(z)), _groups(numbers), covalent_radii[list(numbers)], _periods(numbers)]
    properties += [((z - z.mean()) / max(np.ptp(z), 1.0)) ** power for power in range(1, len(z))]
    rows: list[FloatArray] = []
    for values in properties:
        row = np.asarray(values, dtype=float)
        size = np.linalg.norm(row)
        for before in rows * 2:  # twice, for the digits
            row = row - before * (before @ row) / len(z)
        if np.linalg.norm(row) > INDEPENDENT * size and len(rows) < n_channels:
            rows.append(row * np.sqrt(len(z)) / np.linalg.norm(row))
    return np.array(rows)


def _as_matrix(channels: Any) -> FloatArray:
    try:
        if isinstance(channels, bool | str):
            raise ValueError
        return np.asarray(channels, dtype=float)
    except (ValueError, TypeError) as error:
        raise SettingsError(
            f"channels={channels!r}; it must be None, a number of channels, or a matrix (n_channels, n_elements)"
        ) from error


def _periods(numbers: tuple[int, ...]) -> FloatArray:
    return np.array([np.searchsorted(NOBLE_GASES, z) for z in numbers], dtype=float)


def _groups(numbers: tuple[int, ...]) -> FloatArray:
    """Return groups 1 to 18, 3 for lanthanides and actinides."""
    groups = []
    for z in numbers:
        period = int(np.searchsorted(NOBLE_GASES, z))
        after, before = z - NOBLE_GASES[period - 1], NOBLE_GASES[period] - z
        groups.append(float(after if after <= 2 else max(18 - before, 3)))
    return np.array(groups)


def _symbols(numbers: tuple[int, ...]) -> list[str]:
    return [chemical_symbols[z] for z in numbers]


def _listed(numbers: tuple[int, ...]) -> str:
    return ", ".join(_symbols(numbers))
