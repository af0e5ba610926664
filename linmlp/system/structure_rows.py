"""Rows of structures as a source: energy rows are kept, force and stress rows are made again at every pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from linmlp.exceptions import SettingsError
from linmlp.structures import composition_matrix
from linmlp.system.blocks import RowMaker, plan_blocks
from linmlp.system.loss import LossParts
from linmlp.system.loss_weights import LossWeights
from linmlp.system.memory import default_block_rows
from linmlp.system.row_source import Rows, RowSource, join_rows
from linmlp.system.row_system import RowSystem
from linmlp.system.training import CompositionSolution, range_and_pseudoinverse
from linmlp.system.weights import (
    carries_stress,
    energy_row_scales,
    energy_row_weight,
    n_force_atoms,
    row_scale_from_weight,
    structure_weights,
)
from linmlp.units import FloatArray, IntArray

if TYPE_CHECKING:
    from ase import Atoms

    from linmlp.descriptors.base import Descriptor
    from linmlp.structures import Labels, ReferenceEnergies
    from linmlp.structures.baselines import Baseline


class StructureRows(RowSource):
    """Weighted rows of labelled structures, whose squared residual is the loss L.

    If reference energies are solved for, the composition columns are projected out of the energy rows, so that the
    loss is the smallest over the reference energies; `composition` gives them for any coefficients.

    Parameters
    ----------
    structures : sequence of ase.Atoms
        Structures; each is a unit.
    labels : sequence of Labels
        Their labels.
    descriptor : Descriptor
        Fitted descriptor.
    weights : LossWeights
        Weights of the loss.
    baselines : sequence of Baseline, default=()
        Are subtracted from the labels.
    reference : ReferenceEnergies, optional
        Reference energies to be subtracted, the provisional ones if they are to be solved for.
    sample_weight : ndarray of shape (n_structures,), optional
        How often each structure counts.
    solve_reference : bool, default=True
        Whether reference energies are unpenalized columns (e0="lstsq") or fixed.
    block_rows : int, optional
        A block is full when it has this many rows.
    """

    def __init__(
        self,
        structures: Sequence[Atoms],
        labels: Sequence[Labels],
        descriptor: Descriptor,
        weights: LossWeights,
        baselines: Sequence[Baseline] = (),
        reference: ReferenceEnergies | None = None,
        sample_weight: FloatArray | None = None,
        solve_reference: bool = True,
        block_rows: int | None = None,
    ) -> None:
        if not len(structures) or len(labels) != len(structures):
            raise SettingsError(
                f"{len(structures)} structures with labels of {len(labels)}; give at least one, with one Labels each"
            )
        self.structures, self.labels, self.weights = structures, labels, weights
        self.solve_reference = solve_reference
        self.listed = structure_weights(labels, sample_weight, weights.groups)
        self.n_features = len(descriptor.allocate_rows(1)[0])
        self.block_rows = block_rows or default_block_rows(self.n_features, "gram")
        self._maker = RowMaker(descriptor, tuple(baselines), reference, "gram")
        self._elements = tuple(descriptor.elements_)
        self._energy_X, self._energy_y = self._make_energy_rows()
        self._more = Rows(np.empty((0, self.n_features)), np.empty(0))
        self._use(np.flatnonzero(self.listed > 0.0))

    def stream(self, units: IntArray | Sequence[int] | None = None) -> Iterator[Rows]:
        """Yield force and stress rows of some structures."""
        wanted = self._units if units is None else self._units[np.asarray(units, dtype=np.int64)]
        for indices in self._blocks(wanted):
            force, stress = self._make_kinds(indices)
            yield join_rows(force, stress) if len(stress.y) and len(force.y) else (force if len(force.y) else stress)

    def subset(self, units: IntArray | Sequence[int]) -> StructureRows:
        """Return the source of some structures; energy rows are shared, weights are normalized anew."""
        other = object.__new__(StructureRows)
        other.__dict__.update(self.__dict__)
        other._use(self._units[np.asarray(units, dtype=np.int64)])
        return other

    def plus(self, part: RowSystem, weight: float) -> StructureRows:
        """Return the source with more kept rows, which belong to no structure."""
        other = object.__new__(StructureRows)
        other.__dict__.update(self.__dict__)
        other._more = join_rows(self._more, part.scaled(weight))
        other._use(self._units)
        return other

    def fixed_reference_loss(self, coef: FloatArray, reference: FloatArray) -> float:
        """Return the loss with given reference energies."""
        return self.loss_parts(coef, reference).total

    def loss_parts(self, coef: FloatArray, reference: FloatArray) -> LossParts:
        """Return the terms of the loss in one pass.

        Parameters
        ----------
        coef : ndarray of shape (n_features,)
            Coefficients.
        reference : ndarray of shape (n_elements,)
            Reference energies on top of the provisional ones, eV.

        Returns
        -------
        LossParts
            With their weights in; rows that were added to the structures do not count.
        """
        X, y, composition = self._weighted_energies()
        energy, force, stress = float(np.sum((X @ coef + composition @ reference - y) ** 2)), 0.0, 0.0
        for indices in self._blocks(self._units):
            rows = self._make_kinds(indices)
            force += float(np.sum((rows[0].X @ coef - rows[0].y) ** 2))
            stress += float(np.sum((rows[1].X @ coef - rows[1].y) ** 2))
        return LossParts(energy, force, stress)

    def _use(self, units: IntArray) -> None:
        """Take some structures as the units: count them, weight their energy rows."""
        self._units, self.n_units = units, len(units)
        labels = [self.labels[int(i)] for i in units]
        n_atoms = float(self.listed[units] @ [n_force_atoms(label) for label in labels]) if labels else 0.0
        n_stress = float(self.listed[units] @ [carries_stress(label) for label in labels]) if labels else 0.0
        self._force_scale = row_scale_from_weight(self.weights.force / n_atoms if n_atoms > 0.0 else 0.0)
        self._stress_scale = row_scale_from_weight(self.weights.stress / n_stress if n_stress > 0.0 else 0.0)
        self._n_rows = np.array(
            [
                3 * label.n_atoms * (self._force_scale > 0.0 and n_force_atoms(label) > 0)
                + 6 * (self._stress_scale > 0.0 and carries_stress(label))
                for label in self.labels
            ]
        )
        X, y, composition = self._weighted_energies()
        n_elements = len(self._elements)
        self.composition = CompositionSolution(np.zeros(n_elements), np.zeros((n_elements, self.n_features)), 0)
        if self.solve_reference and len(y):
            basis, inverse = range_and_pseudoinverse(composition)
            along_X, along_y = basis.T @ X, basis.T @ y
            self.composition = CompositionSolution(inverse @ along_y, inverse @ along_X, basis.shape[1])
            X, y = X - basis @ along_X, y - basis @ along_y
        self.kept = join_rows(Rows(X, y), self._more)
        self.n_rows = len(self.kept.y) + int(self._n_rows[units].sum())

    def _weighted_energies(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return energy rows, targets and composition columns with their weights in."""
        label_weight = np.array([energy_row_weight(label) for label in self.labels])
        at = self._units[label_weight[self._units] > 0.0] if self.weights.energy > 0.0 else self._units[:0]
        labels = [self.labels[int(i)] for i in at]
        scale = energy_row_scales(
            self.listed[at] * label_weight[at],
            np.array([label.n_atoms for label in labels], dtype=float),
            self.weights.energy,
            float(self.listed[at].sum()) or 1.0,
            self.weights.energy_per,
        )
        composition = np.zeros((0, len(self._elements)))
        if labels:
            composition = np.asarray(composition_matrix([label.numbers for label in labels], self._elements))
        return scale[:, None] * self._energy_X[at], scale * self._energy_y[at], scale[:, None] * composition

    def _make_energy_rows(self) -> tuple[FloatArray, FloatArray]:
        """Return the energy rows of all structures, without weights."""
        X, y = np.zeros((len(self.structures), self.n_features)), np.zeros(len(self.structures))
        for i in np.flatnonzero(self.listed > 0.0):
            label = replace(self.labels[int(i)], forces=None, stress=None)
            rows = self._maker.write(np.array([i]), [self.structures[int(i)]], [label], self.listed[[i]])
            X[i], y[i] = rows.energy_rows[0], rows.energy_targets[0]
        return X, y

    def _blocks(self, units: IntArray) -> Iterator[IntArray]:
        """Yield structures that fill a block with rows."""
        keys = [(0, "")] * len(self.structures)
        for block in plan_blocks(keys, np.maximum(self._n_rows, 1), units, self.block_rows):
            if self._n_rows[block.indices].any():
                yield block.indices

    def _make_kinds(self, indices: IntArray) -> tuple[Rows, Rows]:
        """Return the weighted force rows and stress rows of a block."""
        labels = [self.labels[int(i)] for i in indices]
        if self._force_scale == 0.0:
            labels = [replace(label, forces=None) for label in labels]
        if self._stress_scale == 0.0:
            labels = [replace(label, stress=None) for label in labels]
        rows = self._maker.write(indices, [self.structures[int(i)] for i in indices], labels, self.listed[indices])
        force = _scaled(rows.force_rows, rows.force_targets, self._force_scale * rows.force_scales)
        stress = _scaled(rows.stress_rows, rows.stress_targets, self._stress_scale * rows.stress_scales)
        return force, stress


def _scaled(X: FloatArray, y: FloatArray, scale: FloatArray) -> Rows:
    """Return rows times factors, in place; the target of an absent row may be anything, NaN included."""
    X *= scale[:, None]
    return Rows(X, np.where(scale == 0.0, 0.0, scale * y))
