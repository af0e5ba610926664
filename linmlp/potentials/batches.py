"""Predictions of many structures on all cores: structures in, what a predictor says of each out."""

import time
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import numpy as np
from ase import Atoms
from joblib import Parallel, delayed, effective_n_jobs
from joblib.parallel import get_active_backend

from linmlp.exceptions import InputError, StructureError
from linmlp.structures import as_structure_list
from linmlp.structures.checks import check_structure, describe
from linmlp.system.threads import one_blas_thread

T = TypeVar("T")
Batch = Sequence[tuple[int, Atoms]]

BATCH_ATOMS = 512
"""Atoms that are evaluated together. The batches of a list do not depend on the number of threads."""

TASKS_PER_THREAD = 8
"""So that threads end at about the same time."""

PATIENCE = 0.02
"""Seconds after which threads are started."""

THREADS_FROM = 32
"""Atoms of a structure, on average, from which all cores are used unasked: of smaller ones most of the time goes into
Python, which runs in one thread at a time."""


class Predicts(Protocol[T]):
    """What says something of structures."""

    def predict_all(self, structures: Sequence[Atoms]) -> list[T]:
        """Return what is said of each."""
        ...


def map_structures(predictor: Predicts[T], structures: Sequence[Atoms], n_jobs: int | None) -> list[T]:
    """Return what a predictor says of each structure.

    Batches are evaluated one after another at first, and in threads if that takes longer than `PATIENCE`, so that small
    tasks start none. The numbers are the same for any `n_jobs`.

    Parameters
    ----------
    predictor : object with predict_all
        Of a fitted potential.
    structures : sequence of ase.Atoms
        Structures; each one is checked.
    n_jobs : int or None
        Threads, as joblib has it; None means all cores for structures of `THREADS_FROM` atoms or more on average,
        outside of a ``joblib.parallel_config`` that says otherwise and outside of workers of joblib.

    Returns
    -------
    list
        In the order of the structures.

    Raises
    ------
    StructureError
        If a structure cannot be computed; the message names it.
    """
    structures = as_structure_list(structures)
    batches = _split(structures)
    n_jobs = _cores_by_default(n_jobs, sum(map(len, structures)) >= THREADS_FROM * len(structures))
    found: list[T] = []
    with one_blas_thread():
        start, done = time.perf_counter(), 0
        while done < len(batches) and (n_jobs == 1 or time.perf_counter() < start + PATIENCE):
            found += _predict(predictor, batches[done])
            done += 1
        left = batches[done:]
        if left:
            size = -(-len(left) // (TASKS_PER_THREAD * effective_n_jobs(n_jobs)))
            tasks = (left[place : place + size] for place in range(0, len(left), size))
            results = Parallel(n_jobs=n_jobs, prefer="threads")(
                delayed(_predict_batches)(predictor, task) for task in tasks
            )
            found += [one for result in results for one in result]
    return found


def _cores_by_default(n_jobs: int | None, are_large: bool) -> int | None:
    """Return -1, or 1 for small structures, where neither the user nor joblib has said how many threads to use."""
    if n_jobs is not None:
        return n_jobs
    backend, n_of_context = get_active_backend()
    if n_of_context is not None or backend.nesting_level:
        return None
    return -1 if are_large else 1


def _split(structures: Sequence[Atoms]) -> list[Batch]:
    """Return the structures with their places, in batches of about `BATCH_ATOMS`."""
    before = np.cumsum([0, *(max(len(atoms), 1) for atoms in structures)])[:-1]
    batches: dict[int, list[tuple[int, Atoms]]] = {}
    for index, (number, atoms) in enumerate(zip(before // BATCH_ATOMS, structures, strict=True)):
        batches.setdefault(int(number), []).append((index, atoms))
    return list(batches.values())


def _predict_batches(predictor: Predicts[T], batches: Sequence[Batch]) -> list[T]:
    return [one for batch in batches for one in _predict(predictor, batch)]


def _predict(predictor: Predicts[T], batch: Batch) -> list[T]:
    """Return what is said of the structures of a batch; an error names the one that it is about."""
    for index, atoms in batch:
        check_structure(index, atoms)
    try:
        return predictor.predict_all([atoms for _, atoms in batch])
    except InputError:
        for index, atoms in batch:
            _predict_one(predictor.predict_all, index, atoms)
        raise


def _predict_one(predict_all: Callable[[Sequence[Atoms]], list[T]], index: int, atoms: Atoms) -> None:
    """Raise an error that names the structure, if it is this one that cannot be computed."""
    try:
        predict_all([atoms])
    except InputError as error:
        raise StructureError(f"{describe(index, atoms)}: {error}") from error
