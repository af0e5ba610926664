"""Errors on labelled structures by volume, temperature or another condition, inside and outside of training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms

from linmlp.evaluation.transferability.condition_values import VOLUME, condition_values
from linmlp.evaluation.transferability.left_out import RISES
from linmlp.evaluation.transferability.measured import (
    Measured,
    fitted_potential,
    mean_absolute,
    measure,
    root_mean_square,
)
from linmlp.evaluation.transferability.tables import cell, times
from linmlp.exceptions import SettingsError
from linmlp.structures import check_structures
from linmlp.units import FloatArray, IntArray

if TYPE_CHECKING:
    from linmlp.potentials import LinearPotential, LinearPotentialCV

FEW = 5
"""Errors of fewer structures say little."""

UNITS = {"volume": "Å³/atom", "temperature": "K"}
METRICS = {
    "energy_mae": ("energy MAE", "meV/atom", 2),
    "force_rmse": ("force RMSE", "eV/Å", 4),
    "stress_rmse": ("stress RMSE", "GPa", 3),
}
"""Name, unit and digits of each error; that of the stress is over the six Voigt components."""


@dataclass(frozen=True)
class ConditionBin:
    """Errors of the structures whose condition is in a range.

    Parameters
    ----------
    low, high : float
        Range; the end of the last one inside of training is included.
    place : {"below", "inside", "gap", "above"}
        Where that is: outside of the range of training, inside, or inside of the range but without a training
        structure.
    n_train, n_test : int
        Structures.
    energy_mae, force_rmse, stress_rmse : float or None
        On the test structures, meV/atom, eV/Å, GPa; None without labels.
    """

    low: float
    high: float
    place: str
    n_train: int
    n_test: int
    energy_mae: float | None
    force_rmse: float | None
    stress_rmse: float | None


@dataclass(frozen=True)
class ConditionErrors:
    """Errors by a condition.

    Parameters
    ----------
    name, unit : str
        Of the condition.
    training : tuple of float
        Smallest and largest value in training.
    bins : tuple of ConditionBin
        Ascending.
    inside, outside : dict of str to (float or None)
        Errors on the test structures inside and outside of the range of training.
    n_without : int
        Test structures to which the condition does not apply, or that do not carry it.
    """

    name: str
    unit: str
    training: tuple[float, float]
    bins: tuple[ConditionBin, ...]
    inside: dict[str, float | None]
    outside: dict[str, float | None]
    n_without: int

    @property
    def n_outside(self) -> int:
        """Test structures outside of the range of training."""
        return sum(b.n_test for b in self.bins if b.place in ("below", "above"))

    @property
    def n_test(self) -> int:
        """Test structures with the condition."""
        return sum(b.n_test for b in self.bins)

    @property
    def gaps(self) -> list[tuple[float, float]]:
        """Ranges inside that of training without a training structure."""
        joined: list[tuple[float, float]] = []
        for b in self.bins:
            if b.place == "gap":
                follows = bool(joined) and joined[-1][1] == b.low
                start = joined.pop()[0] if follows else b.low
                joined.append((start, b.high))
        return joined

    def statement(self) -> str:
        """Return where the potential interpolates, and what becomes of errors outside.

        Returns
        -------
        str
            Some sentences.
        """
        low, high = self.training
        told = f"{self.name}: training covers {low:.4g} to {high:.4g} {self.unit}".rstrip()
        gaps = [f"{a:.4g} to {b:.4g}" for a, b in self.gaps]
        told += f", but for {', '.join(gaps)}" if gaps else ""
        lines = [f"{told}; {self.n_outside} of {self.n_test} test structures are outside"]
        ratios = {m: _ratio(self.outside.get(m), self.inside.get(m)) for m in METRICS}
        known = {m: ratio for m, ratio in ratios.items() if ratio is not None}
        if known:
            rises = [m for m, ratio in known.items() if ratio > RISES]
            figures = ", ".join(f"{METRICS[m][0]} {times(known[m])} that inside" for m in rises or known)
            told = f"outside, errors {'RISE' if rises else 'are as inside'}: {figures}"
            lines.append(told + (f" (of {self.n_outside} alone)" if self.n_outside < FEW else ""))
        if self.n_without:
            lines.append(f"{self.n_without} test structures have no {self.name} (or a vacuum, where it means nothing)")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers.

        Returns
        -------
        dict
            "bins" is a list of ranges with their errors.
        """
        return {
            "name": self.name,
            "unit": self.unit,
            "training": list(self.training),
            "bins": [asdict(b) for b in self.bins],
            "inside": dict(self.inside),
            "outside": dict(self.outside),
            "n_test": self.n_test,
            "n_outside": self.n_outside,
            "n_without": self.n_without,
            "statement": self.statement(),
        }

    def __str__(self) -> str:
        """Return the table and the statements."""
        titles = "".join(f"{f'{name} ({unit})':>24}" for name, unit, _ in METRICS.values())
        range_title = f"{self.name} ({self.unit})" if self.unit else self.name
        lines = [f"errors by {self.name}", f"{range_title:>24}{'':>9}{'train':>8}{'test':>8}{titles}"]
        for b in self.bins:
            cells = "".join(cell(getattr(b, m), 24, digits) for m, (_, _, digits) in METRICS.items())
            lines.append(f"{f'{b.low:.4g} to {b.high:.4g}':>24}{b.place:>9}{b.n_train:>8}{b.n_test:>8}{cells}")
        return "\n".join([*lines, self.statement()])


def errors_by_condition(
    model: LinearPotential | LinearPotentialCV,
    train: Sequence[Atoms],
    test: Sequence[Atoms],
    condition: str = VOLUME,
    n_bins: int = 8,
) -> ConditionErrors:
    """Return errors on test structures by volume per atom, or by a number that structures carry.

    Parameters
    ----------
    model : LinearPotential or LinearPotentialCV
        Fitted.
    train : sequence of ase.Atoms
        Structures that it was fitted to, for the range that they cover.
    test : sequence of ase.Atoms
        Labelled structures.
    condition : str, default="volume"
        "volume", or a key of ``info`` with a number, such as "temperature".
    n_bins : int, default=8
        Bins of equal width inside of the range of training; outside there is one on each side.

    Returns
    -------
    ConditionErrors
        Print it.

    Raises
    ------
    InputError
        If no training or no test structure has the condition, a value is no number, or labels cannot be used.
    """
    return condition_errors(check_structures(train), measure(fitted_potential(model), test), condition, n_bins)


def condition_errors(train: Sequence[Atoms], measured: Measured, condition: str, n_bins: int = 8) -> ConditionErrors:
    """Return the errors of structures that were predicted, by a condition.

    Parameters
    ----------
    train : sequence of ase.Atoms
        Training structures.
    measured : Measured
        Test structures.
    condition : str
        "volume" or a key of ``info``.
    n_bins : int
        Bins inside of the range of training.

    Returns
    -------
    ConditionErrors
        Print it.
    """
    if n_bins < 1:
        raise SettingsError(f"n_bins={n_bins}; give 1 or more")
    of_train, of_test = condition_values(train, condition), condition_values(measured.structures, condition)
    trained, asked = of_train[np.isfinite(of_train)], np.flatnonzero(np.isfinite(of_test))
    for which, n, values in (("training", len(train), trained), ("test", len(of_test), asked)):
        if not len(values):
            wanted = (
                "crystals or liquids without vacuum" if condition == VOLUME else f"structures with info[{condition!r}]"
            )
            raise SettingsError(f"none of the {n} {which} structures has a {condition}; give {wanted}")
    low, high = float(trained.min()), float(trained.max())
    edges = np.linspace(low, high, n_bins + 1) if high > low else np.array([low, high])
    places, of_trained = _places(of_test[asked], edges), _places(trained, edges)
    bins = []
    for place in range(-1, len(edges)):
        members, n_train = asked[places == place], int(np.count_nonzero(of_trained == place))
        bounds, where = _range(place, edges, of_test[members], n_train)
        if len(members) or where in ("inside", "gap"):
            bins.append(ConditionBin(*bounds, where, n_train, len(members), *_errors(measured, members).values()))
    outside = (places == -1) | (places == len(edges) - 1)
    return ConditionErrors(
        condition,
        UNITS.get(condition, ""),
        (low, high),
        tuple(bins),
        _errors(measured, asked[~outside]),
        _errors(measured, asked[outside]),
        len(of_test) - len(asked),
    )


def _places(values: FloatArray, edges: FloatArray) -> IntArray:
    """Return the bin of each value: -1 below all, the number of edges less one above all."""
    places = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    places[values < edges[0]] = -1
    places[values > edges[-1]] = len(edges) - 1
    return np.asarray(places, dtype=np.int64)


def _range(place: int, edges: FloatArray, values: FloatArray, n_train: int) -> tuple[tuple[float, float], str]:
    """Return the range of a bin, as far as test structures go outside of training, and where it is."""
    if place < 0:
        return (float(values.min(initial=edges[0])), float(edges[0])), "below"
    if place == len(edges) - 1:
        return (float(edges[-1]), float(values.max(initial=edges[-1]))), "above"
    return (float(edges[place]), float(edges[place + 1])), "inside" if n_train else "gap"


def _errors(measured: Measured, members: IntArray) -> dict[str, float | None]:
    """Return the errors of some structures."""
    errors = [measured.errors[i] for i in members]
    return {
        "energy_mae": mean_absolute([e.energy for e in errors]),
        "force_rmse": root_mean_square([e.force for e in errors]),
        "stress_rmse": root_mean_square([e.stress for e in errors]),
    }


def _ratio(error: float | None, usual: float | None) -> float | None:
    return None if error is None or not usual else error / usual
