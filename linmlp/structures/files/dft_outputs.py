"""What ASE's readers of DFT output leave out: unconverged steps, runs that were cut short, free energies.

Stress needs nothing: ASE changes the sign of what VASP and Quantum ESPRESSO print (positive under compression, kbar),
and takes GPAW's as it is (positive under tension, eV/Å³). Of VASP's two energies and of GPAW's two, ASE's ``energy`` is
extrapolated to zero smearing and ``free_energy`` belongs to the forces; Quantum ESPRESSO prints the latter alone.
"""

import io
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

from ase import Atoms
from ase.io import read

from linmlp.structures.files.detect import open_text

LAST_WORDS = {
    "vasp-xml": "</modeling>",
    "vasp-out": "General timing and accounting",
    "espresso-out": "JOB DONE.",
    "gpaw-out": "Memory usage:",
}
"""What is in the last lines of a run that ended by itself."""

TAIL = 20_000
"""Characters in which the last words are looked for."""

NOT_ACHIEVED = re.compile(r"End of self-consistent calculation\s+convergence NOT achieved.*")
"""Quantum ESPRESSO gives up; there are no bands after these words, which ASE takes for a broken file."""

STEP_ENDS = "FREE ENERGIE OF THE ION-ELECTRON SYSTEM"
CONVERGED = "aborting loop because EDIFF is reached"


def drop_unconverged(path: Path, format: str, structures: list[Atoms]) -> tuple[list[Atoms], int]:
    """Return the structures whose electrons converged.

    Parameters
    ----------
    path : Path
        File.
    format : str
        ASE's name of its format.
    structures : list of ase.Atoms
        All structures of the file, as ASE has them.

    Returns
    -------
    structures : list of ase.Atoms
        In VASP runs those with fewer electronic steps than allowed (vasprun.xml) or with the message that EDIFF is
        reached (OUTCAR); in others those with an energy, which the codes print once they are converged.
    n_dropped : int
        How many others there were.
    """
    if format == "vasp-xml":
        flags = _flags_of_vasprun(path)
    elif format == "vasp-out":
        flags = _flags_of_outcar(path)
    elif format in LAST_WORDS:
        flags = [atoms.calc is not None and atoms.calc.results.get("energy") is not None for atoms in structures]
    else:
        return structures, 0
    kept = [atoms for atoms, is_converged in zip(structures, flags, strict=False) if is_converged]
    return kept, len(structures) - len(kept)


def read_espresso(path: Path) -> tuple[list[Atoms], int]:
    """Return the structures of an output of pw.x, and how many steps that did not converge are not among them.

    Parameters
    ----------
    path : Path
        File.

    Returns
    -------
    structures : list of ase.Atoms
        Those that have any results.
    n_unconverged : int
        Others, where pw.x gave up.
    """
    with open_text(path) as file:
        text, n_unconverged = NOT_ACHIEVED.subn("", file.read())
    return list(read(io.StringIO(text), ":", format="espresso-out")), n_unconverged


def add_free_energy(structures: list[Atoms]) -> None:
    """Add the free energy to results of GPAW's text output, of which ASE keeps the extrapolated energy alone.

    Parameters
    ----------
    structures : list of ase.Atoms
        Changed in place.
    """
    for atoms in structures:
        parts: dict[str, Any] = getattr(atoms.calc, "energy_contributions", None) or {}
        if "free energy" in parts:
            atoms.calc.results["free_energy"] = parts["free energy"]


def is_cut_short(path: Path, format: str) -> bool:
    """Return whether a run did not come to its end.

    Parameters
    ----------
    path : Path
        File.
    format : str
        ASE's name of its format.

    Returns
    -------
    bool
        False for formats in which one cannot tell.
    """
    if format not in LAST_WORDS:
        return False
    tail = ""
    with open_text(path) as file:
        while chunk := file.read(TAIL):
            tail = (tail + chunk)[-TAIL:]
    return LAST_WORDS[format] not in tail


def _flags_of_vasprun(path: Path) -> list[bool]:
    """Return for every ionic step whether it took fewer electronic steps than NELM allows."""
    flags, n_allowed, n_steps = [], 0, 0
    try:
        with open_text(path) as file:
            for _, element in ElementTree.iterparse(file):
                if element.tag == "i" and element.get("name", "").upper() == "NELM":
                    n_allowed = int(element.text or 0)
                elif element.tag == "scstep":
                    n_steps += 1
                elif element.tag == "calculation":
                    flags.append(n_allowed in (0, 1) or n_steps < n_allowed)
                    n_steps = 0
    except ElementTree.ParseError:  # a run that was killed
        flags.append(n_steps < n_allowed)
    return flags


def _flags_of_outcar(path: Path) -> list[bool]:
    """Return for every ionic step whether VASP said that its electrons converged."""
    flags, is_converged = [], False
    with open_text(path) as file:
        for line in file:
            if CONVERGED in line:
                is_converged = True
            elif re.search(STEP_ENDS, line):
                flags.append(is_converged)
                is_converged = False
    return flags
