"""Find the barrier of a vacancy that hops to a neighboring site, by nudged elastic bands in ASE."""

# %% A small potential
from ase.build import bulk
from ase.mep import NEB, NEBTools
from ase.optimize import BFGS, FIRE

from linmlp import ACE, LinearPotential
from linmlp.datasets import load_silicon

train, _ = load_silicon()
model = LinearPotential(ACE(cutoff=5.0, order=2, max_degree=(10, 8))).fit(train)

# %% Two ends: atom 0 is missing, or its neighbor, which has moved to its site
crystal = bulk("Si", cubic=True).repeat(2)
distances = crystal.get_distances(0, range(1, len(crystal)), mic=True)
hopping = int(distances.argmin())  # its index once atom 0 is gone
start, end = crystal[1:], crystal[1:]
end.positions[hopping] = crystal.positions[0]
for atoms in (start, end):
    atoms.calc = model.calculator()
    BFGS(atoms, logfile=None).run(fmax=0.02)

# %% A calculator for each image, so that each keeps its neighbor list; they may share one with allow_shared_calculator
images = [start, *(start.copy() for _ in range(3)), end]
for atoms in images[1:-1]:
    atoms.calc = model.calculator()
band = NEB(images, climb=True, method="improvedtangent")
band.interpolate(method="idpp", mic=True)
FIRE(band, logfile=None).run(fmax=0.05, steps=200)
barrier, difference = NEBTools(images).get_barrier()
print(f"barrier {barrier:.2f} eV, difference of the ends {difference:.3f} eV")
