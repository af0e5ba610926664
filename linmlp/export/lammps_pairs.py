"""Baselines as pair styles of stock LAMMPS that are laid over `pace`: baselines in, commands and a table file out.

The format of ML-PACE has no place for them: its own core, ``prefactor exp(-exponent r²) / r``, is another function, and
its ZBL (`inner_cutoff_type: zbl`) replaces the ACE energy of an atom by the distance of its nearest neighbor instead of
being added. Functions of rank 1 end where the inner switch of ACE begins. `pair_style zbl` is `linmlp.structures.ZBL`
to the last constant; it has one pair of radii per instance, so that pairs with other radii need another instance.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from ase.data import atomic_numbers

from linmlp.exceptions import SettingsError
from linmlp.structures import ZBL, Baseline, PairTable
from linmlp.units import FloatArray

TABLE_START = 0.2
"""Where tables for LAMMPS start, Å, or at the first distance of ours; closer atoms stop LAMMPS."""

TABLE_SPACING = 5e-4
"""Spacing of the tables, Å."""

TABLE_POINTS = 100_000
"""Points that LAMMPS makes of a table, evenly spaced in r² and read with a cubic spline."""


@dataclass(frozen=True)
class PairStyle:
    """One instance of a pair style and its `pair_coeff` arguments by pair of types (counted from 1)."""

    name: str
    arguments: str
    coefficients: tuple[tuple[int, int, str], ...]


def overlay_styles(baselines: Sequence[Baseline], elements: Sequence[str], table_name: str) -> list[PairStyle]:
    """Return the pair styles that add some baselines.

    Parameters
    ----------
    baselines : sequence of Baseline
        ZBL repulsion and pair tables.
    elements : sequence of str
        Symbols of the types 1, 2, ...
    table_name : str
        Name of the file with tables.

    Returns
    -------
    list of PairStyle
        May be empty.

    Raises
    ------
    SettingsError
        If a baseline is something else, such as an ASE calculator.
    """
    styles: list[PairStyle] = []
    for number, baseline in enumerate(baselines):
        if isinstance(baseline, ZBL):
            styles += _zbl_styles(baseline, elements)
        elif isinstance(baseline, PairTable):
            pairs = [(a, b, f"{table_name} {section_name(number, pair)}") for a, b, pair in _pairs(elements)]
            styles.append(PairStyle("table", f"spline {TABLE_POINTS}", tuple(pairs)))
        else:
            raise SettingsError(
                f"the potential stands on a baseline that LAMMPS does not know ({type(baseline).__name__}); exported "
                "are ZBL and PairTable: fit with one of these, or with baseline=None"
            )
    return styles


def commands(styles: Sequence[PairStyle], elements: Sequence[str], file_name: str) -> list[str]:
    """Return the lines of a LAMMPS input that use a `.yace` file with pair styles laid over it.

    Parameters
    ----------
    styles : sequence of PairStyle
        May be empty.
    elements : sequence of str
        Symbols of the types 1, 2, ...
    file_name : str
        The `.yace` file.

    Returns
    -------
    list of str
        `pair_style`, then `pair_coeff` lines.
    """
    symbols = " ".join(elements)
    if not styles:
        return ["pair_style pace", f"pair_coeff * * {file_name} {symbols}"]
    lines = ["pair_style hybrid/overlay pace " + " ".join(f"{style.name} {style.arguments}" for style in styles)]
    lines.append(f"pair_coeff * * pace {file_name} {symbols}")
    names = [style.name for style in styles]
    for place, style in enumerate(styles):
        index = f" {names[: place + 1].count(style.name)}" if names.count(style.name) > 1 else ""
        lines += [f"pair_coeff {a} {b} {style.name}{index} {arguments}" for a, b, arguments in style.coefficients]
    return lines


def table_text(baselines: Sequence[Baseline], elements: Sequence[str]) -> str:
    """Return the tables of all `PairTable` baselines for `pair_style table`; empty if there is none.

    Parameters
    ----------
    baselines : sequence of Baseline
        Baselines of the potential.
    elements : sequence of str
        Symbols.

    Returns
    -------
    str
        One section per pair of elements: number, distance (Å), energy (eV), force (eV/Å).
    """
    lines: list[str] = []
    for number, baseline in enumerate(baselines):
        if isinstance(baseline, PairTable):
            lines += _sections(baseline, number, elements)
    return "\n".join(lines) + "\n" if lines else ""


def section_name(number: int, pair: str) -> str:
    """Return the name of a table: that of baseline `number` for a pair of elements."""
    return f"{pair}_{number + 1}"


def _zbl_styles(zbl: ZBL, elements: Sequence[str]) -> list[PairStyle]:
    instances: dict[str, list[tuple[int, int, str]]] = {}
    for a, b, _ in _pairs(elements):
        i, j = (zbl.elements.index(elements[type_ - 1]) for type_ in (a, b))
        radii = f"{float(zbl.inner[i, j])!r} {float(zbl.outer[i, j])!r}"
        charges = f"{atomic_numbers[elements[a - 1]]} {atomic_numbers[elements[b - 1]]}"
        instances.setdefault(radii, []).append((a, b, charges))
    return [PairStyle("zbl", radii, tuple(pairs)) for radii, pairs in instances.items()]


def _sections(table: PairTable, number: int, elements: Sequence[str]) -> list[str]:
    start = min(TABLE_START, float(table.distances[0]))
    distances = np.linspace(start, table.cutoff, 1 + round((table.cutoff - start) / TABLE_SPACING))
    lines = ["# UNITS: metal"]
    for a, b, pair in _pairs(elements):
        energies, forces = table.pair_energies(elements[a - 1], elements[b - 1], distances)
        lines += ["", section_name(number, pair), f"N {len(distances)} R {start!r} {table.cutoff!r}", ""]
        lines += [f"{k} {r!r} {e!r} {f!r}" for k, (r, e, f) in enumerate(_rows(distances, energies, forces), 1)]
    return lines


def _rows(*columns: FloatArray) -> list[tuple[float, ...]]:
    return list(zip(*(column.tolist() for column in columns), strict=True))


def _pairs(elements: Sequence[str]) -> list[tuple[int, int, str]]:
    """Return the pairs of types, and their names."""
    types = combinations_with_replacement(range(1, len(elements) + 1), 2)
    return [(a, b, f"{elements[a - 1]}-{elements[b - 1]}") for a, b in types]
