"""Predictions against labels, and the distributions of the errors."""

from __future__ import annotations

import numpy as np

from linmlp.evaluation.report.contract import Advance, Block, Content, Figure, Gallery, Heading, Section
from linmlp.evaluation.report.figures import COLORS, DENSITY, embed, new_axes, style
from linmlp.evaluation.report.inputs import Inputs
from linmlp.evaluation.report.points import Points, collect_points, color_groups, force_vectors
from linmlp.evaluation.report.words import NAMES, count, number
from linmlp.potentials.errors import UNITS
from linmlp.units import FloatArray

MANY = 1000
"""More points than this are drawn as a density, in pixels; fewer as points."""

QUANTILES = (0.5, 0.9, 0.99)
"""Parts of the errors that are marked."""

BINS = 10
"""Bins of equal width up to the size of force that nine of ten atoms stay below; the largest forces share one more."""

LEAST_ATOMS = 5
"""Bins of fewer atoms are not drawn."""

ROUND_OFF = 1e-6
"""A mean error below this part of the spread is none: forces of a structure sum to zero."""

AXES = {"energy": "energy above reference (eV/atom)", "force": "force component (eV/Å)", "stress": "stress (GPa)"}


class ParitySection(Section):
    """Parity plots with density, histograms and quantiles of the errors, errors by size of force."""

    key = "parity"
    title = "Predictions against labels"

    def make(self, inputs: Inputs, advance: Advance) -> Content:
        """Return plots for energies, forces and stresses, of those that the test structures have."""
        blocks: list[Block] = []
        for done, kind in enumerate(AXES, 1):
            points = collect_points(inputs.tested, kind, inputs.model.e0_)
            if not len(points.error):
                continue
            with style():
                figures = [_parity(points), _histogram(points), _quantiles(points)]
                if kind == "force":
                    figures += _by_magnitude(*force_vectors(inputs.tested))
            blocks += [Heading(NAMES[kind].capitalize()), Gallery(tuple(figures))]
            advance(done / len(AXES))
        return Content((), tuple(blocks))


def _parity(points: Points) -> Figure:
    """Draw predictions over labels: a density where they are many, else points by group."""
    ax = new_axes()
    both = np.concatenate([points.reference, points.predicted])
    margin = 0.04 * (np.ptp(both) or 1.0)
    limits = (both.min() - margin, both.max() + margin)
    many = len(points.error) > MANY
    if many:
        from matplotlib.colors import LogNorm

        drawn = ax.hexbin(
            points.reference, points.predicted, gridsize=55, extent=(*limits, *limits), mincnt=1, norm=LogNorm(),
            cmap=DENSITY, linewidths=0.2,
        )  # fmt: skip
        ax.figure.colorbar(drawn, ax=ax, label="number in a cell")
    else:
        for name, members, color in color_groups(points.group):
            ax.plot(points.reference[members], points.predicted[members], "o", color=color, alpha=0.7, label=name)
        if len(set(points.group)) > 1:
            ax.legend()
    ax.plot(limits, limits, color="0.35", linewidth=0.8, zorder=0 if many else 3)
    ax.locator_params(nbins=5)
    ax.set(
        xlim=limits,
        ylim=limits,
        aspect="equal",
        xlabel=f"label: {AXES[points.kind]}",
        ylabel=f"prediction ({AXES[points.kind].split(' (')[1]}",
    )
    rmse = float(np.sqrt(np.mean(points.error**2)))
    told = f"{count(len(points.error), 'value')}, RMSE {number(rmse)} {UNITS[points.kind]}"
    correlation = np.corrcoef(points.reference, points.predicted)[0, 1] if np.ptp(points.reference) > 0 else np.nan
    alt = (
        f"Predicted over labelled {NAMES[points.kind]} from {number(limits[0])} to {number(limits[1])}, around the "
        f"diagonal (correlation {number(float(correlation), 4)}); {told}."
    )
    caption = f"{NAMES[points.kind].capitalize()}: predictions against labels ({told}); the line is equality."
    return embed(f"parity-{points.kind}", ax, alt, caption, raster=many)


def _histogram(points: Points) -> Figure:
    """Draw how often each error occurs."""
    ax, unit = new_axes(), UNITS[points.kind]
    shown = 0.995 if len(points.error) > MANY else 1.0
    edge = float(np.quantile(np.abs(points.error), shown)) or 1.0
    beyond = int(np.sum(np.abs(points.error) > edge))
    bins = np.linspace(-edge, edge, int(np.clip(np.sqrt(len(points.error)), 20, 60)) | 1)
    ax.hist(points.error, bins=bins, color=COLORS[0])
    ax.axvline(0.0, color="0.35", linewidth=0.8)
    ax.locator_params(axis="y", integer=True)
    ax.set(xlabel=f"prediction − label ({unit})", ylabel="number of values")
    spread = float(points.error.std())
    mean = float(points.error.mean()) if abs(points.error.mean()) > ROUND_OFF * spread else 0.0
    told = f"mean {number(mean)}, standard deviation {number(spread)} {unit}"
    alt = f"Histogram of the errors of {NAMES[points.kind]}: {told}."
    caption = f"Errors of {NAMES[points.kind]}: {told}"
    caption += (
        f"; {beyond} beyond ±{number(edge)} {unit} {'is' if beyond == 1 else 'are'} not shown." if beyond else "."
    )
    return embed(f"histogram-{points.kind}", ax, alt, caption)


def _quantiles(points: Points) -> Figure:
    """Draw which part of the errors is below each size."""
    ax, unit = new_axes(), UNITS[points.kind]
    size = np.sort(np.abs(points.error))
    part = np.arange(1, len(size) + 1) / len(size)
    if len(size) > MANY:  # the curve of a few hundred quantiles cannot be told from that of all
        part = np.linspace(0.002, 1.0, 500)
        size = np.quantile(size, part)
    ax.step(size, part, where="post")
    marked = np.quantile(np.abs(points.error), QUANTILES)
    for quantile, value, color in zip(QUANTILES, marked, COLORS[1:], strict=False):
        ax.plot([value], [quantile], "o", color=color, label=f"{100 * quantile:.0f} %: {number(float(value))}")
    if size[0] < size[-1]:
        ax.set_xscale("log")
        ax.set_xlim(left=max(float(size[size > 0][0]), 1e-3 * float(size[-1])))
    ax.set(xlabel=f"size of the error ({unit})", ylabel="part of the values below", ylim=(0.0, 1.04))
    ax.legend(loc="upper left")
    told = ", ".join(f"{100 * q:.0f} % below {number(float(v))}" for q, v in zip(QUANTILES, marked, strict=True))
    alt = f"Cumulative distribution of the sizes of the errors of {NAMES[points.kind]}: {told} {unit}."
    caption = f"{NAMES[points.kind].capitalize()}: part of the errors below each size; {told} {unit}."
    return embed(f"quantiles-{points.kind}", ax, alt, caption)


def _by_magnitude(size: FloatArray, error: FloatArray) -> list[Figure]:
    """Draw the error of the force on an atom over the size of that force; nothing without such atoms."""
    if not len(size):
        return []
    edges = np.linspace(0.0, float(np.quantile(size, 0.9)), BINS + 1)
    place = np.searchsorted(edges[1:], size)
    bins = [members for k in range(BINS + 1) if len(members := np.flatnonzero(place == k)) >= LEAST_ATOMS]
    if not bins:
        return []
    middle = np.array([size[members].mean() for members in bins])
    ax = new_axes()
    curves = {f"{level} % below": [np.quantile(error[m], level / 100) for m in bins] for level in (50, 90)}
    for (name, values), marker in zip(curves.items(), "os", strict=True):
        ax.plot(middle, values, f"{marker}-", label=name)
    ax.set(xlabel="size of the labelled force on an atom (eV/Å)", ylabel="size of the error (eV/Å)", ylim=(0, None))
    ax.legend()
    small, large = (number(float(curves["50 % below"][k])) for k in (0, -1))
    alt = (
        f"Error of the force on an atom over the size of the force: the median goes from {small} eV/Å at "
        f"{number(float(middle[0]))} eV/Å to {large} eV/Å at {number(float(middle[-1]))} eV/Å."
    )
    caption = f"Errors of force vectors by the size of the force, in {count(len(bins), 'bin')}: median and 90 %."
    return [embed("force-by-magnitude", ax, alt, caption)]
