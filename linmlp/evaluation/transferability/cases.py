"""Which structures are left out together: groups, chemical systems, compounds of an element."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from ase import Atoms

from linmlp.exceptions import SettingsError
from linmlp.structures import config_type, structure_groups
from linmlp.structures.groups import GroupBy
from linmlp.structures.isolated import is_isolated_atom
from linmlp.units import IntArray


@dataclass(frozen=True)
class Case:
    """Structures that are left out together, and those that remain.

    Parameters
    ----------
    name : str
        Of what is left out.
    train, test : ndarray of int
        Structures that remain, and those that are left out and predicted.
    impossible : str, default=""
        Why nothing of it can be predicted; empty if something can.
    n_skipped : int, default=0
        Structures left out that cannot be predicted, because an element of theirs does not remain.
    """

    name: str
    train: IntArray
    test: IntArray
    impossible: str = ""
    n_skipped: int = 0


def group_names(structures: Sequence[Atoms], groups: GroupBy = "config_type") -> list[str]:
    """Return the name of the group of every structure.

    Parameters
    ----------
    structures : sequence of ase.Atoms
        Structures.
    groups : str, callable or sequence, default="config_type"
        As `linmlp.structures.structure_groups` takes it.

    Returns
    -------
    list of str
        One per structure; trajectories that are found by content are numbered.

    Raises
    ------
    SettingsError
        If a structure lacks the key, or the number of values is wrong.
    """
    codes = structure_groups(structures, groups)
    if callable(groups):
        return [str(groups(atoms)) for atoms in structures]
    if not isinstance(groups, str):
        return [str(value) for value in groups]
    if groups == "config_type":
        return [config_type(atoms) for atoms in structures]
    if all(groups in atoms.info for atoms in structures):
        return [str(atoms.info[groups]) for atoms in structures]
    return [f"{groups} {code}" for code in codes]


def chemical_systems(structures: Sequence[Atoms]) -> list[str]:
    """Return the set of elements of every structure as text, such as "Cl-Li"."""
    return ["-".join(sorted(set(atoms.get_chemical_symbols()))) for atoms in structures]


def group_cases(structures: Sequence[Atoms], names: Sequence[str], kind: str = "group") -> list[Case]:
    """Return one case per group: all of its structures are left out.

    Parameters
    ----------
    structures : sequence of ase.Atoms
        Structures.
    names : sequence of str
        Group of each.
    kind : str, default="group"
        What a group is, for the message.

    Returns
    -------
    list of Case
        In the order of the names.

    Raises
    ------
    SettingsError
        If there is one group only.
    """
    array = np.asarray(names, dtype=object)
    found = sorted(set(names))
    if len(found) < 2:
        raise SettingsError(
            f"all {len(names)} structures are of one {kind}, {found[0]!r}: without it nothing remains to train on; "
            + ("give groups=, such as a key of info or a list" if kind == "group" else "add structures of others")
        )
    cases = [Case(name, np.flatnonzero(array != name), np.flatnonzero(array == name)) for name in found]
    return _predictable(cases, structures)


def element_cases(structures: Sequence[Atoms]) -> list[Case]:
    """Return one case per element: all structures that hold it together with another are left out.

    A linear potential has no coefficients for an element that it was not trained on, so that structures of the pure
    element stay. What is asked is whether a potential that knows an element by itself knows its compounds.

    Parameters
    ----------
    structures : sequence of ase.Atoms
        Structures.

    Returns
    -------
    list of Case
        In the order of the symbols.

    Raises
    ------
    SettingsError
        If there is one element only.
    """
    sets = [set(atoms.get_chemical_symbols()) for atoms in structures]
    elements = sorted(set().union(*sets))
    if len(elements) < 2:
        raise SettingsError(f"all structures are of one element, {elements[0]}; leaving out elements needs two or more")
    cases = []
    for element in elements:
        mixed = np.array([element in found and len(found) > 1 for found in sets])
        reason = "" if mixed.any() else f"no structure holds {element} together with another element"
        cases.append(Case(element, np.flatnonzero(~mixed), np.flatnonzero(mixed), reason))
    return _predictable(cases, structures)


def _predictable(cases: Sequence[Case], structures: Sequence[Atoms]) -> list[Case]:
    """Return the cases without the structures whose elements do not remain, with the reason where none is left."""
    sets = [frozenset(atoms.get_chemical_symbols()) for atoms in structures]
    alone = np.array([is_isolated_atom(atoms) for atoms in structures])
    checked = []
    for case in cases:
        if case.impossible:
            checked.append(case)
            continue
        in_pairs = frozenset().union(*(sets[i] for i in case.train if not alone[i]))
        anywhere = frozenset().union(*(sets[i] for i in case.train))
        possible = np.array([sets[i] <= in_pairs for i in case.test], dtype=bool)
        kept = replace(case, test=case.test[possible], n_skipped=int(np.count_nonzero(~possible)))
        if not possible.any():
            lacking = frozenset().union(*(sets[i] for i in case.test)) - in_pairs
            reasons = (
                ("no structure with {} remains", lacking - anywhere),
                ("only isolated atoms of {} remain", lacking & anywhere),
            )
            told = [text.format(", ".join(sorted(symbols))) for text, symbols in reasons if symbols]
            kept = replace(kept, impossible=" and ".join(told))
        checked.append(kept)
    return checked
