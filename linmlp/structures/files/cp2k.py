"""The output of CP2K, which ASE does not read."""

import re
from collections.abc import Iterable

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.units import Bohr, Hartree

from linmlp.exceptions import InputError
from linmlp.units import EV_PER_A3_IN_GPA, FloatArray, voigt_from_matrix

ENERGY = re.compile(r"ENERGY\| Total FORCE_EVAL .*?:\s+(\S+)")
CELL = re.compile(r"CELL\| Vector [abc] \[angstrom\]:?\s+(\S+)\s+(\S+)\s+(\S+)")
PERIODIC = re.compile(r"CELL\| Periodicity\s+(\S+)")
ATOM = re.compile(r"\s*\d+\s+\d+\s+([A-Z][a-z]?)\s+\d+\s+(\S+)\s+(\S+)\s+(\S+)")
FORCE = re.compile(r"\s*\d+\s+\d+\s+[A-Z][a-z]?\s+(\S+)\s+(\S+)\s+(\S+)")
STRESS = re.compile(r"STRESS\|\s+[xyz]\s+(\S+)\s+(\S+)\s+(\S+)")


def read_cp2k(text: str) -> tuple[list[Atoms], int]:
    """Return the structures of the output of single-point runs (RUN_TYPE ENERGY_FORCE), one or several after another.

    Energies are the total of FORCE_EVAL, to which forces belong: with smearing it holds the electronic entropy. The
    stress that CP2K prints is positive under compression, so that its sign is changed. CP2K prints cell vectors with
    three decimals and positions with six.

    Parameters
    ----------
    text : str
        Output with PRINT_LEVEL MEDIUM or higher; forces and stress are there if FORCE_EVAL/PRINT asks for them.

    Returns
    -------
    structures : list of ase.Atoms
        Labels on the calculator.
    n_unconverged : int
        Runs that were left out, since they did not converge or did not end.

    Raises
    ------
    InputError
        If coordinates are missing, or there are more energies than structures, as in MD runs.
    """
    runs = text.split("PROGRAM STARTED AT")[1:]
    found = [_read_run(run.splitlines()) for run in runs]
    return [atoms for atoms in found if atoms is not None], sum(atoms is None for atoms in found)


def _read_run(lines: list[str]) -> Atoms | None:
    """Return the structure of one run, or None if it did not converge."""
    energies = [float(match[1]) for match in map(ENERGY.search, lines) if match]
    if not energies or any("SCF run NOT converged" in line for line in lines):
        return None
    if len(energies) > 1:
        raise InputError(
            f"a run has {len(energies)} energies, but CP2K prints coordinates of the first structure only; "
            "read the trajectory and forces files of the run instead, or run single points (ENERGY_FORCE)"
        )
    matches = [match.groups() for match in _block(lines, "ATOMIC COORDINATES", ATOM)]
    cell = np.array([match.groups() for match in map(CELL.search, lines) if match][:3], dtype=float)
    if not matches or cell.shape != (3, 3):
        raise InputError("a run has no coordinates or no cell; run CP2K with PRINT_LEVEL MEDIUM")
    axes = next(match[1] for match in map(PERIODIC.search, lines) if match)
    atoms = Atoms(
        [symbol for symbol, *_ in matches],
        positions=np.array([position for _, *position in matches], dtype=float),
        cell=cell,
        pbc=[axis in axes for axis in "XYZ"] if axes != "NONE" else False,
    )
    atoms.calc = SinglePointCalculator(atoms, energy=energies[0] * Hartree, **_derivatives(lines, len(atoms)))
    return atoms


def _derivatives(lines: list[str], n_atoms: int) -> dict[str, FloatArray]:
    """Return forces and stress, if they were printed."""
    if any(line.lstrip().startswith("FORCES|") for line in lines):
        raise InputError("its forces are in the layout of a newer CP2K, which is not known here; convert them to xyz")
    results = {}
    forces = [match.groups() for match in _block(lines, "ATOMIC FORCES in [a.u.]", FORCE)]
    if forces:
        results["forces"] = np.array(forces, dtype=float).reshape(n_atoms, 3) * Hartree / Bohr
    tensor = [match.groups() for match in _block(lines, "stress tensor [GPa]", STRESS)]
    if tensor:
        results["stress"] = -voigt_from_matrix(np.array(tensor, dtype=float)) / EV_PER_A3_IN_GPA
    return results


def _block(lines: list[str], title: str, row: re.Pattern[str]) -> Iterable[re.Match[str]]:
    """Return the matching lines that follow the first line with a title, up to the first that does not match."""
    places = [number for number, line in enumerate(lines) if title in line]
    rows: list[re.Match[str]] = []
    for line in lines[places[0] + 1 :] if places else []:
        match = row.search(line)
        if match:
            rows.append(match)
        elif rows:
            break
    return rows
