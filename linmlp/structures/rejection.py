"""Structures that a fit shall not see: a rule and labelled structures in, the kept ones and reasons out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from ase.neighborlist import neighbor_list

from linmlp.exceptions import SettingsError
from linmlp.structures.label_set import Labels, LabelSet
from linmlp.structures.reference import composition_matrix
from linmlp.units import FloatArray

RejectSetting = Mapping[str, Any] | Callable[[Sequence[Atoms], LabelSet], Any] | None

ROBUST_STEPS = 50
"""Reweighted least squares steps of the robust reference energies."""

NORMAL_MAD = 1.4826
"""Standard deviation of normal numbers over their median absolute deviation."""

Reasons = dict[int, str]


@dataclass(frozen=True)
class Rejection:
    """What a rule leaves of some structures.

    Parameters
    ----------
    kept : tuple of int
        Indices of the structures that stay, ascending.
    rejected : tuple of (int, str)
        Index of each structure that goes, ascending, and why.
    """

    kept: tuple[int, ...]
    rejected: tuple[tuple[int, str], ...] = ()

    def report(self) -> str:
        """Return how many structures go and why; "" where none does."""
        if not self.rejected:
            return ""
        reasons = "; ".join(f"structure {index}: {reason}" for index, reason in self.rejected[:5])
        rest = len(self.rejected) - 5
        more = f"; and {rest} more" if rest > 0 else ""
        return f"{len(self.rejected)} of {len(self.kept) + len(self.rejected)} structures rejected ({reasons}{more})"


def reject_structures(setting: RejectSetting, structures: Sequence[Atoms], labels: LabelSet) -> Rejection:
    """Return which structures stay and which go.

    Parameters
    ----------
    setting : None, mapping or callable
        None keeps all. A mapping has limits, of which each one rejects on its own:

        - ``max_force``: norm of the force label of any atom, eV/Å (masked components left out);
        - ``min_distance``: closest two atoms, periodic images included, Å;
        - ``max_energy_deviation``: deviation of the energy per atom from the median-like (least absolute) fit by
          energies of the elements, in robust standard deviations (1.4826 times the median absolute deviation).
          Structures of one atom, which are far from condensed ones by right, are left out;
        - ``duplicates``: True rejects structures with the same elements, positions, cell and periodicity, bit for bit,
          as an earlier one.

        A callable takes structures and labels and returns a boolean mask, or indices, of those to reject.
    structures : sequence of ase.Atoms
        Structures.
    labels : LabelSet
        Their labels.

    Returns
    -------
    Rejection
        Kept indices, and the rejected ones with all reasons.

    Raises
    ------
    SettingsError
        If a key is not known, a limit is not a positive number, what a callable returns is neither mask nor indices,
        or nothing is left.
    """
    if setting is None:
        return Rejection(tuple(range(len(structures))))
    reasons = _apply(setting, structures, labels)
    rejected = tuple(sorted(reasons.items()))
    if len(rejected) == len(structures):
        raise SettingsError(
            f"reject={setting!r} leaves none of the {len(structures)} structures; "
            f"loosen it (first: structure {rejected[0][0]}, {rejected[0][1]})"
        )
    return Rejection(tuple(i for i in range(len(structures)) if i not in reasons), rejected)


def _apply(setting: Any, structures: Sequence[Atoms], labels: LabelSet) -> Reasons:
    """Return the reasons of a rule by index."""
    if callable(setting):
        return dict.fromkeys(_as_indices(setting(structures, labels), len(structures)), "by the given function")
    if not isinstance(setting, Mapping):
        raise SettingsError(f"reject={setting!r}; it must be None, a dict such as {{'max_force': 30.0}}, or a callable")
    unknown = sorted(set(map(str, setting)) - set(LIMITS))
    if unknown:
        raise SettingsError(f"reject has no limit {', '.join(unknown)}; known are {', '.join(LIMITS)}")
    reasons: dict[int, list[str]] = {}
    for name, limit in setting.items():
        _check_limit(name, limit)
        for index, reason in LIMITS[name](limit, structures, labels).items():
            reasons.setdefault(index, []).append(reason)
    return {index: ", ".join(texts) for index, texts in reasons.items()}


def _check_limit(name: str, limit: Any) -> None:
    if name == "duplicates":
        if not isinstance(limit, bool | np.bool_):
            raise SettingsError(f"reject: duplicates={limit!r}; it must be True or False")
    elif not (isinstance(limit, int | float | np.number) and not isinstance(limit, bool) and 0 < limit < np.inf):
        raise SettingsError(f"reject: {name}={limit!r}; it must be a positive number")


def _as_indices(answer: Any, n_structures: int) -> list[int]:
    """Return the indices that a mask or list of indices means."""
    array = np.asarray(answer)
    if array.dtype == bool and array.shape == (n_structures,):
        return [int(i) for i in np.flatnonzero(array)]
    is_list = array.ndim == 1 and (array.size == 0 or np.issubdtype(array.dtype, np.integer))
    if not is_list or (array.size and not (array.min() >= 0 and array.max() < n_structures)):
        raise SettingsError(
            f"reject: the function returned {answer!r}; it must return a boolean mask of {n_structures} structures, "
            f"or indices from 0 to {n_structures - 1}"
        )
    return sorted({int(i) for i in array})


def _large_forces(limit: float, structures: Sequence[Atoms], labels: LabelSet) -> Reasons:
    reasons = {}
    for index, label in enumerate(labels):
        if label.forces is not None:
            largest = float(np.linalg.norm(np.where(label.force_weight > 0, label.forces, 0.0), axis=1).max())
            if largest > limit:
                reasons[index] = f"force {largest:.4g} eV/Å above {limit:g}"
    return reasons


def _short_distances(limit: float, structures: Sequence[Atoms], labels: LabelSet) -> Reasons:
    reasons = {}
    for index, atoms in enumerate(structures):
        distances = neighbor_list("d", atoms, float(limit))
        if len(distances):
            reasons[index] = f"distance {distances.min():.4g} Å below {limit:g}"
    return reasons


def _far_energies(limit: float, structures: Sequence[Atoms], labels: LabelSet) -> Reasons:
    used = [i for i, label in enumerate(labels) if _has_energy(label)]
    if not used:
        return {}
    per_atom = np.array([float(labels[i].energy or 0.0) / labels[i].n_atoms for i in used])
    elements = sorted({symbol for i in used for symbol in structures[i].get_chemical_symbols()})
    counts = composition_matrix([labels[i].numbers for i in used], elements)
    residual = per_atom - fit_least_absolute(counts / counts.sum(axis=1, keepdims=True), per_atom)
    residual -= np.median(residual)
    spread = NORMAL_MAD * float(np.median(np.abs(residual)))
    if not spread > 1e-9:  # more than half of the energies are met: there is no spread to measure with
        return {}
    deviation = np.abs(residual) / spread
    return {
        i: f"energy per atom {value:.3g} robust standard deviations off, above {limit:g}"
        for i, value in zip(used, deviation, strict=True)
        if value > limit
    }


def _has_energy(label: Labels) -> bool:
    return label.energy is not None and label.energy_weight > 0 and label.n_atoms > 1


def fit_least_absolute(X: FloatArray, y: FloatArray) -> FloatArray:
    """Return the predictions of a least absolute fit, by reweighted least squares: outliers hardly move it."""
    predicted = np.full(len(y), np.median(y))
    for _ in range(ROBUST_STEPS):
        scale = 1.0 / np.sqrt(np.maximum(np.abs(y - predicted), 1e-6))
        predicted = X @ np.linalg.lstsq(X * scale[:, None], y * scale, rcond=None)[0]
    return np.asarray(predicted)


def _repeated(wanted: bool, structures: Sequence[Atoms], labels: LabelSet) -> Reasons:
    first: dict[tuple[bytes, ...], int] = {}
    reasons = {}
    for index, atoms in enumerate(structures if wanted else ()):
        arrays = (atoms.numbers, atoms.positions, atoms.cell.array, atoms.pbc)
        earlier = first.setdefault(tuple(array.tobytes() for array in arrays), index)
        if earlier != index:
            reasons[index] = f"duplicate of structure {earlier}"
    return reasons


LIMITS: dict[str, Callable[[Any, Sequence[Atoms], LabelSet], Reasons]] = {
    "max_force": _large_forces,
    "min_distance": _short_distances,
    "max_energy_deviation": _far_energies,
    "duplicates": _repeated,
}
"""What the keys of a rule mean."""
