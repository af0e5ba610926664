"""Run molecular dynamics with a fitted potential, in ASE."""

# %%
# A potential as in the first example.

import numpy as np
from ase import units
from ase.build import bulk
from ase.md.velocitydistribution import thermalize_momenta
from ase.md.verlet import VelocityVerlet

from linmlp import ACE, LinearPotential
from linmlp.datasets import load_silicon

train, _ = load_silicon()
model = LinearPotential(ACE(cutoff=5.0, order=2, max_degree=(10, 8))).fit(train)

# %%
# Any ASE workflow takes the calculator. Its neighbor list has a skin, so that most steps search no neighbors.

atoms = bulk("Si", cubic=True).repeat(2)
atoms.calc = model.calculator()
thermalize_momenta(atoms, temperature_K=600, rng=np.random.default_rng(0))

# %%
# Without a thermostat the total energy is conserved.

energies = []
md = VelocityVerlet(atoms, timestep=1.0 * units.fs)
md.attach(lambda: energies.append(atoms.get_total_energy()))
md.run(200)
print(f"total energy kept within {1e3 * np.ptp(energies) / len(atoms):.3f} meV/atom over 200 steps")
