"""Results of transport in, matplotlib Axes out."""

from typing import Any

import numpy as np

from linmlp.evaluation.transport.arrhenius import ArrheniusFit
from linmlp.evaluation.transport.results import Transport
from linmlp.exceptions import SettingsError
from linmlp.units import FloatArray


def plot_msd(result: Transport) -> Any:
    """Return Axes with mean-square displacements, their errors and the lines through them.

    Parameters
    ----------
    result : Transport
        As made by `compute_transport`.

    Returns
    -------
    ndarray of matplotlib Axes, (1,) or (2,)
        Tracers; all charges together, where there are charges. Logarithmic.
    """
    import matplotlib.pyplot as plt

    n = 1 if result.conductivity is None else 2
    _, axes = plt.subplots(1, n, figsize=(4.4 * n, 3.4), squeeze=False, layout="constrained")
    for index, found in enumerate(result.diffusion.values()):
        _draw(axes[0, 0], found.windows, found.displacements, found.errors, found.line, found.element, f"C{index}")
    axes[0, 0].set_ylabel("mean-square displacement (Å²)")
    if result.conductivity is not None:
        sigma = result.conductivity
        _draw(axes[0, 1], sigma.windows, sigma.displacements, sigma.errors, sigma.line, "all charges", "C7")
        axes[0, 1].set_ylabel("of all charges together (e² Å²)")
    for ax in axes[0]:
        ax.set(xscale="log", yscale="log", xlabel="time (ps)", title=f"{result.temperature.value:.0f} K")
        ax.legend(fontsize="small")
    return axes[0]


def plot_arrhenius(fit: ArrheniusFit, ax: Any = None) -> Any:
    """Return Axes with a coefficient against the inverse temperature, the fit and its standard error.

    Parameters
    ----------
    fit : ArrheniusFit
        As made by `fit_arrhenius`.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The coefficient logarithmic.
    """
    if ax is None:
        import matplotlib.pyplot as plt

        ax = plt.subplots(layout="constrained")[1]
    t = np.linspace(fit.temperatures.min(), fit.temperatures.max(), 50)
    line = [fit.at(float(temperature)) for temperature in t]
    values, errors = (np.array(column) for column in zip(*line, strict=True))
    (drawn,) = ax.plot(
        1000.0 / t, values, label=f"{fit.activation_energy.value:.3f} ± {fit.activation_energy.error:.3f} eV"
    )
    ax.fill_between(1000.0 / t, values * np.exp(-errors / values), values * np.exp(errors / values), alpha=0.2)
    ax.errorbar(1000.0 / fit.temperatures, fit.values, fit.errors, fmt="o", capsize=3, color=drawn.get_color())
    ax.set(yscale="log", xlabel="1000 / temperature (1/K)", ylabel=f"{fit.quantity} ({fit.unit})")
    ax.legend()
    return ax


def _draw(
    ax: Any,
    windows: FloatArray,
    values: FloatArray,
    errors: FloatArray,
    line: tuple[float, float],
    name: str,
    color: str,
) -> None:
    """Draw one mean-square displacement."""
    if not values.max() > 0.0:
        raise SettingsError(f"{name}: displacements are zero; there is nothing to draw")
    ax.errorbar(windows, values, errors, fmt="o", ms=3, capsize=2, color=color, label=name)
    drawn = line[0] * windows + line[1]
    ax.plot(windows[drawn > 0.0], drawn[drawn > 0.0], color=color)
