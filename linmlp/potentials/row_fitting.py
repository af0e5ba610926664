"""A fit without compressed systems, for more functions than square matrices of them fit into memory."""

import warnings
from dataclasses import replace
from typing import Any

from linmlp.exceptions import LinmlpWarning, SettingsError
from linmlp.potentials.candidates import Candidate
from linmlp.potentials.choosing import check_something_counts
from linmlp.potentials.core import CoreRows, solve_with_core
from linmlp.potentials.fit_result import Fit
from linmlp.potentials.fit_settings import FitSettings
from linmlp.potentials.fitting import core_notes
from linmlp.potentials.reporting import Reporter, Silent
from linmlp.potentials.training_set import TrainingSet
from linmlp.solvers import RowSolver
from linmlp.system import LossWeights
from linmlp.system.structure_rows import StructureRows


def fit_rows(data: TrainingSet, settings: FitSettings, tell: Reporter | None = None, core: bool = True) -> Fit:
    """Return the fit of a linear potential by a solver that makes the rows again at every pass.

    Nothing is folded and nothing searched: automatic loss weights are those of the rule, and the solver's strength is
    its own.

    Parameters
    ----------
    data : TrainingSet
        Structures and labels.
    settings : FitSettings
        With a `RowSolver`.
    tell : Reporter, optional
        Is told what happens.
    core : bool, default=True
        Whether dimers are made to repel below the closest approach of the data (see `linmlp.potentials.core`).

    Returns
    -------
    Fit
        Without a system.

    Raises
    ------
    SettingsError
        If the memory is too small.
    """
    tell = tell or Silent()
    solver = settings.solver_choice(data.descriptor).solver
    assert isinstance(solver, RowSolver)  # the settings were checked
    weights = rule_weights(data, settings)
    check_something_counts(data.labels, [Candidate(weights)])
    source = StructureRows(
        data.structures,
        data.labels,
        data.descriptor,
        weights,
        data.baselines,
        data.reference,
        data.sample_weight,
        data.solves_reference,
    )
    _check_memory(source, solver, settings, tell)
    rows = CoreRows.of(data.descriptor, data.baselines) if core else None
    solution, core_weight = solve_with_core(solver.solve_source, source, rows)
    if source.n_rows < source.n_features:
        warnings.warn(
            f"{source.n_rows} rows for {source.n_features} functions: the data do not determine all coefficients, and "
            f"the penalty of {type(solver).__name__} decides the rest; add structures, or lower max_degree",
            LinmlpWarning,
            stacklevel=2,
        )
    recovered = source.composition.recover(solution.coef)
    return Fit(
        solution=solution,
        reference=replace(data.reference, values=data.reference.values + recovered),
        weights=weights,
        alpha=float(solver.alpha),
        form="rows",
        system=None,
        loss=source.loss_parts(solution.coef, recovered),
        core_weight=core_weight,
        notes=core_notes(rows, solution),
    )


def rule_weights(data: TrainingSet, settings: FitSettings) -> LossWeights:
    """Return the loss weights, automatic ones by the rule.

    Parameters
    ----------
    data : TrainingSet
        Structures and labels.
    settings : FitSettings
        Weights; an automatic `energy_per` is "structure".

    Returns
    -------
    LossWeights
        Numbers.
    """
    per: Any = "structure" if settings.energy_per == "auto" else settings.energy_per
    return LossWeights.from_labels(
        data.labels,
        data.sample_weight,
        settings.energy_weight,
        settings.force_weight,
        settings.stress_weight,
        per,
        settings.group_weights,
    )


def _check_memory(source: StructureRows, solver: RowSolver, settings: FitSettings, tell: Reporter) -> None:
    """Say what memory the fit takes, and raise where that is too much."""
    n = source.n_features
    squares = 3 * n**2 if getattr(solver, "preconditioner", "sample") == "sample" else 0
    energies = 2 * len(source.structures) * n
    # Two blocks are alive while the next one is made, and an iteration keeps some vectors of rows.
    total = 8 * (squares + energies + 2 * source.block_rows * n + 8 * source.n_rows) / 1e9
    tell.say(
        f"memory: {source.n_rows} rows x {n} features, made again at every pass: {total:.2f} GB "
        f"(preconditioner {8 * squares / 1e9:.2f} GB) instead of {8 * source.n_rows * n / 1e9:.2f} GB"
    )
    if settings.max_memory is not None and total > settings.max_memory:
        raise SettingsError(
            f"the fit would take {total:.2f} GB, more than max_memory={settings.max_memory:g} GB; lower max_degree, "
            "raise max_memory, or use LSMR(preconditioner=None)"
        )
