"""Figures of matplotlib in, pictures that are part of the page out; one style for all."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from linmlp.evaluation.report.contract import Figure

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
"""Colours that colour-blind people can tell apart (M. Okabe and K. Ito, https://jfly.uni-koeln.de/color/)."""

SIZE = (3.9, 3.1)
"""Inches; at 96 pixels to the inch, one stands beside another on a desktop and alone on a phone, at its own size."""

DENSITY = "cividis"
"""Colour map for densities; its lightness grows steadily, and it looks the same to colour-blind people."""

TICKS = ((20.0, (1.0, 2.0, 5.0)), (3.0, (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)))
"""Ticks, in powers of ten, of logarithmic axes that span more than a factor; others have evenly spaced ones."""

PIXELS_PER_INCH = 96
RASTER_DPI = 2 * PIXELS_PER_INCH

STYLE: dict[Any, Any] = {
    "figure.figsize": SIZE,
    "figure.constrained_layout.use": True,
    "font.size": 10,
    "axes.labelsize": 10,
    "axes.titlesize": 10,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.fontsize": 8.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "0.92",
    "axes.axisbelow": True,
    "lines.linewidth": 1.6,
    "lines.markersize": 4.5,
    "legend.frameon": True,
    "legend.framealpha": 0.85,
    "legend.edgecolor": "none",
    "svg.fonttype": "path",  # letters as shapes: no font is needed, and they look the same everywhere
    "svg.hashsalt": "linmlp",
}


@contextmanager
def style() -> Iterator[None]:
    """Draw in the style of the report inside the block; nothing is shown on a screen."""
    import matplotlib as mpl
    import matplotlib.pyplot as plt
    from cycler import cycler

    with mpl.rc_context({**STYLE, "axes.prop_cycle": cycler(color=COLORS)}), plt.ioff():
        yield


def new_axes(width: float = SIZE[0], height: float = SIZE[1]) -> Any:
    """Return the Axes of a new figure.

    Parameters
    ----------
    width, height : float
        Inches.

    Returns
    -------
    matplotlib Axes
        Alone in its figure.
    """
    from matplotlib.figure import Figure as Canvas

    return Canvas(figsize=(width, height), layout="constrained").subplots()


def legend_above(ax: Any) -> None:
    """Put the legend above the axes, where it covers nothing.

    Parameters
    ----------
    ax : matplotlib Axes
        With labelled lines.
    """
    ax.legend(
        loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=4, columnspacing=1.2, handlelength=1.4, borderaxespad=0.2
    )


def plain_ticks(*axes: Any) -> None:
    """Label logarithmic axes that span little with plain numbers.

    Parameters
    ----------
    *axes : matplotlib Axis
        Such as ``ax.xaxis``.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    for axis in axes:
        low, high = axis.get_view_interval()
        subs = next((parts for span, parts in TICKS if high > span * low), None)
        axis.set_major_locator(MaxNLocator(5) if subs is None else LogLocator(subs=subs))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(NullFormatter())


def embed(key: str, axes: Any, alt: str, caption: str, raster: bool = False) -> Figure:
    """Return a drawing as part of the page.

    Parameters
    ----------
    key : str
        Name, unique on the page.
    axes : matplotlib Axes
        Any of the drawing.
    alt : str
        What is to be seen.
    caption : str
        What it shows.
    raster : bool, default=False
        Whether to store pixels (PNG) instead of shapes (SVG): for very many points.

    Returns
    -------
    Figure
        The drawing itself is closed.
    """
    import matplotlib.pyplot as plt

    drawing, stream = axes.figure, io.BytesIO()
    if raster:
        drawing.savefig(stream, format="png", dpi=RASTER_DPI, metadata={"Software": None})
    else:
        drawing.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    width, height = (round(PIXELS_PER_INCH * inches) for inches in drawing.get_size_inches())
    plt.close(drawing)
    kind = "image/png" if raster else "image/svg+xml"
    source = f"data:{kind};base64,{base64.b64encode(stream.getvalue()).decode('ascii')}"
    return Figure(key, source, width, height, alt, caption)
