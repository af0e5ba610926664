"""Structures written to files, whole or not at all."""

import os
import shutil
import tempfile
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ase import Atoms
from ase.io import write

from linmlp.exceptions import InputError, LinmlpWarning
from linmlp.structures.files.detect import output_format
from linmlp.structures.files.fitsnap import write_fitsnap_file, write_fitsnap_folder
from linmlp.structures.files.labelled import with_labels
from linmlp.structures.files.mlip_cfg import PLAIN, write_cfg

KEPT_IN_TRAJECTORIES = {"numbers", "positions", "tags", "momenta", "masses", "initial_magmoms", "initial_charges"}
"""Per-atom entries for which ASE's trajectories have a place."""


def write_structures(
    path: str | Path,
    structures: Iterable[Atoms],
    format: str | None = None,
    *,
    overwrite: bool = False,
    elements: Sequence[str] | None = None,
    energy_key: str | None = None,
    forces_key: str | None = None,
    stress_key: str | None = None,
    virial_key: str | None = None,
) -> None:
    """Write labelled structures to a file that this library and others read.

    Parameters
    ----------
    path : str or Path
        Where to write. "fitsnap" makes a folder if the name does not end in .json: a subfolder per ``config_type``,
        with one file per structure.
    structures : iterable of ase.Atoms
        Labelled structures.
    format : {"extxyz", "cfg", "fitsnap", "traj"}, optional
        By default the ending says: .xyz, .extxyz, .cfg, .json, .traj. Extended XYZ has the keys ``energy`` (eV),
        ``forces`` (eV/Å) and ``stress`` (eV/Å³, positive under tension).
    overwrite : bool, default=False
        Whether an existing file is replaced; folders never are.
    elements : sequence of str, optional
        Elements of types 0, 1, ... in a .cfg file; by default those of the structures, by atomic number.
    energy_key, forces_key, stress_key, virial_key : str, optional
        Where the labels stand, as for `read_labels`.

    Raises
    ------
    InputError
        If the file exists or cannot be written, the structures cannot be put into this format, or their labels cannot
        be used. Nothing is written then.

    Warns
    -----
    LinmlpWarning
        If structures have entries that have no place in the format, such as masks of atoms outside of extended XYZ.
    """
    path = Path(path)
    format = output_format(path, format)
    check_target(path, overwrite)
    labelled = with_labels(structures, energy_key, forces_key, stress_key, virial_key)
    _warn_of_lost(labelled, format)
    if format == "fitsnap" and path.suffix != ".json":
        with _new_folder(path) as folder:
            write_fitsnap_folder(folder, labelled)
        return
    with replacing(path) as temporary:
        if format == "cfg":
            with temporary.open("w", encoding="utf-8") as file:
                write_cfg(file, labelled, elements)
        elif format == "fitsnap":
            write_fitsnap_file(temporary, labelled)
        else:
            write(temporary, labelled, format=format)


def _warn_of_lost(labelled: list[Atoms], format: str) -> None:
    """Warn of entries that have no place in a format."""
    kept = {"extxyz": None, "traj": KEPT_IN_TRAJECTORIES}.get(format, {"numbers", "positions"})
    lost = set() if kept is None else {name for atoms in labelled for name in atoms.arrays if name not in kept}
    entries = [(str(key), value) for atoms in labelled for key, value in atoms.info.items()]
    if format == "fitsnap":
        lost |= {key for key, _ in entries if key not in ("config_type", "group")}
    elif format == "cfg":
        lost |= {key for key, value in entries if not isinstance(value, PLAIN)}
        if any("stress" in atoms.calc.results and not atoms.pbc.all() for atoms in labelled):
            lost.add("the stress of slabs and wires")
    if lost:
        warnings.warn(
            f"{', '.join(sorted(lost))} of the structures has no place in the format {format} and is left out; "
            "extended XYZ keeps it",
            LinmlpWarning,
            stacklevel=3,
        )


def check_target(path: Path, overwrite: bool) -> None:
    """Raise if something stands where structures are to be written.

    Parameters
    ----------
    path : Path
        Where.
    overwrite : bool
        Whether a file may be replaced.

    Raises
    ------
    InputError
        If a file is there and may not be replaced, or a folder.
    """
    if path.is_dir():
        raise InputError(f"{path} is a folder that exists; remove it, or choose another name")
    if path.exists() and not overwrite:
        raise InputError(f"{path} exists; choose another name, or say --overwrite (overwrite=True in Python)")


@contextmanager
def replacing(
    target: Path, error: type[InputError] = InputError, failures: tuple[type[Exception], ...] = (OSError,)
) -> Iterator[Path]:
    """Give a temporary file beside a file, which replaces that once the block has ended well.

    Parameters
    ----------
    target : Path
        Where to write.
    error : type, default=InputError
        What is raised.
    failures : tuple of types, default=(OSError,)
        What the block raises if it cannot write.

    Yields
    ------
    Path
        Where the block writes.

    Raises
    ------
    InputError
        If the folder cannot be written to, or the block could not write; `target` is as before, then.
    """
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    except OSError as failure:
        raise error(f"cannot write {target}: {failure.strerror}; choose another folder") from failure
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, target)
    except failures as failure:
        raise error(f"cannot write {target}: {failure}; nothing was changed") from failure
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _new_folder(target: Path) -> Iterator[Path]:
    """Give a temporary folder beside a folder to be, which it becomes once the block has ended well."""
    try:
        temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    except OSError as failure:
        raise InputError(f"cannot write {target}: {failure.strerror}; choose another folder") from failure
    try:
        yield temporary
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o777 & ~umask)
        os.rename(temporary, target)
    except OSError as failure:
        raise InputError(f"cannot write {target}: {failure}; nothing was changed") from failure
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
