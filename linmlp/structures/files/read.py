"""Structures read from files."""

import io
import warnings
from collections.abc import Sequence
from pathlib import Path

from ase import Atoms
from ase.db import connect
from ase.io import read
from ase.io.formats import string2index

from linmlp.exceptions import InputError, LinmlpWarning, StructureError
from linmlp.structures.files.cp2k import read_cp2k
from linmlp.structures.files.detect import OPENERS, WHAT_IS_READ, input_format, open_text
from linmlp.structures.files.dft_outputs import add_free_energy, drop_unconverged, is_cut_short, read_espresso
from linmlp.structures.files.fitsnap import read_fitsnap
from linmlp.structures.files.mlip_cfg import read_cfg


def read_structures(path: str | Path, index: str = ":", elements: Sequence[str] | None = None) -> list[Atoms]:
    """Return the structures of a file; its format is found from its beginning and its name.

    Read are extended XYZ with the keys of all common codes (see `linmlp.structures.read_labels`), vasprun.xml and
    OUTCAR of VASP, the output of Quantum ESPRESSO (pw.x), GPAW (text and .gpw) and CP2K (single points, as printed up
    to CP2K 2023), .cfg of MLIP, JSON of FitSNAP, trajectories and databases of ASE, and every other format of ASE;
    text may be packed (.gz, .bz2, .xz). A compressed extended XYZ file is unpacked into memory first: `ase.io.read`
    jumps back and forth in it, which costs minutes where this takes a second.

    Parameters
    ----------
    path : str or Path
        File, or folder of FitSNAP files.
    index : str, default=":"
        Which structures, as in ASE.
    elements : sequence of str, optional
        Elements of types 0, 1, ... in a .cfg file that does not name them.

    Returns
    -------
    list of ase.Atoms
        At least one. Results are on the calculators: energies in eV (``free_energy`` is the one that forces belong to),
        forces in eV/Å, stress in eV/Å³, positive under tension.

    Raises
    ------
    InputError
        If there is no such file, or it cannot be read.
    StructureError
        If it holds no structures.

    Warns
    -----
    LinmlpWarning
        If a DFT run has steps whose electrons did not converge, which are left out, or was cut short.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"there is no file {path}; check the path")
    try:
        structures = _read(path, elements)[string2index(index)]
    except Exception as error:  # ASE's readers raise whatever they run into
        if isinstance(error, InputError) and str(path) in str(error):
            raise
        reason = " ".join(str(error).split()) or type(error).__name__
        advice = "" if isinstance(error, InputError) else f"; give {WHAT_IS_READ}, of one format and whole"
        raise InputError(f"{path} cannot be read as structures: {reason}{advice}") from error
    chosen: list[Atoms] = [structures] if isinstance(structures, Atoms) else structures
    if not chosen:
        raise StructureError(f"{path} holds no structures")
    return chosen


def _read(path: Path, elements: Sequence[str] | None) -> list[Atoms]:
    """Return the structures of a file."""
    format = input_format(path)
    if format == "cfg":
        with open_text(path) as file:
            return read_cfg(file, elements)
    if format == "fitsnap":
        return read_fitsnap(path)
    if format == "cp2k":
        with open_text(path) as file:
            structures, n_unconverged = read_cp2k(file.read())
        return _tell(path, structures, n_unconverged, is_short=False)
    if format in ("db", "json"):
        return _read_database(path)
    n_given_up = 0
    if format == "espresso-out":
        structures, n_given_up = read_espresso(path)
    else:
        structures = _read_with_ase(path, format)
    if format == "gpaw-out":
        add_free_energy(structures)
    kept, n_unconverged = drop_unconverged(path, format, structures)
    return _tell(path, kept, n_unconverged + n_given_up, is_cut_short(path, format))


def _read_with_ase(path: Path, format: str) -> list[Atoms]:
    """Return the structures that ASE reads."""
    if path.suffix in OPENERS and format == "extxyz":
        with open_text(path) as packed:
            found = read(io.StringIO(packed.read()), ":", format=format)
    else:
        found = read(path, ":", format=format)
    return [found] if isinstance(found, Atoms) else list(found)


def _read_database(path: Path) -> list[Atoms]:
    """Return the structures of an ASE database, with the key-value pairs of each row in info, which ASE leaves out."""
    structures = []
    for row in connect(path).select():
        atoms = row.toatoms()
        atoms.info = {**row.key_value_pairs}
        structures.append(atoms)
    return structures


def _tell(path: Path, structures: list[Atoms], n_unconverged: int, is_short: bool) -> list[Atoms]:
    """Return the structures of a DFT run, after warning of what is not among them."""
    if n_unconverged:
        told = f"{path}: steps whose electrons did not converge are left out, {n_unconverged} of them"
        if not structures:
            raise InputError(f"{told}, and there are no others; converge the run")
        warnings.warn(f"{told}; {len(structures)} others are read", LinmlpWarning, stacklevel=4)
    if is_short:
        warnings.warn(
            f"{path}: the run was cut short; its {len(structures)} complete steps are read", LinmlpWarning, stacklevel=4
        )
    return structures
