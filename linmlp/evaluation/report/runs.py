"""How far MD runs at several temperatures are, as one number."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from linmlp.evaluation.md import Progress
from linmlp.evaluation.report.contract import Advance


def count_runs(temperatures: Sequence[float], advance: Advance) -> Callable[[Progress], None]:
    """Return what tells the part of several runs that is done.

    Parameters
    ----------
    temperatures : sequence of float
        Of the runs, in their order, K.
    advance : callable
        Is told the part, 0 to 1.

    Returns
    -------
    callable
        Takes what a run tells.
    """

    def count_step(told: Progress) -> None:
        before = list(temperatures).index(told.temperature)
        advance((before + told.step / max(told.n_steps, 1)) / len(temperatures))

    return count_step
