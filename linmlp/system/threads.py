"""One level of parallelism at a time."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache
from typing import Any

import scipy.linalg  # noqa: F401  # its BLAS must be loaded before libraries are looked for
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]


def one_blas_thread() -> AbstractContextManager[Any]:
    """Return a context in which BLAS and LAPACK run in the thread that calls them.

    For steps that run in parallel themselves, and for factorizations of up to a few thousand columns: they gain little
    from the threads of BLAS, whose barriers make them a hundred times slower when other work keeps the cores busy.

    Returns
    -------
    context manager
        Restores the number of threads at the end.
    """
    limits: AbstractContextManager[Any] = _controller().limit(limits=1, user_api="blas")
    return limits


@cache
def _controller() -> Any:
    """Return what controls the libraries of the process; to look for them takes milliseconds."""
    return ThreadpoolController()
