"""What cross-validation tried and what it chose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from linmlp.evaluation.plots import plot_search
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
from linmlp.evaluation.report.figures import COLORS, SIZE, embed, new_axes, plain_ticks, style
from linmlp.evaluation.report.inputs import Inputs
from linmlp.evaluation.report.words import count, number
from linmlp.potentials import LinearPotential
from linmlp.potentials.choosing import TOLERANCE

AXIS_NAMES = {
    "alpha": "ridge strength alpha",
    "energy_weight": "energy weight",
    "energy_per": "energy errors per",
    "descriptor__max_degree": "degrees of the functions",
}
MARKERS = "os^Dv"


class SearchSection(Section):
    """Weights and strength that were chosen, and the errors of all combinations."""

    key = "search"
    title = "Search for weights and ridge strength"

    def make(self, inputs: Inputs, advance: Advance) -> Content:
        """Return what was chosen, and the landscape where the model file remembers it."""
        model = inputs.model
        told = model.describe_cross_validation()
        blocks: list[Block] = [Paragraph(f"{told[0].upper()}{told[1:]}."), _chosen_table(model)]
        table = inputs.cv_results
        if not table:
            if model.cv_errors_:
                blocks.append(
                    Paragraph("The model does not hold the table of combinations: save it again after a fit.")
                )
            return Content((), tuple(blocks))
        with style():
            figures = [*_landscape(model, table), *_profiles(model, table)]
        prose = (
            f"{count(len(table['params']), 'combination')} of settings were tried; each line is the best over all "
            "other settings. A score is higher by 0.01 where energy MAE and force RMSE are 1 % lower. What is within "
            f"{TOLERANCE:g} of the best counts as equal; the fit takes the fewest functions, and of these the largest "
            "strength."
        )
        blocks += [Paragraph(prose), Gallery(tuple(figures))]
        return Content(tuple(_edge_verdicts(model, table)), tuple(blocks))


def _chosen_table(model: LinearPotential) -> Table:
    """Return the settings that were used."""
    weights = model.loss_weights_
    rows = [
        ("energy weight", number(weights.energy, 4), _origin(model.energy_weight)),
        ("force weight", number(weights.force, 4), _origin(model.force_weight)),
        ("stress weight", number(weights.stress, 4), _origin(model.stress_weight)),
        (
            "energy errors per",
            weights.energy_per.replace("sqrt_atom", "root of the number of atoms"),
            _origin(model.energy_per),
        ),
        ("ridge strength", f"{model.alpha_:.3g}", _origin(model.alpha)),
    ]
    shares = ", ".join(f"{kind} {100 * part:.0f} %" for kind, part in model.loss_share_.items())
    return Table(
        f"Settings of the fit; shares of the loss: {shares}.", ("setting", "value", "origin"), tuple(rows), is_text=True
    )


def _origin(setting: Any) -> str:
    return {"auto": "chosen by the fit", "evidence": "from the evidence"}.get(str(setting), "given")


def chosen_row(model: LinearPotential, table: Mapping[str, Any]) -> int | None:
    """Return the row of the table that was chosen.

    Parameters
    ----------
    model : LinearPotential
        Fitted.
    table : mapping
        Its ``cv_results_``.

    Returns
    -------
    int or None
        None where the fit ended with settings that are not in the table.
    """
    weights = model.loss_weights_
    wanted: dict[str, Any] = {
        "energy_weight": weights.energy,
        "energy_per": weights.energy_per,
        "alpha": model.alpha_,
        "descriptor__max_degree": getattr(model.descriptor_, "max_degree_", None),
    }
    for row, params in enumerate(table["params"]):
        if all(_same(params[name], value) for name, value in wanted.items() if name in params):
            return row
    return None


def _same(a: Any, b: Any) -> bool:
    return bool(np.isclose(a, b, rtol=1e-6, atol=0.0)) if isinstance(a, int | float) else bool(a == b)


def _landscape(model: LinearPotential, table: Mapping[str, Any]) -> list[Figure]:
    """Draw energy error over force error of all combinations."""
    energy, force = 1e3 * np.asarray(table["energy_mae"]), np.asarray(table["force_rmse"])
    good = np.isfinite(energy) & np.isfinite(force)
    if good.sum() < 2:
        return []
    ax = new_axes()
    kinds = [str(params.get("energy_per", "")) for params in table["params"]]
    for kind, color, marker in zip(dict.fromkeys(kinds), COLORS, MARKERS, strict=False):
        members = good & (np.array(kinds) == kind)
        ax.plot(force[members], energy[members], marker, color=color, alpha=0.7, label=f"per {kind}" if kind else None)
    row = chosen_row(model, table)
    told = ""
    if row is not None and good[row]:
        ax.plot([force[row]], [energy[row]], "*", ms=15, color="black", markerfacecolor="#F0E442", label="chosen")
        told = f" Chosen: {number(float(energy[row]))} meV/atom, {number(float(force[row]))} eV/Å."
    ax.set(xlabel="force RMSE of held-out folds (eV/Å)", ylabel="energy MAE (meV/atom)", xscale="log", yscale="log")
    plain_ticks(ax.xaxis, ax.yaxis)
    ax.legend()
    alt = (
        f"Energy error over force error of {int(good.sum())} combinations: energies from "
        f"{number(energy[good].min())} to {number(energy[good].max())} meV/atom, "
        f"forces from {number(force[good].min())} to "
        f"{number(force[good].max())} eV/Å.{told}"
    )
    return [embed("search-landscape", ax, alt, f"All combinations that were tried, by their errors.{told}")]


def _profiles(model: LinearPotential, table: Mapping[str, Any]) -> list[Figure]:
    """Draw the best score at each value of every setting that was searched."""
    row, figures = chosen_row(model, table), []
    by_kind = len({params.get("energy_per") for params in table["params"]}) > 1
    for name in [key.removeprefix("param_") for key in table if key.startswith("param_")]:
        values = table[f"param_{name}"]
        if len(set(map(str, values))) < 2:
            continue
        if name == "energy_weight" and by_kind:
            figures.append(_energy_weights(table))
            continue
        (ax,) = plot_search(table, [name])
        spoken = AXIS_NAMES.get(name, name.replace("_", " "))
        ax.set(xlabel=spoken, ylabel="score (larger is better)")
        ax.figure.set_size_inches(*SIZE)
        best = _value(values[int(np.nanargmax(table["mean_test_score"]))])
        told = f"the best is at {best}" + ("" if row is None else f", chosen was {_value(values[row])}")
        alt = f"Best score at each value of {spoken}; {told}."
        figures.append(embed(f"search-{name.replace('_', '-')}", ax, alt, f"Score over {spoken}; {told}."))
    return figures


def _energy_weights(table: Mapping[str, Any]) -> Figure:
    """Draw the best score at each energy weight, a line for each way of taking energies: weights differ with it."""
    ax, told = new_axes(), []
    scores: dict[str, dict[float, float]] = {}
    for params, score in zip(table["params"], table["mean_test_score"], strict=True):
        if not (np.isfinite(score) and isinstance(params.get("energy_weight"), int | float)):
            continue
        line = scores.setdefault(str(params.get("energy_per")), {})
        line[params["energy_weight"]] = float(np.fmax(line.get(params["energy_weight"], -np.inf), score))
    for (kind, line), color, marker in zip(scores.items(), COLORS, MARKERS, strict=False):
        weights = sorted(line)
        ax.plot(weights, [line[w] for w in weights], f"{marker}-", color=color, label=f"per {kind}")
        best = max(line, key=lambda w: line[w])
        told.append(f"{number(line[best], 4)} at {number(best)} per {kind}")
    ax.set(xscale="log", xlabel="energy weight", ylabel="score (larger is better)")
    ax.legend()
    alt = f"Best score at each energy weight: {', '.join(told)}."
    return embed("search-energy-weight", ax, alt, "Score over the energy weight, for each way of taking energies.")


def _value(value: Any) -> str:
    """Return a value as text."""
    return f"{value:.3g}" if isinstance(value, int | float) else str(value)


def _edge_verdicts(model: LinearPotential, table: Mapping[str, Any]) -> list[Verdict]:
    """Return which chosen values are the smallest or largest that were tried."""
    row, found = chosen_row(model, table), []
    if row is None:
        return []
    per = table["params"][row].get("energy_per")
    for name in ("alpha", "energy_weight"):
        # Energy weights mean something else for each way of taking energies.
        peers = [p[name] for p in table["params"] if name in p and (name == "alpha" or p.get("energy_per") == per)]
        numbers = sorted({value for value in peers if isinstance(value, int | float)})
        if len(numbers) >= 3 and table["params"][row][name] in (numbers[0], numbers[-1]):
            end = "smallest" if table["params"][row][name] == numbers[0] else "largest"
            told = f"The chosen {AXIS_NAMES[name]}, {table['params'][row][name]:.3g}, is the {end} that was tried."
            found.append(Verdict("warning", told))
    if not found:
        found.append(Verdict("good", "The chosen weights and ridge strength lie inside the ranges that were tried."))
    return found
