"""Features and labels in, compressed systems out."""

from linmlp.system.compressed import CompressedSystem, Factor, Gram
from linmlp.system.folding import empty_system, from_state, merge, rows_to_system
from linmlp.system.gram import GramSystem
from linmlp.system.loss import LossParts, compute_loss
from linmlp.system.qr import QRSystem
from linmlp.system.row_system import RowSystem
from linmlp.system.summed import SystemSum
from linmlp.system.weights import LossWeights, structure_weights

__all__ = [
    "CompressedSystem",
    "Factor",
    "Gram",
    "GramSystem",
    "LossParts",
    "LossWeights",
    "QRSystem",
    "RowSystem",
    "SystemSum",
    "compute_loss",
    "empty_system",
    "from_state",
    "merge",
    "rows_to_system",
    "structure_weights",
]
