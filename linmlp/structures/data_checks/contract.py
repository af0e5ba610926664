"""What every check of a data set takes in and gives out."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ase import Atoms

from linmlp.structures.label_set import Labels, LabelSet

SEVERITIES = ("error", "warning", "info")
"""From what must be mended before a fit, over what should be looked at, to what is good to know."""


@dataclass(frozen=True)
class Finding:
    """One thing a check has to say.

    Parameters
    ----------
    severity : {"error", "warning", "info"}
        How bad it is.
    check : str
        Name of the check.
    structures : tuple of int
        Structures concerned: places in the training set, then those of the test set counted on.
    groups : tuple of str
        Their groups, sorted.
    seen : str
        What was measured.
    wanted : str
        What it should be.
    advice : str
        What to do.
    """

    severity: str
    check: str
    structures: tuple[int, ...]
    groups: tuple[str, ...]
    seen: str
    wanted: str
    advice: str

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, as JSON takes them.

        Returns
        -------
        dict
            Tuples as lists.
        """
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}


@dataclass(frozen=True)
class DataSet:
    """Training structures, then test structures, with their labels.

    Parameters
    ----------
    structures : sequence of ase.Atoms
        All structures.
    labels : LabelSet
        Their labels.
    n_train : int
        How many of them are training structures.
    """

    structures: Sequence[Atoms]
    labels: LabelSet
    n_train: int

    def name(self, index: int) -> str:
        """Return how messages name a structure: its place in its own part."""
        if index < self.n_train:
            return f"structure {index}"
        return f"test structure {index - self.n_train}"

    def members(self, names: Callable[[Labels], Any]) -> dict[Any, list[int]]:
        """Return the indices of the structures by what a function of their labels gives."""
        found: dict[Any, list[int]] = {}
        for index, labels in enumerate(self.labels):
            found.setdefault(names(labels), []).append(index)
        return found

    def finding(
        self, severity: str, check: str, structures: Sequence[int], seen: str, wanted: str, advice: str
    ) -> Finding:
        """Return a finding about some structures, with their groups."""
        groups = tuple(sorted({self.labels[index].config_type for index in structures}))
        return Finding(severity, check, tuple(int(i) for i in structures), groups, seen, wanted, advice)


Check = Callable[[DataSet], list[Finding]]
