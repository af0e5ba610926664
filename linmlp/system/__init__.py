"""Features and labels in, compressed systems out."""

from linmlp.system.assembled import AssembledData, EnergyRows, KindSystem
from linmlp.system.assembly import Assembly, assemble
from linmlp.system.caching import assemble_cached, check_memory
from linmlp.system.compressed import CompressedSystem, Factor, Gram
from linmlp.system.folding import empty_system, from_state, merge, rows_to_system
from linmlp.system.gram import GramSystem
from linmlp.system.loss import LossParts, compute_loss
from linmlp.system.loss_weights import LossWeights
from linmlp.system.memory import AssemblyPlan
from linmlp.system.qr import QRSystem
from linmlp.system.row_system import RowSystem
from linmlp.system.summed import SystemSum
from linmlp.system.training import CompositionSolution, TrainingData, TrainingProblem, combine
from linmlp.system.validation import SquaredErrors, ValidationErrors, validate
from linmlp.system.weights import check_group_names, structure_weights

__all__ = [
    "AssembledData",
    "Assembly",
    "AssemblyPlan",
    "CompositionSolution",
    "CompressedSystem",
    "EnergyRows",
    "Factor",
    "Gram",
    "GramSystem",
    "KindSystem",
    "LossParts",
    "LossWeights",
    "QRSystem",
    "RowSystem",
    "SquaredErrors",
    "SystemSum",
    "TrainingData",
    "TrainingProblem",
    "ValidationErrors",
    "assemble",
    "assemble_cached",
    "check_group_names",
    "check_memory",
    "combine",
    "compute_loss",
    "empty_system",
    "from_state",
    "merge",
    "rows_to_system",
    "structure_weights",
    "validate",
]
