"""A data set in, findings out: what about it will harm a fit, measured. One check per file, one contract."""

from linmlp.structures.data_checks.contract import SEVERITIES, DataSet, Finding
from linmlp.structures.data_checks.run import CHECKS, DataReport, check_data

__all__ = ["CHECKS", "SEVERITIES", "DataReport", "DataSet", "Finding", "check_data"]
