"""Collecting the results of blocks."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from linmlp.structures import composition_matrix
from linmlp.system.assembled import AssembledData, EnergyRows, KindSystem
from linmlp.system.blocks import Block, BlockResult, Key
from linmlp.system.compressed import CompressedSystem
from linmlp.system.folding import empty_system, merge
from linmlp.system.memory import AssemblyPlan
from linmlp.system.weights import carries_stress, energy_row_weight, n_force_atoms
from linmlp.units import VOIGT_MULTIPLICITY, FloatArray, IntArray

if TYPE_CHECKING:
    from linmlp.structures import Labels


@dataclass(frozen=True)
class Prepared:
    """What an assembly has worked out before it starts.

    Parameters
    ----------
    plan : AssemblyPlan
        Form, rows, blocks and bytes.
    blocks : list of Block
        Blocks in the order of merging.
    folds : ndarray of shape (n_structures,), int
        Fold of each structure.
    listed : ndarray of shape (n_structures,)
        How often each structure counts.
    wanted : ndarray of int
        Structures that count.
    """

    plan: AssemblyPlan
    blocks: list[Block]
    folds: IntArray
    listed: FloatArray
    wanted: IntArray


class KindBuilder:
    """Collects the systems of one kind of label of one key; merges when rows would outgrow the features.

    Parameters
    ----------
    n_features : int
        Number of features.
    form : {"gram", "qr"}
        Form to fold to.
    """

    def __init__(self, n_features: int, form: str) -> None:
        self._parts: list[CompressedSystem] = [empty_system(n_features, form)]
        self._form = form
        self._pending_rows = 0
        self.count = 0.0
        self.row_weight = 0.0

    def add(self, system: CompressedSystem) -> None:
        """Take one more system.

        Parameters
        ----------
        system : CompressedSystem
            Is merged now or later.
        """
        self._parts.append(system)
        self._pending_rows += system.n_rows
        if self._pending_rows > system.n_features:
            self._parts, self._pending_rows = [merge(self._parts, self._form)], 0

    def result(self) -> KindSystem:
        """Return the merged system.

        Returns
        -------
        KindSystem
            With the sums of weights that were set.
        """
        return KindSystem(merge(self._parts, self._form), self.count, self.row_weight)


class Collector:
    """Results of blocks on their way to `AssembledData`.

    Parameters
    ----------
    labels : sequence of Labels
        Labels of all structures.
    elements : tuple of str
        Elements of the composition columns.
    prepared : Prepared
        Blocks, weights and sizes.
    """

    def __init__(self, labels: Sequence[Labels], elements: tuple[str, ...], prepared: Prepared) -> None:
        self.labels, self.elements, self.prepared = labels, elements, prepared
        shape = (len(prepared.wanted), prepared.plan.n_features)
        self.X = _rows_on_disk(shape) if prepared.plan.energy_on_disk else np.empty(shape)
        self.y = np.empty(len(prepared.wanted))
        self.row_of = {int(index): row for row, index in enumerate(prepared.wanted)}
        self.force: dict[Key, KindBuilder] = {}
        self.stress: dict[Key, KindBuilder] = {}

    def add(self, block: Block, result: BlockResult) -> None:
        """Take the result of one block.

        Parameters
        ----------
        block : Block
            Key and structures.
        result : BlockResult
            Its rows, folded.
        """
        rows = [self.row_of[int(index)] for index in block.indices]
        self.X[rows], self.y[rows] = result.energy_rows, result.energy_targets
        labels = [self.labels[i] for i in block.indices]
        listed = self.prepared.listed[block.indices]
        if result.force is not None:
            builder = self._builder(self.force, block.key)
            builder.add(result.force)
            for label, weight in zip(labels, listed, strict=True):
                if label.forces is not None:
                    builder.count += weight * n_force_atoms(label)
                    builder.row_weight += weight * float(label.force_weight.sum())
        if result.stress is not None:
            builder = self._builder(self.stress, block.key)
            builder.add(result.stress)
            for label, weight in zip(labels, listed, strict=True):
                if carries_stress(label):
                    builder.count += weight
                    builder.row_weight += weight * float(VOIGT_MULTIPLICITY @ label.stress_weight)

    def data(self, groups_apart: bool, group_weights: Mapping[str, float] | None) -> AssembledData:
        """Return the assembled data.

        Parameters
        ----------
        groups_apart : bool
            Whether group weights are still free.
        group_weights : mapping of str to float or None
            Weights of groups that are in the rows.

        Returns
        -------
        AssembledData
            After the last block.
        """
        prepared = self.prepared
        labels = [self.labels[i] for i in prepared.wanted]
        energy = EnergyRows(
            X=self.X,
            composition=np.asarray(composition_matrix([label.numbers for label in labels], self.elements), dtype=float),
            y=self.y,
            n_atoms=np.array([label.n_atoms for label in labels], dtype=float),
            listed=prepared.listed[prepared.wanted],
            label_weight=np.array([energy_row_weight(label) for label in labels], dtype=float),
            fold=prepared.folds[prepared.wanted],
            group=np.array([label.config_type for label in labels], dtype=object),
            index=prepared.wanted,
        )
        return AssembledData(
            prepared.plan.form,
            self.elements,
            {key: builder.result() for key, builder in self.force.items()},
            {key: builder.result() for key, builder in self.stress.items()},
            energy,
            len(self.labels),
            groups_apart,
            group_weights,
        )

    def _builder(self, builders: dict[Key, KindBuilder], key: Key) -> KindBuilder:
        """Return the builder of a key."""
        if key not in builders:
            builders[key] = KindBuilder(self.prepared.plan.n_features, self.prepared.plan.form)
        return builders[key]


def _rows_on_disk(shape: tuple[int, int]) -> FloatArray:
    """Return an array in a temporary file that is gone when the array is."""
    with tempfile.TemporaryFile(prefix="linmlp-energy-rows-") as file:
        return np.memmap(file, dtype=np.float64, mode="w+", shape=shape)
