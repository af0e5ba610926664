"""The labels of structures, as the rest of the library sees them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import overload

from linmlp.units import FloatArray, IntArray

KINDS = ("energy", "forces", "stress")


@dataclass(frozen=True)
class Labels:
    """The labels of one structure; a missing one is None.

    Parameters
    ----------
    energy : float or None
        Total energy, eV.
    forces : ndarray of shape (n_atoms, 3) or None
        Forces, eV/Å.
    stress : ndarray of shape (6,) or None
        Stress, Voigt components, eV/Å³, positive under tension.
    config_type : str
        Group of the structure.
    n_atoms : int
        Number of atoms.
    numbers : ndarray of shape (n_atoms,), int64
        Atomic numbers.
    volume : float or None
        Volume of the cell, Å³; None where the cell vectors do not span space.
    energy_weight : float
        Factor on the squared residual of the energy; 0 leaves it out.
    force_weight : ndarray of shape (n_atoms, 3)
        Factors on the squared residuals of the force components.
    stress_weight : ndarray of shape (6,)
        Factors on the squared residuals of the stress components.
    """

    energy: float | None
    forces: FloatArray | None
    stress: FloatArray | None
    config_type: str
    n_atoms: int
    numbers: IntArray
    volume: float | None
    energy_weight: float
    force_weight: FloatArray
    stress_weight: FloatArray


@dataclass(frozen=True)
class LabelSet(Sequence[Labels]):
    """The labels of a list of structures, in its order, and where they came from.

    Parameters
    ----------
    items : tuple of Labels
        One per structure.
    sources : dict
        For "energy", "forces" and "stress": how many structures have the label from which source, such as
        ``{"energy": {"calculator free_energy": 214}}``.
    weight_sources : dict of str to int
        How many structures have which key for a weight, sigma or mask.
    sigma_references : dict of str to float
        Median sigmas to which the sigmas of structures were related, by kind.
    notes : tuple of str
        What a user should know, such as labels that were not used.
    """

    items: tuple[Labels, ...]
    sources: dict[str, dict[str, int]]
    weight_sources: dict[str, int] = field(default_factory=dict)
    sigma_references: dict[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return the number of structures."""
        return len(self.items)

    def __iter__(self) -> Iterator[Labels]:
        """Iterate over the labels of the structures."""
        return iter(self.items)

    @overload
    def __getitem__(self, index: int) -> Labels: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Labels]: ...
    def __getitem__(self, index: int | slice) -> Labels | Sequence[Labels]:
        """Return the labels of one structure, or of some as a tuple."""
        return self.items[index]

    @property
    def config_types(self) -> list[str]:
        """Group of each structure."""
        return [labels.config_type for labels in self.items]

    @property
    def counts(self) -> dict[str, int]:
        """How many structures have an energy, forces, a stress."""
        return {kind: sum(getattr(labels, kind) is not None for labels in self.items) for kind in KINDS}

    def report(self) -> str:
        """Return what was found, where, and in which groups.

        Returns
        -------
        str
            A few lines of text.
        """
        n_atoms = sum(labels.n_atoms for labels in self.items)
        lines = [f"{len(self)} structures, {n_atoms} atoms"]
        for kind, count in self.counts.items():
            origins = ", ".join(f"{source} ({n})" for source, n in sorted(self.sources.get(kind, {}).items()))
            lines.append(f"  {kind:<7} {count:>6} structures" + (f" from {origins}" if origins else ""))
        if self.weight_sources:
            used = ", ".join(f"{source} ({n})" for source, n in sorted(self.weight_sources.items()))
            lines.append(f"  weights from {used}")
        for kind, sigma in self.sigma_references.items():
            lines.append(f"  {kind} sigmas are relative to their median, {sigma:.4g}")
        lines += [f"  {note}" for note in self.notes]
        return "\n".join([*lines, *self._tabulate_groups()])

    def _tabulate_groups(self) -> list[str]:
        """Return a table of label counts per group, where there is more than one group."""
        sizes = Counter(self.config_types)
        if len(sizes) < 2:
            return []
        width = max(len("group"), *map(len, sizes))
        lines = [f"  {'group':<{width}} {'structures':>10} {'energy':>7} {'forces':>7} {'stress':>7}"]
        for name, size in sorted(sizes.items()):
            members = [labels for labels in self.items if labels.config_type == name]
            counts = [sum(getattr(labels, kind) is not None for labels in members) for kind in KINDS]
            lines.append(f"  {name:<{width}} {size:>10} {counts[0]:>7} {counts[1]:>7} {counts[2]:>7}")
        return lines
