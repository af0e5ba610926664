"""What assembly leaves: force and stress systems per fold, and the energy rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from linmlp.exceptions import SettingsError
from linmlp.system.blocks import Key
from linmlp.system.compressed import CompressedSystem
from linmlp.system.folding import merge
from linmlp.system.summed import SystemSum
from linmlp.units import FloatArray, IntArray


@dataclass(frozen=True)
class KindSystem:
    """The rows of one kind of label in one fold (and group), folded with unit loss weight.

    Parameters
    ----------
    system : CompressedSystem
        Rows with the weights of structures and labels in, and the multiplicity of stress components.
    count : float
        Part of N_atoms (forces) or N_cfg (stress): sum of the weights of structures that carry the label, times
        their atoms for forces.
    row_weight : float
        Sum of all weights on squared residuals, which makes the squared residual a weighted mean.
    """

    system: CompressedSystem
    count: float = 0.0
    row_weight: float = 0.0

    def plus(self, *others: KindSystem) -> KindSystem:
        """Return the merge with others of the same kind.

        Parameters
        ----------
        *others : KindSystem
            In the order of merging.

        Returns
        -------
        KindSystem
            One system.
        """
        parts = [self, *others]
        systems = [part.system for part in parts]
        return self._of(merge(systems), parts)

    def beside(self, *others: KindSystem) -> KindSystem:
        """Return the sum with others of the same kind, merged only where that costs nothing.

        Gram systems add. Merging QR systems would cost more than all solves of a search, which need no more of the sum
        than its Gram matrix and residuals.

        Parameters
        ----------
        *others : KindSystem
            In the order of summing.

        Returns
        -------
        KindSystem
            One system.
        """
        if not others:
            return self
        parts = [self, *others]
        systems = [part.system for part in parts]
        keeps = all(system.keeps_condition for system in systems)
        return self._of(SystemSum(systems, [1.0] * len(systems)) if keeps else merge(systems), parts)

    @staticmethod
    def _of(system: CompressedSystem, parts: Sequence[KindSystem]) -> KindSystem:
        """Return a system with the summed counts of its parts."""
        return KindSystem(
            system,
            sum(part.count for part in parts),
            sum(part.row_weight for part in parts),
        )


@dataclass(frozen=True)
class EnergyRows:
    """Energy rows of the structures that count, not weighted.

    Parameters
    ----------
    X : ndarray of shape (n_structures, n_features)
        Features summed over atoms.
    composition : ndarray of shape (n_structures, n_elements)
        Number of atoms of each element.
    y : ndarray of shape (n_structures,)
        Energy minus baseline minus (provisional) reference energy, eV; 0 without a label.
    n_atoms : ndarray of shape (n_structures,)
        Number of atoms.
    listed : ndarray of shape (n_structures,)
        How often a structure counts.
    label_weight : ndarray of shape (n_structures,)
        Weight of the energy label itself; 0 where it is missing or masked.
    fold : ndarray of shape (n_structures,), int
        Fold of each structure.
    group : ndarray of shape (n_structures,), str
        ``config_type`` of each structure.
    index : ndarray of shape (n_structures,), int
        Position in the list of structures that was assembled.
    """

    X: FloatArray
    composition: FloatArray
    y: FloatArray
    n_atoms: FloatArray
    listed: FloatArray
    label_weight: FloatArray
    fold: IntArray
    group: Any
    index: IntArray

    @property
    def carries(self) -> Any:
        """Which structures have an energy that counts, (n_structures,) bool."""
        return (self.label_weight > 0.0) & (self.listed > 0.0)

    def in_folds(self, folds: Iterable[int]) -> IntArray:
        """Return the rows of some folds that carry an energy.

        Parameters
        ----------
        folds : iterable of int
            Folds.

        Returns
        -------
        ndarray of int
            Row numbers.
        """
        return np.flatnonzero(self.carries & np.isin(self.fold, list(folds)))


@dataclass(frozen=True)
class AssembledData:
    """Everything a fit and its cross-validation need to know of the data.

    Parameters
    ----------
    form : {"gram", "qr"}
        Form of the systems.
    elements : tuple of str
        Elements of the composition columns.
    force, stress : dict of (fold, group) to KindSystem
        Folded rows; the group is "" unless groups were kept apart.
    energy : EnergyRows
        Energy rows.
    n_structures : int
        Structures in the list that was assembled, those with weight 0 included.
    groups_apart : bool
        Whether the systems are kept per ``config_type``, so that group weights are still free.
    group_weights : mapping of str to float or None
        Weights of groups that are in the rows already (None if groups are apart).
    """

    form: str
    elements: tuple[str, ...]
    force: Mapping[Key, KindSystem]
    stress: Mapping[Key, KindSystem]
    energy: EnergyRows
    n_structures: int
    groups_apart: bool = False
    group_weights: Mapping[str, float] | None = None

    @property
    def n_features(self) -> int:
        """Number of features."""
        return int(self.energy.X.shape[1])

    @property
    def folds(self) -> tuple[int, ...]:
        """Folds in use, sorted."""
        return tuple(sorted({int(fold) for fold in self.energy.fold}))

    @property
    def nbytes(self) -> int:
        """Bytes of systems and energy rows."""
        kinds = (*self.force.values(), *self.stress.values())
        return self.energy.X.nbytes + sum(kind.system.nbytes for kind in kinds)

    def kind_systems(self, kind: str, folds: Iterable[int], merge: bool = False) -> dict[str, KindSystem]:
        """Return the systems of some folds, summed in order of folds, one for each group kept apart.

        Parameters
        ----------
        kind : {"force", "stress"}
            Kind of label.
        folds : iterable of int
            Folds.
        merge : bool, default=False
            Whether QR systems are merged, too.

        Returns
        -------
        dict of str to KindSystem
            By group; empty where no structure carries the label.
        """
        by_group: dict[str, list[KindSystem]] = {}
        for group, part in self.kind_systems_apart(kind, folds):
            by_group.setdefault(group, []).append(part)
        return {
            group: parts[0].plus(*parts[1:]) if merge else parts[0].beside(*parts[1:])
            for group, parts in by_group.items()
        }

    def kind_systems_apart(self, kind: str, folds: Iterable[int]) -> list[tuple[str, KindSystem]]:
        """Return the systems of some folds as they are.

        Parameters
        ----------
        kind : {"force", "stress"}
            Kind of label.
        folds : iterable of int
            Folds.

        Returns
        -------
        list of (str, KindSystem)
            Group and system, in order of folds.
        """
        systems: Mapping[Key, KindSystem] = getattr(self, kind)
        wanted = set(folds)
        return [(group, systems[fold, group]) for fold, group in sorted(systems) if fold in wanted]

    def merge(self, *others: AssembledData) -> AssembledData:
        """Return the data of this assembly and others with the same descriptor state, fold by fold.

        Parameters
        ----------
        *others : AssembledData
            In the order of merging; their positions in the list of structures are counted on.

        Returns
        -------
        AssembledData
            One assembly.
        """
        parts = [self, *others]
        if any(p.elements != self.elements or p.groups_apart != self.groups_apart for p in others):
            raise SettingsError(
                "assembled data of different elements or grouping cannot be merged; assemble them alike"
            )
        offsets = np.cumsum([0, *(p.n_structures for p in parts[:-1])])
        names = EnergyRows.__dataclass_fields__
        arrays = {name: np.concatenate([getattr(p.energy, name) for p in parts]) for name in names}
        arrays["index"] = np.concatenate([p.energy.index + at for p, at in zip(parts, offsets, strict=True)])
        return replace(
            self,
            force=_merge_kinds([p.force for p in parts]),
            stress=_merge_kinds([p.stress for p in parts]),
            energy=EnergyRows(**arrays),
            n_structures=sum(p.n_structures for p in parts),
        )

    def fold_of_structures(self) -> IntArray:
        """Return the fold of every structure of the list that was assembled.

        Returns
        -------
        ndarray of shape (n_structures,), int64
            0 for those that do not count.
        """
        folds = np.zeros(self.n_structures, dtype=np.int64)
        folds[self.energy.index] = self.energy.fold
        return folds

    def as_one_fold(self) -> AssembledData:
        """Return the same data with all folds merged, which takes less memory.

        Returns
        -------
        AssembledData
            With the one fold 0.
        """

        def whole(kind: str) -> dict[Key, KindSystem]:
            return {(0, group): part for group, part in self.kind_systems(kind, self.folds, merge=True).items()}

        energy = replace(self.energy, fold=np.zeros_like(self.energy.fold))
        return replace(self, force=whole("force"), stress=whole("stress"), energy=energy)

    def subset(self, columns: IntArray | Sequence[int]) -> AssembledData:
        """Return the data of some features.

        Parameters
        ----------
        columns : array-like of shape (n_chosen,)
            Indices of features.

        Returns
        -------
        AssembledData
            Data with `n_chosen` features.
        """

        def take(kinds: Mapping[Key, KindSystem]) -> dict[Key, KindSystem]:
            return {key: replace(kind, system=kind.system.subset(columns)) for key, kind in kinds.items()}

        energy = replace(self.energy, X=self.energy.X[:, np.asarray(columns)])
        return replace(self, force=take(self.force), stress=take(self.stress), energy=energy)


def _merge_kinds(parts: Sequence[Mapping[Key, KindSystem]]) -> dict[Key, KindSystem]:
    """Return systems merged key by key."""
    merged: dict[Key, KindSystem] = {}
    for part in parts:
        for key in sorted(part):
            merged[key] = merged[key].plus(part[key]) if key in merged else part[key]
    return merged
