r"""Energies of surfaces, from slabs made of whole crystal cells.

:math:`\gamma = (E_\text{slab} - n\,E_\text{formula}) / 2A`, the mean of both faces. A slab that is stoichiometric needs
no chemical potentials; one cut between whole lattice planes always is. A crystal may be cut at several places along the
normal: all of them are tried, and the one that costs least is relaxed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from ase import Atoms
from ase.build import surface

from linmlp.evaluation.mechanics.crystal import STEPS, Model, crystal, relax
from linmlp.evaluation.mechanics.differences import Difference, as_dict, compare, is_calculator, table
from linmlp.evaluation.mechanics.symmetry import conventional_cell, dataset_of
from linmlp.exceptions import SettingsError, StructureError
from linmlp.units import EV_PER_A3_IN_GPA, FloatArray

EV_PER_A2_IN_J_PER_M2 = EV_PER_A3_IN_GPA / 10.0

PLANE = 0.05
"""Atoms whose heights differ by less than this lie in one plane, Å."""


@dataclass(frozen=True)
class Surface:
    """One orientation.

    Parameters
    ----------
    indices : tuple of int
        Miller indices in the conventional cell.
    energy, unrelaxed : float
        After and before relaxation, J/m².
    others : tuple of float
        Unrelaxed energies of the other places to cut at, J/m².
    has_equal_faces : bool
        Whether symmetry turns one face into the other; if not, the energy is a mean of two surfaces.
    thickness, vacuum : float
        Between the outermost atoms, and from the slab to its image, Å.
    n_atoms : int
        Of the slab.
    area : float
        Of one face, Å².
    """

    indices: tuple[int, int, int]
    energy: float
    unrelaxed: float
    others: tuple[float, ...]
    has_equal_faces: bool
    thickness: float
    vacuum: float
    n_atoms: int
    area: float

    @property
    def name(self) -> str:
        """Such as "100"."""
        return "".join(map(str, self.indices))

    def __str__(self) -> str:
        told = f"({' '.join(map(str, self.indices))})".ljust(12) + f"{self.energy:9.4f}{self.unrelaxed:11.4f}"
        told += f"{self.thickness:14.2f}{self.vacuum:9.2f}{self.n_atoms:7d}"
        if not self.has_equal_faces:
            told += "   mean of two different faces"
        if self.others:
            told += f"   other cuts, unrelaxed: {', '.join(f'{other:.4f}' for other in self.others)}"
        return told


@dataclass(frozen=True)
class SurfaceEnergies:
    """Several orientations of one crystal.

    Parameters
    ----------
    surfaces : tuple of Surface
        In the order asked for.
    differences : tuple of Difference
        Against the reference, where one was given.
    """

    surfaces: tuple[Surface, ...]
    differences: tuple[Difference, ...] = ()

    def values(self) -> dict[str, float]:
        """Return what a reference may name.

        Returns
        -------
        dict of str to float
            "100", "100 unrelaxed", ..., J/m².
        """
        known: dict[str, float] = {}
        for face in self.surfaces:
            known |= {face.name: face.energy, f"{face.name} unrelaxed": face.unrelaxed}
        return known

    def __str__(self) -> str:
        header = f"{'J/m²':12}{'relaxed':>9}{'unrelaxed':>11}{'thickness (Å)':>14}{'vacuum':>9}{'atoms':>7}"
        lines = ["surface energies, 1 x 1 cells, indices of the conventional cell:", header, *map(str, self.surfaces)]
        return "\n".join(part for part in (*lines, table(self.differences)) if part)

    def to_dict(self) -> dict[str, Any]:
        """Return everything.

        Returns
        -------
        dict
            Plain JSON types.
        """
        return as_dict(self) | {"differences": [difference.to_dict() for difference in self.differences]}


def surface_energies(
    model: Model,
    atoms: Atoms,
    indices: Sequence[tuple[int, int, int]],
    reference: Any = None,
    thickness: float = 15.0,
    vacuum: float = 15.0,
    relax_cell: bool = True,
    max_force: float = 5e-3,
    max_steps: int = STEPS,
) -> SurfaceEnergies:
    """Return the energies of surfaces of a crystal.

    Parameters
    ----------
    model : LinearPotential or ASE calculator
        Potential.
    atoms : ase.Atoms
        Crystal, any cell of it.
    indices : sequence of tuple of int
        Miller indices; they refer to the conventional cell, which spglib finds.
    reference : mapping, LinearPotential or ASE calculator, optional
        What to compare with: J/m² by name ("100", "100 unrelaxed"), or what computes the same.
    thickness : float, default=15.0
        Least thickness of the slab, in lattice planes rounded up, Å.
    vacuum : float, default=15.0
        Between slabs, Å; must be larger than the reach of the potential.
    relax_cell : bool, default=True
        Whether the cell of the crystal is relaxed first. The slab keeps its area.
    max_force : float, default=5e-3
        Largest force that a relaxation leaves, eV/Å.
    max_steps : int, default=500
        Steps of a relaxation.

    Returns
    -------
    SurfaceEnergies
        Table by ``str``.

    Raises
    ------
    StructureError
        If the structure is not periodic, holds elements that the potential lacks, or a relaxation fails.
    SettingsError
        If indices, thickness or vacuum cannot be used.
    """
    faces = [_check_indices(face) for face in indices]
    if not faces or not (thickness > 0.0 and vacuum > 0.0):
        raise SettingsError(f"{len(faces)} surfaces, thickness={thickness}, vacuum={vacuum} Å; all must be above 0")
    bulk = crystal(model, atoms)
    relax(bulk, cell=relax_cell, max_force=min(max_force, 1e-3), max_steps=max_steps, name="the crystal")
    result = SurfaceEnergies(
        tuple(_surface(model, bulk, face, thickness, vacuum, max_force, max_steps) for face in faces)
    )
    if reference is None:
        return result
    if is_calculator(reference):
        again = (thickness, vacuum, relax_cell, max_force, max_steps)
        reference = surface_energies(reference, atoms, faces, None, *again)
    if isinstance(reference, SurfaceEnergies):
        reference = reference.values()
    if not isinstance(reference, Mapping):
        raise SettingsError(f"reference is a {type(reference).__name__}; give J/m² by name, or a calculator")
    return replace(result, differences=compare(result.values(), reference, "J/m²"))


def slab_energy(model: Model, slab: Atoms, bulk: Atoms) -> float:
    """Return the energy of the surfaces of a given slab, as it is.

    Parameters
    ----------
    model : LinearPotential or ASE calculator
        Potential.
    slab : ase.Atoms
        Faces perpendicular to the third cell vector.
    bulk : ase.Atoms
        The crystal, as it is.

    Returns
    -------
    float
        Mean of both faces, J/m².

    Raises
    ------
    StructureError
        If the slab is not made of whole formula units of the crystal.
    """
    inside = crystal(model, bulk)
    padded = slab.copy()
    padded.pbc = True
    outside = crystal(model, padded)
    counts, formula = slab.symbols.formula.count(), bulk.symbols.formula.reduce()[0].count()
    ratios = {symbol: counts.get(symbol, 0) / number for symbol, number in formula.items()}
    if set(counts) != set(formula) or len(set(ratios.values())) != 1:
        raise StructureError(
            f"the slab is {slab.get_chemical_formula()}, which is no multiple of {bulk.get_chemical_formula('metal')}: "
            "its energy depends on the chemical potentials of elements in excess; give a slab of whole formula units"
        )
    area = float(np.linalg.norm(np.cross(slab.cell[0], slab.cell[1])))
    excess = outside.get_potential_energy() - inside.get_potential_energy() * len(slab) / len(bulk)
    return float(excess) / (2.0 * area) * EV_PER_A2_IN_J_PER_M2


def _check_indices(face: Any) -> tuple[int, int, int]:
    numbers = tuple(face)
    if len(numbers) != 3 or not any(numbers) or any(int(n) != n for n in numbers):
        raise SettingsError(f"Miller indices {numbers}; give three whole numbers that are not all 0")
    h, k, l = (int(n) // int(np.gcd.reduce([int(n) for n in numbers])) for n in numbers)
    return h, k, l


def _surface(
    model: Model,
    bulk: Atoms,
    face: tuple[int, int, int],
    thickness: float,
    vacuum: float,
    max_force: float,
    max_steps: int,
) -> Surface:
    """Return the cheapest cut of one orientation, relaxed."""
    slabs = _cuts(bulk, face, thickness, vacuum)
    costs = [slab_energy(model, slab, bulk) for slab in slabs]
    order = np.argsort(costs)
    slab, unrelaxed = slabs[order[0]], costs[order[0]]
    others: list[float] = []
    for place in order[1:]:
        if abs(costs[place] - (others[-1] if others else unrelaxed)) > 1e-4 * abs(unrelaxed):
            others.append(costs[place])
    equal = bool((np.asarray(dataset_of(slab).rotations)[:, 2, 2] == -1).any())
    depth = float(np.ptp(slab.positions[:, 2]))
    slab.calc = bulk.calc
    relax(slab, max_force=max_force, max_steps=max_steps, name=f"the slab {face}")
    area = float(np.linalg.norm(np.cross(slab.cell[0], slab.cell[1])))
    gap = float(slab.cell[2, 2]) - depth
    return Surface(face, slab_energy(model, slab, bulk), unrelaxed, tuple(others), equal, depth, gap, len(slab), area)


def _cuts(bulk: Atoms, face: tuple[int, int, int], thickness: float, vacuum: float) -> list[Atoms]:
    """Return a slab for every place between two atomic planes of one period."""
    conventional = conventional_cell(bulk)
    normal = np.array(face, dtype=float)
    spacing = 1.0 / float(np.linalg.norm(np.linalg.inv(conventional.cell.array) @ normal))
    layers = int(np.ceil(thickness / spacing - 1e-6))
    slabs = []
    for cut in _gaps(conventional.get_scaled_positions() @ normal, PLANE / spacing):
        shifted = conventional.copy()
        # Fractional coordinates along the indices are heights in units of the spacing; the cut comes to height 0.
        shifted.positions -= cut * normal / (normal @ normal) @ conventional.cell.array
        slab = surface(shifted, face, layers, periodic=True)
        slab.center(vacuum=vacuum / 2.0, axis=2)
        slabs.append(slab)
    return slabs


def _gaps(heights: FloatArray, tolerance: float) -> list[float]:
    """Return the middles between neighboring planes; heights are periodic with period 1."""
    planes = [float(np.sort(heights % 1.0)[0])]
    for height in np.sort(heights % 1.0)[1:]:
        if height - planes[-1] > tolerance:
            planes.append(float(height))
    if len(planes) > 1 and planes[0] + 1.0 - planes[-1] <= tolerance:
        planes.pop()
    return [(a + b) / 2.0 for a, b in zip(planes, [*planes[1:], planes[0] + 1.0], strict=True)]
