"""Assembly: a map over blocks of structures, merged in fixed order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np

from linmlp.exceptions import SettingsError
from linmlp.system.assembled import AssembledData
from linmlp.system.blocks import Key, RowMaker, plan_blocks
from linmlp.system.collecting import Collector, Prepared
from linmlp.system.folding import check_form
from linmlp.system.memory import AssemblyPlan, choose_form, default_block_rows, system_bytes, workspace_bytes
from linmlp.system.threads import one_blas_thread
from linmlp.system.weights import carries_stress, n_force_atoms, structure_weights
from linmlp.units import FloatArray, IntArray

if TYPE_CHECKING:
    from ase import Atoms

    from linmlp.descriptors.base import Descriptor
    from linmlp.structures import Labels, ReferenceEnergies
    from linmlp.structures.baselines import Baseline

BLOCKS_PER_WAVE = 2
"""Blocks of one worker whose results wait to be merged."""


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
        Form that rows are folded to; "auto" takes QR while that costs less than 1e11 operations.
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
        collected = Collector(self.labels, tuple(self.descriptor.elements_), prepared)
        maker = RowMaker(self.descriptor, self._baselines(), self.reference, prepared.plan.form)
        done = 0
        # In waves: results that come faster than they are merged would pile up, a triangle each.
        size = BLOCKS_PER_WAVE * joblib.effective_n_jobs(self.n_jobs)
        waves = [prepared.blocks[start : start + size] for start in range(0, len(prepared.blocks), size)]
        with (
            _blas_threads(self.n_jobs, prepared.plan.form),
            joblib.Parallel(n_jobs=self.n_jobs, prefer="threads") as parallel,
        ):
            for wave in waves:
                results = parallel(
                    joblib.delayed(maker.fold)(
                        block.indices,
                        [self.structures[i] for i in block.indices],
                        [self.labels[i] for i in block.indices],
                        prepared.listed[block.indices],
                    )
                    for block in wave
                )
                for block, result in zip(wave, results, strict=True):
                    collected.add(block, result)
                    done += len(block.indices)
                    if progress is not None:
                        progress(done, len(prepared.wanted))
        return collected.data(self.groups_apart, None if self.groups_apart else self.group_weights)

    def _baselines(self) -> tuple[Baseline, ...]:
        """Return the baselines as a tuple."""
        if self.baseline is None:
            return ()
        return tuple(self.baseline) if isinstance(self.baseline, Sequence) else (self.baseline,)

    def _prepare(self) -> Prepared:
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
        return Prepared(plan, blocks, folds, listed, wanted)


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
