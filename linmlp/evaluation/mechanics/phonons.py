"""Phonons of a crystal by finite displacements, through phonopy: bands, density of states, heat capacity, stability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from ase import Atoms
from ase.units import kB, kJ, mol

from linmlp.evaluation.mechanics.crystal import FORCE, STEPS, Model, crystal, relax, supercell_of
from linmlp.evaluation.mechanics.differences import Difference, as_dict, compare, is_calculator, table
from linmlp.evaluation.mechanics.symmetry import SYMMETRY_TOLERANCE
from linmlp.exceptions import InputError, SettingsError
from linmlp.units import FloatArray

LENGTH = 10.0
"""Least distance between opposite faces of the supercell, Å."""

IMAGINARY = -0.05
"""Frequencies below this are imaginary modes; above it, numerical noise of the acoustic ones at Γ. THz."""

MESH = 60.0
"""Fineness of the mesh of wave vectors: their number along a cell vector times its length, Å."""

PATH_POINTS = 201
"""Wave vectors along the path."""


@dataclass(frozen=True)
class Thermal:
    """Harmonic vibrations at one temperature.

    Parameters
    ----------
    temperature : float
        K.
    free_energy : float
        Of the vibrations, zero point included, eV per atom.
    heat_capacity : float
        At constant volume, Boltzmann constants per atom.
    entropy : float
        Boltzmann constants per atom.
    """

    temperature: float
    free_energy: float
    heat_capacity: float
    entropy: float


@dataclass(frozen=True)
class Phonons:
    """Frequencies in THz; imaginary ones are negative.

    Parameters
    ----------
    distances : ndarray of shape (n_points,)
        Along the path, 1/Å.
    bands : ndarray of shape (n_points, n_bands)
        Ascending at every wave vector.
    label_distances : ndarray of shape (n_labels,)
        Where special points lie on the path, 1/Å.
    labels : tuple of str
        Their names ("G" is Γ).
    special : dict of str to ndarray of shape (n_bands,)
        Frequencies at special points.
    dos_frequencies, dos : ndarray of shape (n_frequencies,)
        Density of states per primitive cell, 1/THz.
    lowest : float
        Lowest frequency on path and mesh.
    lowest_at : ndarray of shape (3,)
        Its wave vector, in reciprocal vectors of the primitive cell.
    supercell : tuple of int
        How often the cell was repeated.
    n_atoms : int
        Of the supercell.
    n_elements : int
        Elements of the crystal.
    thermal : tuple of Thermal
        Empty where modes are imaginary, or none was asked for.
    reference : Phonons or None
        What it is compared with, if that has bands.
    differences : tuple of Difference
        Against the reference, where one was given.
    """

    distances: FloatArray
    bands: FloatArray
    label_distances: FloatArray
    labels: tuple[str, ...]
    special: dict[str, FloatArray]
    dos_frequencies: FloatArray
    dos: FloatArray
    lowest: float
    lowest_at: FloatArray
    supercell: tuple[int, int, int]
    n_atoms: int
    n_elements: int
    thermal: tuple[Thermal, ...] = ()
    reference: Phonons | None = None
    differences: tuple[Difference, ...] = ()

    @property
    def is_stable(self) -> bool:
        """Whether no mode is imaginary."""
        return self.lowest >= IMAGINARY

    def values(self) -> dict[str, float]:
        """Return what a reference may name.

        Returns
        -------
        dict of str to float
            "X 1", "X 2", ... in ascending order, THz.
        """
        return {f"{name} {k + 1}": float(f) for name, row in self.special.items() for k, f in enumerate(row)}

    def __str__(self) -> str:
        repeats = " x ".join(map(str, self.supercell))
        lines = [
            f"phonons, supercell of {self.n_atoms} atoms ({repeats}), THz (imaginary modes negative):",
            *(f"{name:6}" + "".join(f"{f:9.3f}" for f in np.round(row, 3) + 0.0) for name, row in self.special.items()),
        ]
        if self.is_stable:
            lines.append("no imaginary modes")
        else:
            at = " ".join(f"{q:.3f}" for q in np.round(self.lowest_at, 3) + 0.0)
            lines.append(
                f"IMAGINARY modes: {self.lowest:.3f} THz at ({at}); the crystal lowers its energy along that mode, so "
                "that heat capacity and free energy do not exist"
            )
        if self.n_elements > 1:
            lines.append("without the field of ionic charges: optical modes at Γ do not split")
        lines.extend(
            f"{t.temperature:g} K: free energy {t.free_energy:.5f} eV/atom, heat capacity {t.heat_capacity:.4f} k/atom"
            f", entropy {t.entropy:.4f} k/atom"
            for t in self.thermal
        )
        return "\n".join(part for part in (*lines, table(self.differences)) if part)

    def to_dict(self) -> dict[str, Any]:
        """Return everything.

        Returns
        -------
        dict
            Plain JSON types.
        """
        derived = {"is_stable": self.is_stable, "differences": [d.to_dict() for d in self.differences]}
        return as_dict(self) | derived


def phonons(
    model: Model,
    atoms: Atoms,
    reference: Any = None,
    supercell: tuple[int, int, int] | None = None,
    displacement: float = 0.01,
    temperatures: Sequence[float] = (300.0,),
    relax_cell: bool = True,
    max_force: float = FORCE,
    max_steps: int = STEPS,
) -> Phonons:
    """Return the phonons of a crystal.

    Parameters
    ----------
    model : LinearPotential or ASE calculator
        Potential.
    atoms : ase.Atoms
        Crystal.
    reference : mapping, Phonons, LinearPotential or ASE calculator, optional
        What to compare with: ascending frequencies in THz by special point (``{"X": [4.1, 4.1, ...]}``), or what
        computes the same.
    supercell : tuple of int, optional
        How often the cell is repeated; by default until opposite faces are 10 Å apart.
    displacement : float, default=0.01
        Of an atom, Å.
    temperatures : sequence of float, default=(300,)
        For free energy and heat capacity, K; may be empty.
    relax_cell : bool, default=True
        Whether the cell is relaxed first; positions are, always.
    max_force : float, default=1e-4
        Largest force that a relaxation leaves, eV/Å.
    max_steps : int, default=500
        Steps of a relaxation.

    Returns
    -------
    Phonons
        Table and statements by ``str``.

    Raises
    ------
    InputError
        If phonopy is not installed.
    StructureError
        If the structure is not periodic, holds elements that the potential lacks, or a relaxation fails.
    SettingsError
        If a setting or the reference cannot be used.
    """
    if not 0.0 < displacement < 0.5 or any(not t >= 0.0 for t in temperatures):
        raise SettingsError(
            f"displacement={displacement} Å, temperatures={list(temperatures)} K; both must be positive"
        )
    check_phonopy()
    start = crystal(model, atoms)
    relax(start, cell=relax_cell, max_force=max_force, max_steps=max_steps, name="the crystal")
    repeats = supercell_of(start, LENGTH) if supercell is None else supercell
    if len(repeats) != 3 or min(repeats) < 1:
        raise SettingsError(f"supercell={supercell}; give three numbers, 1 or more")
    solver = _force_constants(start, repeats, displacement)
    result = _read(solver, (int(repeats[0]), int(repeats[1]), int(repeats[2])), temperatures)
    if reference is None:
        return result
    if is_calculator(reference):
        again = (supercell, displacement, temperatures, relax_cell, max_force, max_steps)
        reference = phonons(reference, atoms, None, *again)
    if isinstance(reference, Phonons):
        return replace(result, reference=reference, differences=compare(result.values(), reference.values(), "THz"))
    if not isinstance(reference, Mapping):
        raise SettingsError(f"reference is a {type(reference).__name__}; give THz by special point, or a calculator")
    named = {f"{name} {k + 1}": f for name, row in reference.items() for k, f in enumerate(np.sort(row).tolist())}
    return replace(result, differences=compare(result.values(), named, "THz"))


def check_phonopy() -> None:
    """Raise if phonopy is not there.

    Raises
    ------
    InputError
        With what to do.
    """
    try:
        import phonopy  # noqa: F401
    except ImportError as error:
        raise InputError("phonons need phonopy, which is not installed: pip install linmlp[phonons]") from error


def _force_constants(start: Atoms, repeats: Sequence[int], displacement: float) -> Any:
    """Return a Phonopy object with force constants of the supercell."""
    from phonopy import Phonopy
    from phonopy.structure.atoms import PhonopyAtoms

    unit = PhonopyAtoms(
        symbols=start.get_chemical_symbols(), cell=start.cell.array, scaled_positions=start.get_scaled_positions()
    )
    solver = Phonopy(unit, np.diag(np.asarray(repeats, dtype=int)), symprec=SYMMETRY_TOLERANCE)
    solver.generate_displacements(distance=displacement)
    forces = []
    for displaced in solver.supercells_with_displacements:
        atoms = Atoms(displaced.symbols, cell=displaced.cell, scaled_positions=displaced.scaled_positions, pbc=True)
        atoms.calc = start.calc
        forces.append(np.array(atoms.get_forces()))
    solver.forces = np.array(forces)
    solver.produce_force_constants()
    solver.symmetrize_force_constants()
    return solver


def _read(solver: Any, repeats: tuple[int, int, int], temperatures: Sequence[float]) -> Phonons:
    """Return bands, density of states and thermal properties."""
    primitive = Atoms(solver.primitive.symbols, cell=solver.primitive.cell, pbc=True)
    path = primitive.cell.bandpath(npoints=PATH_POINTS)
    along, label_distances, labels = path.get_linear_kpoint_axis()
    solver.run_qpoints(path.kpts)
    bands = np.sort(np.array(solver.qpoints.frequencies), axis=1)
    names = list(dict.fromkeys(name for name in path.path.replace(",", "") if name.isalpha()))
    names = [name for name in path.special_points if any(name.startswith(letter) for letter in names)]
    solver.run_qpoints([path.special_points[name] for name in names])
    special = dict(zip(names, np.sort(np.array(solver.qpoints.frequencies), axis=1), strict=True))
    solver.run_mesh(MESH)
    mesh = solver.mesh
    solver.run_total_dos()
    frequencies = np.concatenate([bands, np.array(mesh.frequencies)])
    points = np.concatenate([path.kpts, np.array(mesh.qpoints)])
    lowest = np.unravel_index(int(np.argmin(frequencies)), frequencies.shape)
    result = Phonons(
        np.asarray(along),
        bands,
        np.asarray(label_distances),
        tuple(labels),
        special,
        np.asarray(solver.total_dos.frequency_points),
        np.asarray(solver.total_dos.dos),
        float(frequencies[lowest]),
        np.asarray(points[lowest[0]]),
        repeats,
        len(solver.supercell),
        len(set(solver.primitive.symbols)),
    )
    if not (result.is_stable and len(temperatures)):
        return result
    return replace(result, thermal=_thermal(solver, temperatures, len(primitive)))


def _thermal(solver: Any, temperatures: Sequence[float], n_atoms: int) -> tuple[Thermal, ...]:
    """Return thermal properties per atom; phonopy gives them in kJ and J per mol of primitive cells."""
    solver.run_thermal_properties(temperatures=np.asarray(temperatures, dtype=float), cutoff_frequency=1e-3)
    found = solver.thermal_properties
    joule = kJ / 1000.0 / mol / n_atoms
    rows = zip(found.temperatures, found.free_energy, found.heat_capacity, found.entropy, strict=True)
    return tuple(
        Thermal(float(t), float(1000.0 * f * joule), float(c * joule / kB), float(s * joule / kB))
        for t, f, c, s in rows
    )
