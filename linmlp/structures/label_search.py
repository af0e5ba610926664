"""Where the labels of a structure are kept: which keys are looked up, in which section, in which order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ase import Atoms

PREFIXES = ("REF_", "dft_", "")
"""Prefixes of automatic keys, best first; calculator results come last."""

ENERGY_NAMES = ("free_energy", "energy")
FORCE_NAMES = ("forces", "force")
STRESS_NAMES = ("stress",)
VIRIAL_NAMES = ("virial", "virials")


class Found(NamedTuple):
    """A label as stored, and the words for where it was."""

    value: Any
    source: str


@dataclass(frozen=True)
class Sections:
    """The three places of a structure that may hold labels.

    Parameters
    ----------
    info : mapping
        Per-structure entries.
    arrays : mapping
        Per-atom entries.
    results : mapping
        Stored results of the calculator; empty where there are none or where the structure changed since.
    is_stale : bool
        Whether there are stored results, but for another structure.
    """

    info: Mapping[str, Any]
    arrays: Mapping[str, Any]
    results: Mapping[str, Any]
    is_stale: bool
    _lower: dict[str, dict[str, str]] = field(default_factory=dict)

    def find(self, section: str, names: Sequence[str]) -> Found | None:
        """Return the first of some entries in "info", "arrays" or "calculator", whatever the case of its letters.

        Parameters
        ----------
        section : str
            Section to search.
        names : sequence of str
            Keys, best first. The exact key is preferred to one that differs in case.

        Returns
        -------
        Found or None
            None where the section has none of them.
        """
        entries = {"info": self.info, "arrays": self.arrays, "calculator": self.results}[section]
        if section not in self._lower:
            self._lower[section] = {str(key).lower(): key for key in entries}
        for name in names:
            key = name if name in entries else self._lower[section].get(name.lower())
            if key is not None and entries[key] is not None:
                return Found(entries[key], f"{section} {key}")
        return None

    def find_exactly(self, section: str, key: str) -> Found | None:
        """Return the entry of a key that the user named, from a section or else from the calculator.

        Reading extended XYZ, ASE moves the keys ``energy``, ``forces`` and ``stress`` into a calculator, so these
        are looked up there too.

        Parameters
        ----------
        section : str
            "info" or "arrays".
        key : str
            Key, case as given.

        Returns
        -------
        Found or None
            None where the structure does not have it.
        """
        entries = self.info if section == "info" else self.arrays
        if entries.get(key) is not None:
            return Found(entries[key], f"{section} {key}")
        if self.results.get(key) is not None:
            return Found(self.results[key], f"calculator {key}")
        return None


def open_sections(atoms: Atoms) -> Sections:
    """Return the sections of a structure; never starts a calculation.

    Results are taken from the calculator's store, as they are: forces on constrained atoms are not zeroed. They count
    only while the structure is the one they were computed for, which is also ASE's rule. A live calculator (EMT, a DFT
    code) is used the same way: results that are there and current are labels, others are not asked for.

    Parameters
    ----------
    atoms : ase.Atoms
        Structure.

    Returns
    -------
    Sections
        Views of the structure's entries.
    """
    results = getattr(atoms.calc, "results", None)
    if not isinstance(results, Mapping) or not results:
        return Sections(atoms.info, atoms.arrays, {}, False)
    check_state = getattr(atoms.calc, "check_state", None)
    is_stale = check_state is None or len(check_state(atoms)) > 0
    return Sections(atoms.info, atoms.arrays, {} if is_stale else results, is_stale)


def find_energy(sections: Sections, key: str | None) -> Found | None:
    """Return the energy label: the named key, else ``REF_``, ``dft_``, plain keys in info, calculator results.

    In each place the free energy goes first: with electronic smearing the forces are derivatives of it.

    Parameters
    ----------
    sections : Sections
        Places to search.
    key : str or None
        Key that the user named.

    Returns
    -------
    Found or None
        Value and source.
    """
    if key is not None:
        return sections.find_exactly("info", key)
    names = [prefix + name for prefix in PREFIXES for name in ENERGY_NAMES]
    return sections.find("info", names) or sections.find("calculator", ENERGY_NAMES)


def find_forces(sections: Sections, key: str | None) -> Found | None:
    """Return the force labels: the named key, else ``REF_``, ``dft_``, plain keys in arrays, calculator results.

    Parameters
    ----------
    sections : Sections
        Places to search.
    key : str or None
        Key that the user named.

    Returns
    -------
    Found or None
        Value and source.
    """
    if key is not None:
        return sections.find_exactly("arrays", key)
    names = [prefix + name for prefix in PREFIXES for name in FORCE_NAMES]
    return sections.find("arrays", names) or sections.find("calculator", ("forces",))


def find_stress(
    sections: Sections, stress_key: str | None, virial_key: str | None
) -> tuple[Found | None, Found | None]:
    """Return the stress and the virial label of the best place that has one of them.

    Only per-structure sections are searched, so a 3x3 stress is never taken for the forces on three atoms or the other
    way round.

    Parameters
    ----------
    sections : Sections
        Places to search.
    stress_key, virial_key : str or None
        Keys that the user named. If one is named, nothing else is used.

    Returns
    -------
    tuple of (Found or None, Found or None)
        Stress and virial. Both where one place has both; plain keys and the calculator count as one place, since
        reading extended XYZ moves ``stress`` to the calculator and leaves ``virial`` in info.
    """
    if stress_key is not None or virial_key is not None:
        stress = None if stress_key is None else sections.find_exactly("info", stress_key)
        virial = None if virial_key is None else sections.find_exactly("info", virial_key)
        return stress, virial
    for prefix in PREFIXES:
        stress = sections.find("info", [prefix + name for name in STRESS_NAMES])
        virial = sections.find("info", [prefix + name for name in VIRIAL_NAMES])
        if prefix == "" and stress is None:
            stress = sections.find("calculator", STRESS_NAMES)
        if stress is not None or virial is not None:
            return stress, virial
    return None, None
