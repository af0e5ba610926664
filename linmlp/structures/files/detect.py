"""Which format a file has, from its beginning and its name."""

import bz2
import gzip
import lzma
from pathlib import Path
from typing import IO, Any

from ase.io.formats import UnknownFileTypeError, filetype

from linmlp.exceptions import InputError

OPENERS: dict[str, Any] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}

HEAD = 100_000
"""Characters by which a format is known."""

WRITTEN = {"extxyz": (".xyz", ".extxyz"), "cfg": (".cfg",), "fitsnap": (".json",), "traj": (".traj",)}
"""Formats that are written, and the endings of their files."""

WHAT_IS_READ = (
    "a file of extended XYZ, VASP (vasprun.xml, OUTCAR), Quantum ESPRESSO, GPAW, CP2K, MLIP (.cfg), FitSNAP (.json), "
    "ASE (.traj, .db), or whatever else ase.io.read reads"
)


def open_text(path: Path) -> IO[str]:
    """Return a text file, compressed or not, opened for reading.

    Parameters
    ----------
    path : Path
        File; .gz, .bz2 and .xz are unpacked on the way.

    Returns
    -------
    file
        Characters that are not UTF-8 are replaced.
    """
    opener = OPENERS.get(path.suffix, open)
    file: IO[str] = opener(path, "rt", encoding="utf-8", errors="replace")
    return file


def input_format(path: Path) -> str:
    """Return the name of the format of a file: one of ours, or ASE's.

    Parameters
    ----------
    path : Path
        File, or folder of FitSNAP files.

    Returns
    -------
    str
        "cfg", "fitsnap", "cp2k", or what ASE calls it.

    Raises
    ------
    InputError
        If the format is not known.
    """
    if path.is_dir():
        return "fitsnap"
    with open_text(path) as file:
        head = file.read(HEAD)
    known = _known_by_content(head)
    if known is not None:
        return known
    name = path.with_suffix("") if path.suffix in OPENERS else path
    if name.suffix in (".xyz", ".extxyz"):
        return "extxyz"
    try:
        return str(filetype(str(path)))
    except UnknownFileTypeError as error:
        raise InputError(
            f"{path} cannot be read as structures: its format is not known; give {WHAT_IS_READ}"
        ) from error


def _known_by_content(head: str) -> str | None:
    """Return the format of a file that begins like this, if that tells."""
    start = head.lstrip()
    if start.startswith("BEGIN_CFG"):
        return "cfg"
    if start.startswith(("{", "#")) and '"Dataset"' in head:
        return "fitsnap"
    if "CP2K| version string" in head:
        return "cp2k"
    if start.startswith("<?xml") and "<modeling>" in head:
        return "vasp-xml"
    return "vasp-out" if start.startswith("vasp.") else None


def output_format(path: Path, format: str | None = None) -> str:
    """Return the format in which structures are written to a path.

    Parameters
    ----------
    path : Path
        Where.
    format : str, optional
        One of `WRITTEN`; by default the ending says.

    Returns
    -------
    str
        One of `WRITTEN`.

    Raises
    ------
    InputError
        If there is no such format, or the ending belongs to none.
    """
    if format is not None:
        if format not in WRITTEN:
            raise InputError(f"there is no format {format!r} to write; choose one of {', '.join(WRITTEN)}")
        return format
    for name, endings in WRITTEN.items():
        if path.suffix in endings:
            return name
    known = ", ".join(ending for endings in WRITTEN.values() for ending in endings)
    raise InputError(f"the ending of {path} belongs to no format that is written; use {known}, or name the format")
