"""The error table: predictions and labels in, MAE and RMSE of energy, forces and stress out."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from linmlp.potentials.predictor import Prediction
from linmlp.structures import Labels
from linmlp.units import EV_PER_A3_IN_GPA, FloatArray

if TYPE_CHECKING:
    from linmlp.potentials.uncertainty.table import UncertaintyTable

KINDS = ("energy", "force", "stress")
UNITS = {"energy": "meV/atom", "force": "eV/Å", "stress": "GPa"}


@dataclass(frozen=True)
class StructureErrors:
    """Errors of one structure: energy (meV/atom), forces (eV/Å), stress (GPa), by component; empty if unlabelled."""

    group: str
    energy: FloatArray
    force: FloatArray
    stress: FloatArray

    @classmethod
    def of(cls, prediction: Prediction, labels: Labels) -> "StructureErrors":
        """Return prediction minus label, masked components left out."""
        energy = _energy_error(prediction, labels) if labels.energy_weight > 0 else np.empty(0)
        force = stress = np.empty(0)
        if labels.forces is not None:
            force = (prediction.forces - labels.forces)[labels.force_weight > 0]
        if labels.stress is not None and prediction.volume is not None:
            stress = (prediction.stress - labels.stress)[labels.stress_weight > 0] * EV_PER_A3_IN_GPA
        return cls(labels.config_type, energy, force, stress)


def _energy_error(prediction: Prediction, labels: Labels) -> FloatArray:
    if labels.energy is None:
        return np.empty(0)
    return np.array([1e3 * (prediction.energy - labels.energy) / labels.n_atoms])


@dataclass(frozen=True)
class ErrorTable:
    """Errors of a potential on labelled structures, in total and per group.

    Energy in meV/atom over structures, forces in eV/Å over Cartesian components, stress in GPa over the six Voigt
    components. Printing it gives the table; `to_dict` and `to_frame` give the numbers.

    Parameters
    ----------
    structures : sequence of StructureErrors
        Errors of each structure.
    uncertainty : UncertaintyTable or None
        How well stated uncertainties hold, if that was asked for.
    """

    structures: Sequence[StructureErrors] = field(repr=False)
    uncertainty: "UncertaintyTable | None" = field(default=None, repr=False)

    @property
    def groups(self) -> list[str]:
        """Names of the groups, sorted."""
        return sorted({errors.group for errors in self.structures})

    def to_dict(self) -> dict[str, Any]:
        """Return {"total": row, "groups": {name: row}}; a row has energy_mae, energy_rmse, ... and n_structures.

        Returns
        -------
        dict
            Numbers are None where nothing carries that label. "uncertainty" is that of the table of uncertainties, if
            there is one.
        """
        by_group = {g: _row([e for e in self.structures if e.group == g]) for g in self.groups}
        stated = {} if self.uncertainty is None else {"uncertainty": self.uncertainty.to_dict()}
        return {"total": _row(self.structures), "groups": by_group, **stated}

    def to_json(self) -> str:
        """Return `to_dict` as JSON."""
        return json.dumps(self.to_dict(), indent=2)

    def to_frame(self) -> pd.DataFrame:
        """Return a data frame with one row per group and a last row "total"."""
        table = self.to_dict()
        return pd.DataFrame([*table["groups"].values(), table["total"]], index=[*table["groups"], "total"])

    def intervals(
        self, level: float = 0.95, n_samples: int = 1000, random_state: int = 0
    ) -> dict[str, tuple[float, float]]:
        """Return bootstrap intervals of the total errors, from resampled structures.

        Parameters
        ----------
        level : float
            Probability that the interval should hold.
        n_samples : int
            Number of resampled sets.
        random_state : int
            Seed.

        Returns
        -------
        dict
            {"energy_mae": (low, high), ...} in the units of the table.
        """
        rng = np.random.default_rng(random_state)
        tails = [50 * (1 - level), 50 * (1 + level)]
        n = len(self.structures)
        samples = rng.integers(n, size=(n_samples, n))
        result = {}
        for kind in KINDS:
            errors = [getattr(e, kind) for e in self.structures]
            count = np.array([len(e) for e in errors], dtype=float)
            if not count.sum():
                continue
            for name, power in (("mae", 1), ("rmse", 2)):
                sums = np.array([np.sum(np.abs(e) ** power) for e in errors])
                with np.errstate(invalid="ignore"):
                    means = (sums[samples].sum(1) / count[samples].sum(1)) ** (1 / power)
                low, high = np.nanpercentile(means, tails)
                result[f"{kind}_{name}"] = (float(low), float(high))
        return result

    def __str__(self) -> str:
        """Return the table as text."""
        table = self.to_dict()
        rows = (
            [*table["groups"].items(), ("total", table["total"])]
            if len(self.groups) > 1
            else [("total", table["total"])]
        )
        width = max(len("group"), *(len(name) for name, _ in rows))
        heads = "".join(f"{f'{kind} ({UNITS[kind]})':>22}" for kind in KINDS)
        lines = [
            f"{'':{width}} {'':>10}{heads}",
            f"{'group':{width}} {'structures':>10}" + f"{'MAE':>12}{'RMSE':>10}" * 3,
        ]
        for name, row in rows:
            cells = "".join(
                _cell(row[f"{kind}_{m}"], kind, w) for kind in KINDS for m, w in (("mae", 12), ("rmse", 10))
            )
            lines.append(f"{name:{width}} {row['n_structures']:>10}{cells}")
        return "\n".join(lines) + ("" if self.uncertainty is None else f"\n\n{self.uncertainty}")


def _cell(value: float | None, kind: str, width: int) -> str:
    digits = {"energy": 2, "force": 4, "stress": 3}[kind]
    return f"{'-':>{width}}" if value is None else f"{value:>{width}.{digits}f}"


def _row(structures: Sequence[StructureErrors]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    means: dict[str, Callable[[FloatArray], float]] = {
        "mae": lambda e: float(np.abs(e).mean()),
        "rmse": lambda e: float(np.sqrt(np.mean(e**2))),
    }
    for kind in KINDS:
        errors = np.concatenate([np.empty(0), *(getattr(e, kind).ravel() for e in structures)])
        for name, mean in means.items():
            row[f"{kind}_{name}"] = mean(errors) if len(errors) else None
    row["n_structures"] = len(structures)
    return row
