"""Where the potential may be trusted beyond training: groups left out, errors by grade, by volume and temperature."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from linmlp.evaluation.report.beyond_tables import condition_table, grade_table, left_out_table
from linmlp.evaluation.report.contract import (
    Advance,
    Block,
    Content,
    Figure,
    Gallery,
    Heading,
    Level,
    Paragraph,
    Preformatted,
    Section,
    Verdict,
)
from linmlp.evaluation.report.figures import embed, new_axes, style
from linmlp.evaluation.report.inputs import Inputs
from linmlp.evaluation.transferability import (
    ConditionErrors,
    GradeErrors,
    LeaveOut,
    Transferability,
    assess_transferability,
    plot_conditions,
    plot_grades,
    plot_left_out,
    plot_volumes,
)
from linmlp.evaluation.transferability.assessment import TITLES

DRAWN = ("force_rmse", "energy_mae")


class TransferabilitySection(Section):
    """What leaving out groups and the distance from training say."""

    key = "transferability"
    title = "Beyond training"

    def missing(self, inputs: Inputs) -> str:
        """Return that training structures are needed."""
        return "" if inputs.train is not None else "give --train DATA"

    def make(self, inputs: Inputs, advance: Advance) -> Content:
        """Return tables, statements and plots of all that model and data allow."""
        assert inputs.train is not None
        crystals = None if inputs.crystal_given is None else {"the crystal given": inputs.crystal_given}
        result = assess_transferability(inputs.model, inputs.train, inputs.test, crystals=crystals)
        advance(0.8)
        blocks: list[Block] = [Paragraph(f"Note: {note}.") for note in result.notes]
        verdicts = _verdicts(result)
        for name, title in TITLES.items():
            blocks += _part(result, name, title, {verdict.text for verdict in verdicts})
        missing = [f"{TITLES[name].lower()}: {why}" for name, why in result.missing.items() if name != "test"]
        if missing:
            blocks += [Heading("Not assessed"), *(Paragraph(f"{told}.") for told in missing)]
        return Content(tuple(verdicts), tuple(blocks))


def _verdicts(result: Transferability) -> list[Verdict]:
    """Return a sentence for every part."""
    found = []
    for part in (result.groups, result.chemical_systems, result.elements):
        if part is not None:
            bad = any(row.verdict == "fails" for row in part.rows)
            found.append(_sentence("warning" if bad else "plain", part.summary()))
    grades = result.grades
    if grades is not None:
        tells = all(grades.trusted_grade(metric) != 0.0 for metric in DRAWN)
        found += [_sentence("plain" if tells else "warning", line) for line in grades.statement().splitlines()[:2]]
    for condition in (result.volume, result.temperature):
        if condition is not None:
            level: Level = "warning" if condition.n_outside else "good"
            found.append(_sentence(level, condition.statement().splitlines()[0]))
    found += [_sentence("plain", scan.statement()) for scan in result.crystals]
    return found


def _sentence(level: Level, text: str) -> Verdict:
    return Verdict(level, f"{text[0].upper()}{text[1:]}.")


def _part(result: Transferability, name: str, title: str, said: set[str]) -> list[Block]:
    """Return heading, table, plots and what was not said of a part; errors on test structures stand elsewhere."""
    part = getattr(result, name)
    if name == "test" or not part:
        return []
    blocks: list[Block] = [Heading(title)]
    for one in part if name == "crystals" else [part]:
        blocks.append(_table(one))
        sentences = [_sentence("plain", line).text for line in one.statement().splitlines()]
        blocks += [Paragraph(text) for text in sentences if text not in said]
    with style():
        figures = _figures(name, part)
    return [*blocks, *([Gallery(figures)] if figures else [])]


def _table(part: Any) -> Block:
    """Return the table of a part."""
    if isinstance(part, LeaveOut):
        return left_out_table(part)
    if isinstance(part, GradeErrors):
        return grade_table(part)
    if isinstance(part, ConditionErrors):
        return condition_table(part)
    return Preformatted(str(part).removesuffix(part.statement()).rstrip())


def _figures(name: str, part: Any) -> tuple[Figure, ...]:
    """Return the plots of a part."""
    if name == "crystals":
        return tuple(
            _draw(f"volumes-{k}", partial(plot_volumes, scan), scan.statement(), f"{scan.name} over its volume.")
            for k, scan in enumerate(part)
        )
    plots: dict[type, Callable[..., Any]] = {
        LeaveOut: plot_left_out,
        GradeErrors: plot_grades,
        ConditionErrors: plot_conditions,
    }
    metrics = [m for m in DRAWN if _is_measured(part, m)]
    return tuple(
        _draw(
            f"{name.replace('_', '-')}-{metric.replace('_', '-')}",
            partial(plots[type(part)], part, metric),
            TITLES[name],
        )
        for metric in metrics
    )


def _is_measured(part: Any, metric: str) -> bool:
    if isinstance(part, LeaveOut):
        return any(row.without is not None and getattr(row.without, metric) is not None for row in part.rows)
    return any(getattr(b, metric, None) is not None for b in part.bins)


def _draw(key: str, plot: Callable[..., Any], told: str, caption: str = "") -> Figure:
    """Draw into new axes."""
    ax = plot(ax=new_axes())
    labels = f"{ax.get_ylabel()} over {ax.get_xlabel()}" if ax.get_ylabel() else f"{ax.get_xlabel()} of each"
    return embed(f"transferability-{key}", ax, f"{told}: {labels}.", caption or f"{told}: {labels}.")
