"""Fitted potentials in, files for LAMMPS out."""

from linmlp.export.yace_export import ExportedPotential, write_yace

__all__ = ["ExportedPotential", "write_yace"]
