"""ase.Atoms in, checked structures, labels, reference energies, baselines and splits out."""

from linmlp.structures.baselines import (
    ZBL,
    Baseline,
    BaselineResult,
    CalculatorBaseline,
    PairTable,
    baseline_from_state,
    closest_approaches,
    zbl_from_closest_approaches,
)
from linmlp.structures.checks import as_structure_list, check_structures, config_type
from linmlp.structures.files import read_structures
from linmlp.structures.label_set import Labels, LabelSet
from linmlp.structures.labels import read_labels
from linmlp.structures.reference import ReferenceEnergies, composition_matrix
from linmlp.structures.reference_fit import fit_reference_energies
from linmlp.structures.rejection import Rejection, RejectSetting, reject_structures
from linmlp.structures.splits import assign_folds, kfold_indices

__all__ = [
    "ZBL",
    "Baseline",
    "BaselineResult",
    "CalculatorBaseline",
    "LabelSet",
    "Labels",
    "PairTable",
    "ReferenceEnergies",
    "RejectSetting",
    "Rejection",
    "as_structure_list",
    "assign_folds",
    "baseline_from_state",
    "check_structures",
    "closest_approaches",
    "composition_matrix",
    "config_type",
    "fit_reference_energies",
    "kfold_indices",
    "read_labels",
    "read_structures",
    "reject_structures",
    "zbl_from_closest_approaches",
]
