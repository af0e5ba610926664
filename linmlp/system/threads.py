"""One level of parallelism at a time."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from linmlp.descriptors.threads import blas_threads


def one_blas_thread() -> AbstractContextManager[Any]:
    """Return a context in which BLAS and LAPACK run in the thread that calls them.

    For steps that run in parallel themselves, and for factorizations of up to a few thousand columns: they gain little
    from the threads of BLAS, whose barriers make them a hundred times slower when other work keeps the cores busy.

    Returns
    -------
    context manager
        Restores the number of threads at the end.
    """
    return blas_threads(1)
