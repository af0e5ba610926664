"""Diffusion and ionic conductivity by MD."""

from __future__ import annotations

from dataclasses import replace

from linmlp.evaluation.report.contract import (
    Advance,
    Block,
    Content,
    Figure,
    Gallery,
    Paragraph,
    Preformatted,
    Section,
    Verdict,
)
from linmlp.evaluation.report.figures import SIZE, embed, new_axes, plain_ticks, style
from linmlp.evaluation.report.inputs import Inputs
from linmlp.evaluation.report.runs import count_runs
from linmlp.evaluation.report.words import number
from linmlp.evaluation.transport import Conductivity, Transport, plot_arrhenius, plot_msd, run_transport

EQUILIBRATION = 10.0
"""ps with a thermostat before each run, but not longer than the run."""


class TransportSection(Section):
    """Diffusion coefficients, conductivity, Arrhenius plots."""

    key = "transport"
    title = "Transport"

    def missing(self, inputs: Inputs) -> str:
        """Return that a structure and charges are needed."""
        wanted = [] if inputs.md is not None else ["--md STRUCTURE"]
        wanted += [] if inputs.charges is not None else ["--charges, such as Li=1,Cl=-1"]
        return f"give {' and '.join(wanted)}" if wanted else ""

    def make(self, inputs: Inputs, advance: Advance) -> Content:
        """Return displacements at every temperature and what follows from them."""
        assert inputs.md is not None
        series = run_transport(
            inputs.model,
            inputs.md,
            inputs.temperatures,
            inputs.charges,
            time=inputs.transport_time,
            equilibration=min(EQUILIBRATION, inputs.transport_time),
            timestep=inputs.timestep,
            structures=inputs.train,
            folder=None if inputs.md_folder is None else inputs.md_folder / "transport",
            random_state=inputs.random_state,
            progress=count_runs(inputs.temperatures, advance),
        )
        figures: list[Figure] = []
        with style():
            for result in series.results:
                figures += _displacements(result)
            for name, fit in series.arrhenius().items():
                key = "".join(c if c.isalnum() else "-" for c in name).strip("-")
                ax = plot_arrhenius(fit, new_axes())
                figures.append(embed(f"arrhenius-{key}", ax, str(fit), f"{name} over the inverse temperature."))
        told = f"Runs of {inputs.transport_time:g} ps at constant volume, by stochastic velocity rescaling."
        blocks: list[Block] = [Paragraph(told), Preformatted(str(series), wraps=True)]
        if figures:
            blocks.append(Gallery(tuple(figures)))
        return Content(tuple(v for result in series.results for v in _verdicts(result)), tuple(blocks))


def _verdicts(result: Transport) -> list[Verdict]:
    """Return what moves, the conductivity, and what has to be kept in mind."""
    kelvin = f"{result.temperature.value:.0f} K"
    moves = [e for e, found in result.diffusion.items() if found.is_resolved]
    told = f"At {kelvin} diffusion is seen of {' and '.join(moves) if moves else 'nothing'}"
    sigma = result.conductivity
    if sigma is not None and sigma.is_resolved:
        value, error = (number(x) for x in sigma.collective)
        told += f"; the conductivity is {value} ± {error} S/cm"
    elif sigma is not None:
        told += f"; the conductivity is below {number(sigma.upper, 2)} S/cm (95 %)"
    notes = [Verdict("warning", f"At {kelvin}: {note}.") for note in result.notes]
    return [Verdict("plain", f"{told}."), *notes]


def _displacements(result: Transport) -> list[Figure]:
    """Draw mean-square displacements at one temperature; nothing where no atom moves at all."""
    if not all(found.displacements.max() > 0.0 for found in result.diffusion.values()):
        return []
    kelvin = f"{result.temperature.value:.0f}"
    (ax,) = plot_msd(replace(result, conductivity=None))
    ax.figure.set_size_inches(*SIZE)
    ax.set_title("")
    plain_ticks(ax.xaxis, ax.yaxis)
    alt = "; ".join(str(found) for found in result.diffusion.values())
    figures = [embed(f"msd-{kelvin}", ax, alt, f"Mean-square displacements of atoms at {kelvin} K.")]
    if result.conductivity is not None:
        figures.append(_charges(result.conductivity, kelvin))
    return figures


def _charges(sigma: Conductivity, kelvin: str) -> Figure:
    """Draw the mean-square displacement of all charges together."""
    ax = new_axes()
    ax.errorbar(sigma.windows, sigma.displacements, sigma.errors, fmt="o", markersize=3, capsize=2)
    ax.plot(sigma.windows, sigma.line[0] * sigma.windows + sigma.line[1])
    ax.set(xlabel="time (ps)", ylabel="of all charges together (e² Å²)", ylim=(0.0, None))
    return embed(f"charges-{kelvin}", ax, str(sigma), f"Mean-square displacement of all charges at {kelvin} K.")
