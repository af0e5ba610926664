"""What the crystal of the potential is like: equation of state and elastic constants."""

from __future__ import annotations

from typing import Any

from linmlp.evaluation.mechanics import (
    ElasticConstants,
    EquationOfState,
    elastic_constants,
    equation_of_state,
    plot_elastic,
    plot_equation_of_state,
)
from linmlp.evaluation.mechanics.symmetry import conventional_cell
from linmlp.evaluation.report.contract import (
    Advance,
    Block,
    Content,
    Gallery,
    Paragraph,
    Preformatted,
    Section,
    Verdict,
)
from linmlp.evaluation.report.figures import SIZE, embed, new_axes, style
from linmlp.evaluation.report.inputs import Inputs
from linmlp.evaluation.report.words import number
from linmlp.exceptions import InputError


class MechanicsSection(Section):
    """Properties of one crystal."""

    key = "mechanics"
    title = "Crystal"

    def missing(self, inputs: Inputs) -> str:
        """Return that a crystal is needed."""
        return "" if inputs.crystal is not None else "give --crystal STRUCTURE"

    def make(self, inputs: Inputs, advance: Advance) -> Content:
        """Return equation of state and elastic constants; one that cannot be computed is said."""
        assert inputs.crystal is not None
        given, which = inputs.crystal
        atoms = conventional_cell(given)
        told = f"{which[0].upper()}{which[1:]}, as a cell of {atoms.get_chemical_formula()}; relaxed by the potential."
        verdicts, blocks, figures = [], [], []
        try:
            curve = equation_of_state(inputs.model, atoms)
            verdicts.append(_volume_verdict(curve))
            blocks.append(Preformatted(str(curve), wraps=True))
            with style():
                ax = plot_equation_of_state(curve, new_axes())
                ax.set_ylabel("energy − minimum (meV/atom)")
                caption = "Energies over volumes (points) and the equation of state (line)."
                figures.append(embed("equation-of-state", ax, verdicts[-1].text, caption))
        except InputError as error:
            verdicts.append(Verdict("warning", f"The equation of state could not be computed: {error}."))
        advance(0.4)
        try:
            constants = elastic_constants(inputs.model, atoms)
            verdicts.append(_elastic_verdict(constants))
            blocks.append(Preformatted(str(constants)))
            if constants.tensor.is_stable:
                with style():
                    ax = plot_elastic(constants.tensor)
                    ax.figure.set_size_inches(*SIZE)
                    _tidy(ax)
                    caption = "Young's modulus (GPa) by direction, in two planes."
                    figures.append(embed("elastic", ax, verdicts[-1].text, caption))
        except InputError as error:
            verdicts.append(Verdict("warning", f"The elastic constants could not be computed: {error}."))
        ordered: list[Block] = [Paragraph(told), *blocks]
        return Content(tuple(verdicts), (*ordered, *([Gallery(tuple(figures))] if figures else [])))


def _tidy(ax: Any) -> None:
    """Thin out the labels of polar axes, and put the legend below."""
    from matplotlib.ticker import MaxNLocator

    ax.set_title("")
    ax.yaxis.set_major_locator(MaxNLocator(3))
    ax.set_rlabel_position(22.5)
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=2)


def _volume_verdict(curve: EquationOfState) -> Verdict:
    """Return volume and bulk modulus."""
    return Verdict(
        "plain",
        f"The crystal has {number(curve.volume, 4)} Å³/atom and a bulk modulus of {number(curve.bulk_modulus)} GPa.",
    )


def _elastic_verdict(constants: ElasticConstants) -> Verdict:
    """Return whether the crystal withstands small strains."""
    lowest = number(float(constants.stability.eigenvalues[0]))
    if constants.is_stable:
        return Verdict("good", f"The crystal is stable against every small strain (least stiffness {lowest} GPa).")
    return Verdict("bad", f"The crystal is UNSTABLE against a small strain (stiffness {lowest} GPa).")
