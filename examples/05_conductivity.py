"""Ionic conductivity: MD of molten lithium chloride, diffusion coefficients and conductivity with error bars."""

# %% A small potential from the bundled data; a real one takes `LinearPotential(ACE())` and some minutes
from ase.build import bulk

from linmlp import ACE, LinearPotential
from linmlp.datasets import load_lithium_chloride
from linmlp.evaluation.md import check_stability
from linmlp.evaluation.transport import compute_transport, plot_msd, run_transport

train, _ = load_lithium_chloride()
weights = {"energy_weight": 100.0, "force_weight": 1.0, "stress_weight": 100.0}
model = LinearPotential(ACE(cutoff=4.5, order=2, max_degree=(6, 4)), alpha=1e-6, **weights).fit(train)

# %% A melt: a hot crystal of the density of the liquid, 1.45 g/cm³ at 1000 K
crystal = bulk("LiCl", "rocksalt", a=5.79, cubic=True)
melt = check_stability(model, crystal, [2500], "nvt", time=0.5, timestep=2.0).runs[0].last

# %% MD at two temperatures; for figures that mean something take 216 atoms and 100 ps, and several runs
charges = {"Li": 1, "Cl": -1}
settings = {"time": 1.5, "equilibration": 0.2, "timestep": 2.0, "every": 5, "folder": "md"}
series = run_transport(model, melt, [1500, 2000], charges, **settings)
print(series)

# %% The trajectories can be read again, as those of any other code
found = compute_transport("md/run_0/rescaled_2000K.traj", timestep=2.0, every=5, temperature=2000, charges=charges)
print(f"again: {found.conductivity.collective.value:.1f} ± {found.conductivity.collective.error:.1f} S/cm")
plot_msd(found)[0].figure.savefig("displacements.png")
