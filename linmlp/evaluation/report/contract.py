"""What a section of the report takes and gives: inputs in; verdicts, paragraphs, tables and figures out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

if TYPE_CHECKING:
    from linmlp.evaluation.report.inputs import Inputs

Level = Literal["good", "warning", "bad", "plain"]

Advance = Callable[[float], None]
"""Is told the part of a section that is done, 0 to 1."""


@dataclass(frozen=True)
class Verdict:
    """A sentence that goes into the summary, too.

    Parameters
    ----------
    level : {"good", "warning", "bad", "plain"}
        How it is marked; "plain" is a figure without a judgement.
    text : str
        One sentence.
    headline : bool, default=False
        Whether it is one of the few that open the page.
    """

    level: Level
    text: str
    headline: bool = False


@dataclass(frozen=True)
class Paragraph:
    """Prose."""

    kind: ClassVar[str] = "paragraph"
    text: str


@dataclass(frozen=True)
class Heading:
    """Title of a part of a section."""

    kind: ClassVar[str] = "heading"
    text: str


@dataclass(frozen=True)
class Preformatted:
    """Text whose lines stay as they are.

    Parameters
    ----------
    text : str
        Lines.
    wraps : bool, default=False
        Whether long lines go on below, as sentences may; columns must not.
    """

    kind: ClassVar[str] = "preformatted"
    text: str
    wraps: bool = False


@dataclass(frozen=True)
class Table:
    """A table of text.

    Parameters
    ----------
    caption : str
        What it shows.
    columns : tuple of str
        Names with units.
    rows : tuple of tuple of str
        Cells; the first of each names the row.
    total : bool, default=False
        Whether the last row sums up the others.
    is_text : bool, default=False
        Whether cells are words, not numbers.
    """

    kind: ClassVar[str] = "table"
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    total: bool = False
    is_text: bool = False


@dataclass(frozen=True)
class Figure:
    """A picture that is part of the page.

    Parameters
    ----------
    key : str
        Name, unique on the page.
    source : str
        Data URI.
    width, height : int
        CSS pixels.
    alt : str
        What is to be seen, for those who cannot see it.
    caption : str
        What it shows.
    """

    key: str
    source: str
    width: int
    height: int
    alt: str
    caption: str


@dataclass(frozen=True)
class Gallery:
    """Figures side by side as far as the page is wide."""

    kind: ClassVar[str] = "gallery"
    figures: tuple[Figure, ...]


Block = Paragraph | Heading | Preformatted | Table | Gallery


@dataclass(frozen=True)
class Content:
    """What a section says.

    Parameters
    ----------
    verdicts : tuple of Verdict
        Sentences for the summary.
    blocks : tuple of Block
        The rest, in the order of the page.
    """

    verdicts: tuple[Verdict, ...]
    blocks: tuple[Block, ...]


class Section(ABC):
    """One section of the report."""

    key: ClassVar[str]
    """Name in ids and options."""

    title: ClassVar[str]
    """Heading."""

    def missing(self, inputs: Inputs) -> str:
        """Return what has to be given for this section.

        Parameters
        ----------
        inputs : Inputs
            What was given.

        Returns
        -------
        str
            Such as "give --md STRUCTURE"; empty if nothing is missing.
        """
        return ""

    @abstractmethod
    def make(self, inputs: Inputs, advance: Advance) -> Content:
        """Return what the section says.

        Parameters
        ----------
        inputs : Inputs
            What was given.
        advance : callable
            Is told the part that is done.

        Returns
        -------
        Content
            Verdicts and blocks.

        Raises
        ------
        InputError
            If something given cannot be used.
        """
