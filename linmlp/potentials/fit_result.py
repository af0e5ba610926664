"""What a fit gives, and what its final solve was chosen to use."""

from dataclasses import dataclass, field
from typing import Any

from linmlp.potentials.candidates import Candidate
from linmlp.potentials.holes import HoleRows
from linmlp.potentials.training_set import TrainedSystem, TrainingSet
from linmlp.solvers import Solution
from linmlp.structures import ReferenceEnergies
from linmlp.system import (
    AssembledData,
    LossParts,
    LossWeights,
)


@dataclass(frozen=True)
class Fit:
    """What a fit gives; `data` is what was fitted to, with the descriptor of the size that was chosen."""

    solution: Solution
    reference: ReferenceEnergies
    weights: LossWeights
    alpha: float
    form: str
    system: TrainedSystem | None
    loss: LossParts
    core_weight: float = 0.0
    cv_errors: dict[str, float] = field(default_factory=dict)
    cv_results: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    folded: AssembledData | None = None
    holes: HoleRows | None = None
    data: TrainingSet | None = None


@dataclass(frozen=True)
class Chosen:
    """What the final solve uses: weights, solver, strength, features."""

    candidate: Candidate
    value: float
    errors: dict[str, float] = field(default_factory=dict)
