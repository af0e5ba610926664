"""The front itself: structures in, rows folded once for the pool, errors and costs of all sizes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from ase import Atoms
from sklearn.base import clone

from linmlp.descriptors import ACE
from linmlp.descriptors.ace.mixing import count_channels
from linmlp.evaluation.front.cost import measure_costs
from linmlp.evaluation.front.material import Material
from linmlp.evaluation.front.models import (
    COST_POWERS,
    Competitor,
    check_sizes,
    dense_degrees,
    make_competitors,
    pool_degrees,
)
from linmlp.evaluation.front.points import Point
from linmlp.evaluation.front.result import Front
from linmlp.evaluation.front.searching import search_all
from linmlp.exceptions import SettingsError
from linmlp.potentials import LinearPotential
from linmlp.potentials.choosing import chosen_of
from linmlp.potentials.cutoff import choose_cutoff
from linmlp.potentials.fit_result import Chosen
from linmlp.potentials.fitting import in_table_units
from linmlp.potentials.preparation import choose_structures, kept_groups, prepare
from linmlp.potentials.reporting import Silent, reporter
from linmlp.potentials.row_assembly import assemble_rows
from linmlp.potentials.search import SearchSettings, splits_of
from linmlp.potentials.search_result import SearchResult
from linmlp.structures import check_structures, plan_folds
from linmlp.system import LossWeights


def compute_front(
    structures: Sequence[Atoms],
    potential: LinearPotential | None = None,
    *,
    sizes: Sequence[int] | None = None,
    degrees: Sequence[Sequence[int]] | None = None,
    cv: Any = 5,
    groups: Any = None,
    sample_weight: Any = None,
    cost_powers: Mapping[str, float] | None = None,
    random_state: int = 0,
    verbose: int = 0,
) -> Front:
    """Return cross-validated errors and measured costs of potentials of growing size.

    Two kinds compete: all functions up to some degrees (the presets of `ACE.preset`), and numbers of functions that
    are selected one by one from a pool with order 4, anew in every fold: the one that lowers the loss most
    ("selected"), or that does so for what it adds to the cost of a step ("thrifty") or for the square root of that
    ("frugal"). The rows of the pool are folded once: smaller bases are some of its columns, because its radial
    functions are orthonormal in the order of their degree, and every selection works on the folded rows. Loss weights
    and ridge strengths that are "auto" are chosen for each by the score. Each is then solved with all structures, and
    its steps are timed.

    Parameters
    ----------
    structures : sequence of ase.Atoms
        Labelled training structures.
    potential : LinearPotential, optional
        Settings that all share. Its descriptor is the pool, an `ACE`; a `max_degree` of "auto" stands for the smallest
        one that holds all presets. A cutoff of "auto" is chosen once, as for the preset "balanced".
    sizes : sequence of int, optional
        Numbers of functions to select; 100, 200, 400, 700 and 1000 by default.
    degrees : sequence of sequences of int, optional
        Degrees per order of potentials with all functions, instead of the presets.
    cv : int, splitter, iterable or "leave_one_group_out", default=5
        Folds, as for `LinearPotentialCV`: random within each ``config_type``, or of whole groups.
    groups : array-like of shape (n_structures,), optional
        Structures of one group, such as a trajectory, are never on both sides of a split.
    sample_weight : array-like of shape (n_structures,), optional
        2 means listed twice, 0 means absent.
    cost_powers : mapping of str to float, optional
        Ways to select, by name: the power of the cost, see `linmlp.solvers.ForwardSelection`; 0 for "selected", 0.5
        for "frugal" and 1 for "thrifty" by default.
    random_state : int, default=0
        Seed of the folds and of the structures that steps are timed on.
    verbose : int, default=0
        1 prints what happens.

    Returns
    -------
    Front
        Points by ``points``, a table by ``str``; `Front.recommend` says which to take, `Front.fit` gives it.

    Raises
    ------
    InputError
        If structures, labels, settings or folds cannot be used.

    Notes
    -----
    A step is an evaluation of energies, forces and stress on one thread, with baselines, without the search for
    neighbors; evaluators compute only what functions with a coefficient need. Times are those of the thread, medians
    over rounds in which all take turns: other work on the machine counts only as far as it takes caches and clock rate.

    Examples
    --------
    >>> from linmlp import ACE, LinearPotential
    >>> from linmlp.datasets import load_silicon
    >>> train, test = load_silicon()
    >>> settings = LinearPotential(ACE(4.0, order=2, max_degree=(6, 4)), alpha=1e-6, energy_weight=1.0)
    >>> ways = {"frugal": 0.5}
    >>> found = compute_front(train[:30], settings, sizes=[4, 8], degrees=[(6, 4)], cv=3, cost_powers=ways)
    >>> [(point.name, point.n_functions) for point in found.points]
    [('degrees 6,4', 21), ('4 frugal', 4), ('8 frugal', 8)]
    """
    structures = check_structures(structures)
    tell = reporter(verbose)
    potential = _with_pool(LinearPotential() if potential is None else potential, structures, sample_weight)
    settings = potential._fit_settings()
    data = prepare(potential, structures, sample_weight, settings, tell)
    wanted = dense_degrees(data.descriptor, degrees)
    chosen_sizes = check_sizes(sizes, data.descriptor.n_features_out_)
    plan = plan_folds(cv, data.labels, kept_groups(groups, data, len(structures)), random_state)
    form = "gram" if settings.form == "auto" else settings.form  # takes subsets of features for nothing
    assembled = assemble_rows(data, replace(settings, form=form), plan.blocks, tell)
    ways = COST_POWERS if cost_powers is None else cost_powers
    competitors = make_competitors(potential, data, wanted, chosen_sizes, ways, assembled.form)
    tell.say(f"errors of {len(competitors)} potentials in {len(plan)} folds")
    how = SearchSettings(
        reference_weights=LossWeights.from_labels(data.labels, data.sample_weight),
        solve_reference=data.solves_reference,
        n_jobs=settings.n_jobs,
    )
    competitors, result = search_all(assembled, competitors, splits_of(plan), how)
    chosen = [chosen_of(result, _best(competitor, result)) for competitor in competitors]
    tell.say("time of their steps")
    material = Material(potential, settings, data, assembled, tuple(chosen))
    predictors = material.predictors()
    costs = measure_costs(predictors, data.structures, random_state)
    used = material.n_functions
    points = tuple(map(_point, competitors, chosen, used, costs))
    return Front(points, float(data.descriptor.cutoff_), len(plan), len(data.structures), material)


def _with_pool(potential: LinearPotential, structures: list[Atoms], sample_weight: Any) -> LinearPotential:
    """Return settings with a pool of functions whose cutoff is a number."""
    if potential.solver is not None or potential.features is not None:
        raise SettingsError(
            f"solver={potential.solver!r} and features={potential.features!r} are what competes on the front; leave "
            "them at None"
        )
    if not isinstance(potential._feature_setting(), ACE):
        raise SettingsError(f"{potential!r} has no sizes to compare; give a LinearPotential with an unfitted ACE")
    pool: ACE = clone(potential._feature_setting())
    if isinstance(pool.max_degree, str) and pool.max_degree == "auto":
        n_elements = len({int(z) for atoms in structures for z in atoms.numbers})
        degrees = pool_degrees(n_elements, pool.max_l, count_channels(pool.channels))
        pool.set_params(order=len(degrees), max_degree=degrees)
    own: LinearPotential = clone(potential)
    if pool.cutoff == "auto":
        pool.set_params(cutoff=_shared_cutoff(potential, pool, structures, sample_weight))
    own.set_params(descriptor=pool)
    return own


def _shared_cutoff(potential: LinearPotential, pool: ACE, structures: list[Atoms], sample_weight: Any) -> float:
    """Return the cutoff in Å that the preset "balanced" would get."""
    tell, labels = reporter(potential.verbose), potential._read_labels(structures)
    _, kept, _ = choose_structures(potential.reject, structures, labels, sample_weight, Silent())
    structures, labels = [structures[i] for i in kept], replace(labels, items=tuple(labels[i] for i in kept))
    balanced = ACE.preset("balanced", max_l=pool.max_l, channels=pool.channels)
    return choose_cutoff(balanced, structures, labels, potential.e0, potential._fit_settings(), tell)


def _best(competitor: Competitor, result: SearchResult) -> int:
    """Return the set with the smallest score of those that are a competitor."""
    sets = competitor.sets_of(result)
    return int(sets[np.nanargmin(result.pooled["score"][sets])])


def _point(competitor: Competitor, chosen: Chosen, n_functions: int, cost: float) -> Point:
    """Return the point of a competitor."""
    weights, errors = chosen.candidate.weights, in_table_units(chosen.errors)
    found = {f"{kind}_weight": getattr(weights, kind) for kind in ("energy", "force", "stress")}
    found |= {"energy_per": weights.energy_per} | ({"alpha": chosen.value} if competitor.value is None else {})
    return Point(
        competitor.name,
        int(n_functions),
        errors.get("energy_mae"),
        errors.get("force_rmse"),
        chosen.errors["score"],
        float(cost),
        competitor.settings | found,
    )
