"""The .cfg files of MLIP (moment tensor potentials): read and written."""

from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.data import atomic_numbers

from linmlp.exceptions import InputError
from linmlp.units import VOIGT

VOIGT_NAMES = tuple("xyz"[a] + "xyz"[b] for a, b in VOIGT)
"""Components of PlusStress, in the order in which they are written."""

ELEMENTS = "elements"
"""Feature that names the elements of types 0, 1, ..., with commas; other programs ignore it."""

PLAIN = (str, int, float, np.number)
"""Kinds of entries of info that become features."""


def read_cfg(lines: Iterable[str], elements: Sequence[str] | None = None) -> list[Atoms]:
    """Return the structures of a .cfg file.

    Parameters
    ----------
    lines : iterable of str
        Lines of the file.
    elements : sequence of str, optional
        Elements of types 0, 1, ...; by default those that the feature "elements" names.

    Returns
    -------
    list of ase.Atoms
        Labels on the calculator, features in info. Energy in eV, forces in eV/Å; PlusStress is the virial in eV,
        -volume times stress. Axes without a vector in Supercell are not periodic, and without three there is no stress.

    Raises
    ------
    InputError
        If the file is something else, or cut short, or elements are not known.
    """
    numbered = enumerate((line.split() for line in lines), start=1)
    structures: list[Atoms] = []
    for number, words in numbered:
        if words == ["BEGIN_CFG"]:
            structures.append(_to_atoms(_read_block(numbered), len(structures), elements))
        elif words:
            raise InputError(f"line {number}, {' '.join(words)[:40]!r}, is outside of BEGIN_CFG and END_CFG")
    return structures


def _read_block(numbered: Iterator[tuple[int, list[str]]]) -> dict[str, Any]:
    """Return the entries of one configuration by name."""
    found: dict[str, Any] = {"Supercell": [], "Feature": {}}
    key, columns = "", []
    for number, words in numbered:
        if not words:
            continue
        if words == ["END_CFG"]:
            return found
        try:
            if words[0] == "Feature":
                found["Feature"][words[1]] = " ".join(words[2:])
            elif words[0][0].isalpha():
                key, columns = words[0].rstrip(":"), words[1:]
                if key not in ("Size", "Supercell", "AtomData", "Energy", "PlusStress"):
                    raise InputError(
                        f"has an entry {words[0]!r}; known are Size, Supercell, AtomData, Energy, PlusStress"
                    )
                if key == "AtomData":
                    found[key] = {name: [] for name in columns}
            elif key == "Supercell":
                found[key].append([float(word) for word in words])
            elif key == "AtomData":
                for name, word in zip(columns, words, strict=True):
                    found[key][name].append(float(word))
            elif key == "PlusStress":
                found[key] = dict(zip(columns, map(float, words), strict=True))
            elif key == "":
                raise InputError("belongs to no entry")
            else:
                (found[key],) = (float(word) for word in words)
        except (ValueError, IndexError) as error:
            raise InputError(f"line {number}, {' '.join(words)[:60]!r}, cannot be understood ({error})") from error
    raise InputError("it ends within a configuration, without END_CFG; it is cut short")


def _to_atoms(found: dict[str, Any], index: int, elements: Sequence[str] | None) -> Atoms:
    """Return the structure of one configuration."""
    data = found.get("AtomData", {})
    if not {"type", "id"} <= set(data) or len(data["type"]) != found.get("Size"):
        raise InputError(f"configuration {index} has no AtomData with id and type of all {found.get('Size')} atoms")
    order = np.argsort(data["id"], kind="stable")
    columns = {name: np.array(values)[order] for name, values in data.items()}
    cell = np.zeros((3, 3))
    n_vectors = len(found["Supercell"])
    if n_vectors:
        cell[:n_vectors] = found["Supercell"]
    atoms = Atoms(
        _symbols(columns["type"].astype(int), index, elements or _named(found["Feature"])),
        cell=cell,
        pbc=[axis < n_vectors for axis in range(3)],
    )
    if {"cartes_x", "cartes_y", "cartes_z"} <= set(columns):
        atoms.positions = np.column_stack([columns[f"cartes_{axis}"] for axis in "xyz"])
    elif {"direct_x", "direct_y", "direct_z"} <= set(columns):
        atoms.positions = np.column_stack([columns[f"direct_{axis}"] for axis in "xyz"]) @ cell
    else:
        raise InputError(f"configuration {index} has no cartes_x, cartes_y, cartes_z, nor direct_x, direct_y, direct_z")
    atoms.info = {key: _value(text) for key, text in found["Feature"].items() if key != ELEMENTS}
    results: dict[str, Any] = {"energy": found["Energy"]} if "Energy" in found else {}
    if {"fx", "fy", "fz"} <= set(columns):
        results["forces"] = np.column_stack([columns[f"f{axis}"] for axis in "xyz"])
    if "PlusStress" in found and n_vectors == 3:
        results["stress"] = -np.array([found["PlusStress"][name] for name in VOIGT_NAMES]) / atoms.get_volume()
    if results:
        atoms.calc = SinglePointCalculator(atoms, **results)
    return atoms


def _named(features: dict[str, str]) -> list[str] | None:
    """Return the elements that the features name."""
    return features[ELEMENTS].split(",") if ELEMENTS in features else None


def _symbols(types: Any, index: int, elements: Sequence[str] | None) -> list[str]:
    """Return the elements of types."""
    wanted = int(types.max()) + 1
    if elements is None:
        raise InputError(
            f"its atoms have types 0 to {wanted - 1} and no names; say which elements these are, in this order: "
            "linmlp convert in.cfg out.xyz --elements Si,O (in Python, elements=['Si', 'O'])"
        )
    unknown = [symbol for symbol in elements if symbol not in atomic_numbers]
    if unknown or len(elements) < wanted:
        raise InputError(
            f"configuration {index} has types up to {wanted - 1}, but the elements given are {', '.join(elements)}"
            + (f", of which {', '.join(unknown)} is none" if unknown else "; name one for every type, from 0 on")
        )
    return [elements[kind] for kind in types]


def _value(text: str) -> int | float | str:
    """Return a feature as a number where it is one."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def write_cfg(file: IO[str], structures: Iterable[Atoms], elements: Sequence[str] | None = None) -> None:
    """Write structures with results of a calculator as a .cfg file.

    Parameters
    ----------
    file : file
        Opened for text.
    structures : iterable of ase.Atoms
        As `with_labels` gives them. Numbers and words in info become features, blanks in words underscores.
    elements : sequence of str, optional
        Elements of types 0, 1, ...; all elements of the structures by atomic number if None.

    Raises
    ------
    InputError
        If a structure has an element that is not among them.
    """
    structures = list(structures)
    present = sorted({int(number) for atoms in structures for number in atoms.numbers})
    named = list(elements) if elements else [atoms.symbols[0] for atoms in (Atoms(numbers=[n]) for n in present)]
    missing = {symbol for atoms in structures for symbol in atoms.symbols} - set(named)
    if missing:
        raise InputError(f"the structures hold {', '.join(sorted(missing))}, but the elements given are {named}")
    for atoms in structures:
        file.write("\n".join(_block(atoms, named)) + "\n\n")


def _block(atoms: Atoms, elements: Sequence[str]) -> list[str]:
    """Return the lines of one configuration."""
    results = atoms.calc.results if atoms.calc is not None else {}
    forces, stress = results.get("forces"), results.get("stress")
    periodic = atoms.cell.array[atoms.pbc]
    lines = ["BEGIN_CFG", " Size", f"    {len(atoms)}"]
    if len(periodic):
        lines += [" Supercell", *(_row(vector) for vector in periodic)]
    header = " AtomData:  id type       cartes_x      cartes_y      cartes_z"
    lines.append(header + ("" if forces is None else "           fx          fy          fz"))
    for i, (symbol, position) in enumerate(zip(atoms.symbols, atoms.positions, strict=True)):
        numbers = position if forces is None else [*position, *forces[i]]
        lines.append(f"    {i + 1} {elements.index(symbol)}" + _row(numbers))
    if "energy" in results:
        lines += [" Energy", _row([results["energy"]])]
    if stress is not None and len(periodic) == 3:
        lines += [" PlusStress:  " + "          ".join(VOIGT_NAMES), _row(-atoms.get_volume() * np.asarray(stress))]
    features = {ELEMENTS: ",".join(elements)} | {
        str(key): value for key, value in atoms.info.items() if isinstance(value, PLAIN)
    }
    lines += [f" Feature   {_word(key)} {_word(value)}" for key, value in features.items()]
    return [*lines, "END_CFG"]


def _row(numbers: Iterable[float]) -> str:
    """Return numbers as text that gives the same numbers again."""
    return "    " + " ".join(f"{float(number)!r:>23}" for number in numbers)


def _word(value: Any) -> str:
    """Return a value as one word."""
    return "_".join(str(value).split())
