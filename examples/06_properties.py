"""Compute what a crystal does: volume, stiffness, defects, vibrations; and compare it with DFT."""

# %%
# A small potential. Stress rows matter for elastic constants, so the data have strained crystals.

from ase.build import bulk

from linmlp import ACE, LinearPotential
from linmlp.datasets import load_silicon
from linmlp.evaluation.mechanics import (
    elastic_constants,
    equation_of_state,
    plot_equation_of_state,
    radial_distribution,
    surface_energies,
    vacancy_energies,
)

train, test = load_silicon()
model = LinearPotential(ACE(cutoff=5.0, order=2, max_degree=(10, 8))).fit(train)
crystal = bulk("Si")

# %%
# Energies over volumes, beside the labelled crystals of the set: any labelled structures will do as a reference, and so
# will numbers by name or an ASE calculator.

diamond = [atoms for atoms in train if atoms.info["config_type"] == "diamond"]
curve = equation_of_state(model, crystal, reference=diamond)
print(curve)
plot_equation_of_state(curve).figure.savefig("equation_of_state.png")

# %%
# The elastic tensor from stresses and from energies, with ions relaxed at every strain. The reference here is the bulk
# modulus of the curve above.

print(elastic_constants(model, crystal, {"bulk_modulus": curve.bulk_modulus}))

# %%
# A vacancy and a surface.

print(vacancy_energies(model, bulk("Si", cubic=True), supercell=(2, 2, 2)))
print(surface_energies(model, crystal, [(1, 0, 0)], thickness=8.0, max_force=0.02))

# %%
# The neighbors of atoms in the hot crystals of the set. Phonons need phonopy (`pip install linmlp[phonons]`):
# `print(phonons(model, crystal))`.

hot = [atoms for atoms in train if atoms.info["config_type"] == "hot" and len(atoms) == 8]
print(radial_distribution(hot, cutoff=4.5, n_bins=45))
