"""ase.Atoms in, checked structures, labels, reference energies, baselines and splits out."""

from linmlp.structures.baselines import (
    ZBL,
    Baseline,
    BaselineResult,
    CalculatorBaseline,
    PaceCore,
    PairTable,
    baseline_from_state,
    closest_approaches,
    zbl_from_closest_approaches,
)
from linmlp.structures.checks import as_structure_list, check_structures, config_type
from linmlp.structures.files import read_structures, write_structures
from linmlp.structures.fold_plan import FoldPlan, assign_group_folds, plan_folds
from linmlp.structures.groups import Leak, check_leaks, structure_groups
from linmlp.structures.label_set import Labels, LabelSet
from linmlp.structures.labels import read_labels
from linmlp.structures.reference import ReferenceEnergies, composition_matrix
from linmlp.structures.reference_fit import fit_reference_energies
from linmlp.structures.rejection import Rejection, RejectSetting, reject_structures
from linmlp.structures.selection import d_optimal, farthest_point
from linmlp.structures.splits import assign_folds, kfold_indices

__all__ = [
    "ZBL",
    "Baseline",
    "BaselineResult",
    "CalculatorBaseline",
    "FoldPlan",
    "LabelSet",
    "Labels",
    "Leak",
    "PaceCore",
    "PairTable",
    "ReferenceEnergies",
    "RejectSetting",
    "Rejection",
    "as_structure_list",
    "assign_folds",
    "assign_group_folds",
    "baseline_from_state",
    "check_leaks",
    "check_structures",
    "closest_approaches",
    "composition_matrix",
    "config_type",
    "d_optimal",
    "farthest_point",
    "fit_reference_energies",
    "kfold_indices",
    "plan_folds",
    "read_labels",
    "read_structures",
    "reject_structures",
    "structure_groups",
    "write_structures",
    "zbl_from_closest_approaches",
]
