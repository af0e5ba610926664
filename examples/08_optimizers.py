"""Relax structures with ASE's optimizers: positions at a fixed cell, then positions and cell together."""

# %% A small potential; any fitted or loaded one will do
from ase.build import bulk
from ase.filters import FrechetCellFilter
from ase.optimize import BFGS, FIRE

from linmlp import ACE, LinearPotential
from linmlp.datasets import load_silicon

train, _ = load_silicon()
model = LinearPotential(ACE(cutoff=5.0, order=2, max_degree=(10, 8))).fit(train)

# %% Positions: the calculator keeps its neighbor list while atoms move a little, so that a step costs one evaluation
atoms = bulk("Si", cubic=True).repeat(2)
atoms.rattle(0.1, seed=0)
atoms.calc = model.calculator()
BFGS(atoms, logfile=None).run(fmax=0.005)
print(f"relaxed: {atoms.get_potential_energy() / len(atoms):.4f} eV/atom")

# %% Positions and cell: stresses are exact derivatives of the energy, so that the filter converges as tightly
strained = bulk("Si")
strained.set_cell(strained.cell.array @ [[1.05, 0.02, 0.0], [0.02, 0.97, 0.0], [0.0, 0.0, 1.01]], scale_atoms=True)
strained.calc = model.calculator()
FIRE(FrechetCellFilter(strained), logfile=None).run(fmax=0.001)
volume, stress = strained.get_volume() / len(strained), abs(strained.get_stress()).max()
print(f"relaxed: {volume:.3f} Å³/atom, largest stress {stress:.0e} eV/Å³")
