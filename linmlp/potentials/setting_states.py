"""Settings of a potential as JSON takes them, and back."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import sklearn.linear_model
from sklearn.base import BaseEstimator

import linmlp.solvers
from linmlp.exceptions import ModelFileError
from linmlp.potentials.solver_setting import UpToDegree
from linmlp.solvers import FeatureCosts, SystemSolver


def plain(value: Any) -> Any:
    """Return a setting as JSON takes it.

    Parameters
    ----------
    value : object
        Numbers, strings, mappings, arrays, sequences, solvers, `FeatureCosts`, `UpToDegree`.

    Returns
    -------
    object
        Solvers, `FeatureCosts` and `UpToDegree` become mappings with a key that names them.
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, SystemSolver):
        return {"solver": type(value).__name__, "settings": plain(value.get_params(deep=False))}
    if isinstance(value, BaseEstimator):
        return {"regressor": type(value).__name__, "settings": plain(value.get_params(deep=False))}
    if isinstance(value, FeatureCosts):
        return {"costs": value.to_state()}
    if isinstance(value, UpToDegree):
        return {"up_to_degree": plain(value.max_degree)}
    return value.item() if isinstance(value, np.generic) else value


def solver_from_state(state: Mapping[str, Any] | None) -> SystemSolver | None:
    """Return the solver of a stored state.

    Parameters
    ----------
    state : mapping or None
        As given by `plain`.

    Returns
    -------
    SystemSolver or None
        Not fitted.

    Raises
    ------
    ModelFileError
        If it is none of the library.
    """
    if state is None:
        return None
    kind = getattr(linmlp.solvers, state["solver"], None)
    if not (isinstance(kind, type) and issubclass(kind, SystemSolver)):
        raise ModelFileError(f"the solver {state['solver']!r} is not known; install the linmlp that wrote the file")
    return kind(**{name: solver_argument(value) for name, value in state["settings"].items()})


def solver_argument(value: Any) -> Any:
    """Return a stored setting of a solver; arrays were stored as lists, linear models of scikit-learn by name."""
    if isinstance(value, Mapping) and "costs" in value:
        return FeatureCosts(**{name: np.array(array) for name, array in value["costs"].items()})
    if isinstance(value, Mapping):
        kind = getattr(sklearn.linear_model, value["regressor"], None)
        if not (isinstance(kind, type) and issubclass(kind, BaseEstimator)):
            raise ModelFileError(f"{value['regressor']!r} is no linear model of scikit-learn; the file is damaged")
        return kind(**{name: solver_argument(item) for name, item in value["settings"].items()})
    return np.asarray(value) if isinstance(value, list) else value


def features_from_state(state: Any) -> Any:
    """Return the setting of features of a stored state.

    Parameters
    ----------
    state : None, list or mapping
        As given by `plain`.

    Returns
    -------
    None, ndarray or UpToDegree
        What `LinearPotential` takes.
    """
    if isinstance(state, Mapping):
        return UpToDegree(tuple(state["up_to_degree"]))
    return None if state is None else np.asarray(state)
