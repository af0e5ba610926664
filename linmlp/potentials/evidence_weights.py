r"""Loss weights and ridge strength from the evidence of the training folds, without cross-validation.

Energy, force and stress rows have a noise level each. A term of the loss is the squared residual over N (N_cfg or
N_atoms), so that the weight of a kind is the reciprocal noise variance of its rows over :math:`\sqrt N`,
:math:`w_k \propto N_k/\sigma_k^2`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from linmlp.exceptions import SettingsError
from linmlp.solvers.evidence import Evidence, maximize_evidence
from linmlp.system import LossWeights, TrainingData
from linmlp.system.threads import one_blas_thread
from linmlp.system.training import group_factors
from linmlp.system.weights import ENERGY_PER_POWER, EnergyPer
from linmlp.units import VOIGT_MULTIPLICITY

ROWS_PER_COUNT = {"force": 3, "stress": len(VOIGT_MULTIPLICITY)}
"""Independent numbers for each atom or structure: a symmetric stress has six, though its loss counts nine."""


@dataclass(frozen=True)
class EvidenceWeights:
    """What the evidence of some training folds chooses.

    Parameters
    ----------
    weights : LossWeights
        Loss weights, with a force weight of 1 (or the first kind that there is).
    alpha : float
        Ridge strength that goes with them.
    evidence : Evidence
        Noise variances are those of rows over the root of N, in the order energy, force, stress of what there is.
    log_evidence : float
        Of the energies themselves, so that it compares between choices of `energy_per`.
    """

    weights: LossWeights
    alpha: float
    evidence: Evidence
    log_evidence: float


def evidence_weights(
    training: TrainingData, template: LossWeights, energy_pers: Sequence[EnergyPer] | None = None
) -> EvidenceWeights:
    """Return loss weights and ridge strength by the evidence of training folds.

    The number of rows of a kind is the number of independent labels, counted as often as their structures are listed:
    one energy per structure, less those that reference energies use up; three components per atom; six per stress.
    Single components that are masked within a structure or atom count as if they were there.

    Parameters
    ----------
    training : TrainingData
        Training folds.
    template : LossWeights
        Kinds with a weight of 0 stay out; group weights are kept.
    energy_pers : sequence of str, optional
        Choices of `energy_per` to compare by their evidence; by default that of `template` alone.

    Returns
    -------
    EvidenceWeights
        The choice with the largest evidence.
    """
    pers = [template.energy_per] if energy_pers is None else list(energy_pers)
    if not pers:
        raise SettingsError("there is no energy_per to choose from; give at least one")
    with one_blas_thread():
        results = [_maximize(training, template, per) for per in pers]
    return max(results, key=lambda result: result.log_evidence)


def _maximize(training: TrainingData, template: LossWeights, per: EnergyPer) -> EvidenceWeights:
    """Return the weights for one `energy_per`."""
    parts, counts, names = [], [], []
    jacobian = 0.0
    for kind in ("energy", "force", "stress"):
        if getattr(template, kind) == 0.0:
            continue
        unit = {name: float(name == kind) for name in ("energy", "force", "stress")}
        alone = LossWeights(**unit, energy_per=per, groups=template.groups)
        problem = training.problem(alone)
        if kind == "energy":
            n_energy, jacobian = _energy_rows(training, alone)
            count = n_energy - problem.composition.rank
        else:
            kinds = getattr(training, kind)
            factors = group_factors(kinds, alone, training.assembled.groups_apart)
            count = ROWS_PER_COUNT[kind] * sum(factors[group] * kinds[group].count for group in kinds)
        if count > 0.0:
            parts.append(problem.system.keep())
            counts.append(count)
            names.append(kind)
    evidence = maximize_evidence(parts, counts)
    found = dict(zip(names, evidence.weights, strict=True))
    unit_weight = found.get("force", next(iter(found.values())))
    weights = LossWeights(
        *(float(found.get(kind, 0.0) / unit_weight) for kind in ("energy", "force", "stress")), per, template.groups
    )
    return EvidenceWeights(weights, evidence.alpha, evidence, evidence.log_evidence + jacobian)


def _energy_rows(training: TrainingData, weights: LossWeights) -> tuple[float, float]:
    """Return the number of energies, and the logarithm of what scaling their rows does to the density.

    Rows are scaled by q; reference energies with a flat prior are integrated out, which leaves
    ``Σ ln q − ½ ln det CᵀQ²C`` (over the combinations that compositions determine).
    """
    energy = training.assembled.energy
    rows = energy.in_folds(training.folds)
    listed = energy.listed[rows]
    if training.assembled.groups_apart:
        listed = listed * [weights.group_weight(group) for group in energy.group[rows]]
    total = float(listed.sum())
    if not total > 0.0:
        return 0.0, 0.0
    squared = energy.label_weight[rows] / energy.n_atoms[rows] ** ENERGY_PER_POWER[weights.energy_per] / total
    jacobian = 0.5 * float(listed @ np.log(squared))
    if training.solve_reference:
        C = energy.composition[rows]
        values = np.linalg.eigvalsh(C.T @ ((listed * squared)[:, None] * C))
        jacobian -= 0.5 * float(np.log(values[values > 1e-12 * values.max()]).sum())
    return total, jacobian
