"""What every code of the comparison gives: settings, a fit that leaves files, a potential that predicts and steps.

A code is a module of this folder. It imports what it wraps inside its functions, so that it can be looked at where
that is not installed, and has

- `NAME`, for tables, and `PACKAGES`, names of what must be installed;
- `MODULES`, what is imported before the clock of a fit starts: {setting: modules}, or one tuple for all;
- `settings(tiny)`: {name: Setting}, from small to large;
- `fit(setting, train, folder, others)`: fits to labelled structures and writes files into a folder;
- `load(setting, folder, others)`: a `Potential` from these files.
"""

import importlib
import importlib.metadata
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from ase import Atoms

MODULES = ("linmlp_", "pypolymlp_", "pace", "ace_jax_", "snap", "pod", "uf3_", "gap")
"""Of this folder, in the order in which they run: first those whose potentials others need."""

REFERENCE = ("linmlp", "balanced")
"""Code and setting whose step is timed in turns with every other."""


@dataclass(frozen=True)
class Setting:
    """One size of a code.

    `fit` names the fit that this and other settings share (its own name by default), `note` is for the table,
    `is_published` says that coefficients are read and nothing is fitted, and `is_slow` that it takes minutes and runs
    only when asked for.
    """

    options: dict = field(default_factory=dict)
    fit: str = ""
    note: str = ""
    is_published: bool = False
    is_slow: bool = False


@dataclass(frozen=True)
class Prediction:
    """Energy (eV), forces (eV/Å) and stress (Voigt, eV/Å³, positive under tension; None if the code gives none)."""

    energy: float
    forces: np.ndarray
    stress: np.ndarray | None = None


class Potential(Protocol):
    """A fitted potential, in memory."""

    n_parameters: int

    def predict(self, atoms: Atoms) -> Prediction: ...

    def stepper(self, atoms: Atoms) -> Callable[[int], None]:
        """Return what computes energy, forces and virial of a crystal some number of times."""
        ...

    def search_stepper(self, atoms: Atoms) -> Callable[[int], None] | None:
        """Return what makes the search for neighbors that every step includes, to be subtracted; None if none does."""
        ...


def repeated(call):
    """Return a function that makes a call some number of times."""

    def steps(n):
        for _ in range(n):
            call()

    return steps


def load_code(name):
    """Return the module of a code."""
    return importlib.import_module(f"benchmarks.peers.{name}")


def missing_packages(code):
    """Return the packages of a code that are not installed."""
    missing = []
    for name in code.PACKAGES:
        try:
            importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    return missing


def folder_name(code, fit):
    """Return the name of the folder of a fit."""
    return f"{code}-{fit}".replace(" ", "-").replace(",", "").replace("/", "-")


def other_folder(others, code, fit):
    """Return the folder of another fit, or say that it has to come first."""
    folder = Path(others) / folder_name(code, fit)
    if not (folder / "fit.json").exists():
        raise FileNotFoundError(f"{code} ({fit}) is not fitted; it comes first")
    return folder
