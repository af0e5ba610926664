"""A potential and structures in, errors at several sizes of the training set out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from ase import Atoms
from sklearn.base import clone
from sklearn.model_selection import KFold, check_cv

from linmlp.exceptions import SettingsError
from linmlp.potentials import LinearPotential
from linmlp.structures import as_structure_list
from linmlp.units import FloatArray

METRICS = ("energy_mae", "energy_rmse", "force_mae", "force_rmse")


@dataclass(frozen=True)
class LearningCurve:
    """Errors at several sizes of the training set, fold by fold.

    Parameters
    ----------
    sizes : tuple of int
        Numbers of training structures, ascending.
    train, validation : dict of str to ndarray of shape (n_sizes, n_folds)
        Errors on the structures that were fitted and on those left out: energy in meV/atom, forces in eV/Å; NaN where
        nothing carries the label.
    """

    sizes: tuple[int, ...]
    train: dict[str, FloatArray]
    validation: dict[str, FloatArray]

    def to_frame(self) -> pd.DataFrame:
        """Return means over folds, one row per size: ``train_force_rmse``, ``validation_force_rmse``, ..."""
        columns = {
            f"{part}_{name}": values.mean(axis=1)
            for part in ("train", "validation")
            for name, values in getattr(self, part).items()
        }
        return pd.DataFrame(columns, index=pd.Index(self.sizes, name="n_structures"))

    def plot(self, metric: str = "force_rmse", ax: Any = None) -> Any:
        """Return the Axes of `plot_learning_curve`.

        Parameters
        ----------
        metric : str, default="force_rmse"
            Error to draw.
        ax : matplotlib Axes, optional
            Where to draw.

        Returns
        -------
        matplotlib Axes
            With both curves.
        """
        from linmlp.evaluation.plots import plot_learning_curve

        return plot_learning_curve(self, metric, ax)


def learning_curve(
    model: LinearPotential, structures: Sequence[Atoms], sizes: Sequence[int], cv: Any = 5, random_state: int = 0
) -> LearningCurve:
    """Return errors of a potential fitted to more and more structures.

    In every fold the training structures are shuffled once and the first ones taken, so that smaller training sets are
    parts of larger ones and all are measured on the same structures.

    Parameters
    ----------
    model : LinearPotential
        Is cloned, not changed.
    structures : sequence of ase.Atoms
        Labelled structures.
    sizes : sequence of int
        Numbers of training structures.
    cv : int or scikit-learn splitter, default=5
        Folds; a number shuffles.
    random_state : int, default=0
        Seed of the shuffles.

    Returns
    -------
    LearningCurve
        Errors on training and validation structures.

    Raises
    ------
    SettingsError
        If a size is not between 1 and the structures of the smallest training part.
    """
    structures = as_structure_list(structures)
    splitter = KFold(cv, shuffle=True, random_state=random_state) if isinstance(cv, int) else check_cv(cv)
    splits = list(splitter.split(structures))
    ordered = sorted({int(size) for size in sizes})
    most = min(len(train) for train, _ in splits)
    if not ordered or ordered[0] < 1 or ordered[-1] > most:
        raise SettingsError(f"sizes={list(sizes)!r}; give numbers from 1 to {most}, the structures left for training")
    rng = np.random.default_rng(random_state)
    shape = (len(ordered), len(splits))
    errors = {part: {name: np.full(shape, np.nan) for name in METRICS} for part in ("train", "validation")}
    for fold, (train, validation) in enumerate(splits):
        shuffled = rng.permutation(train)
        for row, size in enumerate(ordered):
            chosen = [structures[i] for i in shuffled[:size]]
            fitted = clone(model).fit(chosen)
            for part, measured in (("train", chosen), ("validation", [structures[i] for i in validation])):
                total = fitted.evaluate(measured).to_dict()["total"]
                for name in METRICS:
                    errors[part][name][row, fold] = np.nan if total[name] is None else total[name]
    return LearningCurve(tuple(ordered), errors["train"], errors["validation"])
