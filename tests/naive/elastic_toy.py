"""A crystal whose energy is quadratic in the Green strain of its cell, whatever its atoms do."""

from typing import ClassVar

import numpy as np
from ase.calculators.calculator import Calculator, all_changes

from linmlp.units import EV_PER_A3_IN_GPA, matrix_from_voigt, voigt_from_matrix

FACTORS = np.array([1.0, 1.0, 1.0, 2.0, 2.0, 2.0])


class ElasticToy(Calculator):
    """W = S0 : E + E : C : E / 2 per volume of the reference, GPa; springs hold atoms at fractional positions."""

    implemented_properties: ClassVar[list[str]] = ["energy", "forces", "stress"]

    def __init__(self, reference, matrix, prestress=None):
        super().__init__()
        self.cell, self.volume = reference.cell.array, reference.get_volume()
        self.matrix = np.asarray(matrix) / EV_PER_A3_IN_GPA
        self.prestress = np.zeros(6) if prestress is None else np.asarray(prestress) / EV_PER_A3_IN_GPA

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        repeats = np.rint(atoms.get_volume() / self.volume)
        sizes = np.rint(atoms.cell.lengths() / np.linalg.norm(self.cell, axis=1))
        gradient = np.linalg.solve(self.cell * sizes[:, None], atoms.cell.array).T
        strain = voigt_from_matrix((gradient.T @ gradient - np.eye(3)) / 2.0) * FACTORS
        piola = self.prestress + self.matrix @ strain
        energy = self.prestress @ strain + 0.5 * strain @ self.matrix @ strain
        cauchy = gradient @ matrix_from_voigt(piola) @ gradient.T / np.linalg.det(gradient)
        self.results = {
            "energy": float(energy * self.volume * max(repeats, 1)),
            "forces": np.zeros((len(atoms), 3)),
            "stress": voigt_from_matrix(cauchy),
        }
