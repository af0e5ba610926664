"""Fitted potentials in, files for LAMMPS out, and such files back in."""

from linmlp.export.yace_export import ExportedPotential, write_yace
from linmlp.export.yace_import import read_yace

__all__ = ["ExportedPotential", "read_yace", "write_yace"]
