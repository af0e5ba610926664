"""Assembly: a map over blocks of structures, merged in fixed order."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np

from linmlp.exceptions import SettingsError
from linmlp.structures import composition_matrix
from linmlp.system.assembled import AssembledData, EnergyRows, KindBuilder
from linmlp.system.blocks import Block, BlockResult, Key, RowMaker, plan_blocks
from linmlp.system.folding import check_form
from linmlp.system.memory import AssemblyPlan, choose_form, default_block_rows, system_bytes, workspace_bytes
from linmlp.system.threads import one_blas_thread
from linmlp.system.weights import carries_stress, energy_row_weight, n_force_atoms, structure_weights
from linmlp.units import VOIGT_MULTIPLICITY, FloatArray, IntArray

if TYPE_CHECKING:
    from ase import Atoms

    from linmlp.descriptors.base import Descriptor
    from linmlp.structures import Labels, ReferenceEnergies
    from linmlp.structures.baselines import Baseline


@dataclass(frozen=True)
class Assembly:
    """An assembly that is planned: `plan` says what it takes, `run` does it.

    Parameters
    ----------
    structures : sequence of ase.Atoms
        Structures.
    labels : sequence of Labels
        Their labels.
    descriptor : Descriptor
        Fitted descriptor.
    baseline : Baseline or sequence of Baseline, optional
        Are subtracted from the labels.
    reference : ReferenceEnergies, optional
        Reference energies to be subtracted, the provisional ones if they are to be solved for.
    folds : array-like of shape (n_structures,), optional
        Fold of each structure; one fold by default.
    sample_weight : array-like of shape (n_structures,), optional
        How often each structure counts; those with 0 are left out altogether.
    group_weights : mapping of str to float, optional
        Weight of each ``config_type``, fixed in the rows.
    groups_apart : bool, default=False
        Whether to keep one system per ``config_type``, so that group weights can be searched.
    form : {"auto", "gram", "qr"}, default="auto"
        Form that rows are folded to; "auto" takes QR while that costs less than 3e11 operations.
    n_jobs : int, optional
        Blocks at a time, as joblib has it.
    block_rows : int, optional
        Rows of a block.
    max_memory : float, optional
        Energy rows of more bytes than this go to a temporary file.
    """

    structures: Sequence[Atoms]
    labels: Sequence[Labels]
    descriptor: Descriptor
    baseline: Baseline | Sequence[Baseline] | None = None
    reference: ReferenceEnergies | None = None
    folds: IntArray | Sequence[int] | None = None
    sample_weight: FloatArray | None = None
    group_weights: Mapping[str, float] | None = None
    groups_apart: bool = False
    form: str = "auto"
    n_jobs: int | None = None
    block_rows: int | None = None
    max_memory: float | None = None

    def plan(self) -> AssemblyPlan:
        """Return the size of the assembly before it starts.

        Returns
        -------
        AssemblyPlan
            Form, rows, blocks and bytes.
        """
        return self._prepare().plan

    def run(self, progress: Callable[[int, int], object] | None = None) -> AssembledData:
        """Return the assembled data.

        Parameters
        ----------
        progress : callable, optional
            Is called with the numbers of structures done and in all, after each block.

        Returns
        -------
        AssembledData
            The same numbers for any `n_jobs`; the same predictions for any `block_rows`.
        """
        prepared = self._prepare()
        collected = _Collected(self, prepared)
        maker = RowMaker(self.descriptor, self._baselines(), self.reference, prepared.plan.form)
        done = 0
        with _blas_threads(self.n_jobs, prepared.plan.form):
            results = joblib.Parallel(n_jobs=self.n_jobs, prefer="threads", return_as="generator")(
                joblib.delayed(maker.fold)(
                    block.indices,
                    [self.structures[i] for i in block.indices],
                    [self.labels[i] for i in block.indices],
                    prepared.listed[block.indices],
                )
                for block in prepared.blocks
            )
            for block, result in zip(prepared.blocks, results, strict=True):
                collected.add(block, result)
                done += len(block.indices)
                if progress is not None:
                    progress(done, len(prepared.wanted))
        return collected.data()

    def _baselines(self) -> tuple[Baseline, ...]:
        """Return the baselines as a tuple."""
        if self.baseline is None:
            return ()
        return tuple(self.baseline) if isinstance(self.baseline, Sequence) else (self.baseline,)

    def _prepare(self) -> _Prepared:
        """Return blocks, weights and sizes."""
        n = len(self.structures)
        if not n:
            raise SettingsError("there is no structure to assemble; give at least one")
        if len(self.labels) != n:
            raise SettingsError(f"{n} structures, but labels of {len(self.labels)}; give one Labels per structure")
        folds = np.zeros(n, dtype=np.int64) if self.folds is None else np.asarray(self.folds, dtype=np.int64)
        if folds.shape != (n,):
            raise SettingsError(f"folds has shape {folds.shape} for {n} structures; give one number per structure")
        baked = None if self.groups_apart else self.group_weights
        listed = structure_weights(self.labels, self.sample_weight, baked)
        wanted = np.flatnonzero(listed > 0.0)
        keys: list[Key] = [
            (int(fold), label.config_type if self.groups_apart else "")
            for fold, label in zip(folds, self.labels, strict=True)
        ]
        n_force = np.array([3 * label.n_atoms if n_force_atoms(label) else 0 for label in self.labels])
        n_stress = np.array([6 * carries_stress(label) for label in self.labels])
        n_features = len(self.descriptor.allocate_rows(1)[0])
        n_rows = int((n_force + n_stress)[wanted].sum())
        form = choose_form(n_rows, n_features) if self.form == "auto" else check_form(self.form)
        block_rows = self.block_rows or default_block_rows(n_features, form)
        blocks = plan_blocks(keys, np.maximum(n_force + n_stress, 1), wanted, block_rows)
        of_key: dict[Key, list[int]] = {}
        for block in blocks:
            of_key.setdefault(block.key, []).extend(block.indices)
        systems = [
            system_bytes(int(kind[members].sum()), n_features)
            for members in of_key.values()
            for kind in (n_force, n_stress)
        ]
        energy_bytes = 8 * len(wanted) * n_features
        largest = max((int((n_force + n_stress)[block.indices].sum()) for block in blocks), default=0)
        plan = AssemblyPlan(
            form,
            n_rows + sum(label.energy is not None for label in self.labels),
            n_features,
            len(blocks),
            sum(systems),
            energy_bytes,
            workspace_bytes(largest, n_features, form, joblib.effective_n_jobs(self.n_jobs)),
            self.max_memory is not None and energy_bytes > self.max_memory,
        )
        return _Prepared(plan, blocks, folds, listed, wanted)


@dataclass(frozen=True)
class _Prepared:
    """What an assembly has worked out before it starts."""

    plan: AssemblyPlan
    blocks: list[Block]
    folds: IntArray
    listed: FloatArray
    wanted: IntArray


class _Collected:
    """Results of blocks on their way to `AssembledData`."""

    def __init__(self, assembly: Assembly, prepared: _Prepared) -> None:
        self.assembly, self.prepared = assembly, prepared
        shape = (len(prepared.wanted), prepared.plan.n_features)
        self.X = _rows_on_disk(shape) if prepared.plan.energy_on_disk else np.empty(shape)
        self.y = np.empty(len(prepared.wanted))
        self.row_of = {int(index): row for row, index in enumerate(prepared.wanted)}
        self.force: dict[Key, KindBuilder] = {}
        self.stress: dict[Key, KindBuilder] = {}

    def add(self, block: Block, result: BlockResult) -> None:
        """Take the result of one block."""
        rows = [self.row_of[int(index)] for index in block.indices]
        self.X[rows], self.y[rows] = result.energy_rows, result.energy_targets
        labels = [self.assembly.labels[i] for i in block.indices]
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

    def data(self) -> AssembledData:
        """Return the assembled data."""
        prepared, assembly = self.prepared, self.assembly
        labels = [assembly.labels[i] for i in prepared.wanted]
        elements = tuple(assembly.descriptor.elements_)
        energy = EnergyRows(
            X=self.X,
            composition=np.asarray(composition_matrix([label.numbers for label in labels], elements), dtype=float),
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
            elements,
            {key: builder.result() for key, builder in self.force.items()},
            {key: builder.result() for key, builder in self.stress.items()},
            energy,
            len(assembly.labels),
            assembly.groups_apart,
            None if assembly.groups_apart else assembly.group_weights,
        )

    def _builder(self, builders: dict[Key, KindBuilder], key: Key) -> KindBuilder:
        """Return the builder of a key."""
        if key not in builders:
            builders[key] = KindBuilder(self.prepared.plan.n_features, self.prepared.plan.form)
        return builders[key]


def assemble(
    structures: Sequence[Atoms],
    labels: Sequence[Labels],
    descriptor: Descriptor,
    progress: Callable[[int, int], object] | None = None,
    **settings: Any,
) -> AssembledData:
    """Return folded rows of structures.

    Parameters
    ----------
    structures : sequence of ase.Atoms
        Structures.
    labels : sequence of Labels
        Their labels.
    descriptor : Descriptor
        Fitted descriptor.
    progress : callable, optional
        Is called with the numbers of structures done and in all, after each block.
    **settings
        The other parameters of `Assembly`.

    Returns
    -------
    AssembledData
        Force and stress systems per fold, and energy rows.
    """
    return Assembly(structures, labels, descriptor, **settings).run(progress)


def _blas_threads(n_jobs: int | None, form: str) -> AbstractContextManager[Any]:
    """Return a context with one level of parallelism.

    The Gram form's large products use the threads of BLAS well when blocks come one at a time. The many small steps
    of QR do not, and on busy cores they become a hundred times slower.
    """
    if form == "gram" and joblib.effective_n_jobs(n_jobs) == 1:
        return nullcontext()
    return one_blas_thread()


def _rows_on_disk(shape: tuple[int, int]) -> FloatArray:
    """Return an array in a temporary file that is gone when the array is."""
    with tempfile.TemporaryFile(prefix="linmlp-energy-rows-") as file:
        return np.memmap(file, dtype=np.float64, mode="w+", shape=shape)
