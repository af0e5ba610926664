"""Structures with their labels in one place: what every format is written from."""

from collections.abc import Iterable

from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from linmlp.structures.checks import as_structure_list
from linmlp.structures.label_search import ENERGY_NAMES, FORCE_NAMES, PREFIXES, STRESS_NAMES, VIRIAL_NAMES
from linmlp.structures.labels import read_labels

NAMES = (*ENERGY_NAMES, *FORCE_NAMES, *STRESS_NAMES, *VIRIAL_NAMES)
LABEL_KEYS = {(prefix + name).lower() for prefix in PREFIXES for name in NAMES}


def with_labels(
    structures: Iterable[Atoms],
    energy_key: str | None = None,
    forces_key: str | None = None,
    stress_key: str | None = None,
    virial_key: str | None = None,
) -> list[Atoms]:
    """Return copies of structures whose labels are results of a calculator, and nowhere else.

    Parameters
    ----------
    structures : iterable of ase.Atoms
        Structures.
    energy_key, forces_key, stress_key, virial_key : str, optional
        As for `read_labels`.

    Returns
    -------
    list of ase.Atoms
        Elements, positions, cell, periodic axes, and all entries of info and arrays that hold no label, such as
        ``config_type``, weights and masks; no constraints. The energy (eV) is the one that the library fits to: the
        free energy where there is one. Forces are in eV/Å, stress in eV/Å³, positive under tension.

    Raises
    ------
    LabelError
        If no structure has any label, or one cannot be used.
    """
    collected = as_structure_list(structures)
    labels = read_labels(collected, energy_key, forces_key, stress_key, virial_key)
    keys = {key for key in (energy_key, forces_key, stress_key, virial_key) if key is not None}
    copies = []
    for atoms, known in zip(collected, labels, strict=True):
        copy = Atoms(numbers=atoms.numbers, positions=atoms.positions, cell=atoms.cell, pbc=atoms.pbc)
        copy.info = {key: value for key, value in atoms.info.items() if not _is_label(str(key), keys)}
        for name, array in atoms.arrays.items():
            if name not in ("numbers", "positions") and not _is_label(name, keys):
                copy.set_array(name, array)
        values = {"energy": known.energy, "forces": known.forces, "stress": known.stress}
        copy.calc = SinglePointCalculator(copy, **{key: value for key, value in values.items() if value is not None})
        copies.append(copy)
    return copies


def _is_label(key: str, named: set[str]) -> bool:
    """Return whether an entry would be taken for a label."""
    return key.lower() in LABEL_KEYS or key in named
