"""How a long fit says what it does: events in, lines or a progress bar out, chosen by whoever runs it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol


class Reporter(Protocol):
    """What a fit tells: sentences, and steps of known length."""

    def say(self, text: str) -> None:
        """Tell a sentence."""

    def start(self, name: str, total: int) -> None:
        """Begin a step of `total` parts."""

    def reach(self, done: int) -> None:
        """Tell that `done` parts of the step are done."""


class Silent:
    """Says nothing."""

    def say(self, text: str) -> None:
        """Drop the sentence."""

    def start(self, name: str, total: int) -> None:
        """Do nothing."""

    def reach(self, done: int) -> None:
        """Do nothing."""


class Printing(Silent):
    """Prints the sentences."""

    def say(self, text: str) -> None:
        """Print the sentence."""
        print(text, flush=True)


_current: ContextVar[Reporter | None] = ContextVar("linmlp_reporter", default=None)


@contextmanager
def reporting_to(reporter: Reporter) -> Iterator[None]:
    """Send what fits say inside the block to `reporter`."""
    token = _current.set(reporter)
    try:
        yield
    finally:
        _current.reset(token)


def reporter(verbose: int = 0) -> Reporter:
    """Return the reporter of the surrounding `reporting_to`, else one that prints if `verbose`, else a silent one."""
    return _current.get() or (Printing() if verbose else Silent())
