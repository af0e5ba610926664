"""Structures in, checked labels out: energies, forces and stresses with their weights, and where they came from."""

import warnings
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from ase import Atoms

from linmlp.exceptions import InputError, LabelError, LinmlpWarning
from linmlp.structures.cells import cell_volume
from linmlp.structures.checks import as_structure_list, config_type, describe
from linmlp.structures.label_search import (
    ENERGY_NAMES,
    Found,
    Sections,
    find_energy,
    find_forces,
    find_stress,
    open_sections,
)
from linmlp.structures.label_set import Labels, LabelSet
from linmlp.structures.label_values import read_energy, read_forces, read_stress
from linmlp.structures.label_weights import Weights, apply_sigmas, read_weights
from linmlp.units import FloatArray

SIGNIFICANT_SMEARING = 1e-6
"""Energy and free energy that differ by more than this (eV) are not the same quantity."""


def read_labels(
    structures: Iterable[Atoms],
    energy_key: str | None = None,
    forces_key: str | None = None,
    stress_key: str | None = None,
    virial_key: str | None = None,
) -> LabelSet:
    """Return the labels that the structures carry.

    Per quantity the first of these is used, in each structure anew: the key that is named here; else ``REF_*``;
    ``dft_*``; plain keys (``energy``, ``force`` or ``forces``, ``stress``, ``virial`` or ``virials``); stored results
    of the calculator. Energies, stresses and virials are looked up in ``info``, forces in ``arrays``, automatic keys
    without regard to case. A free energy goes before an energy of the same place. No calculation is ever started.

    Parameters
    ----------
    structures : iterable of ase.Atoms
        Structures.
    energy_key, forces_key, stress_key, virial_key : str, optional
        Keys, case as given. A structure without the named key has no such label; if one of `stress_key` and
        `virial_key` is named, stress comes from the named ones only.

    Returns
    -------
    LabelSet
        One `Labels` per structure. ``print(labels.report())`` says what was found where.

    Raises
    ------
    LabelError
        If a named key is in no structure, no structure has any label, or a label is not finite, of a wrong shape, or
        contradicts another.
    StructureError
        If `structures` is not a list of structures.

    Notes
    -----
    Weights multiply squared residuals: ``config_weight`` or ``weight``; ``energy_weight``, ``force_weight``,
    ``stress_weight`` or ``virial_weight`` (with ``config_`` in front, too); ``energy_sigma``, ``force_sigma``,
    ``stress_sigma`` or ``virial_sigma``, which give (median sigma of the set / sigma) squared; per atom
    ``force_atom_sigma`` or ``force_component_sigma``; ``force_mask`` (True: not used, as in gap_fit) and
    ``stress_mask`` (six or nine logical values, True: not used).
    """
    collected = as_structure_list(structures)
    reader = _Reader(energy_key, forces_key, stress_key, virial_key)
    for index, atoms in enumerate(collected):
        try:
            reader.read(index, atoms)
        except InputError as error:
            raise LabelError(f"{describe(index, atoms)}: {error}") from None
    reader.check_keys(len(collected))
    return reader.finish()


class _Reader:
    """Labels and sources collected over the structures."""

    def __init__(
        self, energy_key: str | None, forces_key: str | None, stress_key: str | None, virial_key: str | None
    ) -> None:
        self.keys = {"energy": energy_key, "forces": forces_key, "stress": stress_key, "virial": virial_key}
        self.used: Counter[str] = Counter()
        self.sources: dict[str, Counter[str]] = {kind: Counter() for kind in ("energy", "forces", "stress")}
        self.seen: dict[str, set[str]] = {section: set() for section in ("info", "arrays", "calculator")}
        self.items: list[Labels] = []
        self.weights: list[Weights] = []
        self.stale: list[int] = []
        self.without_volume: list[int] = []
        self.smeared = 0

    def read(self, index: int, atoms: Atoms) -> None:
        """Read the labels of one structure."""
        sections = open_sections(atoms)
        self._note_keys(index, sections)
        energy, forces = find_energy(sections, self.keys["energy"]), find_forces(sections, self.keys["forces"])
        self._note("energy", energy)
        self._note("forces", forces)
        self._note_smearing(sections, energy)
        volume = cell_volume(atoms.cell.array)
        weights = read_weights(sections, len(atoms))
        self.weights.append(weights)
        self.items.append(
            Labels(
                energy=None if energy is None else read_energy(energy),
                forces=None if forces is None else read_forces(forces, len(atoms)),
                stress=self._read_stress(index, sections, volume),
                config_type=config_type(atoms),
                n_atoms=len(atoms),
                numbers=np.array(atoms.numbers, dtype=np.int64),
                volume=volume,
                energy_weight=weights.energy,
                force_weight=weights.forces,
                stress_weight=weights.stress,
            )
        )

    def _read_stress(self, index: int, sections: Sections, volume: float | None) -> FloatArray | None:
        """Read the stress label of one structure."""
        named_stress, named_virial = self.keys["stress"], self.keys["virial"]
        stress, virial = find_stress(sections, named_stress, named_virial)
        self.used.update(kind for kind, found in (("stress", stress), ("virial", virial)) if found is not None)
        if stress is None and virial is None:
            return None
        if volume is None:
            if named_stress is not None or named_virial is not None:
                source = (stress or virial or Found(None, "")).source
                raise LabelError(f"has {source}, but its cell has no volume; set the cell or remove that entry")
            self.without_volume.append(index)
            return None
        value, source = read_stress(stress, virial, volume)
        self.sources["stress"][source] += 1
        return value

    def _note(self, kind: str, found: Found | None) -> None:
        """Count the source of a label."""
        if found is not None:
            self.used[kind] += 1
            self.sources[kind][found.source] += 1

    def _note_keys(self, index: int, sections: Sections) -> None:
        """Remember which keys there are, for messages."""
        self.seen["info"].update(map(str, sections.info))
        self.seen["arrays"].update(key for key in sections.arrays if key not in ("numbers", "positions"))
        self.seen["calculator"].update(sections.results)
        if sections.is_stale:
            self.stale.append(index)

    def _note_smearing(self, sections: Sections, found: Found | None) -> None:
        """Count structures whose free energy was taken and differs from their energy."""
        if found is None or not found.source.lower().endswith(ENERGY_NAMES[0]):
            return
        section, key = found.source.split(" ", 1)
        plain = sections.find(section, (key[: -len(ENERGY_NAMES[0])] + ENERGY_NAMES[1],))
        if plain is not None:
            self.smeared += abs(read_energy(plain) - read_energy(found)) > SIGNIFICANT_SMEARING

    def check_keys(self, n_structures: int) -> None:
        """Raise where a named key, or any label at all, was found nowhere."""
        found = "; ".join(f"{section}: {', '.join(sorted(keys)) or 'none'}" for section, keys in self.seen.items())
        changed = ""
        if self.stale:
            changed = (
                f" {len(self.stale)} structures have calculator results of another geometry (they were changed after "
                "the calculation), which are not used."
            )
        for kind, key in self.keys.items():
            if key is not None and self.used[kind] == 0:
                section = "arrays" if kind == "forces" else "info"
                other = "info" if kind == "forces" else "arrays"
                where = f" (it is in {other}, but {kind} must be in {section})" if key in self.seen[other] else ""
                raise LabelError(
                    f"{kind}_key={key!r} is in {section} or calculator of none of the {n_structures} structures{where}."
                    f" Keys found: {found}.{changed} Name one of these, or leave out {kind}_key"
                )
        if not any(self.sources.values()):
            raise LabelError(
                f"none of the {n_structures} structures has an energy, forces or a stress. "
                f"Keys found: {found}.{changed} Name the keys with energy_key, forces_key, stress_key or virial_key"
            )

    def finish(self) -> LabelSet:
        """Return the set, after relating the sigmas to each other."""
        references = apply_sigmas(self.weights)
        items = tuple(
            replace(labels, energy_weight=weights.energy, force_weight=weights.forces, stress_weight=weights.stress)
            for labels, weights in zip(self.items, self.weights, strict=True)
        )
        weight_sources = Counter(source for weights in self.weights for source in weights.used)
        sources = {kind: dict(counter) for kind, counter in self.sources.items()}
        return LabelSet(items, sources, dict(weight_sources), references, self._write_notes())

    def _write_notes(self) -> tuple[str, ...]:
        """Return remarks on labels that were not used, and warn of the doubtful ones."""
        notes = []
        if self.without_volume:
            notes.append(
                f"stress of {len(self.without_volume)} structures ignored, since their cells have no volume "
                f"(first: structure {self.without_volume[0]})"
            )
        if self.stale:
            notes.append(
                f"calculator results of {len(self.stale)} structures ignored, since the structures were changed after "
                f"the calculation (first: structure {self.stale[0]})"
            )
            warnings.warn(notes[-1], LinmlpWarning, stacklevel=4)
        n_energies = sum(self.sources["energy"].values())
        n_free = sum(n for source, n in self.sources["energy"].items() if source.lower().endswith(ENERGY_NAMES[0]))
        if n_free:
            notes.append(
                f"energies of {n_free} structures are free energies, to which forces belong; "
                f"{self.smeared} of them differ from the plain energy"
            )
        if self.smeared and n_free < n_energies:
            notes.append(
                f"{n_energies - n_free} energies are plain ones beside free energies that differ: "
                "the two are not the same quantity; choose with energy_key"
            )
            warnings.warn(notes[-1], LinmlpWarning, stacklevel=4)
        return tuple(notes)
