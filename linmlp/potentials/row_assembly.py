"""The rows of a training set, folded, after the memory that takes was said."""

from typing import Any

from joblib import effective_n_jobs

from linmlp.exceptions import SettingsError
from linmlp.potentials.evidence_weights import KEPT_SQUARES
from linmlp.potentials.fit_settings import FitSettings
from linmlp.potentials.reporting import Reporter
from linmlp.potentials.training_set import TrainingSet
from linmlp.system import (
    AssembledData,
    Assembly,
    assemble_cached,
)

SEARCH_SQUARES = 9
"""Square matrices of n_features**2 numbers that the search keeps per fold: systems, their sum, its factor, copies."""


def assemble_rows(
    data: TrainingSet, settings: FitSettings, folds: Any, tell: Reporter, groups_apart: bool = False
) -> AssembledData:
    """Return the folded rows of the training structures, after saying what memory that takes.

    Parameters
    ----------
    data : TrainingSet
        Structures and labels.
    settings : FitSettings
        Form, threads, memory, group weights.
    folds : array-like of shape (n_structures,) or None
        Fold of each structure.
    tell : Reporter
        Is told.
    groups_apart : bool, default=False
        Whether group weights stay free.

    Returns
    -------
    AssembledData
        Systems and energy rows.

    Raises
    ------
    SettingsError
        If it would take more than `max_memory`.
    """
    assembly = Assembly(
        data.structures,
        data.labels,
        data.descriptor,
        baseline=data.baselines,
        reference=data.reference,
        folds=folds,
        sample_weight=data.sample_weight,
        group_weights=None if groups_apart else settings.group_weights,
        groups_apart=groups_apart,
        # Sizes are subsets of features, which the Gram form takes for nothing.
        form="gram" if data.sizes and settings.form == "auto" else settings.form,
        n_jobs=settings.n_jobs,
    )
    plan = assembly.plan()
    squares = SEARCH_SQUARES + (KEPT_SQUARES if settings.finds_weights else 0)
    searched = 8 * squares * plan.n_features**2 * min(effective_n_jobs(settings.n_jobs), settings.n_folds)
    total = (plan.systems + plan.energy_rows + max(plan.workspace, searched)) / 1e9
    tell.say(f"memory: {plan}; with the search {total:.2f} GB")
    if settings.max_memory is not None and total > settings.max_memory:
        raise SettingsError(
            f"the fit would take {total:.2f} GB, more than max_memory={settings.max_memory:g} GB; "
            "lower max_degree, or raise max_memory"
        )
    tell.start("rows", len(data.structures))
    return assemble_cached(assembly, settings.memory, lambda done, total: tell.reach(done))
