"""What a report is made from, with what several sections need computed once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from linmlp.potentials import ErrorTable, LinearPotential
from linmlp.potentials.predictor import Prediction
from linmlp.structures import LabelSet, check_structures, read_labels

CALM = 0.1
"""Largest force on an atom of what counts as a crystal, eV/Å: it is at a minimum, or strained evenly."""


@dataclass(frozen=True)
class Evaluated:
    """Labelled structures and what the potential says of them.

    Parameters
    ----------
    structures : sequence of ase.Atoms
        Structures.
    labels : LabelSet
        Their labels.
    predictions : sequence of Prediction
        One per structure.
    table : ErrorTable
        Errors, with stated uncertainties where the potential has them.
    """

    structures: Sequence[Atoms]
    labels: LabelSet
    predictions: Sequence[Prediction]
    table: ErrorTable


@dataclass
class Inputs:
    """What a report is made from.

    Parameters
    ----------
    model : LinearPotential
        Fitted.
    model_file : Path or None
        Where it was read from.
    test : sequence of ase.Atoms
        Labelled structures that it was not fitted to.
    train : sequence of ase.Atoms or None
        Those that it was fitted to.
    md : ase.Atoms or None
        Start of MD runs.
    temperatures : tuple of float
        Of the MD runs, K.
    time : float
        Of each run, ps.
    timestep : float
        fs.
    ensemble : {"nve", "nvt", "npt"}
        Of the runs.
    md_folder : Path or None
        Where trajectories are kept; a temporary folder by default.
    crystal_given : ase.Atoms or None
        To compress and to strain.
    charges : dict of str to float or None
        Formal charges of the elements, e.
    transport_time : float
        Of each run for transport, ps.
    names : dict of str to str
        Where "test", "train" and "md" were read from.
    command : str
        The command line that made the report.
    random_state : int
        Seed.
    cv_results : mapping
        All combinations that a search tried, in scikit-learn's form; empty if it is not known.
    """

    model: LinearPotential
    model_file: Path | None
    test: Sequence[Atoms]
    train: Sequence[Atoms] | None = None
    md: Atoms | None = None
    temperatures: tuple[float, ...] = (300.0,)
    time: float = 10.0
    timestep: float = 1.0
    ensemble: Any = "nvt"
    md_folder: Path | None = None
    crystal_given: Atoms | None = None
    charges: Mapping[str, float] | None = None
    transport_time: float = 100.0
    names: Mapping[str, str] = field(default_factory=dict)
    command: str = ""
    random_state: int = 0
    cv_results: Mapping[str, Any] = field(default_factory=dict)

    @property
    def has_uncertainty(self) -> bool:
        """Whether the potential states uncertainties."""
        return getattr(self.model, "uncertainty_", None) is not None

    @cached_property
    def tested(self) -> Evaluated:
        """The test structures, evaluated."""
        return self._evaluate(self.test, self.has_uncertainty)

    @cached_property
    def trained(self) -> Evaluated | None:
        """The training structures, evaluated; None where they were not given."""
        return None if self.train is None else self._evaluate(self.train, False)

    @cached_property
    def crystal(self) -> tuple[Atoms, str] | None:
        """A crystal to compress and to strain, and which one it is.

        That given; else the start of MD, if it is one; else the test structure with the lowest predicted energy per
        atom above the reference energies among those that are.
        """
        if self.crystal_given is not None:
            return self.crystal_given, "the crystal given"
        if self.md is not None and self.md.pbc.all() and self._largest_force(self.md) < CALM:
            return self.md, "the structure given for MD"
        calm = [
            i
            for i, (atoms, found) in enumerate(zip(self.test, self.tested.predictions, strict=True))
            if atoms.pbc.all() and np.linalg.norm(found.forces, axis=1).max() < CALM
        ]
        if not calm:
            return None
        energies = [binding_energy(self.model, self.test[i], self.tested.predictions[i].energy) for i in calm]
        lowest = calm[int(np.argmin(energies))]
        return self.test[lowest], f"test structure {lowest}, the calm one of lowest energy"

    def _largest_force(self, atoms: Atoms) -> float:
        return float(np.linalg.norm(self.model.predictor()(atoms).forces, axis=1).max())

    def name(self, part: str) -> str:
        """Return where a part was read from, or what it is."""
        return self.names.get(part, {"train": "the training structures"}.get(part, f"the {part} structures"))

    def _evaluate(self, structures: Sequence[Atoms], uncertainty: bool) -> Evaluated:
        model = self.model
        structures = check_structures(structures)
        labels = read_labels(structures, model.energy_key, model.forces_key, model.stress_key, model.virial_key)
        table = model.evaluate(structures, uncertainty)
        predictor = model.predictor()
        return Evaluated(structures, labels, [predictor(atoms) for atoms in structures], table)


def binding_energy(model: LinearPotential, atoms: Atoms, energy: float) -> float:
    """Return an energy per atom less the reference energies, eV.

    Parameters
    ----------
    model : LinearPotential
        Fitted.
    atoms : ase.Atoms
        Structure.
    energy : float
        Total energy, eV.

    Returns
    -------
    float
        eV per atom.
    """
    return (energy - sum(model.e0_[symbol] for symbol in atoms.get_chemical_symbols())) / len(atoms)
