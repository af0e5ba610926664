"""Reference energies from isolated atoms, from least squares, or as the user gives them."""

from collections.abc import Mapping, Sequence

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols

from linmlp.exceptions import LabelError, SettingsError
from linmlp.structures.isolated import isolated_atom_energies
from linmlp.structures.label_set import Labels
from linmlp.structures.reference import ReferenceEnergies, composition_matrix

RANK_TOLERANCE = 1e-8
"""Singular values of the matrix of atomic fractions below this part of the largest count as zero."""

E0 = str | Mapping[str, float] | float | None


def fit_reference_energies(
    e0: E0, structures: Sequence[Atoms], labels: Sequence[Labels], elements: Sequence[str] | None = None
) -> ReferenceEnergies:
    """Return reference energies by one of several recipes.

    Parameters
    ----------
    e0 : {"auto", "isolated", "lstsq"}, mapping of str to float, or 0
        "isolated": energies of one-atom structures. "lstsq": least squares of the energies per atom on the atomic
        fractions. "auto": isolated atoms where there is one of every element, else least squares. A mapping gives the
        values (eV) by symbol.
    structures : sequence of ase.Atoms
        Structures.
    labels : sequence of Labels
        Their labels.
    elements : sequence of str, optional
        Symbols; by default all that occur, by atomic number.

    Returns
    -------
    ReferenceEnergies
        Values, their source, and whether the data determine them.

    Raises
    ------
    SettingsError
        If `e0` is not one of these, or lacks an element.
    """
    if elements is None:
        found = np.unique(np.concatenate([item.numbers for item in labels]))
        elements = [chemical_symbols[number] for number in found]
    symbols = tuple(elements)
    if isinstance(e0, Mapping):
        return _from_mapping(e0, symbols)
    if e0 is None or (not isinstance(e0, str) and e0 == 0):
        return ReferenceEnergies("zero", symbols, np.zeros(len(symbols)))
    if e0 not in ("auto", "isolated", "lstsq"):
        raise SettingsError(f'e0={e0!r} is not known; give "auto", "isolated", "lstsq", 0 or {{"Si": -1.2, ...}} in eV')
    if e0 == "lstsq":
        return _fit_least_squares(labels, symbols)
    energies, notes = isolated_atom_energies(structures, labels)
    missing = [symbol for symbol in symbols if symbol not in energies]
    if not missing:
        return ReferenceEnergies("isolated", symbols, np.array([energies[symbol] for symbol in symbols]), True, notes)
    if e0 == "auto":
        return _fit_least_squares(labels, symbols)
    raise SettingsError(
        f'e0="isolated", but no structure is an isolated atom of {", ".join(missing)} with an energy; '
        'add one (config_type "isolated_atom"), or use e0="lstsq" or a dict of energies'
    )


def _from_mapping(e0: Mapping[str, float], symbols: tuple[str, ...]) -> ReferenceEnergies:
    """Return given reference energies."""
    missing = [symbol for symbol in symbols if symbol not in e0]
    if missing:
        raise SettingsError(f"e0 gives no energy for {', '.join(missing)}; add it, or use e0='auto'")
    values = np.array([e0[symbol] for symbol in symbols], dtype=float)
    if not np.isfinite(values).all():
        raise SettingsError(f"e0 must hold finite energies in eV, not {dict(e0)}")
    unused = sorted(set(e0) - set(symbols))
    notes = (f"energies given for {', '.join(unused)} are not needed: no such atoms in the data",) if unused else ()
    return ReferenceEnergies("given", symbols, values, True, notes)


def _fit_least_squares(labels: Sequence[Labels], symbols: tuple[str, ...]) -> ReferenceEnergies:
    """Return the energies per element that fit the energies per atom best; the smallest where these leave a choice."""
    is_used = [item.energy is not None and item.energy_weight > 0.0 for item in labels]
    used = [item for item, usable in zip(labels, is_used, strict=True) if usable]
    if not used:
        note = "no structure has an energy: all reference energies are zero"
        return ReferenceEnergies("lstsq", symbols, np.zeros(len(symbols)), False, (note,))
    sizes = np.array([item.n_atoms for item in used], dtype=float)
    energies = np.array([item.energy for item in used], dtype=float)
    if not np.isfinite(energies).all():
        raise LabelError("energies must be finite numbers to fit reference energies")
    fractions = composition_matrix([item.numbers for item in labels], symbols)[is_used] / sizes[:, None]
    left, singular, right = np.linalg.svd(fractions, full_matrices=False)
    rank = int((singular > RANK_TOLERANCE * singular[0]).sum())
    values = right[:rank].T @ ((left[:, :rank].T @ (energies / sizes)) / singular[:rank])
    # One round of refinement: totals have many digits before the interesting ones.
    residual = energies / sizes - fractions @ values
    values += right[:rank].T @ ((left[:, :rank].T @ residual) / singular[:rank])
    if rank == len(symbols):
        return ReferenceEnergies("lstsq", symbols, values)
    projection = right[:rank].T @ right[:rank]
    is_open = 1.0 - np.diag(projection) > RANK_TOLERANCE
    undetermined = [symbol for symbol, value in zip(symbols, is_open, strict=True) if value]
    note = (
        f"the compositions of the {len(used)} structures do not determine the energies of {', '.join(undetermined)} "
        f"one by one (rank {rank} of {len(symbols)}): the smallest ones that fit were taken. Energies of structures "
        "with other compositions have no meaning; add isolated atoms or give e0 as a dict"
    )
    return ReferenceEnergies("lstsq", symbols, values, False, (note,))
