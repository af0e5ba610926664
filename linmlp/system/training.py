"""From assembled data and loss weights to one training problem."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass, replace

import numpy as np

from linmlp.exceptions import SettingsError
from linmlp.system.assembled import AssembledData, KindSystem
from linmlp.system.compressed import CompressedSystem
from linmlp.system.folding import empty_system, merge, rows_to_system
from linmlp.system.gram import GramSystem
from linmlp.system.loss_weights import LossWeights
from linmlp.system.summed import SystemSum
from linmlp.system.weights import energy_row_scales
from linmlp.units import FloatArray

CHUNK_ROWS = 4096
"""Energy rows that are weighted and projected at a time."""


@dataclass(frozen=True)
class CompositionSolution:
    """Reference energies that go with coefficients: ``e0 = constant − matrix @ coef``.

    The unpenalized composition columns C of the weighted energy rows are solved together with the features X. Their
    least-squares solution for given coefficients, ``e0 = C⁺(y − Xc)``, is the one of smallest norm where compositions
    do not determine it.

    Parameters
    ----------
    constant : ndarray of shape (n_elements,)
        ``C⁺y``, eV.
    matrix : ndarray of shape (n_elements, n_features)
        ``C⁺X``.
    rank : int
        Number of combinations of elements that compositions determine.
    """

    constant: FloatArray
    matrix: FloatArray
    rank: int

    def recover(self, coef: FloatArray) -> FloatArray:
        """Return reference energies on top of the provisional ones.

        Parameters
        ----------
        coef : ndarray of shape (n_features,) or (n_sets, n_features)
            Coefficients.

        Returns
        -------
        ndarray of shape (n_elements,) or (n_sets, n_elements)
            Energies in eV per atom, in the order of the assembled data's elements.
        """
        return np.asarray(self.constant - coef @ self.matrix.T)


@dataclass(frozen=True)
class TrainingProblem:
    """What a solver fits, and how to get the reference energies afterwards.

    Parameters
    ----------
    system : SystemSum
        Its squared residual is the loss L as a function of the coefficients, minimized over the reference energies
        if they are solved for. `SystemSum.merged` makes one system of it.
    composition : CompositionSolution
        Gives the reference energies (zero if they are fixed).
    """

    system: SystemSum
    composition: CompositionSolution


class TrainingData:
    """The merged force and stress systems of some folds, ready for many loss weights.

    Parameters
    ----------
    assembled : AssembledData
        Assembled data.
    folds : iterable of int, optional
        Folds to train on; all by default.
    solve_reference : bool, default=True
        Whether reference energies are unpenalized columns (e0="lstsq") or fixed.
    keep : bool, default=True
        Whether to keep full matrices for many loss weights (n_features² numbers per kind of row).
    merge : bool, default=False
        Whether to merge the QR systems of the folds, which costs as much as some solves and makes every solve cheaper;
        Gram systems add anyway.
    """

    def __init__(
        self,
        assembled: AssembledData,
        folds: Iterable[int] | None = None,
        solve_reference: bool = True,
        keep: bool = True,
        merge: bool = False,
    ) -> None:
        self.assembled = assembled
        self.folds = tuple(assembled.folds if folds is None else folds)
        self.solve_reference = solve_reference
        self._keep = keep
        self.force = assembled.kind_systems("force", self.folds, merge)
        self.stress = assembled.kind_systems("stress", self.folds, merge)
        if keep:
            self.force, self.stress = _keep_copies(self.force), _keep_copies(self.stress)
        self._last: tuple[LossWeights, TrainingProblem] | None = None
        self._energy_key: object = None
        self._energy: tuple[CompressedSystem, CompositionSolution, float]

    def problem(self, weights: LossWeights) -> TrainingProblem:
        """Return the training problem for loss weights.

        Parameters
        ----------
        weights : LossWeights
            Weights of the loss, normalized by N_cfg and N_atoms of these folds.

        Returns
        -------
        TrainingProblem
            Nothing is merged; energy rows are folded anew only if `energy_per` or group weights change. The last one is
            kept.
        """
        if self._last is not None and self._last[0] == weights:
            return self._last[1]
        check_group_weights(self.assembled, weights)
        energy, composition, n_energy = self._energy_system(weights)
        systems, factors = [energy], [weights.energy / n_energy if n_energy > 0.0 else 0.0]
        counts = [n_energy]
        for kinds, weight, n_components in ((self.force, weights.force, 3), (self.stress, weights.stress, 6)):
            per_group = group_factors(kinds, weights, self.assembled.groups_apart)
            count = sum(factor * kinds[group].count for group, factor in per_group.items())
            for group, factor in per_group.items():
                systems.append(kinds[group].system)
                factors.append(weight * factor / count if count > 0.0 else 0.0)
                counts.append(n_components * factor * kinds[group].count)
        problem = TrainingProblem(SystemSum(systems, factors, counts), composition)
        if self._keep:
            problem.system.keep()
            self._last = weights, problem
        return problem

    def _energy_system(self, weights: LossWeights) -> tuple[CompressedSystem, CompositionSolution, float]:
        """Return the energy system for w_E/N_cfg = 1, the reference energies and N_cfg; the last one is kept."""
        key = (weights.energy_per, weights.energy > 0.0, tuple(sorted((weights.groups or {}).items())))
        if key != self._energy_key:
            self._energy = self._fold_energies(weights)
            if self._keep:
                self._energy = (_keep(self._energy[0]), *self._energy[1:])
            self._energy_key = key
        return self._energy

    def _fold_energies(self, weights: LossWeights) -> tuple[CompressedSystem, CompositionSolution, float]:
        """Return the energy rows, weighted, with the composition columns projected out, folded chunk by chunk."""
        energy, form = self.assembled.energy, self.assembled.form
        n_features, n_elements = self.assembled.n_features, len(self.assembled.elements)
        rows = energy.in_folds(self.folds)
        listed = energy.listed[rows]
        if self.assembled.groups_apart:
            listed = listed * [weights.group_weight(group) for group in energy.group[rows]]
        rows, listed = rows[listed > 0.0], listed[listed > 0.0]
        nothing = CompositionSolution(np.zeros(n_elements), np.zeros((n_elements, n_features)), 0)
        if not len(rows) or weights.energy == 0.0:
            return empty_system(n_features, form), nothing, 0.0
        scale = energy_row_scales(
            listed * energy.label_weight[rows], energy.n_atoms[rows], 1.0, 1.0, weights.energy_per
        )
        y = scale * energy.y[rows]
        chunks = np.array_split(np.arange(len(rows)), -(-len(rows) // CHUNK_ROWS))
        if not self.solve_reference:
            systems = [rows_to_system(scale[c, None] * energy.X[rows[c]], y[c], None, form, True) for c in chunks]
            return merge(systems, form), nothing, float(listed.sum())
        basis, inverse = range_and_pseudoinverse(scale[:, None] * energy.composition[rows])
        along_X = np.zeros((basis.shape[1], n_features))
        for c in chunks:
            along_X += basis[c].T @ (scale[c, None] * energy.X[rows[c]])
        along_y = basis.T @ y
        systems = []
        for c in chunks:
            X = scale[c, None] * energy.X[rows[c]] - basis[c] @ along_X
            systems.append(rows_to_system(X, y[c] - basis[c] @ along_y, None, form, True))
        solution = CompositionSolution(inverse @ along_y, inverse @ along_X, basis.shape[1])
        return merge(systems, form), solution, float(listed.sum())


def combine(
    assembled: AssembledData,
    weights: LossWeights,
    folds: Iterable[int] | None = None,
    solve_reference: bool = True,
) -> TrainingProblem:
    """Return the training problem of some folds for one set of loss weights.

    Parameters
    ----------
    assembled : AssembledData
        Assembled data.
    weights : LossWeights
        Weights of the loss.
    folds : iterable of int, optional
        Folds to train on; all by default.
    solve_reference : bool, default=True
        Whether reference energies are unpenalized columns (e0="lstsq") or fixed.

    Returns
    -------
    TrainingProblem
        System and reference energies.
    """
    return TrainingData(assembled, folds, solve_reference, keep=False).problem(weights)


def group_factors(kinds: dict[str, KindSystem], weights: LossWeights, groups_apart: bool) -> dict[str, float]:
    """Return the weights of the groups of some systems.

    Parameters
    ----------
    kinds : dict of str to KindSystem
        Systems by group.
    weights : LossWeights
        Weights of the loss.
    groups_apart : bool
        Whether group weights are still free.

    Returns
    -------
    dict of str to float
        1 for systems with the group weights in them.
    """
    return {group: weights.group_weight(group) if groups_apart else 1.0 for group in kinds}


def check_group_weights(assembled: AssembledData, weights: LossWeights) -> None:
    """Raise where group weights are asked for that are not those in the rows.

    Parameters
    ----------
    assembled : AssembledData
        Assembled data.
    weights : LossWeights
        Weights of the loss.

    Raises
    ------
    SettingsError
        If the groups were merged with other weights.
    """
    if not assembled.groups_apart and dict(weights.groups or {}) != dict(assembled.group_weights or {}):
        raise SettingsError(
            f"the rows were assembled with config_type weights {assembled.group_weights}, which cannot be changed to "
            f"{weights.groups} afterwards; assemble with groups_apart=True to search them"
        )


def _keep_copies(kinds: dict[str, KindSystem]) -> dict[str, KindSystem]:
    """Return the same systems as objects that keep what is dear to compute; the originals stay small."""
    return {group: replace(kind, system=_keep(kind.system)) for group, kind in kinds.items()}


def _keep(system: CompressedSystem) -> CompressedSystem:
    """Return a system that remembers its Gram matrix and factor; Gram systems have nothing to remember."""
    return system if isinstance(system, GramSystem) else copy(system).keep()


def range_and_pseudoinverse(C: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return an orthonormal basis Q of the columns of C, and C⁺Q, of the rank that C has.

    Parameters
    ----------
    C : ndarray of shape (n_rows, n_elements)
        Weighted composition columns.

    Returns
    -------
    basis : ndarray of shape (n_rows, rank)
        Q.
    inverse : ndarray of shape (n_elements, rank)
        C⁺Q.
    """
    left, values, right = np.linalg.svd(C, full_matrices=False)
    kept = values > max(C.shape) * np.finfo(float).eps * values.max(initial=0.0)
    return left[:, kept], right[kept].T / values[kept]
