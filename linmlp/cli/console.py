"""What a fit says, on a terminal: sentences and a progress bar."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


class ConsoleReporter:
    """Prints sentences above a progress bar; without a terminal, the sentences alone."""

    def __init__(self, console: Console) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        self._progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._console = console
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        """Show the bar."""
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Take the bar away."""
        self._progress.stop()

    def say(self, text: str) -> None:
        """Print a sentence."""
        self._console.print(text)

    def start(self, name: str, total: int) -> None:
        """Begin a step."""
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._task = self._progress.add_task(name, total=total)

    def reach(self, done: float) -> None:
        """Move the bar."""
        if self._task is not None:
            self._progress.update(self._task, completed=done)
