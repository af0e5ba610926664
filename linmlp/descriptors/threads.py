"""Threads: how many BLAS may take, and a map over pieces of work that release the lock of Python."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import cache
from typing import Any, TypeVar

from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

Item = TypeVar("Item")
Result = TypeVar("Result")


def blas_threads(n_threads: int) -> AbstractContextManager[Any]:
    """Return a context in which BLAS and LAPACK take so many threads.

    Parameters
    ----------
    n_threads : int
        1 or more.

    Returns
    -------
    context manager
        Restores the number of threads at the end.
    """
    limits: AbstractContextManager[Any] = _controller().limit(limits=n_threads, user_api="blas")
    return limits


@cache
def _controller() -> ThreadpoolController:
    """Return what finds the libraries, once: a search of the loaded ones takes as long as a step of a hundred atoms."""
    import scipy.linalg  # noqa: F401  # its BLAS is another one than that of numpy

    return ThreadpoolController()


def map_threads(work: Callable[[Item], Result], items: Sequence[Item], n_threads: int) -> list[Result]:
    """Return the results of some work, in order.

    Parameters
    ----------
    work : callable
        Spends its time in what releases the lock of Python.
    items : sequence
        What it is called with.
    n_threads : int
        Threads, 1 or more; no more than there are items are used.

    Returns
    -------
    list
        One result for each item.
    """
    if min(n_threads, len(items)) <= 1:
        return [work(item) for item in items]
    with ThreadPoolExecutor(min(n_threads, len(items)), thread_name_prefix="linmlp") as pool:
        return list(pool.map(work, items))
