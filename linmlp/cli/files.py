"""Structures from files, with errors that say what is wrong with them."""

from pathlib import Path

from ase import Atoms
from ase.io import read

from linmlp.exceptions import InputError


def read_structures(path: Path) -> list[Atoms]:
    """Return all structures of a file that ASE reads (extended XYZ, gzip'd or not, and many more).

    Parameters
    ----------
    path : Path
        File.

    Returns
    -------
    list of ase.Atoms
        At least one structure.

    Raises
    ------
    InputError
        If there is no such file, or ASE finds no structures in it.
    """
    if not path.is_file():
        raise InputError(f"there is no file {path}; give a file of structures that ASE reads, such as train.xyz")
    try:
        structures = read(path, ":")
    except Exception as error:  # ASE's readers raise anything on foreign input
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise InputError(f"cannot read structures from {path} ({reason}); extended XYZ is understood best") from error
    if not structures:
        raise InputError(f"{path} holds no structures")
    return list(structures)
