"""Mechanical properties in, matplotlib Axes out."""

from typing import Any

import numpy as np

from linmlp.evaluation.mechanics.elastic_tensor import ElasticTensor
from linmlp.evaluation.mechanics.equation_of_state import EquationOfState
from linmlp.evaluation.mechanics.phonons import Phonons
from linmlp.evaluation.mechanics.radial import RadialDistribution


def plot_equation_of_state(result: EquationOfState, ax: Any = None) -> Any:
    """Return Axes with energies over volumes, relative to the minimum of each curve, and those of the reference.

    Parameters
    ----------
    result : EquationOfState
        As made by `equation_of_state`.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        Energies in meV per atom.
    """
    ax = _axes(ax)
    for name, one in (("potential", result), ("reference", result.reference)):
        if one is None:
            continue
        volumes = np.linspace(one.volumes[0], one.volumes[-1], 200)
        (line,) = ax.plot(volumes, 1e3 * (one.curve(volumes) - one.energy), label=name)
        ax.plot(one.volumes, 1e3 * (one.energies - one.energy), "o", color=line.get_color())
        ax.axvline(one.volume, color=line.get_color(), ls=":", lw=1.0)
    ax.set(xlabel="volume (Å³/atom)", ylabel="energy above the minimum (meV/atom)")
    ax.legend(fontsize="small")
    return ax


def plot_elastic(tensor: ElasticTensor, reference: ElasticTensor | None = None, ax: Any = None) -> Any:
    """Return polar Axes with Young's modulus by direction in the plane of x and y, and from z towards x.

    Parameters
    ----------
    tensor : ElasticTensor
        Stable.
    reference : ElasticTensor, optional
        Drawn with dashes.
    ax : matplotlib polar Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        GPa.
    """
    import matplotlib.pyplot as plt

    if ax is None:
        ax = plt.subplots(subplot_kw={"projection": "polar"}, layout="constrained")[1]
    angles = np.linspace(0.0, 2.0 * np.pi, 361)
    c, s, o = np.cos(angles), np.sin(angles), np.zeros_like(angles)
    for name, one, dashes in (("potential", tensor, "-"), ("reference", reference, "--")):
        if one is None:
            continue
        for k, (plane, directions) in enumerate((("xy", (c, s, o)), ("zx", (s, o, c)))):
            ax.plot(angles, one.young_modulus(np.array(directions).T), dashes, color=f"C{k}", label=f"{name}, {plane}")
    ax.set_title("Young's modulus (GPa)")
    ax.legend(fontsize="small", loc="lower left")
    return ax


def plot_phonons(result: Phonons) -> Any:
    """Return Axes with bands along the path and the density of states, and those of the reference.

    Parameters
    ----------
    result : Phonons
        As made by `phonons`.

    Returns
    -------
    ndarray of matplotlib Axes, (2,)
        Bands, density of states; imaginary frequencies are negative.
    """
    import matplotlib.pyplot as plt

    _, axes = plt.subplots(
        1, 2, figsize=(6.4, 3.6), sharey=True, width_ratios=[3, 1], squeeze=False, layout="constrained"
    )
    bands, density = axes[0]
    for name, one, style in (("reference", result.reference, "--"), ("potential", result, "-")):
        if one is None:
            continue
        color = "C3" if one is not result else "C0"
        # Lattices of slightly different size: the paths are drawn to the same length.
        x = one.distances * result.distances[-1] / one.distances[-1]
        lines = bands.plot(x, one.bands, style, color=color, lw=1.2)
        lines[0].set_label(name)
        density.plot(one.dos, one.dos_frequencies, style, color=color, lw=1.2)
    for place in result.label_distances:
        bands.axvline(place, color="0.8", lw=0.8, zorder=0)
    bands.axhline(0.0, color="0.5", lw=0.8)
    bands.set_xticks(result.label_distances, ["Γ" if label == "G" else label for label in result.labels])
    bands.set(ylabel="frequency (THz)", xlim=(0.0, result.distances[-1]))
    density.set_xlabel("states (1/THz)")
    bands.legend(fontsize="small")
    return axes[0]


def plot_radial_distribution(result: RadialDistribution) -> Any:
    """Return Axes with the distribution of every pair of elements, with bands of one standard error.

    Parameters
    ----------
    result : RadialDistribution
        As made by `radial_distribution`.

    Returns
    -------
    ndarray of matplotlib Axes, (n_pairs,)
        One per pair; with the reference, where there is one.
    """
    import matplotlib.pyplot as plt

    n = len(result.pairs)
    _, axes = plt.subplots(1, n, figsize=(4.0 * n, 3.4), squeeze=False, layout="constrained")
    for k, ax in enumerate(axes[0]):
        for name, one in (("potential", result), ("reference", result.reference)):
            if one is None:
                continue
            pair = one.pairs[k]
            (line,) = ax.plot(one.centers, pair.g, label=name)
            if np.isfinite(pair.errors).all():
                ax.fill_between(
                    one.centers, pair.g - pair.errors, pair.g + pair.errors, color=line.get_color(), alpha=0.3, lw=0.0
                )
        ax.axhline(1.0, color="0.7", lw=0.8, zorder=0)
        ax.set(title=result.pairs[k].name, xlabel="distance (Å)", ylabel="g")
    axes[0, 0].legend(fontsize="small")
    return axes[0]


def _axes(ax: Any) -> Any:
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(layout="constrained")[1]
