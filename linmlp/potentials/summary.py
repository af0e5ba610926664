"""A fitted potential in words."""

from typing import TYPE_CHECKING

import numpy as np

from linmlp.descriptors import ImportedACE
from linmlp.solvers import Status

if TYPE_CHECKING:
    from linmlp.potentials.linear import LinearPotential

_CV_COLUMNS = (
    ("energy_mae", "energy MAE", 3, "meV/atom"),
    ("energy_rmse", "energy RMSE", 3, "meV/atom"),
    ("force_rmse", "force RMSE", 4, "eV/Å"),
    ("stress_rmse", "stress RMSE", 3, "GPa"),
)


def describe(potential: "LinearPotential") -> str:
    """Return what a potential is made of: descriptor, reference energies, baselines, weights, solve, data.

    Parameters
    ----------
    potential : LinearPotential
        Fitted.

    Returns
    -------
    str
        Some lines.
    """
    descriptor, weights, solution = potential.descriptor_, potential.loss_weights_, potential.solution_
    if isinstance(descriptor, ImportedACE):
        return _describe_imported(potential)
    share = ", ".join(f"{kind} {100 * part:.0f} %" for kind, part in potential.loss_share_.items())
    lines = [
        f"linear potential for {', '.join(descriptor.elements_)}: {_functions(potential)}, cutoff "
        f"{descriptor.cutoff_:g} Å",
        f"descriptor: {' '.join(repr(descriptor).split())}",
        potential.reference_.report(),
        *(_report(baseline) for baseline in potential.baselines_),
        f"loss weights: energy {weights.energy:.4g} (per {weights.energy_per}), force {weights.force:.4g}, "
        f"stress {weights.stress:.4g}; share of the loss: {share}",
        f"{_solver(potential)} ({potential.form_} form), rank {solution.rank}, "
        f"condition number {solution.condition_number:.1e}",
        f"trained on {potential.training_['n_structures']} structures (hash {potential.training_['data_hash'][:12]})",
    ]
    if potential.holes_ is not None:
        lines.append(f"holes: {len(potential.holes_)} atoms of hot runs, weight {potential.holes_.weight:.1e}")
    if potential.core_weight_:
        lines.append(f"core: rows for the slope of dimers, weight {potential.core_weight_:.1e}, ask pairs to repel")
    if solution.status is Status.ILL_CONDITIONED:
        digits = _coefficient_digits(potential)
        lines.append(f"coefficients hold to {digits:.0e} of their norm; predictions are not touched by that")
    elif not solution.success:
        lines.append(f"note: {solution.message}")
    notes = (*getattr(descriptor, "notes_", ()), *potential.notes_)
    return "\n".join([*lines, *(f"note: {note}" for note in notes)])


def _describe_imported(potential: "LinearPotential") -> str:
    """Return what a potential is made of that has no past here."""
    descriptor = potential.descriptor_
    lines = [
        f"linear ACE potential for {', '.join(descriptor.elements_)}: {potential.solution_.rank} functions, "
        f"cutoff {descriptor.cutoff_:g} Å, for predictions alone",
        potential.reference_.report(),
        *(_report(baseline) for baseline in potential.baselines_),
        f"{potential.training_['labels']} (hash {potential.training_['data_hash'][:12]})",
    ]
    return "\n".join(lines)


def describe_cross_validation(potential: "LinearPotential") -> str:
    """Return the cross-validation errors of the chosen settings, as text.

    Parameters
    ----------
    potential : LinearPotential
        Fitted.

    Returns
    -------
    str
        One or two lines.
    """
    errors = potential.cv_errors_
    if not errors:
        return "no cross-validation: weights and ridge strength were given"
    parts = [f"{label} {errors[name]:.{digits}f} {unit}" for name, label, digits, unit in _CV_COLUMNS if name in errors]
    return f"cross-validation on the training structures, {potential.n_folds} folds: {' | '.join(parts)}"


def _functions(potential: "LinearPotential") -> str:
    """Return how many functions there are, and how many of them are used where that is fewer."""
    n_functions, n_used = len(potential.coef_), int(np.count_nonzero(potential.coef_))
    degrees = getattr(potential.descriptor_, "max_degree_", None)
    told = f"{n_functions} functions" + ("" if degrees is None else f" (degrees {', '.join(map(str, degrees))})")
    return told + (f", {n_used} of them with a coefficient" if n_used < n_functions else "")


def _solver(potential: "LinearPotential") -> str:
    """Return the strength of the ridge, or the solver where it has a strength of another kind."""
    solver = potential.solver
    is_other = getattr(solver, "path_parameter", None) not in (None, "alpha")
    if solver is not None and (is_other or not np.isfinite(potential.alpha_)):
        return " ".join(repr(solver).split())
    return f"ridge strength {potential.alpha_:g}"


def _coefficient_digits(potential: "LinearPotential") -> float:
    """Return the bound on the relative error of the coefficients; QR feels the root of the condition number."""
    power = 0.5 if potential.form_ == "qr" else 1.0
    return min(1.0, float(100 * np.finfo(float).eps * potential.solution_.condition_number**power))


def _report(baseline: object) -> str:
    return str(baseline.report()) if hasattr(baseline, "report") else f"baseline: {type(baseline).__name__}"
