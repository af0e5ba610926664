"""How many threads BLAS may take."""

from contextlib import AbstractContextManager
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]


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
