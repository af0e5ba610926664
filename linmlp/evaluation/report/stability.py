"""Whether MD with the potential runs: temperatures, energies, distances, grades along the way."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.io import Trajectory

from linmlp.evaluation.md import Run, check_stability
from linmlp.evaluation.mechanics import radial_distribution
from linmlp.evaluation.report.contract import (
    Advance,
    Block,
    Content,
    Figure,
    Gallery,
    Level,
    Paragraph,
    Preformatted,
    Section,
    Verdict,
)
from linmlp.evaluation.report.figures import COLORS, embed, legend_above, new_axes, style
from linmlp.evaluation.report.inputs import Inputs
from linmlp.evaluation.report.runs import count_runs
from linmlp.evaluation.report.words import count, number
from linmlp.potentials import LinearPotential
from linmlp.units import FloatArray

MOST_FRAMES = 200
"""Frames whose grades are computed."""

EQUILIBRATION = 1.0
"""ps with a thermostat before each run, but not longer than the run."""

FEW_ATOMS = 32
"""Runs of fewer atoms say little."""


class StabilitySection(Section):
    """MD runs with their verdicts."""

    key = "md"
    title = "Molecular dynamics"

    def missing(self, inputs: Inputs) -> str:
        """Return that a structure is needed."""
        return "" if inputs.md is not None else "give --md STRUCTURE"

    def make(self, inputs: Inputs, advance: Advance) -> Content:
        """Return traces, distances and verdicts of a run at every temperature."""
        assert inputs.md is not None
        with tempfile.TemporaryDirectory() as temporary:
            folder = inputs.md_folder or Path(temporary)
            stability = check_stability(
                inputs.model,
                inputs.md,
                inputs.temperatures,
                inputs.ensemble,
                time=inputs.time,
                timestep=inputs.timestep,
                structures=inputs.train,
                equilibration=min(EQUILIBRATION, inputs.time),
                folder=folder,
                random_state=inputs.random_state,
                progress=count_runs(inputs.temperatures, advance),
            )
            frames = [read_frames(folder, run) for run in stability.runs]
        verdicts = [_overall(stability.runs), *(_verdict(run) for run in stability.runs)]
        if inputs.md.pbc.any() and len(inputs.md) < FEW_ATOMS:
            told = f"MD of {count(len(inputs.md), 'atom')} says little; give a supercell of {FEW_ATOMS} atoms or more."
            verdicts.append(Verdict("warning", told))
        with style():
            figures = [
                _traces(stability.runs, "temperature", "temperature (K)"),
                _traces(stability.runs, "potential_energy", "potential energy (meV/atom)"),
            ]
            if inputs.md.pbc.all():
                figures += _distributions(stability.runs, frames)
            if inputs.has_uncertainty:
                grades = [_grades(inputs.model, chosen) for chosen in frames]
                figures.append(_grade_figure(stability.runs, grades, 2, "the worst atom"))
                figures.append(_grade_figure(stability.runs, grades, 1, "the structure"))
                verdicts += [_grade_verdict(run, values) for run, values in zip(stability.runs, grades, strict=True)]
        prose = (
            f"{inputs.ensemble.upper()} runs of {inputs.time:g} ps in steps of {inputs.timestep:g} fs, "
            f"{count(len(inputs.md), 'atom')} ({inputs.md.get_chemical_formula()})."
        )
        blocks: tuple[Block, ...] = (
            Paragraph(prose),
            Preformatted(str(stability), wraps=True),
            Gallery(tuple(figures)),
        )
        return Content(tuple(verdicts), blocks)


def read_frames(folder: Path, run: Run) -> list[Atoms]:
    """Return the recorded frames of a run.

    Parameters
    ----------
    folder : Path
        Where `check_stability` wrote its trajectory.
    run : Run
        The run.

    Returns
    -------
    list of ase.Atoms
        With positions and cells.
    """
    with Trajectory(folder / f"{run.ensemble}_{run.temperature:g}K.traj") as trajectory:
        return list(trajectory)


def _overall(runs: Sequence[Run]) -> Verdict:
    """Return how many runs passed."""
    passed = sum(run.passed for run in runs)
    failed = any(run.failure is not None for run in runs)
    level: Level = "good" if passed == len(runs) else "bad" if failed else "warning"
    return Verdict(level, f"{passed} of {count(len(runs), 'MD run')} passed.", headline=True)


def _verdict(run: Run) -> Verdict:
    """Return whether a run passed."""
    time = float(run.trace["time"][-1])
    name = f"{run.ensemble.upper()} at {run.temperature:g} K"
    if run.passed:
        return Verdict("good", f"{name} ran for {number(time)} ps and passed.")
    if run.failure is None:
        return Verdict("warning", f"{name} ran for {number(time)} ps, but did not pass: {'; '.join(run.reasons)}.")
    return Verdict("bad", f"{name} FAILED after {number(time)} ps, {'; '.join(run.reasons)}.")


def _traces(runs: Sequence[Run], column: str, label: str) -> Figure:
    """Draw a time series of all runs."""
    ax, told = new_axes(), []
    for run, color in zip(runs, COLORS * len(runs), strict=False):
        values = run.trace[column]
        if column == "potential_energy":
            values = 1e3 * (values - values.mean())
        ax.plot(run.trace["time"], values, color=color, linewidth=1.0, label=f"{run.temperature:g} K")
        if column == "temperature":
            ax.axhline(run.temperature, color=color, linewidth=0.8, linestyle="--")
        told.append(f"{run.temperature:g} K from {number(float(values.min()))} to {number(float(values.max()))}")
    ax.set(xlabel="time (ps)", ylabel=label)
    legend_above(ax)
    name = column.replace("_", " ")
    alt = f"{label} over time of runs at {'; '.join(told)}."
    extra = "; dashed: the target" if column == "temperature" else ", less its mean"
    return embed(f"md-{column.replace('_', '-')}", ax, alt, f"{name.capitalize()} along the runs{extra}.")


def _distributions(runs: Sequence[Run], frames: Sequence[Sequence[Atoms]]) -> list[Figure]:
    """Draw the radial distribution of every pair of elements, a line for each run."""
    found = [radial_distribution(chosen) for chosen in frames]
    figures = []
    for k, pair in enumerate(found[0].pairs):
        ax, told = new_axes(), []
        for run, result, color in zip(runs, found, COLORS * len(runs), strict=False):
            g, errors = result.pairs[k].g, np.nan_to_num(result.pairs[k].errors)
            ax.plot(result.centers, g, color=color, linewidth=1.2, label=f"{run.temperature:g} K")
            ax.fill_between(result.centers, g - errors, g + errors, color=color, alpha=0.3, linewidth=0.0)
            at = result.centers[int(np.argmax(g))]
            told.append(f"at {run.temperature:g} K highest, {number(float(g.max()))}, at {number(float(at))} Å")
        ax.axhline(1.0, color="0.7", linewidth=0.8, zorder=0)
        ax.set(xlabel=f"distance {pair.name} (Å)", ylabel="radial distribution g")
        legend_above(ax)
        alt = f"Radial distribution of {pair.name}: {'; '.join(told)}."
        figures.append(
            embed(f"md-distribution-{pair.name}", ax, alt, f"Radial distribution of {pair.name} in the runs.")
        )
    return figures


def _grades(model: LinearPotential, frames: Sequence[Atoms]) -> FloatArray:
    """Return index, grade of the structure and largest grade of an atom of some frames, (n_frames, 3)."""
    chosen = np.unique(np.linspace(0, len(frames) - 1, MOST_FRAMES).astype(int))
    results = model.predict_uncertainty([frames[i] for i in chosen])
    return np.array([(i, r.grade, r.atom_grades.max()) for i, r in zip(chosen, results, strict=True)], dtype=float)


def _grade_figure(runs: Sequence[Run], grades: Sequence[FloatArray], column: int, what: str) -> Figure:
    """Draw grades along the runs."""
    ax, told = new_axes(), []
    for run, values, color in zip(runs, grades, COLORS * len(runs), strict=False):
        times = run.trace["time"][values[:, 0].astype(int)]
        ax.plot(times, values[:, column], color=color, linewidth=1.0, label=f"{run.temperature:g} K")
        told.append(f"{run.temperature:g} K up to {number(float(values[:, column].max()))}")
    ax.axhline(1.0, color="0.35", linewidth=0.8, linestyle="--")
    ax.set(xlabel="time (ps)", ylabel=f"grade of {what}", ylim=(0.0, max(1.1, ax.get_ylim()[1])))
    legend_above(ax)
    alt = f"Extrapolation grade of {what} over time of runs at {'; '.join(told)}."
    caption = f"Extrapolation grade of {what} along the runs; above the dashed line it extrapolates."
    return embed(f"md-grade-{column}", ax, alt, caption)


def _grade_verdict(run: Run, grades: FloatArray) -> Verdict:
    """Return whether a run left what the training set covers."""
    name = f"{run.ensemble.upper()} at {run.temperature:g} K"
    part, largest = float(np.mean(grades[:, 2] > 1.0)), number(float(grades[:, 2].max()))
    whole = number(float(grades[:, 1].max()))
    if part > 0.0:
        told = f"{name}: in {100 * part:.1f} % of the frames an atom is beyond training (largest grade {largest})."
        return Verdict("warning", told)
    told = f"{name}: every atom stays within training (largest grade {largest})"
    if (grades[:, 1] > 1.0).any():
        told += f", but not the structure as a whole, that is its volume or mean surroundings (up to {whole})"
        return Verdict("warning", f"{told}.")
    return Verdict("good", f"{told}.")
