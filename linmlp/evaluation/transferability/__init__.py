"""A fitted potential and labelled structures in; where it may be trusted beyond what it was trained on, out."""

from linmlp.evaluation.transferability.assessment import Transferability, assess_transferability
from linmlp.evaluation.transferability.condition_values import volume_per_atom
from linmlp.evaluation.transferability.conditions import ConditionErrors, errors_by_condition
from linmlp.evaluation.transferability.figures import Errors
from linmlp.evaluation.transferability.grades import GradeErrors, errors_by_grade
from linmlp.evaluation.transferability.leaving import (
    leave_one_chemical_system_out,
    leave_one_element_out,
    leave_one_group_out,
)
from linmlp.evaluation.transferability.left_out import LeaveOut, LeftOut
from linmlp.evaluation.transferability.plots import (
    plot_conditions,
    plot_grades,
    plot_left_out,
    plot_transferability,
    plot_volumes,
)
from linmlp.evaluation.transferability.volumes import VolumeCoverage, cover_volumes

__all__ = [
    "ConditionErrors",
    "Errors",
    "GradeErrors",
    "LeaveOut",
    "LeftOut",
    "Transferability",
    "VolumeCoverage",
    "assess_transferability",
    "cover_volumes",
    "errors_by_condition",
    "errors_by_grade",
    "leave_one_chemical_system_out",
    "leave_one_element_out",
    "leave_one_group_out",
    "plot_conditions",
    "plot_grades",
    "plot_left_out",
    "plot_transferability",
    "plot_volumes",
    "volume_per_atom",
]
