"""Active learning: MD with the fitted potential, choose what it extrapolates to, label, partial_fit, repeat."""

# %% A reference that stands for DFT, and a few small displacements to start from
import numpy as np
from ase import units
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from ase.md.langevin import Langevin

from linmlp import ACE, LinearPotential
from linmlp.potentials import select_structures


def label(atoms):
    """Return the structure with energy, forces and stress of the reference."""
    atoms = atoms.copy()
    atoms.calc = EMT()
    results = {"energy": atoms.get_potential_energy(), "forces": atoms.get_forces(), "stress": atoms.get_stress()}
    atoms.calc = SinglePointCalculator(atoms, **results)
    return atoms


def rattled(amplitude, seed):
    """Return copper with random displacements of some size in Å."""
    atoms = bulk("Cu", cubic=True).repeat((2, 2, 2))
    atoms.rattle(amplitude, seed=seed)
    return atoms


def run_md(calculator, temperature, seed):
    """Return frames of a short run at a temperature in K."""
    atoms = rattled(0.05, seed)
    atoms.calc = calculator
    rng, frames = np.random.default_rng(seed), []
    md = Langevin(atoms, 4 * units.fs, temperature_K=temperature, friction=0.02 / units.fs, fixcm=False, rng=rng)
    md.attach(lambda: frames.append(atoms.copy()), interval=10)
    md.run(200)
    return frames


train = [label(rattled(0.04, seed)) for seed in range(12)]
test = [label(atoms) for atoms in run_md(EMT(), 900, seed=100)[5:]]
model = LinearPotential(ACE(cutoff=4.5, order=3, max_degree=(6, 4, 3)), alpha=1e-6, uncertainty=True).fit(train)
judge = model.uncertain_predictor()  # of the first fit: tells how far from its data a structure is


def force_rmse():
    """Return the error on a run of the reference at 900 K, eV/Å."""
    return model.evaluate(test).to_dict()["total"]["force_rmse"]


print(f"start: {len(train)} structures, force RMSE {force_rmse():.4f} eV/Å")

# %% Rounds: hotter each time, a few frames labelled each time
for k, temperature in enumerate((300, 600, 900)):
    frames = run_md(model.calculator(n_threads=1), temperature, seed=k)
    grades = [judge(frame).grade for frame in frames]
    known = len(train)
    chosen = select_structures([*train, *frames], 4, descriptor=model, initial=range(known))
    new = [label(frames[i - known]) for i in chosen]
    model.partial_fit(new)
    train += new
    print(
        f"{temperature} K: {np.mean(np.array(grades) > 1):.0%} of the frames were extrapolations of the first fit; "
        f"{len(train)} structures, force RMSE {force_rmse():.4f} eV/Å"
    )
