"""Phonons of a crystal by finite displacements, with phonopy (`pip install linmlp[phonons]`)."""

# %% A small potential
from ase import Atoms
from ase.build import bulk
from phonopy import Phonopy
from phonopy.structure.atoms import PhonopyAtoms

from linmlp import ACE, LinearPotential
from linmlp.datasets import load_silicon
from linmlp.evaluation.mechanics import phonons, plot_phonons

train, _ = load_silicon()
model = LinearPotential(ACE(cutoff=5.0, order=2, max_degree=(10, 8))).fit(train)

# %% All at once: the crystal is relaxed, displaced, and looked at along the path and in the whole zone
found = phonons(model, bulk("Si"), supercell=(3, 3, 3), temperatures=[300.0, 600.0])
print(found)
plot_phonons(found)[0].figure.savefig("phonons.png")

# %% By hand, as in any other workflow of phonopy: forces of all displaced supercells in one call
crystal = bulk("Si")
unit = PhonopyAtoms(symbols=crystal.symbols, cell=crystal.cell, scaled_positions=crystal.get_scaled_positions())
phonon = Phonopy(unit, [[3, 0, 0], [0, 3, 0], [0, 0, 3]])
phonon.generate_displacements(distance=0.01)
cells = phonon.supercells_with_displacements
displaced = [Atoms(c.symbols, cell=c.cell, scaled_positions=c.scaled_positions, pbc=True) for c in cells]
phonon.forces = model.predict_forces(displaced)
phonon.produce_force_constants()
print("optical frequency at the zone center:", round(phonon.run_qpoints([[0, 0, 0]]).frequencies[0, -1], 2), "THz")
