"""What competes on a front: sizes in, candidates of one search out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.base import clone

from linmlp.descriptors import Descriptor
from linmlp.descriptors.ace.presets import PRESETS, default_degrees
from linmlp.exceptions import SettingsError
from linmlp.potentials import LinearPotential, UpToDegree
from linmlp.potentials.candidates import Candidate
from linmlp.potentials.choosing import candidates_for, check_something_counts
from linmlp.potentials.search_result import SearchResult
from linmlp.potentials.training_set import TrainingSet
from linmlp.solvers import FeatureCosts, ForwardSelection
from linmlp.units import IntArray

SIZES = (100, 200, 400, 700, 1000)
"""Numbers of functions that are selected by default, as far as the pool has more."""

COST_POWERS = {"selected": 0.0, "frugal": 0.5, "thrifty": 1.0}
"""Ways to select: by how much a function lowers the loss, over this power of what it adds to the cost of a step. The
first needs the fewest functions, which counts where data are few; at equal time the others have smaller errors, the
last where steps must be short (`benchmarks/accuracy/selection_costs.py`)."""


@dataclass(frozen=True)
class Competitor:
    """A potential of some size: all functions up to some degrees, or a number that is selected.

    Parameters
    ----------
    name : str
        For tables.
    settings : dict
        Settings of `LinearPotential` that make it, but for those that cross-validation chooses.
    candidates : tuple of Candidate
        What is searched, one for each of the loss weights that are tried.
    value : float or None
        Their value of the path parameter that is this potential; None for all values.
    """

    name: str
    settings: dict[str, Any]
    candidates: tuple[Candidate, ...]
    value: float | None = None

    def sets_of(self, result: SearchResult) -> IntArray:
        """Return the sets of a search that are this potential."""
        places = [k for k, line in enumerate(result.candidates) if any(line is one for one in self.candidates)]
        own = np.isin(result.candidate_of, places)
        return np.flatnonzero(own if self.value is None else own & (result.value_of == self.value))


def preset_degrees(n_elements: int, max_l: int, n_channels: int | None = None) -> dict[str, tuple[int, ...]]:
    """Return the degrees of all presets.

    Parameters
    ----------
    n_elements : int
        Number of elements.
    max_l : int
        Largest angular momentum.
    n_channels : int or None, default=None
        Densities that elements are mixed to; None for those of the elements.

    Returns
    -------
    dict of str to tuple of int
        One degree per order.
    """
    return {
        name: default_degrees(n_elements, preset.order, max_l, name, n_channels) for name, preset in PRESETS.items()
    }


def pool_degrees(n_elements: int, max_l: int, n_channels: int | None = None) -> tuple[int, ...]:
    """Return the degrees of the smallest basis that holds those of all presets.

    Parameters
    ----------
    n_elements : int
        Number of elements.
    max_l : int
        Largest angular momentum.
    n_channels : int or None, default=None
        Densities that elements are mixed to; None for those of the elements.

    Returns
    -------
    tuple of int
        One degree per order; those of "accurate" for one element.
    """
    degrees = list(preset_degrees(n_elements, max_l, n_channels).values())
    order = max(map(len, degrees))
    return tuple(max(d[k] for d in degrees if len(d) > k) for k in range(order))


def dense_degrees(descriptor: Any, degrees: Sequence[Sequence[int]] | None) -> dict[str, tuple[int, ...]]:
    """Return names and degrees of the potentials that have all functions up to some degrees.

    Parameters
    ----------
    descriptor : ACE
        The pool, fitted.
    degrees : sequence of sequences of int, or None
        One degree per order for each potential; by default presets, as far as the pool holds them, and the pool.

    Returns
    -------
    dict of str to tuple of int
        At least one.

    Raises
    ------
    SettingsError
        If degrees are larger than those of the pool.
    """
    pool = tuple(descriptor.max_degree_)

    def holds(wanted: tuple[int, ...]) -> bool:
        return 0 < len(wanted) <= len(pool) and all(d <= most for d, most in zip(wanted, pool, strict=False))

    if degrees is None:
        presets = preset_degrees(len(descriptor.elements_), descriptor.max_l, descriptor.parameters_.n_channels)
        found = {name: wanted for name, wanted in presets.items() if holds(wanted)}
        return found if pool in found.values() else {**found, _name(pool): pool}
    given = [tuple(int(d) for d in wanted) for wanted in degrees]
    for wanted in given:
        if not holds(wanted):
            raise SettingsError(f"degrees {wanted} are not within those of the pool, {pool}; give a larger pool")
    return {_name(wanted): wanted for wanted in given}


def check_sizes(sizes: Sequence[int] | None, n_features: int) -> tuple[int, ...]:
    """Return the numbers of functions to select.

    Parameters
    ----------
    sizes : sequence of int or None
        None means `SIZES`.
    n_features : int
        Functions of the pool.

    Returns
    -------
    tuple of int
        Ascending.

    Raises
    ------
    SettingsError
        If one is not from 1 to the functions of the pool.
    """
    if sizes is None:
        return tuple(size for size in SIZES if size < n_features)
    wrong = [size for size in sizes if not (isinstance(size, int | np.integer) and 1 <= size <= n_features)]
    if wrong:
        raise SettingsError(f"sizes={list(sizes)!r}; give whole numbers from 1 to {n_features}, the size of the pool")
    return tuple(sorted({int(size) for size in sizes}))


def make_competitors(
    potential: LinearPotential,
    data: TrainingSet,
    degrees: dict[str, tuple[int, ...]],
    sizes: Sequence[int],
    cost_powers: Mapping[str, float],
    form: str,
) -> list[Competitor]:
    """Return what competes.

    Parameters
    ----------
    potential : LinearPotential
        Settings that all share; "auto" weights and strengths are tried as `LinearPotential.fit` would.
    data : TrainingSet
        Structures, labels, and the pool.
    degrees : dict of str to tuple of int
        Potentials that have all functions up to these.
    sizes : sequence of int
        Numbers of functions that are selected.
    cost_powers : mapping of str to float
        Ways to select, by name.
    form : {"gram", "qr"}
        Form of the folded rows.

    Returns
    -------
    list of Competitor
        Those by degree first. Selections share candidates: one path serves all sizes of a way to select.
    """

    def candidates(settings: dict[str, Any], values: tuple[float, ...] | None = None) -> tuple[Candidate, ...]:
        own = clone(potential).set_params(**settings)._fit_settings()
        found = candidates_for(data, own, own.solver_choice(data.descriptor))
        check_something_counts(data.labels, found)
        n_features = data.descriptor.n_features_out_
        return tuple(replace(c, values=values or c.resolved_values(form, n_features)) for c in found)

    by_degree = [(name, {"features": _features(data.descriptor, wanted)}) for name, wanted in degrees.items()]
    competitors = [Competitor(name, settings, candidates(settings)) for name, settings in by_degree]
    if not sizes:
        return competitors
    costs = FeatureCosts(*data.descriptor.function_costs(data.structures))
    for name, power in cost_powers.items():
        solvers = [ForwardSelection(size, costs=costs, cost_power=power) for size in sizes]
        selected = [{"solver": solver, "alpha": "auto"} for solver in solvers]
        path = candidates(selected[-1], tuple(float(size) for size in sizes))
        competitors += [
            Competitor(f"{size} {name}", settings, path, float(size))
            for size, settings in zip(sizes, selected, strict=True)
        ]
    return competitors


def _features(pool: Descriptor, degrees: tuple[int, ...]) -> UpToDegree | None:
    return None if degrees == tuple(pool.max_degree_) else UpToDegree(degrees)


def _name(degrees: tuple[int, ...]) -> str:
    return f"degrees {','.join(map(str, degrees))}"
