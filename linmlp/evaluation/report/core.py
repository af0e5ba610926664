"""What happens where atoms come close: dimers, and a crystal under compression."""

from __future__ import annotations

import numpy as np

from linmlp.evaluation.core import CoreScan, scan_compression, scan_dimers
from linmlp.evaluation.plots import plot_compression, plot_dimers
from linmlp.evaluation.report.contract import (
    Advance,
    Block,
    Content,
    Figure,
    Gallery,
    Paragraph,
    Section,
    Table,
    Verdict,
)
from linmlp.evaluation.report.figures import SIZE, embed, style
from linmlp.evaluation.report.inputs import Inputs
from linmlp.evaluation.report.words import number


class CoreSection(Section):
    """Dimer curves of all pairs of elements, compression scan."""

    key = "core"
    title = "Where atoms come close"

    def make(self, inputs: Inputs, advance: Advance) -> Content:
        """Return scans with what they mean."""
        scan = scan_dimers(inputs.model, inputs.train)
        with style():
            figures = [_dimer_figure(CoreScan((dimer,))) for dimer in scan.dimers]
        verdicts = [
            Verdict("good" if CoreScan((dimer,)).is_safe else "warning", f"{dimer.statement()}.")
            for dimer in scan.dimers
        ]
        advance(0.6)
        crystal = inputs.crystal
        last: Block = Paragraph("Compression scan not made: give --crystal STRUCTURE.")
        if crystal is not None:
            atoms, which = crystal
            compression = scan_compression(inputs.model, atoms)
            told = f"{which[0].upper()}{which[1:]} ({atoms.get_chemical_formula()}) {compression.statement()}."
            verdicts.append(Verdict("good" if np.isnan(compression.collapse) else "warning", told))
            known = [dimer.closest for dimer in scan.dimers if np.isfinite(dimer.closest)]
            with style():
                axes = plot_compression(compression, min(known, default=None))
                caption = f"Energy and pressure of {which} over its volume."
                figures.append(embed("compression", axes[0], told, caption))
            last = _compression_table(inputs, compression.equilibrium, float(atoms.get_volume() / len(atoms)))
        return Content(tuple(verdicts), (Gallery(tuple(figures)), last))


def _dimer_figure(scan: CoreScan) -> Figure:
    """Draw the dimer of one pair."""
    (dimer,) = scan.dimers
    (ax,) = plot_dimers(scan)
    ax.figure.set_size_inches(*SIZE)
    ax.set_title("")
    caption = f"Energy of two atoms, {dimer.name}, over their distance; linear up to 1 eV, logarithmic beyond."
    return embed(f"dimer-{dimer.name}", ax, dimer.statement(), caption)


def _compression_table(inputs: Inputs, equilibrium: float, given: float) -> Table:
    """Return the volumes of the compressed crystal."""
    rows = (("as given", number(given, 4)), ("at the minimum of the energy", number(equilibrium, 4)))
    return Table("Volume of the compressed crystal.", ("state", "volume (Å³/atom)"), rows)
