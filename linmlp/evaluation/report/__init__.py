"""Fitted potential and structures in, one HTML file with errors, plots, runs and verdicts out."""

from linmlp.evaluation.report.contract import Content, Section, Verdict
from linmlp.evaluation.report.inputs import Inputs
from linmlp.evaluation.report.write import SECTIONS, Report, write_report

__all__ = ["SECTIONS", "Content", "Inputs", "Report", "Section", "Verdict", "write_report"]
