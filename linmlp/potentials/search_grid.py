"""A grid of settings as combinations: those that act before the rows are folded, and those that act after."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
from sklearn.base import clone
from sklearn.model_selection import ParameterGrid, ParameterSampler

from linmlp.exceptions import SettingsError
from linmlp.potentials.candidates import Candidate
from linmlp.potentials.choosing import candidates_for, check_something_counts
from linmlp.potentials.training_set import TrainingSet
from linmlp.units import IntArray

if TYPE_CHECKING:
    from linmlp.potentials.linear import LinearPotential

AFTER_FOLDING = (
    "alpha",
    "energy_weight",
    "force_weight",
    "stress_weight",
    "energy_per",
    "group_weights",
    "prior",
    "features",
    "solver",
)
"""Settings that are searched on folded rows."""

KERNEL = ("n_sparse", "zeta", "selection", "per_group", "n_candidates", "beside")
"""Settings of kernel potentials alone."""

BEFORE_FOLDING = ("descriptor", "e0", "baseline", "form", *KERNEL)
"""Settings for every value of which the rows are made and folded anew."""

Grid = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None
Params = dict[str, Any]


def expand_grid(potential: "LinearPotential", grid: Grid, n_iter: int | None, random_state: int) -> list[Params]:
    """Return the combinations of a grid.

    Parameters
    ----------
    potential : LinearPotential
        Its parameters are those that may be named.
    grid : mapping of str to sequence, sequence of these, or None
        As in scikit-learn; None is one combination, the settings of the potential.
    n_iter : int or None
        Number of combinations that are drawn at random; values may be distributions of scipy.stats then.
    random_state : int
        Seed of the draw.

    Returns
    -------
    list of dict
        Combinations.

    Raises
    ------
    SettingsError
        If a name is unknown or cannot be searched, or a list of values is empty.
    """
    if grid is None:
        return [{}]
    try:
        drawn: Iterable[Params] = (
            ParameterGrid(grid) if n_iter is None else ParameterSampler(grid, n_iter, random_state=random_state)
        )
    except (TypeError, ValueError) as error:
        raise SettingsError(f"param_grid={grid!r} is no grid of lists of values: {error}") from error
    combinations = [dict(params) for params in drawn]
    for name in sorted({name for params in combinations for name in params}):
        _check_name(potential, name, [params for params in combinations if name in params])
    return combinations


def _check_name(potential: "LinearPotential", name: str, combinations: Sequence[Params]) -> None:
    """Raise where a setting does not exist or is not one to search over."""
    root = name.partition("__")[0]
    searched = (*AFTER_FOLDING, *BEFORE_FOLDING)
    if root not in searched:
        raise SettingsError(f"{name!r} cannot be searched over; a grid may name {', '.join(searched)} and nested ones")
    for params in combinations:
        own = clone(potential).set_params(**{root: params[root]}) if root in params else potential
        if name not in own.get_params():
            nested = [known for known in own.get_params() if known.startswith(f"{root}__")]
            raise SettingsError(
                f"{name!r} is not known; {root}={getattr(own, root)!r} has {', '.join(nested) or 'none'}"
            )


def split_params(params: Params) -> tuple[Params, Params]:
    """Return the settings that act before the rows are folded, and the others.

    Parameters
    ----------
    params : dict
        A combination.

    Returns
    -------
    before, after : dict
        Parts of it.
    """
    before = {name: value for name, value in params.items() if name.partition("__")[0] in BEFORE_FOLDING}
    return before, {name: value for name, value in params.items() if name not in before}


@dataclass(frozen=True)
class CandidateSet:
    """Candidates of a search, and which of their sets the rows of the table are.

    Parameters
    ----------
    candidates : list of Candidate
        Those that differ in the value of the path parameter alone are one.
    order : ndarray of shape (n_rows,), int
        Set of each row.
    params : list of dict
        Settings of each row, all those that cross-validation chooses among them.
    """

    candidates: list[Candidate]
    order: IntArray
    params: list[Params]


def make_candidates(
    potential: "LinearPotential", combinations: Sequence[Params], data: TrainingSet, form: str
) -> CandidateSet:
    """Return what combinations of settings mean for a training set.

    Parameters
    ----------
    potential : LinearPotential
        Settings that the combinations do not name; "auto" ones are tried as `LinearPotential.fit` would.
    combinations : sequence of dict
        Settings that act after folding.
    data : TrainingSet
        Structures and labels.
    form : {"gram", "qr"}
        Form of the folded rows.

    Returns
    -------
    CandidateSet
        Candidates and the rows of the table.
    """
    lines: dict[str, tuple[Candidate, dict[float, int]]] = {}
    rows: list[tuple[str, float]] = []
    all_params: list[Params] = []
    for params in combinations:
        settings = clone(potential).set_params(**params)._fit_settings()
        choice = settings.solver_choice(data.descriptor)
        found = candidates_for(data, settings, choice)
        check_something_counts(data.labels, found)
        for candidate in found:
            key = _key(candidate)
            values = candidate.resolved_values(form, data.descriptor.n_features_out_)
            place = lines.setdefault(key, (candidate, {}))[1]
            for value in values:
                place.setdefault(value, len(place))
                rows.append((key, value))
                all_params.append({**params, **_resolved(candidate, value, settings.solver is None)})
    starts = dict(zip(lines, np.cumsum([0, *(len(place) for _, place in lines.values())]), strict=False))
    return CandidateSet(
        [replace(candidate, values=tuple(place)) for candidate, place in lines.values()],
        np.array([starts[key] + lines[key][1][value] for key, value in rows]),
        all_params,
    )


def _key(candidate: Candidate) -> str:
    """Return what tells candidates apart that differ in more than the value of the path parameter."""
    solver = candidate.solver
    others = {name: value for name, value in solver.get_params().items() if name != solver.path_parameter}
    return str(joblib.hash((candidate.weights, type(solver).__name__, others, candidate.columns)))


def _resolved(candidate: Candidate, value: float, is_default: bool) -> Params:
    """Return the settings that cross-validation chooses, as numbers."""
    path = str(candidate.solver.path_parameter)
    resolved: Params = {} if np.isnan(value) else {path if is_default else f"solver__{path}": value}
    weights = candidate.weights
    resolved |= {f"{kind}_weight": getattr(weights, kind) for kind in ("energy", "force", "stress")}
    return resolved | {"energy_per": weights.energy_per}
