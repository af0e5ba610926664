"""Long MD runs of default fits: energy conserved, temperature held, failures, and a spoilt potential that is caught.

For every set: NVE from the hottest training temperature, the order of the energy's fluctuation over the time step, and
NVT at 0.5, 1 and 1.5 times the melting point. Above the melting point, and for NVE, the volume is the mean of the
hottest training structures, else that of the relaxed crystal. The spoilt potential is fitted to five rattled crystals
without a core.

    python benchmarks/accuracy/md.py silicon lithium_chloride ../shared/data/zuo_Si --time 100 --folder md_runs
"""

import argparse
import json
import re
import time
from pathlib import Path

import numpy as np
from ase.build import bulk
from ase.filters import UnitCellFilter
from ase.io import read
from ase.optimize import BFGS

from linmlp import ACE, LinearPotential
from linmlp.datasets import load_lithium_chloride, load_silicon
from linmlp.evaluation.md import Limits, check_stability, check_time_steps

MELTING_POINTS = {"Si": 1687.0, "Mo": 2896.0, "Li": 453.7, "ClLi": 883.0}
"""Experiment, K (CRC Handbook of Chemistry and Physics)."""

BUNDLED = {"silicon": (load_silicon, 4000.0, "liquid"), "lithium_chloride": (load_lithium_chloride, 2500.0, "melt")}
"""Bundled sets: loader, temperature (K) and name of the hottest group."""


def read_set(name):
    """Return the training structures, the hottest temperature (K), and the structures of it."""
    if name in BUNDLED:
        load, hottest, group = BUNDLED[name]
        train = load()[0]
        return train, hottest, [a for a in train if a.info["config_type"] == group]
    train = read(Path(name) / "train.xyz.gz", ":")
    found = [re.search(r"at (\d+) K", a.info.get("description", "")) for a in train]
    temperatures = np.array([float(match[1]) if match else 0.0 for match in found])
    hottest = temperatures.max()
    return train, hottest, [a for a, t in zip(train, temperatures, strict=True) if t == hottest]


def build_crystal(symbols):
    """Return a supercell of 64 to 128 atoms."""
    if symbols == {"Li", "Cl"}:
        return bulk("LiCl", "rocksalt", a=5.1, cubic=True).repeat(2)
    (symbol,) = symbols
    return bulk(symbol, cubic=True).repeat(2 if symbol == "Si" else 4)


def relax(model, atoms):
    """Return the crystal without stress."""
    atoms.calc = model.calculator()
    BFGS(UnitCellFilter(atoms, hydrostatic_strain=True), logfile=None).run(fmax=1e-3, steps=200)
    return atoms


def scaled(atoms, volume):
    """Return the structure at a volume per atom (Å³)."""
    atoms = atoms.copy()
    atoms.set_cell(atoms.cell * (volume * len(atoms) / atoms.get_volume()) ** (1 / 3), scale_atoms=True)
    return atoms


def report(name, duration, folder, **settings):
    """Fit, run, print; return the figures."""
    train, hottest, hot = read_set(name)
    title = Path(name).name
    model = LinearPotential(**settings).fit(train)
    crystal = relax(model, build_crystal({s for a in train for s in a.get_chemical_symbols()}))
    loose = scaled(crystal, np.mean([a.get_volume() / len(a) for a in hot]))
    melting_point = MELTING_POINTS[crystal.get_chemical_formula(empirical=True)]
    crystal_volume, hot_volume = (atoms.get_volume() / len(atoms) for atoms in (crystal, loose))
    print(f"\n== {title}: {len(crystal)} atoms, {len(model.coef_)} functions")
    print(f"volume per atom {crystal_volume:.2f} Å³ of the crystal, {hot_volume:.2f} Å³ hot")
    told = {"set": title, "n_atoms": len(crystal), "runs": []}
    temperatures = [factor * melting_point for factor in (0.5, 1.0, 1.5)]
    plans = [("nve", loose, [hottest]), ("nvt", crystal, temperatures[:2]), ("nvt", loose, temperatures[2:])]
    for ensemble, atoms, kelvins in plans:
        start = time.perf_counter()
        settings = {
            "structures": train,
            "folder": folder and folder / title,
            "equilibration": min(duration / 10.0, 2.0),
        }
        result = check_stability(model, atoms, kelvins, ensemble, time=duration, **settings)
        seconds = (time.perf_counter() - start) / len(kelvins)
        print(f"{result}\n    {seconds:.0f} s for each run", flush=True)
        told["runs"] += result.to_dict()["runs"]
    steps = check_time_steps(model, loose, hottest, time=min(duration, 20.0), equilibration=min(duration / 5.0, 2.0))
    print(steps, flush=True)
    return told | {"time_steps": steps.to_dict()}


def spoilt():
    """Print how a potential of five structures, without a core, is caught."""
    train = [a for a in load_silicon()[0] if a.info["config_type"] == "rattled"][:5]
    settings = {"baseline": None, "energy_weight": 1e3, "alpha": 1e-6}
    model = LinearPotential(ACE(cutoff=5.0, max_degree=(10, 8, 6)), **settings).fit(train)
    result = check_stability(
        model,
        bulk("Si", cubic=True).repeat(2),
        [600.0, 1700.0],
        "nvt",
        time=5.0,
        structures=train,
        limits=Limits(),
    )
    print(f"\n== spoilt: five rattled crystals, no core\n{result}")
    return {"set": "spoilt", **result.to_dict()}


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", help=f"{', '.join(BUNDLED)}, or folders with train.xyz.gz")
    parser.add_argument("--time", type=float, default=100.0, help="ps of each run")
    parser.add_argument("--folder", type=Path, help="where trajectories go; interrupted runs go on from there")
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--tiny", action="store_true", help="a small potential and short runs, to see it run")
    options = parser.parse_args(arguments)
    found = []
    if options.tiny:
        small = {"energy_weight": 1e3, "energy_per": "atom", "alpha": 1e-6}
        found.append(report("silicon", 0.1, None, descriptor=ACE(cutoff=4.5, order=2, max_degree=(8, 6)), **small))
    found += [report(name, options.time, options.folder) for name in options.sets]
    found.append(spoilt())
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
