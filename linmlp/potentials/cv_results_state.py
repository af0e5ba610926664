"""The table of a cross-validation as JSON takes it, and back."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from linmlp.potentials.setting_states import plain

PARAM = "param_"


def cv_results_to_state(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return a table of all combinations that were tried as JSON takes it.

    Parameters
    ----------
    table : mapping
        ``cv_results_`` of a potential; empty if nothing was cross-validated.

    Returns
    -------
    dict
        Columns of numbers as lists, ``params`` as a list of mappings; ``param_*`` columns follow from these.
    """
    return {name: plain(column) for name, column in table.items() if not name.startswith(PARAM)}


def cv_results_from_state(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return the table of a stored state.

    Parameters
    ----------
    state : mapping
        As given by `cv_results_to_state`.

    Returns
    -------
    dict of str to ndarray of shape (n_sets,)
        In scikit-learn's form.
    """
    if not state:
        return {}
    params = [{k: tuple(v) if isinstance(v, list) else v for k, v in entry.items()} for entry in state["params"]]
    table: dict[str, Any] = {"params": params}
    for name in sorted({name for entry in params for name in entry}):
        column = np.ma.array(np.empty(len(params), dtype=object), mask=True)
        for row, entry in enumerate(params):
            if name in entry:
                column[row] = entry[name]
        table[f"{PARAM}{name}"] = column
    return table | {name: np.asarray(column) for name, column in state.items() if name != "params"}
