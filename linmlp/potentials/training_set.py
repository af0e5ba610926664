"""What a fit takes, and what it keeps of that."""

from collections.abc import Sequence
from dataclasses import dataclass

from ase import Atoms

from linmlp.descriptors import Descriptor
from linmlp.structures import Baseline, LabelSet, ReferenceEnergies, Rejection
from linmlp.system import (
    AssembledData,
)
from linmlp.units import FloatArray


@dataclass(frozen=True)
class TrainingSet:
    """What is fitted to: structures, labels, and what is known before the fit.

    `kept` are the places of the structures in the list that the user gave, where some are left out; `sizes` degrees up
    to which functions of the descriptor may be taken, from few functions to many, where that is to be chosen.
    """

    structures: Sequence[Atoms]
    labels: LabelSet
    descriptor: Descriptor
    baselines: tuple[Baseline, ...]
    reference: ReferenceEnergies
    sample_weight: FloatArray | None = None
    rejection: Rejection | None = None
    kept: tuple[int, ...] | None = None
    sizes: tuple[tuple[int, ...], ...] = ()

    @property
    def solves_reference(self) -> bool:
        """Whether reference energies are solved with the rest."""
        return self.reference.source == "lstsq"


@dataclass(frozen=True)
class TrainedSystem:
    """What is kept of the training data: their folded rows, and the reference energies that were subtracted."""

    data: AssembledData
    reference: ReferenceEnergies
