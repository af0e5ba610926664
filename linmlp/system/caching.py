"""Assembled data kept on disk: the rows of the same data, descriptor and weights are not computed twice."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np

from linmlp.exceptions import SettingsError
from linmlp.structures import CalculatorBaseline
from linmlp.system.assembled import AssembledData

if TYPE_CHECKING:
    from linmlp.system.assembly import Assembly

Progress = Callable[[int, int], object]


def assemble_cached(assembly: Assembly, memory: Any = None, progress: Progress | None = None) -> AssembledData:
    """Return the data of an assembly, from disk where the same one was run before.

    Parameters
    ----------
    assembly : Assembly
        What to assemble.
    memory : None, path-like or joblib.Memory, default=None
        Where results are kept; None keeps none. A result that cannot be read is computed again.
    progress : callable, optional
        As `Assembly.run` takes it; is not called for what comes from disk.

    Returns
    -------
    AssembledData
        The same either way.

    Raises
    ------
    SettingsError
        If `memory` is none of these.

    Notes
    -----
    An assembly is known by the content of all that its numbers depend on, and the version of the library. Nothing is
    kept for a baseline that is a calculator, whose content nobody knows.
    """
    store = check_memory(memory)
    if store is None or any(isinstance(part, CalculatorBaseline) for part in baselines_of(assembly)):
        return assembly.run(progress)
    cached: Callable[[str, Assembly, Progress | None], AssembledData] = store.cache(
        _run, ignore=["assembly", "progress"]
    )
    return cached(assembly_hash(assembly), assembly, progress)


def check_memory(memory: Any) -> Any:
    """Return the joblib.Memory that a setting means; None for None.

    Parameters
    ----------
    memory : None, path-like or joblib.Memory
        What the user gave.

    Returns
    -------
    joblib.Memory or None
        Or whatever has its `cache`.

    Raises
    ------
    SettingsError
        If it is none of these.
    """
    if memory is None or hasattr(memory, "cache"):
        return memory
    if isinstance(memory, str | os.PathLike):
        return joblib.Memory(os.fspath(memory), verbose=0)
    raise SettingsError(f"memory={memory!r}; it must be None, a folder, or a joblib.Memory")


def assembly_hash(assembly: Assembly) -> str:
    """Return a hash of everything that the numbers of an assembly depend on.

    Parameters
    ----------
    assembly : Assembly
        Planned assembly.

    Returns
    -------
    str
        SHA-256 in hexadecimal; `n_jobs` and `max_memory`, which change no number, are not in it.
    """
    geometry = [(s.numbers, s.positions, s.cell.array, s.pbc) for s in assembly.structures]
    descriptor = (type(assembly.descriptor).__qualname__, *assembly.descriptor.to_state())
    baselines = [baseline.to_state() for baseline in baselines_of(assembly)]
    reference = None if assembly.reference is None else assembly.reference.to_state()
    arrays = [None if a is None else np.asarray(a) for a in (assembly.folds, assembly.sample_weight)]
    rest = (assembly.group_weights, assembly.groups_apart, assembly.form, assembly.block_rows, version("linmlp"))
    digest = hashlib.sha256()
    _feed(digest, (geometry, list(assembly.labels), descriptor, baselines, reference, arrays, rest))
    return digest.hexdigest()


def baselines_of(assembly: Assembly) -> tuple[Any, ...]:
    """Return the baselines of an assembly as a tuple."""
    if assembly.baseline is None:
        return ()
    return tuple(assembly.baseline) if isinstance(assembly.baseline, Sequence) else (assembly.baseline,)


def _run(key: str, assembly: Assembly, progress: Progress | None) -> AssembledData:
    """Run an assembly; `key` is by what the result is found again."""
    return assembly.run(progress)


def _feed(digest: Any, value: Any) -> None:
    """Add a value to a hash by content, with its kind and length, so that no two values read alike."""
    if isinstance(value, np.ndarray):
        digest.update(f"array {value.dtype} {value.shape} ".encode())
        digest.update(np.ascontiguousarray(value).tobytes())
    elif isinstance(value, Mapping):
        _feed(digest, [(str(key), value[key]) for key in sorted(value, key=str)])
    elif isinstance(value, list | tuple):
        digest.update(f"sequence {len(value)} ".encode())
        for item in value:
            _feed(digest, item)
    elif is_dataclass(value):
        _feed(digest, [(field.name, getattr(value, field.name)) for field in fields(value)])
    else:
        text = repr(value.item() if isinstance(value, np.generic) else value)
        digest.update(f"{type(value).__name__} {len(text)} {text} ".encode())
