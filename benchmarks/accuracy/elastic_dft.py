"""DFT of strained crystals with exactly the settings of the bundled sets, for `elastic.py` to compare with.

The structures that it writes are kept beside this file (`elastic_silicon.xyz`, `elastic_lithium_chloride.xyz`) and are
in no training set. It needs GPAW and its PAW data sets (Debian: `gpaw`, `gpaw-data`); about 15 runs of 8 atoms each.

    python benchmarks/accuracy/elastic_dft.py silicon
    python benchmarks/accuracy/elastic_dft.py lithium_chloride
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from ase.build import bulk
from ase.io import read, write

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "examples"))

import make_bundled_data as bundled  # noqa: E402

AXIAL = (-0.02, -0.01, 0.01, 0.02)
"""Green strains along x."""

SHEAR = (0.01, 0.02, 0.04)
"""Engineering Green strains in the yz plane; minus gives the same by symmetry."""

FORCE = 2e-3
"""Ions are relaxed up to this force, eV/Å."""

DATA = HERE.parents[1] / "linmlp" / "structures" / "data"


def zero_pressure(name, group):
    """Return the lattice constant of the bundled set at which its stress is zero: a quartic in the logarithm."""
    cells = [a for a in read(DATA / f"{name}_train.xyz.gz", ":") + read(DATA / f"{name}_test.xyz.gz", ":")]
    cells = [a for a in cells if a.info["config_type"] == group]
    logs = np.log([a.cell.lengths()[0] for a in cells])
    stresses = [a.get_stress()[:3].mean() for a in cells]
    fit = np.polynomial.Polynomial.fit(stresses, logs, 4)  # the stress is monotonic: the inverse function is fitted
    return float(np.exp(fit(0.0)))


def strained(crystal, component, strain):
    """Return the crystal with one component of the Green strain, ions kept at their fractional positions."""
    green = np.zeros((3, 3))
    if component < 3:
        green[component, component] = strain
    else:
        a, b = ((1, 2), (0, 2), (0, 1))[component - 3]
        green[a, b] = green[b, a] = strain / 2.0
    values, vectors = np.linalg.eigh(np.eye(3) + 2.0 * green)
    stretched = crystal.copy()
    stretched.set_cell(crystal.cell.array @ (vectors * np.sqrt(values)) @ vectors.T, scale_atoms=True)
    stretched.info.update(component=component + 1, size=strain)
    return stretched


def relaxed(atoms, settings, kpts):
    """Return the labelled structure with its ions at rest: damped steps along the forces, made longer by the secant."""
    labelled, step, last = bundled.label(atoms, settings, kpts=kpts), 0.05, None
    for _ in range(12):
        forces = labelled.get_forces()
        forces = forces - forces.mean(axis=0)
        if np.abs(forces).max() < FORCE:
            return labelled
        if last is not None:
            moved, change = last[0], last[1] - forces
            step = float(np.sum(moved * moved) / np.sum(moved * change))
        last = (step * forces, forces)
        atoms = atoms.copy()
        atoms.positions += step * forces
        labelled = bundled.label(atoms, settings, kpts=kpts)
    raise RuntimeError("the ions do not come to rest")


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", choices=list(bundled.SETTINGS))
    options = parser.parse_args(arguments)
    settings = bundled.SETTINGS[options.set]
    group, symbols, kind = {
        "silicon": ("diamond", "Si", "diamond"),
        "lithium_chloride": ("rocksalt", "LiCl", "rocksalt"),
    }[options.set]
    a = zero_pressure(options.set, group)
    crystal = bulk(symbols, kind, a=a, cubic=True)
    kpts = bundled.kpoint_mesh(crystal, settings)
    print(f"{options.set}: a = {a:.4f} Å at zero stress, k-points {kpts}", flush=True)
    crystal.info.update(component=0, size=0.0)
    tasks = [(crystal, "clamped")]
    tasks += [(strained(crystal, 0, value), "clamped") for value in AXIAL]
    tasks += [(strained(crystal, 3, value), "clamped") for value in SHEAR]
    tasks += [(strained(crystal, 3, value), "relaxed") for value in SHEAR[:2]]
    done = []
    for atoms, ions in tasks:
        atoms.info.update(config_type="elastic", ions=ions)
        run = relaxed if ions == "relaxed" else bundled.label
        done.append(run(atoms, settings, kpts=kpts))
        print(atoms.info, np.round(done[-1].get_stress() * 160.2177, 3), flush=True)
        write(HERE / f"elastic_{options.set}.xyz", done, format="extxyz")


if __name__ == "__main__":
    main()
