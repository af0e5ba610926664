"""Energies known before the fit: subtracted from the labels, added to the predictions."""

from collections.abc import Mapping
from typing import Any

from linmlp.exceptions import ModelFileError
from linmlp.structures.baseline_contract import Baseline, BaselineResult, closest_approaches
from linmlp.structures.calculator_baseline import CalculatorBaseline
from linmlp.structures.pace_core import PaceCore
from linmlp.structures.pair_table import PairTable
from linmlp.structures.zbl import ZBL, zbl_from_closest_approaches

__all__ = [
    "ZBL",
    "Baseline",
    "BaselineResult",
    "CalculatorBaseline",
    "PaceCore",
    "PairTable",
    "baseline_from_state",
    "closest_approaches",
    "zbl_from_closest_approaches",
]


def baseline_from_state(state: Mapping[str, Any], given: Any = None) -> Baseline:
    """Return the baseline that a model file describes.

    Parameters
    ----------
    state : mapping
        As given by `to_state` of a baseline.
    given : ase calculator, optional
        What the user passed to take the place of a calculator, which no file holds.

    Returns
    -------
    Baseline
        Ready to compute.

    Raises
    ------
    ModelFileError
        If the state is of no known kind, or lacks a calculator.
    """
    kind = state.get("kind")
    if kind == "zbl":
        return ZBL.from_state(state)
    if kind == "pair_table":
        return PairTable.from_state(state)
    if kind == "pace_core":
        return PaceCore.from_state(state)
    if kind == "calculator":
        return CalculatorBaseline.from_state(state, given)
    raise ModelFileError(
        f"the model file has a baseline of kind {kind!r}; known are zbl, pair_table, pace_core and calculator"
    )
