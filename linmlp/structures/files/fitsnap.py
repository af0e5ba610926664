"""The JSON files of FitSNAP: one structure each, in a folder per group; read and written."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from linmlp.exceptions import InputError
from linmlp.structures.checks import config_type, describe
from linmlp.structures.files.detect import open_text
from linmlp.units import EV_PER_A3_IN_GPA, matrix_from_voigt

BAR_PER_EV_A3 = 1e4 * EV_PER_A3_IN_GPA

STYLES = {
    "LatticeStyle": "angstrom",
    "PositionsStyle": "angstrom",
    "AtomTypeStyle": "chemicalsymbol",
    "EnergyStyle": "electronvolt",
    "ForcesStyle": "electronvoltperangstrom",
    "StressStyle": "bar",
}
"""Units, as these files name them. Stress is positive under compression, as the pressure of LAMMPS."""


def read_fitsnap(path: Path) -> list[Atoms]:
    """Return the structures of a FitSNAP file, or of a folder of them.

    Parameters
    ----------
    path : Path
        File, or folder: all .json files in it and in its subfolders, by name; a subfolder names the group.

    Returns
    -------
    list of ase.Atoms
        Labels on the calculator; ``info["config_type"]`` where the folder names a group.

    Raises
    ------
    InputError
        If a file is something else, cut short, or of other units.
    """
    if path.is_file():
        return _read_file(path)
    structures = []
    for file in sorted(path.rglob("*.json")):
        for atoms in _read_file(file):
            if file.parent != path:
                atoms.info["config_type"] = file.parent.relative_to(path).as_posix()
            structures.append(atoms)
    if not structures:
        raise InputError("it is a folder without .json files of FitSNAP; give a file")
    return structures


def _read_file(path: Path) -> list[Atoms]:
    """Return the structures of one file, whose first line may be a comment."""
    with open_text(path) as file:
        text = file.read()
    try:
        data = json.loads(text if text.lstrip().startswith("{") else text.split("\n", 1)[1])["Dataset"]
        for style, unit in STYLES.items():
            if style in data and str(data[style]).lower() != unit:
                raise InputError(f"{path.name} has {style} {data[style]!r}, but only {unit!r} is read; convert it")
        return [_to_atoms(entry) for entry in data["Data"]]
    except InputError:
        raise
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise InputError(f"{path.name} is no whole FitSNAP file ({type(error).__name__}: {error})") from error


def _to_atoms(entry: dict[str, Any]) -> Atoms:
    """Return the structure of one entry."""
    atoms = Atoms(entry["AtomTypes"], positions=entry["Positions"], cell=entry["Lattice"], pbc=True)
    if "config_type" in entry:
        atoms.info["config_type"] = str(entry["config_type"])
    results: dict[str, Any] = {"energy": float(entry["Energy"])} if "Energy" in entry else {}
    if "Forces" in entry:
        results["forces"] = np.array(entry["Forces"], dtype=float).reshape(len(atoms), 3)
    if "Stress" in entry:
        tensor = np.array(entry["Stress"], dtype=float).reshape(3, 3)
        results["stress"] = -tensor.reshape(9)[[0, 4, 8, 5, 2, 1]] / BAR_PER_EV_A3
    if results:
        atoms.calc = SinglePointCalculator(atoms, **results)
    return atoms


def write_fitsnap_file(path: Path, structures: Iterable[Atoms]) -> None:
    """Write one structure as a FitSNAP file.

    Parameters
    ----------
    path : Path
        File.
    structures : iterable of ase.Atoms
        One, as `with_labels` gives it.

    Raises
    ------
    InputError
        If there are several (FitSNAP reads one per file), or it is not periodic along all axes.
    """
    structures = list(structures)
    if len(structures) != 1:
        raise InputError(
            f"{len(structures)} structures do not go into one FitSNAP file, which holds one; give a folder and the "
            "format: linmlp convert in.xyz folder --format fitsnap"
        )
    path.write_text(_to_json(0, structures[0]), encoding="utf-8")


def write_fitsnap_folder(folder: Path, structures: Iterable[Atoms]) -> None:
    """Write structures as FitSNAP files, in a subfolder per group.

    Parameters
    ----------
    folder : Path
        Empty folder.
    structures : iterable of ase.Atoms
        As `with_labels` gives them.

    Raises
    ------
    InputError
        If a structure is not periodic along all axes or has no energy, or the name of a group cannot name a folder.
    """
    structures = list(structures)
    width = len(str(len(structures) - 1))
    for index, atoms in enumerate(structures):
        group = config_type(atoms)
        if Path(group).name != group:
            raise InputError(f"the config_type {group!r} cannot name a folder; rename it")
        (folder / group).mkdir(exist_ok=True)
        (folder / group / f"{index:0{width}d}.json").write_text(_to_json(index, atoms), encoding="utf-8")


def _to_json(index: int, atoms: Atoms) -> str:
    """Return the text of the file of a structure. Its first line is a comment, as in those of FitSNAP's examples."""
    results = atoms.calc.results if atoms.calc is not None else {}
    if not atoms.pbc.all() or atoms.cell.rank < 3:
        raise InputError(f"{describe(index, atoms)} is not periodic along all three axes; FitSNAP files hold only such")
    if "energy" not in results:
        raise InputError(f"{describe(index, atoms)} has no energy, which FitSNAP needs; leave it out")
    # FitSNAP wants a right-handed cell; three opposite vectors span the same lattice.
    cell = atoms.cell.array * np.sign(np.linalg.det(atoms.cell.array))
    entry = {
        "Lattice": cell.tolist(),
        "AtomTypes": list(atoms.symbols),
        "NumAtoms": len(atoms),
        "Positions": atoms.positions.tolist(),
        "Energy": float(results["energy"]),
    }
    if "forces" in results:
        entry["Forces"] = np.asarray(results["forces"]).tolist()
    if "stress" in results:
        entry["Stress"] = (-BAR_PER_EV_A3 * matrix_from_voigt(results["stress"])).tolist()
    if config_type(atoms) != "default":
        entry["config_type"] = config_type(atoms)
    dataset = {**STYLES, "Label": config_type(atoms), "Data": [entry]}
    return "# structure {} {}\n{}\n".format(index, atoms.get_chemical_formula(), json.dumps({"Dataset": dataset}))
