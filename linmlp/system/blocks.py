"""One block of structures: rows written, folded, and forgotten. This is what runs in parallel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from linmlp.exceptions import InputError
from linmlp.neighbors import Pairs, find_pairs
from linmlp.system.compressed import CompressedSystem
from linmlp.system.folding import rows_to_system
from linmlp.system.rows import compute_targets, write_structure_rows
from linmlp.system.weights import carries_stress, n_force_atoms, structure_row_scales
from linmlp.units import FloatArray, IntArray

if TYPE_CHECKING:
    from ase import Atoms

    from linmlp.descriptors.base import Descriptor
    from linmlp.structures import Labels, ReferenceEnergies
    from linmlp.structures.baselines import Baseline, BaselineResult

Key = tuple[int, str]
"""Fold and group of a block; the group is "" unless groups are kept apart."""


class Block(NamedTuple):
    """Structures whose rows are folded together."""

    key: Key
    indices: IntArray


class BlockResult(NamedTuple):
    """Energy rows (n_structures, n_features) and targets (n_structures,); force and stress rows, folded."""

    energy_rows: FloatArray
    energy_targets: FloatArray
    force: CompressedSystem | None
    stress: CompressedSystem | None


@dataclass(frozen=True)
class RowMaker:
    """What is needed to make rows of a structure; can be sent to another process.

    Parameters
    ----------
    descriptor : Descriptor
        Fitted descriptor.
    baselines : tuple of Baseline
        Are subtracted from the labels.
    reference : ReferenceEnergies or None
        Reference energies that are subtracted from the energies, the provisional ones if they are solved for.
    form : {"gram", "qr"}
        Form to fold to.
    """

    descriptor: Descriptor
    baselines: tuple[Baseline, ...]
    reference: ReferenceEnergies | None
    form: str

    def fold(
        self, indices: IntArray, structures: Sequence[Atoms], labels: Sequence[Labels], listed: FloatArray
    ) -> BlockResult:
        """Return the folded rows of a block.

        Parameters
        ----------
        indices : ndarray of shape (n_structures,)
            Positions of the structures in the list the user gave, for messages.
        structures : sequence of ase.Atoms
            Structures of the block.
        labels : sequence of Labels
            Their labels.
        listed : ndarray of shape (n_structures,)
            How often each structure counts.

        Returns
        -------
        BlockResult
            Energy rows as they are (no weights), force and stress systems with the weights of structures and labels.
        """
        return self.write(indices, structures, labels, listed).result(self.form)

    def write(
        self, indices: IntArray, structures: Sequence[Atoms], labels: Sequence[Labels], listed: FloatArray
    ) -> BlockRows:
        """Return the rows of a block as they are.

        Parameters
        ----------
        indices : ndarray of shape (n_structures,)
            Positions of the structures in the list the user gave, for messages.
        structures : sequence of ase.Atoms
            Structures of the block.
        labels : sequence of Labels
            Their labels.
        listed : ndarray of shape (n_structures,)
            How often each structure counts.

        Returns
        -------
        BlockRows
            Rows, targets and factors on them, which are not applied.
        """
        buffers = BlockRows(self.descriptor, labels)
        for i, (index, atoms, label) in enumerate(zip(indices, structures, labels, strict=True)):
            try:
                self._write(buffers, i, atoms, label, listed[i])
            except InputError as error:
                raise type(error)(f"structure {index} (config_type {label.config_type!r}): {error}") from error
        return buffers

    def _write(self, buffers: BlockRows, i: int, atoms: Atoms, label: Labels, listed: float) -> None:
        """Write the rows, targets and row scales of one structure."""
        pairs = find_pairs(atoms, self.descriptor.cutoff_)
        at, six = buffers.force_slices[i], buffers.stress_slices[i]
        forces = buffers.force_rows[at] if at.stop > at.start else None
        stress = buffers.stress_rows[six] if six.stop > six.start else None
        write_structure_rows(pairs, self.descriptor, buffers.energy_rows[i], forces, stress)
        reference = 0.0 if self.reference is None else float(self.reference.energy(label.numbers))
        targets = compute_targets(label, reference, self._baseline_results(atoms, pairs), pairs.volume)
        scales = structure_row_scales(label, listed)
        if targets.energy is not None:
            buffers.energy_targets[i] = targets.energy
        if forces is not None:
            buffers.force_targets[at], buffers.force_scales[at] = targets.forces, scales.forces
        if stress is not None:
            buffers.stress_targets[six], buffers.stress_scales[six] = targets.stress, scales.stress

    def _baseline_results(self, atoms: Atoms, pairs: Pairs) -> list[BaselineResult]:
        """Return what the baselines say of a structure."""
        return [
            baseline.compute(pairs if baseline.cutoff <= pairs.cutoff else find_pairs(atoms, baseline.cutoff), atoms)
            for baseline in self.baselines
        ]


class BlockRows:
    """Rows of a block, in arrays with the padding that the descriptor's loops want.

    Parameters
    ----------
    descriptor : Descriptor
        Fitted descriptor.
    labels : sequence of Labels
        Labels of the structures of the block.
    """

    def __init__(self, descriptor: Descriptor, labels: Sequence[Labels]) -> None:
        n_force = [3 * label.n_atoms if n_force_atoms(label) else 0 for label in labels]
        n_stress = [6 if carries_stress(label) else 0 for label in labels]
        self.force_slices, self.stress_slices = _slices(n_force), _slices(n_stress)
        n_features = len(descriptor.allocate_rows(1)[0])
        self.energy_rows = np.empty((len(labels), n_features))
        self.energy_targets = np.zeros(len(labels))
        # Rows of forces and stress are alike: two atoms' force rows serve one structure's stress rows.
        self.force_rows = descriptor.allocate_rows(max(sum(n_force) // 3, 1))[1][: sum(n_force)]
        self.stress_rows = descriptor.allocate_rows(max(sum(n_stress) // 3, 1))[1][: sum(n_stress)]
        self.force_targets, self.force_scales = np.empty(sum(n_force)), np.empty(sum(n_force))
        self.stress_targets, self.stress_scales = np.empty(sum(n_stress)), np.empty(sum(n_stress))

    def result(self, form: str) -> BlockResult:
        """Return the rows, folded.

        Parameters
        ----------
        form : {"gram", "qr"}
            Form to fold to.

        Returns
        -------
        BlockResult
            The force and stress rows are scaled in place.
        """
        force = stress = None
        if len(self.force_targets):
            force = rows_to_system(self.force_rows, self.force_targets, self.force_scales, form, overwrite=True)
        if len(self.stress_targets):
            stress = rows_to_system(self.stress_rows, self.stress_targets, self.stress_scales, form, overwrite=True)
        return BlockResult(self.energy_rows, self.energy_targets, force, stress)


def _slices(lengths: Sequence[int]) -> list[slice]:
    """Return consecutive slices of these lengths."""
    ends = np.cumsum([0, *lengths])
    return [slice(int(start), int(stop)) for start, stop in pairwise(ends)]


def plan_blocks(keys: Sequence[Key], n_rows: IntArray, wanted: IntArray, block_rows: int) -> list[Block]:
    """Return blocks of structures of one key each with about `block_rows` rows, in an order that is always the same.

    Parameters
    ----------
    keys : sequence of Key
        Fold and group of each structure.
    n_rows : ndarray of shape (n_structures,)
        Rows of each structure.
    wanted : ndarray of int
        Structures to be used.
    block_rows : int
        A block is full when it has this many rows.

    Returns
    -------
    list of Block
        Sorted by key, then by position in the list of structures.
    """
    blocks: list[Block] = []
    of_key: dict[Key, list[int]] = {}
    for index in wanted:
        of_key.setdefault(keys[index], []).append(int(index))
    for key in sorted(of_key):
        members: list[int] = []
        rows = 0
        for index in of_key[key]:
            members.append(index)
            rows += int(n_rows[index])
            if rows >= block_rows:
                blocks.append(Block(key, np.array(members)))
                members, rows = [], 0
        if members:
            blocks.append(Block(key, np.array(members)))
    return blocks
