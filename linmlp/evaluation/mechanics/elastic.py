"""Elastic constants of a crystal, from stresses and from energies of small strains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from ase import Atoms

from linmlp.evaluation.mechanics.crystal import FORCE, STEPS, Model, crystal, relax
from linmlp.evaluation.mechanics.differences import Difference, as_dict, compare, is_calculator, table
from linmlp.evaluation.mechanics.elastic_regression import ElasticRegression, regress_elastic
from linmlp.evaluation.mechanics.elastic_tensor import ElasticTensor, wallace_tensor
from linmlp.evaluation.mechanics.strains import deform, deformation, piola_stress
from linmlp.evaluation.mechanics.symmetry import dataset_of, rotations_of
from linmlp.exceptions import SettingsError
from linmlp.units import EV_PER_A3_IN_GPA, FloatArray

SMALL_STRESS = 0.05
"""Below this the tensors that differ under stress are the same, GPa."""

CRYSTAL_SYSTEMS = (
    (2, "triclinic"),
    (15, "monoclinic"),
    (74, "orthorhombic"),
    (142, "tetragonal"),
    (167, "trigonal"),
    (194, "hexagonal"),
    (230, "cubic"),
)
"""Last number of the space groups of every crystal system."""


@dataclass(frozen=True)
class ElasticConstants:
    """Second derivatives of the energy, per volume of the reference cell, by Green strain.

    Parameters
    ----------
    tensor : ElasticTensor
        From stresses, with the symmetry of the crystal.
    from_stress : ndarray of shape (6, 6)
        As measured, without symmetry: row i is the stress, column j the strain, GPa.
    from_energy : ndarray of shape (6, 6) or None
        Second differences of energies, without symmetry, GPa.
    stress : ndarray of shape (6,)
        On the reference cell, Voigt, GPa.
    cell_relaxed, ions_relaxed : bool
        Whether the cell was relaxed first; whether ions were at every strain.
    strain : float
        Size of the engineering strains.
    space_group : str
        Symbol and number of the reference cell.
    crystal_system : str
        Such as "cubic".
    volume : float
        Of the reference cell, Å³ per atom.
    differences : tuple of Difference
        Against the reference, where one was given.
    comparison : str
        What the differences are of, where they are not of this tensor.
    """

    tensor: ElasticTensor
    from_stress: FloatArray
    from_energy: FloatArray | None
    stress: FloatArray
    cell_relaxed: bool
    ions_relaxed: bool
    strain: float
    space_group: str
    crystal_system: str
    volume: float
    differences: tuple[Difference, ...] = ()
    comparison: str = ""

    @property
    def agreement(self) -> float:
        """Largest difference of a constant between stresses and energies, GPa; NaN if energies were not asked."""
        if self.from_energy is None:
            return float("nan")
        return float(np.abs(self.from_stress - self.from_energy).max())

    @property
    def asymmetry(self) -> float:
        """Largest change of a measured constant by the symmetry of the crystal, GPa."""
        return float(np.abs(self.from_stress - self.tensor.matrix).max())

    @property
    def is_under_stress(self) -> bool:
        """Whether the reference cell carries a stress that matters."""
        return bool(np.abs(self.stress).max() > SMALL_STRESS)

    @property
    def stability(self) -> ElasticTensor:
        """What must be positive definite: the tensor itself, or the stress-strain coefficients under stress."""
        return wallace_tensor(self.tensor, self.stress) if self.is_under_stress else self.tensor

    @property
    def is_stable(self) -> bool:
        """Whether the crystal withstands every small strain."""
        return self.stability.is_stable

    def statement(self) -> str:
        """Return what was measured, and whether the crystal is stable.

        Returns
        -------
        str
            A few sentences, one per line.
        """
        ions = "ions relaxed at every strain" if self.ions_relaxed else "ions clamped"
        cell = "at the relaxed cell" if self.cell_relaxed else "at the cell as given"
        lines = [f"{self.crystal_system} ({self.space_group}), {self.volume:.3f} Å³/atom, {cell}, {ions}, GPa"]
        if self.is_under_stress:
            lines.append(
                f"the cell is under stress (up to {np.abs(self.stress).max():.2f} GPa): these are second derivatives "
                "of the energy by Green strain, not the coefficients between stress and strain"
            )
        if self.from_energy is not None:
            lines.append(f"constants from stresses and from energies agree within {self.agreement:.3f} GPa")
        lines.append(f"symmetry changes a measured constant by {self.asymmetry:.3f} GPa at most")
        lowest = self.stability.eigenvalues[0]
        if self.is_stable:
            lines.append(f"stable against every small strain (least eigenvalue in Mandel's form {lowest:.2f} GPa)")
        else:
            mode = " ".join(f"{value:.2f}" for value in np.round(self.stability.softest, 2) + 0.0)
            lines.append(
                f"UNSTABLE: the strain ({mode}) costs no energy ({lowest:.2f} GPa); Reuss's and Hill's moduli do not "
                "exist"
            )
        return "\n".join(lines)

    def __str__(self) -> str:
        moduli = self.tensor.moduli()
        means = (
            f"bulk modulus {moduli.bulk_modulus:.2f} (Voigt {moduli.bulk_voigt:.2f}, Reuss {moduli.bulk_reuss:.2f}), "
            f"shear modulus {moduli.shear_modulus:.2f} ({moduli.shear_voigt:.2f}, {moduli.shear_reuss:.2f}), "
            f"Young's modulus {moduli.young_modulus:.2f} GPa\nPoisson's ratio {moduli.poisson_ratio:.3f}, universal "
            f"anisotropy {moduli.anisotropy:.3f}"
        )
        compared = [self.comparison, table(self.differences)]
        parts = ["elastic constants: " + self.statement(), str(self.tensor), means, *compared]
        return "\n".join(part for part in parts if part)

    def to_dict(self) -> dict[str, Any]:
        """Return everything that was measured.

        Returns
        -------
        dict
            Plain JSON types.
        """
        derived = {
            "tensor": self.tensor.to_dict(),
            "agreement": self.agreement,
            "asymmetry": self.asymmetry,
            "is_stable": self.is_stable,
            "differences": [difference.to_dict() for difference in self.differences],
        }
        return as_dict(self) | as_dict(derived)


def elastic_constants(
    model: Model,
    atoms: Atoms,
    reference: Any = None,
    relax_cell: bool = True,
    relax_ions: bool = True,
    energies: bool = True,
    strain: float = 0.003,
    max_force: float = FORCE,
    max_steps: int = STEPS,
) -> ElasticConstants:
    """Return the elastic constants of a crystal by central differences.

    Parameters
    ----------
    model : LinearPotential or ASE calculator
        Potential.
    atoms : ase.Atoms
        Crystal; the tensor is in its axes.
    reference : mapping, ElasticTensor, ElasticConstants, sequence of ase.Atoms, LinearPotential or calculator, optional
        What to compare with: numbers in GPa by name ("C11" ... "C66", "bulk_modulus", "shear_modulus", ...); labelled
        strained structures, on which labels and potential are regressed alike (`regress_elastic`), since their ions may
        be clamped; or what computes the same constants.
    relax_cell : bool, default=True
        Whether the cell is relaxed to zero stress first. If not, the tensor is that of second derivatives of the
        energy by Green strain, which differs from stress-strain coefficients by terms of the size of the stress.
    relax_ions : bool, default=True
        Whether ions are relaxed at every strain; without it the constants are those of clamped ions.
    energies : bool, default=True
        Whether the constants are computed from energies, too: 31 more structures.
    strain : float, default=0.003
        Size of the engineering strains.
    max_force : float, default=1e-4
        Largest force that a relaxation leaves, eV/Å.
    max_steps : int, default=500
        Steps of a relaxation.

    Returns
    -------
    ElasticConstants
        Table and statements by ``str``.

    Raises
    ------
    StructureError
        If the structure is not periodic, holds elements that the potential lacks, or a relaxation fails.
    SettingsError
        If the strain is not between 0 and 0.1, or the reference cannot be used.
    """
    if not 0.0 < strain < 0.1:
        raise SettingsError(f"strain={strain}; give a small positive number, such as 0.003")
    start = crystal(model, atoms)
    if relax_cell:
        relax(start, cell=True, max_force=max_force, max_steps=max_steps, name="the crystal with its cell")
    elif relax_ions:
        relax(start, max_force=max_force, max_steps=max_steps, name="the crystal")
    points = _Strains(start, relax_ions, max_force, max_steps)
    from_stress = points.by_stress(strain)
    from_energy = points.by_energy(strain) if energies else None
    tensor = ElasticTensor(from_stress).symmetrized(rotations_of(start))
    dataset = dataset_of(start)
    number = int(dataset.number)
    result = ElasticConstants(
        tensor,
        from_stress,
        from_energy,
        np.asarray(start.get_stress()) * EV_PER_A3_IN_GPA,
        relax_cell,
        relax_ions,
        strain,
        f"{dataset.international}, {number}",
        next(name for last, name in CRYSTAL_SYSTEMS if number <= last),
        float(start.get_volume() / len(start)),
    )
    if reference is None:
        return result
    if isinstance(reference, Sequence) and not isinstance(reference, str):
        differences, told = _regressed_differences(model, reference, start)
        return replace(result, differences=differences, comparison=told)
    again = (relax_cell, relax_ions, energies, strain, max_force, max_steps)
    differences = _differences(result, reference, lambda other: elastic_constants(other, atoms, None, *again))
    return replace(result, differences=differences)


class _Strains:
    """Energies and stresses of the strained crystal, each computed once."""

    def __init__(self, start: Atoms, relax_ions: bool, max_force: float, max_steps: int) -> None:
        self.start, self.relax_ions, self.limits = start, relax_ions, (max_force, max_steps)
        self.volume = float(start.get_volume())
        self.known: dict[tuple[float, ...], tuple[float, FloatArray]] = {}

    def at(self, strain: FloatArray) -> tuple[float, FloatArray]:
        """Return the energy per volume of the reference and the second Piola-Kirchhoff stress, GPa."""
        key = tuple(map(float, strain))
        if key not in self.known:
            gradient = deformation(strain)
            atoms = deform(self.start, gradient)
            if self.relax_ions:
                name = f"the crystal under the strain {np.round(strain, 4).tolist()}"
                relax(atoms, max_force=self.limits[0], max_steps=self.limits[1], name=name)
            energy = float(atoms.get_potential_energy()) / self.volume * EV_PER_A3_IN_GPA
            self.known[key] = energy, piola_stress(gradient, atoms.get_stress()) * EV_PER_A3_IN_GPA
        return self.known[key]

    def by_stress(self, size: float) -> FloatArray:
        """Return central differences of the stress."""
        units = size * np.eye(6)
        return np.column_stack([(self.at(unit)[1] - self.at(-unit)[1]) / (2.0 * size) for unit in units])

    def by_energy(self, size: float) -> FloatArray:
        """Return second differences of the energy; mixed ones from strains along both components at once."""
        units, middle = size * np.eye(6), self.at(np.zeros(6))[0]
        curvature = np.array([self.at(unit)[0] + self.at(-unit)[0] - 2.0 * middle for unit in units])
        matrix = np.diag(curvature)
        for i in range(6):
            for j in range(i):
                both = units[i] + units[j]
                along = self.at(both)[0] + self.at(-both)[0] - 2.0 * middle
                matrix[i, j] = matrix[j, i] = (along - curvature[i] - curvature[j]) / 2.0
        return np.asarray(matrix / size**2)


def _differences(result: ElasticConstants, reference: Any, compute: Any) -> tuple[Difference, ...]:
    """Return the comparison with numbers, a tensor or what computes one."""
    if is_calculator(reference):
        reference = compute(reference)
    if isinstance(reference, ElasticConstants | ElasticRegression):
        reference = reference.tensor
    if isinstance(reference, ElasticTensor):
        reference = _that_matter(reference)
    if not isinstance(reference, Mapping):
        told = type(reference).__name__
        raise SettingsError(f"reference is a {told}; give numbers by name, structures or a calculator")
    return compare(_values(result.tensor), reference, "GPa")


def _regressed_differences(
    model: Model, structures: Sequence[Atoms], ground: Atoms
) -> tuple[tuple[Difference, ...], str]:
    """Return the comparison on labelled structures, from the same regression for both, and what was done."""
    labels, own = regress_elastic(structures, ground), regress_elastic(structures, ground, model)
    told = (
        f"both sides of the comparison are regressed from the same {labels.n_structures} structures, whose ions are "
        f"moved by {labels.moved:.3f} Å from clamped positions"
    )
    return compare(_values(own.tensor), _that_matter(labels.tensor), "GPa"), told


def _that_matter(tensor: ElasticTensor) -> dict[str, float]:
    """Return the constants and moduli that are not zero by symmetry."""
    return {name: value for name, value in _values(tensor).items() if abs(value) > 1.0}


def _values(tensor: ElasticTensor) -> dict[str, float]:
    moduli = tensor.moduli()
    names = ("bulk_modulus", "shear_modulus", "young_modulus")
    return tensor.constants | {name: float(getattr(moduli, name)) for name in names}
