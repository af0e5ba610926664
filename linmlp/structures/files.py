"""Structures read from files."""

import bz2
import gzip
import io
import lzma
from pathlib import Path
from typing import Any

from ase import Atoms
from ase.io import read

from linmlp.exceptions import InputError, StructureError

_OPENERS: dict[str, Any] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}


def read_structures(path: str | Path, index: str = ":") -> list[Atoms]:
    """Return the structures of a file that ASE can read, compressed or not.

    A compressed extended XYZ file is unpacked into memory first: `ase.io.read` jumps back and forth in it, which costs
    minutes where this takes a second.

    Parameters
    ----------
    path : str or Path
        File; extended XYZ, or any other format that ASE knows.
    index : str, default=":"
        Which structures, as in ASE.

    Returns
    -------
    list of ase.Atoms
        At least one.

    Raises
    ------
    InputError
        If there is no such file, or it cannot be read.
    StructureError
        If it holds no structures.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"there is no file {path}; check the path")
    try:
        structures = _read(path, index)
    except Exception as error:  # ASE's readers raise whatever they run into
        reason = str(error) or type(error).__name__
        raise InputError(
            f"{path} cannot be read as structures ({reason}); give a file that ase.io.read reads"
        ) from error
    if not structures:
        raise StructureError(f"{path} holds no structures")
    return structures


def _read(path: Path, index: str) -> list[Atoms]:
    """Return the structures of a file."""
    opener = _OPENERS.get(path.suffix)
    if opener is not None and Path(path.stem).suffix in (".xyz", ".extxyz"):
        with opener(path, "rt") as packed:
            found = read(io.StringIO(packed.read()), index, format="extxyz")
    elif path.suffix == ".extxyz":
        found = read(path, index, format="extxyz")
    else:
        found = read(path, index)
    return [found] if isinstance(found, Atoms) else list(found)
