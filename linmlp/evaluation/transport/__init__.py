"""Trajectories, or a fitted potential and a structure, in; diffusion coefficients and ionic conductivity out."""

from linmlp.evaluation.transport.arrhenius import ArrheniusFit, fit_arrhenius
from linmlp.evaluation.transport.compute import compute_transport, transport_of
from linmlp.evaluation.transport.motion import Motion, read_motion
from linmlp.evaluation.transport.plots import plot_arrhenius, plot_msd
from linmlp.evaluation.transport.results import Conductivity, Diffusion, Transport
from linmlp.evaluation.transport.run import run_transport
from linmlp.evaluation.transport.series import TransportSeries

__all__ = [
    "ArrheniusFit",
    "Conductivity",
    "Diffusion",
    "Motion",
    "Transport",
    "TransportSeries",
    "compute_transport",
    "fit_arrhenius",
    "plot_arrhenius",
    "plot_msd",
    "read_motion",
    "run_transport",
    "transport_of",
]
