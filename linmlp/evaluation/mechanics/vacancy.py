r"""Formation energies of vacancies at every inequivalent site.

For a supercell of N atoms, :math:`E_f = E(N-1) - E(N) + \mu`. The chemical potential μ is the energy per atom of an
elemental crystal; for a compound it depends on what the crystal is in equilibrium with, and must be given. What needs
none is the Schottky defect, vacancies of all atoms of a formula unit that do not meet:
:math:`E_S = \sum_i (E_i(N-1) - E(N)) + E_\text{formula}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from ase import Atoms

from linmlp.evaluation.mechanics.crystal import STEPS, Model, crystal, relax, supercell_of
from linmlp.evaluation.mechanics.differences import Difference, as_dict, compare, is_calculator, table
from linmlp.evaluation.mechanics.symmetry import inequivalent_atoms
from linmlp.exceptions import SettingsError

LENGTH = 10.0
"""Vacancies are at least this far from their images, Å."""


@dataclass(frozen=True)
class Vacancy:
    """An atom missing at one site.

    Parameters
    ----------
    name : str
        Element, and a number where the element has several sites.
    site : int
        Atom of the crystal as given.
    removal_unrelaxed, removal : float
        Energy of the supercell without the atom less that with it, before and after relaxation, eV.
    formation_unrelaxed, formation : float
        With the chemical potential, eV; NaN where that is not known.
    moved : float
        Largest displacement in the relaxation, Å.
    """

    name: str
    site: int
    removal_unrelaxed: float
    removal: float
    formation_unrelaxed: float
    formation: float
    moved: float


@dataclass(frozen=True)
class VacancyEnergies:
    """Vacancies at all inequivalent sites of a crystal.

    Parameters
    ----------
    vacancies : tuple of Vacancy
        One per site.
    chemical_potentials : dict of str to float
        By element, eV; empty for a compound for which none were given.
    schottky_unrelaxed, schottky : float
        Of a compound, eV per formula unit; NaN for an element.
    formula : str
        Formula unit.
    supercell : tuple of int
        How often the cell was repeated.
    n_atoms : int
        Atoms of the supercell, the missing one included.
    differences : tuple of Difference
        Against the reference, where one was given.
    """

    vacancies: tuple[Vacancy, ...]
    chemical_potentials: dict[str, float]
    schottky_unrelaxed: float
    schottky: float
    formula: str
    supercell: tuple[int, int, int]
    n_atoms: int
    differences: tuple[Difference, ...] = ()

    def values(self) -> dict[str, float]:
        """Return what a reference may name.

        Returns
        -------
        dict of str to float
            "Si", "Si unrelaxed", ..., and "Schottky" for a compound, eV.
        """
        known: dict[str, float] = {}
        for vacancy in self.vacancies:
            if np.isfinite(vacancy.formation):
                known |= {vacancy.name: vacancy.formation, f"{vacancy.name} unrelaxed": vacancy.formation_unrelaxed}
        if np.isfinite(self.schottky):
            known |= {"Schottky": self.schottky, "Schottky unrelaxed": self.schottky_unrelaxed}
        return known

    def __str__(self) -> str:
        repeats = " x ".join(map(str, self.supercell))
        lines = [
            f"vacancies in {self.formula}, one in a supercell of {self.n_atoms} atoms ({repeats}), cell fixed, eV:",
            f"{'site':10}{'formation':>12}{'unrelaxed':>12}{'moved (Å)':>12}",
        ]
        for vacancy in self.vacancies:
            numbers = f"{vacancy.formation:12.4f}{vacancy.formation_unrelaxed:12.4f}".replace("nan", "  -")
            lines.append(f"{vacancy.name:10}{numbers}{vacancy.moved:12.3f}")
        if np.isfinite(self.schottky):
            lines.append(
                f"Schottky defect {self.schottky:.4f} eV per {self.formula} (unrelaxed {self.schottky_unrelaxed:.4f})"
            )
        if not self.chemical_potentials:
            lines.append(
                "formation energies of single vacancies in a compound depend on chemical_potentials: none were given"
            )
        return "\n".join(part for part in (*lines, table(self.differences)) if part)

    def to_dict(self) -> dict[str, Any]:
        """Return everything.

        Returns
        -------
        dict
            Plain JSON types.
        """
        return as_dict(self) | {"differences": [difference.to_dict() for difference in self.differences]}


def vacancy_energies(
    model: Model,
    atoms: Atoms,
    reference: Any = None,
    supercell: tuple[int, int, int] | None = None,
    chemical_potentials: Mapping[str, float] | None = None,
    relax_cell: bool = True,
    max_force: float = 1e-3,
    max_steps: int = STEPS,
) -> VacancyEnergies:
    """Return formation energies of vacancies, relaxed at the fixed cell of the crystal and unrelaxed.

    Parameters
    ----------
    model : LinearPotential or ASE calculator
        Potential.
    atoms : ase.Atoms
        Crystal.
    reference : mapping, LinearPotential or ASE calculator, optional
        What to compare with: eV by the names of sites ("Si", "Si unrelaxed", "Schottky"), or what computes the same.
    supercell : tuple of int, optional
        How often the cell is repeated; by default until a vacancy is 10 Å from its images.
    chemical_potentials : mapping of str to float, optional
        Energy of an atom in its reservoir, eV; by default that of the crystal, if it is elemental.
    relax_cell : bool, default=True
        Whether the cell of the crystal is relaxed first.
    max_force : float, default=1e-3
        Largest force that a relaxation leaves, eV/Å.
    max_steps : int, default=500
        Steps of a relaxation.

    Returns
    -------
    VacancyEnergies
        Table by ``str``.

    Raises
    ------
    StructureError
        If the structure is not periodic, holds elements that the potential lacks, or a relaxation fails.
    SettingsError
        If supercell or chemical potentials cannot be used.
    """
    perfect = crystal(model, atoms)
    relax(perfect, cell=relax_cell, max_force=max_force, max_steps=max_steps, name="the crystal")
    repeats = supercell_of(perfect, LENGTH) if supercell is None else supercell
    if len(repeats) != 3 or min(repeats) < 1 or int(np.prod(repeats)) * len(perfect) < 2:
        raise SettingsError(f"supercell={supercell}; give three numbers, 1 or more, that make two atoms or more")
    potentials = _chemical_potentials(perfect, chemical_potentials)
    host = perfect.repeat(repeats)
    host.calc = perfect.calc
    whole = float(host.get_potential_energy())
    vacancies = tuple(
        _remove(host, int(site), name, whole, potentials, max_force, max_steps)
        for site, name in _names(perfect, inequivalent_atoms(perfect)).items()
    )
    result = VacancyEnergies(
        vacancies,
        potentials,
        _schottky(perfect, vacancies, "removal_unrelaxed"),
        _schottky(perfect, vacancies, "removal"),
        perfect.symbols.formula.reduce()[0].format("metal"),
        (int(repeats[0]), int(repeats[1]), int(repeats[2])),
        len(host),
    )
    if reference is None:
        return result
    if is_calculator(reference):
        again = (supercell, chemical_potentials, relax_cell, max_force, max_steps)
        reference = vacancy_energies(reference, atoms, None, *again).values()
    if isinstance(reference, VacancyEnergies):
        reference = reference.values()
    if not isinstance(reference, Mapping):
        raise SettingsError(f"reference is a {type(reference).__name__}; give eV by name, or a calculator")
    return replace(result, differences=compare(result.values(), reference, "eV"))


def _names(atoms: Atoms, sites: Any) -> dict[int, str]:
    """Return the name of every site: the element, with a number if it has several."""
    symbols = [atoms.symbols[site] for site in sites]
    names = {}
    for place, (site, symbol) in enumerate(zip(sites, symbols, strict=True)):
        names[int(site)] = symbol if symbols.count(symbol) == 1 else f"{symbol}{symbols[:place].count(symbol) + 1}"
    return names


def _chemical_potentials(perfect: Atoms, given: Mapping[str, float] | None) -> dict[str, float]:
    elements = sorted(set(perfect.get_chemical_symbols()))
    if given is not None:
        missing = [element for element in elements if element not in given]
        if missing:
            raise SettingsError(f"chemical_potentials lacks {', '.join(missing)}; give eV for {', '.join(elements)}")
        return {element: float(given[element]) for element in elements}
    if len(elements) > 1:
        return {}
    return {elements[0]: float(perfect.get_potential_energy()) / len(perfect)}


def _remove(
    host: Atoms, site: int, name: str, whole: float, potentials: dict[str, float], max_force: float, max_steps: int
) -> Vacancy:
    """Return the vacancy at one site of the first cell."""
    symbol = host.symbols[site]
    left = host.copy()
    del left[site]
    left.calc = host.calc
    unrelaxed = float(left.get_potential_energy()) - whole
    before = left.positions.copy()
    relax(left, max_force=max_force, max_steps=max_steps, name=f"the vacancy of {name}")
    relaxed = float(left.get_potential_energy()) - whole
    mu = potentials.get(symbol, float("nan"))
    moved = float(np.linalg.norm(left.positions - before, axis=1).max())
    return Vacancy(name, site, unrelaxed, relaxed, unrelaxed + mu, relaxed + mu, moved)


def _schottky(perfect: Atoms, vacancies: tuple[Vacancy, ...], kind: str) -> float:
    """Return the energy of the Schottky defect; each element leaves from its cheapest site."""
    formula, n_units = perfect.symbols.formula.reduce()
    if len(formula.count()) < 2:
        return float("nan")
    energy = float(perfect.get_potential_energy()) / n_units
    for symbol, count in formula.count().items():
        energy += count * min(getattr(v, kind) for v in vacancies if perfect.symbols[v.site] == symbol)
    return float(energy)
