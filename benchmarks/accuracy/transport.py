"""Diffusion and ionic conductivity of fitted potentials, against a reference potential and against experiment.

copper: MD of liquid copper with the effective-medium potential of ASE makes the training data, and the same MD
(ensemble, cell, length, seeds) with that potential and with the fit gives the two diffusion coefficients.

lithium chloride: a default fit of the bundled set, molten LiCl at the experimental density; tracers, collective
conductivity and Haven ratio. Experiment has about 6 S/cm at 1000 K (quoted from Janz et al., NSRDS-NBS 15, 1968).

    python benchmarks/accuracy/transport.py copper --folder runs
    python benchmarks/accuracy/transport.py lithium_chloride --folder runs
"""

import argparse
from pathlib import Path

import numpy as np
from ase import Atoms, units
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from ase.constraints import FixCom
from ase.io import read, write
from ase.md.bussi import Bussi
from ase.md.langevin import Langevin
from ase.md.velocitydistribution import Stationary, thermalize_momenta

from linmlp import ACE, LinearPotential, load
from linmlp.datasets import load_lithium_chloride
from linmlp.evaluation.md import check_stability
from linmlp.evaluation.transport import compute_transport, run_transport

COPPER_TEMPERATURE = 1600.0
"""K; the potential melts below 1400 K."""

COPPER_VOLUME = 13.1
"""Å³ per atom: liquid copper of this potential at about zero pressure."""

COPPER_STEP = 4.0
"""fs."""

LITHIUM_CHLORIDE_TEMPERATURE = 1000.0
"""K; it melts at 883 K."""


def experimental_density(temperature):
    """Density of molten LiCl, g/cm³, as quoted from Janz et al., NSRDS-NBS 15 (1968)."""
    return 1.88419 - 0.4328e-3 * temperature


def label(atoms):
    """The structure with energy, forces and stress of the reference."""
    atoms = Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=True)
    atoms.calc = EMT()
    results = {"energy": atoms.get_potential_energy(), "forces": atoms.get_forces(), "stress": atoms.get_stress()}
    atoms.calc = SinglePointCalculator(atoms, **results)
    return atoms


def run(atoms, calculator, temperature, time, every, seed, rescaled=False):
    """Frames of a run with a thermostat, velocities kept if there are any."""
    atoms, rng, frames = atoms.copy(), np.random.default_rng(seed), []
    atoms.calc = calculator
    if not atoms.has("momenta"):
        thermalize_momenta(atoms, temperature_K=temperature, rng=rng)
    Stationary(atoms)
    atoms.set_constraint(FixCom())
    step = COPPER_STEP * units.fs
    if rescaled:
        md = Bussi(atoms, step, temperature_K=temperature, taut=1000.0 * units.fs, rng=rng)
    else:
        md = Langevin(atoms, step, temperature_K=temperature, friction=0.01 / units.fs, fixcm=False, rng=rng)
    md.attach(lambda: frames.append(atoms.copy()), interval=every)
    md.run(round(1000.0 * time / COPPER_STEP))
    atoms.set_constraint()
    return frames, atoms


def liquid_copper(repeat, melting):
    """A cell of liquid copper, melted at 3000 K."""
    atoms = bulk("Cu", a=(4.0 * COPPER_VOLUME) ** (1 / 3), cubic=True).repeat(repeat)
    melted = run(atoms, EMT(), 3000.0, melting, 10**6, seed=0)[1]
    melted.set_momenta(np.zeros((len(melted), 3)))
    return Atoms(melted.numbers, melted.positions, cell=melted.cell, pbc=True)


def copper_training(sizes):
    """Cells of 32 atoms from MD at several temperatures and volumes, hot solid and liquid."""
    frames = []
    for k, (temperature, scale) in enumerate((t, s) for t in sizes["temperatures"] for s in (0.97, 1.0, 1.03)):
        atoms = bulk("Cu", a=(4.0 * COPPER_VOLUME) ** (1 / 3) * scale, cubic=True).repeat(2)
        if temperature > 1000.0:
            atoms = run(atoms, EMT(), 3500.0, sizes["heating"], 10**6, seed=k)[1]
            atoms = Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=True)
        frames += run(atoms, EMT(), temperature, sizes["heating"] * 10 / 3, sizes["every"], seed=k)[0][4:]
    chosen = np.random.default_rng(0).permutation(len(frames))[: sizes["n"]]
    return [label(frames[i]) for i in chosen]


def copper(options):
    folder = options.folder
    sizes = {
        "repeat": 3,
        "melting": 3.0,
        "heating": 0.6,
        "every": 25,
        "n": 120,
        "time": options.time or 20.0,
        "settle": 3.0,
    }
    sizes |= {"temperatures": (900.0, 1600.0, 2400.0), "seeds": options.seeds}
    if options.tiny:
        sizes = {"repeat": 1, "melting": 0.1, "heating": 0.06, "every": 5, "n": 12, "time": 1.2, "settle": 0.1}
        sizes |= {"temperatures": (1600.0,), "seeds": 1}
    structures = cached(folder, "copper_train.xyz", lambda: copper_training(sizes))
    cut = len(structures) * 5 // 6
    train, test = structures[:cut], structures[cut:]
    small = {"alpha": 1e-6, "energy_weight": 100.0, "force_weight": 1.0, "stress_weight": 100.0}
    model = (
        LinearPotential(ACE(cutoff=4.5, order=2, max_degree=(8, 6)), **small)
        if options.tiny
        else LinearPotential(ACE())
    ).fit(train)
    print(f"copper: {len(train)} training structures of {len(train[0])} atoms\n{model.evaluate(test)}", flush=True)
    start = cached(folder, "copper_liquid.xyz", lambda: [liquid_copper(sizes["repeat"], sizes["melting"])])[0]
    results = {}
    for name, calculator in (("fit", model.calculator), ("reference", EMT)):
        runs = []
        for seed in range(sizes["seeds"]):

            def produce(seed=seed, calculator=calculator):
                calc = calculator()
                settled = run(start, calc, COPPER_TEMPERATURE, sizes["settle"], 10**6, (1, seed))[1]
                return run(settled, calc, COPPER_TEMPERATURE, sizes["time"], 5, (2, seed), rescaled=True)[0]

            runs.append(cached(folder, f"copper_{name}_{seed}.traj", produce))
            one = compute_transport(runs[-1], timestep=COPPER_STEP, every=5)
            print(f"{name}, seed {seed}: {one}", flush=True)
        results[name] = compute_transport(*runs, timestep=COPPER_STEP, every=5, temperature=COPPER_TEMPERATURE)
        print(f"{name}, all: {results[name]}", flush=True)
    found = {name: result.diffusion["Cu"].coefficient for name, result in results.items()}
    ratio = found["fit"].value / found["reference"].value
    error = ratio * np.hypot(*(d.error / d.value for d in found.values()))
    print(f"diffusion of the fit over that of the reference: {ratio:.3f} ± {error:.3f}", flush=True)


def molten_lithium_chloride(model, repeat, temperature, melting):
    """A melt at the experimental density."""
    crystal = bulk("LiCl", "rocksalt", a=5.14, cubic=True).repeat(repeat)
    mass = crystal.get_masses().sum() * units._amu * 1e3  # g
    length = (mass / experimental_density(temperature)) ** (1 / 3) * 1e8
    crystal.set_cell(np.eye(3) * length, scale_atoms=True)
    (melt,) = check_stability(model, crystal, [2000.0], "nvt", time=melting, timestep=2.0).runs
    print(melt, flush=True)
    return Atoms(melt.last.numbers, melt.last.positions, cell=melt.last.cell, pbc=True)


def lithium_chloride(options):
    train, test = load_lithium_chloride()
    sizes = {"repeat": 1, "melting": 0.1, "time": 1.2, "settle": 0.1, "seeds": 1} if options.tiny else {
        "repeat": 3, "melting": 10.0, "time": options.time or 100.0, "settle": 10.0, "seeds": options.seeds
    }  # fmt: skip
    if options.model is not None:
        model = load(options.model)
    elif options.tiny:
        small = {"alpha": 1e-6, "energy_weight": 100.0, "force_weight": 1.0, "stress_weight": 100.0}
        model = LinearPotential(ACE(cutoff=4.5, order=2, max_degree=(6, 4)), **small).fit(train)
    else:
        model = LinearPotential(ACE()).fit(train)
    print(f"lithium chloride: {len(train)} training structures\n{model.evaluate(test)}", flush=True)
    for temperature in options.temperatures:
        name = f"licl_{temperature:g}K.xyz"
        start = cached(
            options.folder,
            name,
            lambda temperature=temperature: [
                molten_lithium_chloride(model, sizes["repeat"], temperature, sizes["melting"])
            ],
        )[0]
        settings = {
            "charges": {"Li": 1, "Cl": -1},
            "time": sizes["time"],
            "equilibration": sizes["settle"],
            "timestep": 2.0,
            "every": 5,
        }
        found = []
        for seed in range(options.first, options.first + sizes["seeds"]):
            folder = None if options.folder is None else options.folder / f"licl_{seed}"
            result = run_transport(model, start, [temperature], folder=folder, random_state=seed, **settings).results[0]
            print(f"seed {seed}: {result}", flush=True)
            found.append(result.conductivity.collective)
        values, errors = np.array(found).T
        mean, error = np.mean(values), np.sqrt(np.sum(errors**2)) / len(errors)
        print(f"mean over seeds: {mean:.2f} ± {error:.2f} S/cm at {temperature:g} K", flush=True)


def cached(folder, name, make):
    """Frames from a file of the folder, made and written where they are not there."""
    if folder is None:
        return make()
    path = folder / name
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        write(path, make())
    return read(path, ":")


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=["copper", "lithium_chloride"], help="copper, lithium_chloride")
    parser.add_argument("--folder", type=Path, help="where trajectories are kept")
    parser.add_argument("--model", type=Path, help="a fit of lithium chloride that was saved")
    parser.add_argument("--seeds", type=int, default=3, help="runs of each kind")
    parser.add_argument("--first", type=int, default=0, help="first seed of lithium chloride")
    parser.add_argument("--time", type=float, help="length of each run, ps")
    parser.add_argument("--temperatures", type=float, nargs="+", default=[LITHIUM_CHLORIDE_TEMPERATURE])
    parser.add_argument("--tiny", action="store_true", help="small cells, short runs and small fits, to see it run")
    options = parser.parse_args(arguments)
    for part in options.parts:
        {"copper": copper, "lithium_chloride": lithium_chloride}[part](options)


if __name__ == "__main__":
    main()
