"""Results of searches, learning curves, errors and scans in, matplotlib Axes out."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from linmlp.evaluation.core import CompressionScan, CoreScan
from linmlp.evaluation.learning import LearningCurve
from linmlp.exceptions import SettingsError
from linmlp.potentials.errors import UNITS

WIDE = 50.0
"""Values that span more than this factor are drawn on a logarithmic axis."""


def plot_search(cv_results: Mapping[str, Any], params: Sequence[str] | None = None) -> Any:
    """Return Axes with the score against each searched parameter: at each value the best over all other parameters.

    The best combination is marked, and a band shows what is within one standard error of it (standard deviation over
    folds divided by the root of their number).

    Parameters
    ----------
    cv_results : mapping
        ``cv_results_`` of a potential or of a search of scikit-learn: ``param_*``, ``mean_test_score``,
        ``std_test_score``, ``split*_test_score``.
    params : sequence of str, optional
        Parameters to draw, without the prefix; by default those that have two values or more.

    Returns
    -------
    ndarray of matplotlib Axes, (n_params,)
        One per parameter.

    Raises
    ------
    SettingsError
        If there is no such parameter, no finite score, or nothing was searched.
    """
    import matplotlib.pyplot as plt

    known = [name.removeprefix("param_") for name in cv_results if name.startswith("param_")]
    if params is None:
        params = [name for name in known if len(set(map(str, cv_results[f"param_{name}"]))) > 1]
    if not params or set(params) - set(known):
        raise SettingsError(
            f"no parameter to draw: asked for {list(params)}; the table has {', '.join(known) or 'none'}"
        )
    mean = np.asarray(cv_results["mean_test_score"], dtype=float)
    if not np.isfinite(mean).any():
        raise SettingsError("no score of the table is finite; see the warnings of the search")
    best = int(np.nanargmax(mean))
    n_splits = sum(name.startswith("split") and name.endswith("_test_score") for name in cv_results)
    error = float(cv_results["std_test_score"][best]) / np.sqrt(max(n_splits, 1))
    _, axes = plt.subplots(1, len(params), figsize=(4.0 * len(params), 3.4), squeeze=False, layout="constrained")
    for ax, name in zip(axes[0], params, strict=True):
        places, scores, ticks = _profile(cv_results[f"param_{name}"], mean)
        at = places[str(cv_results[f"param_{name}"][best])]
        x = sorted(places.values())
        ax.axhspan(mean[best] - error, mean[best] + error, color="0.9", label="best ± 1 standard error")
        ax.plot(x, [scores[value] for value in x], "o-", label="best at this value")
        ax.plot([at], [mean[best]], "*", ms=14, color="C3", label="best")
        if ticks is not None:
            ax.set_xticks(x, ticks)
        elif x[0] > 0 and x[-1] > WIDE * x[0]:
            ax.set_xscale("log")
        ax.set_xlabel(name)
    axes[0, 0].set_ylabel("mean test score (greater is better)")
    axes[0, 0].legend(fontsize="small")
    return axes[0]


def plot_dimers(scan: CoreScan) -> Any:
    """Return Axes with the energy of the dimer of every pair of elements, and the part that baselines give.

    Distances below the closest approach in training are shaded.

    Parameters
    ----------
    scan : CoreScan
        As made by `scan_dimers`.

    Returns
    -------
    ndarray of matplotlib Axes, (n_pairs,)
        One per pair; the energy axis is linear up to 1 eV and logarithmic beyond.
    """
    import matplotlib.pyplot as plt

    n = len(scan.dimers)
    columns = min(n, 3)
    _, axes = plt.subplots(
        -(-n // columns), columns, figsize=(4.0 * columns, 3.4 * -(-n // columns)), squeeze=False, layout="constrained"
    )
    for ax, dimer in zip(axes.flat, scan.dimers, strict=False):
        ax.plot(dimer.distances, dimer.energies, label="potential")
        # From the force of the baselines, beginning where they have ended.
        steps = np.diff(dimer.distances) * (dimer.baseline_forces[1:] + dimer.baseline_forces[:-1]) / 2.0
        ax.plot(dimer.distances, np.append(np.cumsum(steps[::-1])[::-1], 0.0), "--", label="baselines")
        if np.isfinite(dimer.closest):
            ax.axvspan(dimer.distances[0], dimer.closest, color="0.9", label="closer than in training")
        ax.set(yscale="symlog", title=dimer.name, xlabel="distance (Å)", ylabel="interaction energy (eV)")
    for ax in axes.flat[n:]:
        ax.remove()
    axes[0, 0].legend(fontsize="small")
    return axes.ravel()[:n]


def plot_compression(scan: CompressionScan, closest: float | None = None) -> Any:
    """Return Axes with energy and pressure of a crystal against its volume.

    Parameters
    ----------
    scan : CompressionScan
        As made by `scan_compression`.
    closest : float, optional
        Closest approach in training, Å; volumes with closer neighbors are shaded.

    Returns
    -------
    ndarray of matplotlib Axes, (2,)
        Energy per atom, pressure.
    """
    import matplotlib.pyplot as plt

    _, axes = plt.subplots(2, 1, figsize=(4.4, 5.4), sharex=True, layout="constrained")
    for ax, values, name in zip(
        axes, (scan.energies, scan.pressures), ("energy (eV/atom)", "pressure (GPa)"), strict=True
    ):
        ax.plot(scan.volumes, values)
        ax.set(ylabel=name, yscale="linear" if ax is axes[0] else "symlog")
        beyond = np.zeros(len(scan.nearest), dtype=bool) if closest is None else scan.nearest < closest
        if beyond.any():
            ax.axvspan(scan.volumes[0], scan.volumes[beyond][-1], color="0.9", label="closer than in training")
            ax.legend(fontsize="small")
    axes[1].set_xlabel("volume (Å³/atom)")
    return axes


def _profile(values: Any, mean: Any) -> tuple[dict[str, float], dict[float, float], list[str] | None]:
    """Return the place of each value on the axis, the best score at each place, and names of ticks if not numbers."""
    names = list(dict.fromkeys(map(str, values)))
    numeric = all(isinstance(v, int | float | np.number) and not isinstance(v, bool) for v in values)
    number = {str(v): float(v) for v in values} if numeric else {name: float(k) for k, name in enumerate(names)}
    scores = {place: -np.inf for place in number.values()}
    for value, score in zip(values, mean, strict=True):
        scores[number[str(value)]] = np.fmax(scores[number[str(value)]], score)
    return number, scores, None if numeric else names


def plot_learning_curve(curve: LearningCurve, metric: str = "force_rmse", ax: Any = None) -> Any:
    """Return Axes with training and validation error against the number of structures.

    Parameters
    ----------
    curve : LearningCurve
        As made by `learning_curve`.
    metric : str, default="force_rmse"
        Error to draw.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        Both axes logarithmic; bars are standard deviations over folds.

    Raises
    ------
    SettingsError
        If the curve has no such error.
    """
    if metric not in curve.train:
        raise SettingsError(f"metric={metric!r}; give one of {', '.join(curve.train)}")
    ax = _axes(ax)
    for name in ("train", "validation"):
        values = getattr(curve, name)[metric]
        ax.errorbar(curve.sizes, values.mean(axis=1), values.std(axis=1), fmt="o-", capsize=3, label=name)
    ax.set(xscale="log", yscale="log", xlabel="training structures", ylabel=_name(metric))
    ax.set_xticks(curve.sizes, [str(size) for size in curve.sizes], minor=False)
    ax.set_xticks([], minor=True)
    ax.legend()
    return ax


def plot_gaps(errors: Mapping[str, Mapping[str, float | None]], mean: str = "rmse") -> Any:
    """Return Axes with bars of the errors on several sets, one panel for each kind.

    Parameters
    ----------
    errors : mapping of str to mapping
        Errors by name for each set, for example ``{"train": {"force_rmse": 0.1}, "validation": {...}}``; a row of
        `ErrorTable.to_dict` is such a mapping.
    mean : {"rmse", "mae"}, default="rmse"
        Which mean to draw.

    Returns
    -------
    ndarray of matplotlib Axes, (n_kinds,)
        One per kind that any set has.

    Raises
    ------
    SettingsError
        If no set has such an error.
    """
    import matplotlib.pyplot as plt

    metrics = [f"{kind}_{mean}" for kind in UNITS]
    metrics = [m for m in metrics if any(row.get(m) is not None for row in errors.values())]
    if not metrics:
        raise SettingsError(f"no set has an error of mean={mean!r}; the sets are {', '.join(errors) or 'none'}")
    _, axes = plt.subplots(1, len(metrics), figsize=(3.2 * len(metrics), 3.2), squeeze=False, layout="constrained")
    for ax, metric in zip(axes[0], metrics, strict=True):
        present = {name: float(row[metric] or 0.0) for name, row in errors.items() if row.get(metric) is not None}
        bars = ax.bar(list(present), list(present.values()), color=[f"C{list(errors).index(n)}" for n in present])
        ax.bar_label(bars, fmt="%.3g")
        ax.set_ylabel(_name(metric))
    return axes[0]


def _name(metric: str) -> str:
    kind, mean = metric.rsplit("_", 1)
    return f"{kind} {mean.upper()} ({UNITS[kind]})"


def _axes(ax: Any) -> Any:
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(layout="constrained")[1]
