"""Structures in; errors of potentials of growing size against their measured cost, and the one to take, out."""

from linmlp.evaluation.front.compute import compute_front
from linmlp.evaluation.front.output import write_front
from linmlp.evaluation.front.plots import plot_front
from linmlp.evaluation.front.points import WORTH, Point, pareto, recommend
from linmlp.evaluation.front.result import Front

__all__ = ["WORTH", "Front", "Point", "compute_front", "pareto", "plot_front", "recommend", "write_front"]
