"""Make the two bundled data sets: silicon and lithium chloride, labelled by plane-wave DFT.

The script runs on its own, with ASE, NumPy and GPAW (with its PAW data sets) and nothing else::

    python make_bundled_data.py generate silicon              # structures, no DFT
    python make_bundled_data.py compute silicon               # DFT; restartable
    python make_bundled_data.py compute silicon --part 0/2    # ... or as several processes
    python make_bundled_data.py converge silicon              # cutoff and k-point convergence
    python make_bundled_data.py check silicon                 # finite differences
    python make_bundled_data.py ship silicon --out DIRECTORY  # train/test split, files *.xyz.gz

and the same with ``lithium_chloride``. Everything in between is kept in the directory given by
``--work`` (by default ``bundled_data_work``). ``generate`` uses fixed seeds, but the molecular
dynamics in it is chaotic, so another machine may arrive at other (equally good) hot structures.

The label ``energy`` is the quantity the forces and the stress are derivatives of: the electronic
free energy at the smearing width used. Energies are relative to GPAW's (non spin-polarised,
spherical) reference atoms.
"""

# %% imports and settings
from __future__ import annotations

import argparse
import gzip
import io
import json
import time
from pathlib import Path

import numpy as np
from ase import Atoms, units
from ase.build import bulk
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import read, write
from ase.md.langevin import Langevin
from ase.md.velocitydistribution import MaxwellBoltzmannDistribution
from ase.neighborlist import neighbor_list

#: Settings of the DFT runs. ``kdensity`` is in k-points per 1/Angstrom (see `kpoint_mesh`), ``width`` (eV) the
#: Fermi-Dirac smearing; ``pulay`` adds GPAW's estimate of the Pulay stress of the finite cutoff.
SETTINGS = {
    "silicon": {
        "ecut": 300.0,
        "pulay": False,
        "kdensity": 3.1,
        "kdensity_metals": 4.7,
        "kmin": 2,
        "width": 0.2,
    },
    "lithium_chloride": {"ecut": 400.0, "pulay": True, "kdensity": 1.4, "kmin": 2, "width": 0.05, "two_from": 14},
}
#: Groups of crystals that are metals and need more k-points, ``kdensity_metals``.
METALS = ("beta_tin", "simple_cubic", "simple_hexagonal", "bcc", "fcc")
XC = "PBE"
CONVERGENCE = {"energy": 1e-5, "density": 1e-5, "forces": 1e-3}

#: No pair closer than this (Angstrom) in any structure but those of the group ``close_contact``.
MIN_DISTANCES = {("Si", "Si"): 1.9, ("Li", "Li"): 1.8, ("Cl", "Li"): 1.7, ("Cl", "Cl"): 2.6}
#: ... and closer than this in none at all.
MIN_DISTANCES_CONTACT = {("Si", "Si"): 1.6, ("Li", "Li"): 1.6, ("Cl", "Li"): 1.55, ("Cl", "Cl"): 2.4}


# %% classical models, for geometries only
class Neighbours:
    """Pairs within a cutoff, with a list that is made anew only after the atoms have moved far enough."""

    def __init__(self, cutoff, skin=0.8):
        self.cutoff, self.skin, self.start = cutoff, skin, None

    def __call__(self, atoms):
        """Return ``i, j, d, vec`` as `ase.neighborlist.neighbor_list` does, sorted by ``i``."""
        fresh = self.start is not None and len(self.start) == len(atoms) and np.array_equal(self.cell, atoms.cell.array)
        if not fresh or np.linalg.norm(atoms.positions - self.start, axis=1).max() > self.skin / 2:
            self.start, self.cell = atoms.positions.copy(), atoms.cell.array.copy()
            i, j, shift = neighbor_list("ijS", atoms, self.cutoff + self.skin)
            order = np.argsort(i, kind="stable")
            self.i, self.j, self.shift = i[order], j[order], shift[order] @ self.cell
        vec = atoms.positions[self.j] - atoms.positions[self.i] + self.shift
        d = np.linalg.norm(vec, axis=1)
        near = d < self.cutoff - 1e-6
        return self.i[near], self.j[near], d[near], vec[near]


class StillingerWeber(Calculator):
    """Stillinger-Weber silicon (Phys. Rev. B 31, 5262 (1985)); makes the hot structures."""

    implemented_properties = ("energy", "forces")
    eps, sigma, a, lam, gamma, big_a, big_b = 2.1683, 2.0951, 1.80, 21.0, 1.20, 7.049556277, 0.6022245584

    def __init__(self):
        super().__init__()
        self.neighbours = Neighbours(self.a * self.sigma)

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        """Compute energy and forces."""
        super().calculate(atoms, properties, system_changes)
        eps, sig, rc = self.eps, self.sigma, self.a * self.sigma
        i, j, d, vec = self.neighbours(self.atoms)
        forces = np.zeros((len(self.atoms), 3))
        # pairs (each counted twice)
        decay = np.exp(sig / (d - rc))
        core = self.big_b * (sig / d) ** 4 - 1
        energy = 0.5 * eps * self.big_a * np.sum(core * decay)
        slope = eps * self.big_a * decay * (-4 * (core + 1) / d - core * sig / (d - rc) ** 2)
        pair = (slope / d)[:, None] * vec
        np.add.at(forces, i, 0.5 * pair)
        np.add.at(forces, j, -0.5 * pair)
        # triples: all ordered pairs of bonds of one atom, each triple counted twice
        p, q = np.nonzero((i[:, None] == i[None, :]) & ~np.eye(len(i), dtype=bool))
        unit = vec / d[:, None]
        g = np.exp(self.gamma * sig / (d - rc))
        dg = -g * self.gamma * sig / (d - rc) ** 2
        cos = np.sum(unit[p] * unit[q], axis=1)
        h = cos + 1 / 3
        pre = eps * self.lam
        energy += 0.5 * pre * np.sum(h**2 * g[p] * g[q])
        # derivative with respect to bond vector p; the sum over ordered pairs covers q
        dp = (h**2 * dg[p] * g[q])[:, None] * unit[p]
        dp += (2 * h * g[p] * g[q] / d[p])[:, None] * (unit[q] - cos[:, None] * unit[p])
        np.add.at(forces, i[p], pre * dp)
        np.add.at(forces, j[p], -pre * dp)
        self.results = {"energy": energy, "forces": forces}


class RigidIonLiCl(Calculator):
    """Born-Mayer repulsion (Fumi-Tosi parameters) with damped shifted Coulomb forces."""

    implemented_properties = ("energy", "forces")
    rho, b, cutoff, alpha = 0.342, 0.21096, 6.5, 0.28

    def __init__(self):
        super().__init__()
        self.neighbours = Neighbours(self.cutoff)

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        """Compute energy and forces."""
        from scipy.special import erfc

        super().calculate(atoms, properties, system_changes)
        lithium = self.atoms.numbers == 3
        charge = np.where(lithium, 1.0, -1.0)
        electrons = np.where(lithium, 2, 8)
        size = np.where(lithium, 0.816, 1.585)
        i, j, d, vec = self.neighbours(self.atoms)
        pauling = 1 + (charge / electrons)[i] + (charge / electrons)[j]
        repulsion = pauling * self.b * np.exp((size[i] + size[j] - d) / self.rho)
        coulomb = charge[i] * charge[j] * 14.399645

        def potential(r):
            return erfc(self.alpha * r) / r

        def slope(r):
            gauss = 2 * self.alpha / np.sqrt(np.pi) * np.exp(-((self.alpha * r) ** 2))
            return -(erfc(self.alpha * r) / r**2 + gauss / r)

        v0, s0 = potential(self.cutoff), slope(self.cutoff)
        energy = 0.5 * np.sum(repulsion + coulomb * (potential(d) - v0 - s0 * (d - self.cutoff)))
        f = 0.5 * ((-repulsion / self.rho + coulomb * (slope(d) - s0)) / d)[:, None] * vec
        forces = np.zeros((len(self.atoms), 3))
        np.add.at(forces, i, f)
        np.add.at(forces, j, -f)
        self.results = {"energy": energy, "forces": forces}


# %% building blocks
def closest(atoms):
    """Return the shortest distance of each kind of pair, periodic images included."""
    i, j, d = neighbor_list("ijd", atoms, 4.0)
    symbols = np.array(atoms.get_chemical_symbols())
    return {pair: d[((symbols[i] == pair[0]) & (symbols[j] == pair[1]))].min(initial=np.inf) for pair in MIN_DISTANCES}


def acceptable(atoms, limits=None):
    """Tell whether no two atoms are closer than allowed."""
    limits = limits or MIN_DISTANCES
    return all(d >= limits[pair] for pair, d in closest(atoms).items())


def random_strain(rng, size):
    """Return a symmetric deformation matrix with random components up to `size`."""
    e = rng.uniform(-size, size, (3, 3))
    return np.eye(3) + 0.5 * (e + e.T)


def deform(atoms, matrix):
    """Return a copy with its cell and atoms deformed by `matrix`."""
    new = atoms.copy()
    new.set_cell(atoms.cell.array @ matrix, scale_atoms=True)
    return new


def scaled(atoms, ratio):
    """Return a copy with `ratio` times the volume."""
    return deform(atoms, np.eye(3) * ratio ** (1 / 3))


def rattled(rng, atoms, amplitude):
    """Return a copy with normally distributed displacements (standard deviation `amplitude`)."""
    for _ in range(200):
        new = atoms.copy()
        new.positions += rng.normal(0, amplitude, new.positions.shape)
        if acceptable(new):
            return new
    raise RuntimeError("no acceptable rattled structure found")


def dynamics(rng, atoms, calculator, steps, timestep=1.0, friction=0.02):
    """Yield copies of `atoms` along Langevin dynamics through `steps`: (temperature, femtoseconds) pairs."""
    atoms = atoms.copy()
    atoms.calc = calculator
    for temperature, duration in steps:
        MaxwellBoltzmannDistribution(atoms, temperature_K=temperature, rng=rng)
        md = Langevin(atoms, timestep * units.fs, temperature_K=temperature, friction=friction / units.fs, rng=rng)
        md.run(int(duration / timestep))
        for _ in range(40):
            if acceptable(atoms):
                break
            md.run(25)
        else:
            continue
        snapshot = Atoms(atoms.symbols, positions=atoms.positions, cell=atoms.cell, pbc=True)
        snapshot.wrap()
        yield snapshot


def with_contact(rng, atoms, pair, distance):
    """Return a copy with the closest pair of one kind brought to `distance`."""
    new = atoms.copy()
    i, j, d, vec = neighbor_list("ijdD", new, 6.0)
    symbols = np.array(new.get_chemical_symbols())
    candidates = np.nonzero((symbols[i] == pair[0]) & (symbols[j] == pair[1]) & (i != j))[0]
    for k in candidates[np.argsort(d[candidates])]:
        trial = new.copy()
        shift = 0.5 * (d[k] - distance) * vec[k] / d[k]
        trial.positions[i[k]] += shift
        trial.positions[j[k]] -= shift
        limits = {p: v * 0.999 for p, v in MIN_DISTANCES.items()}
        limits[tuple(sorted(pair))] = distance * 0.999
        if acceptable(trial, limits):
            return trial
    return None


# %% silicon structures
def silicon_structures(seed=2024):
    """Return a list of silicon structures, each with its group in ``info['config_type']``."""
    rng = np.random.default_rng(seed)
    groups: dict[str, list[Atoms]] = {}

    def add(group, atoms):
        groups.setdefault(group, []).append(atoms)

    diamond = bulk("Si", "diamond", a=5.47, cubic=True)
    double = diamond * (2, 1, 1)
    for ratio in (1.0, 0.9, 1.1, 0.95, 1.05, 0.85, 1.15, 0.975, 1.025, 1.2):
        add("diamond", scaled(diamond, ratio))
    for n in range(22):
        cell = scaled(diamond, rng.uniform(0.92, 1.08))
        add("strained", rattled(rng, deform(cell, random_strain(rng, (0.02, 0.04, 0.07, 0.1)[n % 4])), 0.02))
    for n in range(28):
        amplitude = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.25)[n % 7]
        host = double if n % 7 in (2, 4) and n > 7 else diamond
        add("rattled", rattled(rng, deform(scaled(host, rng.uniform(0.9, 1.12)), random_strain(rng, 0.02)), amplitude))
    for n in range(14):
        host = double if n % 2 else diamond
        host = deform(scaled(host, rng.uniform(0.9, 1.06)), random_strain(rng, 0.02))
        del host[int(rng.integers(len(host)))]
        add("vacancy", rattled(rng, host, (0.02, 0.08, 0.15)[n % 3]))

    beta_tin = Atoms(
        "Si4",
        scaled_positions=[(0, 0, 0), (0, 0.5, 0.25), (0.5, 0.5, 0.5), (0.5, 0, 0.75)],
        cell=[4.82, 4.82, 2.66],
        pbc=True,
    )
    wurtzite = bulk("SiSi", "wurtzite", a=3.86, c=6.32, u=0.375)
    others = {
        "beta_tin": (beta_tin, beta_tin * (1, 1, 2), 10),
        "simple_cubic": (bulk("Si", "sc", a=2.53), bulk("Si", "sc", a=2.53) * (2, 2, 2), 8),
        "hexagonal_diamond": (wurtzite, wurtzite, 7),
        "simple_hexagonal": (
            Atoms("Si", cell=[[2.64, 0, 0], [-1.32, 1.32 * 3**0.5, 0], [0, 0, 2.47]], pbc=True),
            Atoms("Si", cell=[[2.64, 0, 0], [-1.32, 1.32 * 3**0.5, 0], [0, 0, 2.47]], pbc=True) * (1, 2, 2),
            7,
        ),
        "bcc": (bulk("Si", "bcc", a=3.09, cubic=True), bulk("Si", "bcc", a=3.09, cubic=True) * (2, 1, 1), 7),
        "fcc": (bulk("Si", "fcc", a=3.87, cubic=True), bulk("Si", "fcc", a=3.87, cubic=True), 7),
    }
    for group, (unit, cell, count) in others.items():
        for n, ratio in enumerate((1.0, 0.9, 1.12)):
            if n < count:
                add(group, scaled(unit, ratio))
        for n in range(count - 3):
            deformed = deform(scaled(cell, rng.uniform(0.92, 1.12)), random_strain(rng, 0.05))
            add(group, rattled(rng, deformed, (0.05, 0.1, 0.15)[n % 3]))

    sw = StillingerWeber()
    for n in range(12):
        host = double if n % 3 == 0 else diamond
        start = deform(scaled(host, rng.uniform(0.95, 1.08)), random_strain(rng, 0.015))
        for atoms in dynamics(rng, start, sw, [((300, 600, 900, 1200, 1500, 1000)[n % 6], 500), (1400 - 100 * n, 500)]):
            add("hot", atoms)
    for n in range(14):
        host = double if n % 2 else diamond
        start = deform(scaled(host, rng.uniform(0.82, 1.15)), random_strain(rng, 0.06))
        for atoms in dynamics(rng, start, sw, [(2000 + 150 * n, 500), (4000 - 150 * n, 500)]):
            add("liquid", atoms)
        if n % 2 == 0:
            for atoms in dynamics(rng, groups["liquid"][-1], sw, [(500, 300)]):
                add("amorphous", atoms)
    for n, distance in enumerate((1.65, 1.75, 1.85, 1.95)):
        atoms = with_contact(rng, groups["liquid"][3 * n], ("Si", "Si"), distance)
        if atoms is not None:
            add("close_contact", atoms)
    return interleave(rng, groups)


# %% lithium chloride structures
def lithium_chloride_structures(seed=2025):
    """Return a list of LiCl structures, each with its group in ``info['config_type']``."""
    rng = np.random.default_rng(seed)
    groups: dict[str, list[Atoms]] = {}

    def add(group, atoms):
        groups.setdefault(group, []).append(atoms)

    model = RigidIonLiCl()
    rocksalt = bulk("LiCl", "rocksalt", a=5.15, cubic=True)
    double = rocksalt * (2, 1, 1)
    for ratio in (1.0, 0.9, 1.1, 0.95, 1.05, 0.85, 1.15, 1.25, 0.975, 1.025):
        add("rocksalt", scaled(rocksalt, ratio))
    for n in range(14):
        cell = scaled(rocksalt, rng.uniform(0.94, 1.12))
        add("strained", rattled(rng, deform(cell, random_strain(rng, (0.02, 0.04, 0.06, 0.08)[n % 4])), 0.02))
    for n in range(20):
        host = double if n % 5 == 4 else rocksalt
        cell = deform(scaled(host, rng.uniform(0.92, 1.2)), random_strain(rng, 0.02))
        add("rattled", rattled(rng, cell, (0.03, 0.07, 0.12, 0.18, 0.1)[n % 5]))
    for n in range(8):
        host = deform(scaled(double, rng.uniform(0.96, 1.12)), random_strain(rng, 0.02))
        lithium = rng.choice([a.index for a in host if a.symbol == "Li"])
        chlorine = rng.choice([a.index for a in host if a.symbol == "Cl"])
        del host[sorted(int(k) for k in (lithium, chlorine))]
        add("vacancy", rattled(rng, host, (0.03, 0.08, 0.12)[n % 3]))
    for n in range(5):
        host = deform(scaled(double, rng.uniform(1.1, 1.3)), random_strain(rng, 0.02))
        host.positions[[0, 1]] = host.positions[[1, 0]]
        for atoms in dynamics(rng, host, model, [(200 + 100 * n, 60)], 1.5, friction=0.1):
            add("antisite", atoms)

    cscl = bulk("LiCl", "cesiumchloride", a=3.17, cubic=True)
    zincblende = bulk("LiCl", "zincblende", a=5.6, cubic=True)
    wurtzite = bulk("LiCl", "wurtzite", a=4.0, c=6.4, u=0.38)
    for group, unit, cell in (
        ("cscl", cscl, cscl * (2, 2, 1)),
        ("zincblende", zincblende, zincblende),
        ("wurtzite", wurtzite, wurtzite),
    ):
        for ratio in (1.0, 0.92, 1.1):
            add(group, scaled(unit, ratio))
        for n in range(4):
            deformed = deform(scaled(cell, rng.uniform(0.95, 1.15)), random_strain(rng, 0.04))
            add(group, rattled(rng, deformed, (0.04, 0.08, 0.12)[n % 3]))

    for n in range(10):
        host = double if n % 2 else rocksalt
        start = deform(scaled(host, rng.uniform(1.0, 1.2)), random_strain(rng, 0.02))
        for atoms in dynamics(rng, start, model, [(300 + 60 * n, 600), (900 - 50 * n, 600)], 1.5):
            add("hot", atoms)

    # melts: density in g/cm3 gives the cell; one trajectory of its own for every two structures
    supercells = {8: (1, 1, 1), 16: (2, 1, 1), 24: (3, 1, 1)}
    sizes = [16, 8, 24, 16, 16, 24, 8, 16, 24, 16]
    for n in range(50):
        size = sizes[n % len(sizes)]
        density = rng.uniform(1.3, 1.9) if n % 8 else rng.uniform(1.1, 1.3)
        start = melt_cell(rng, rocksalt * supercells[size], density)
        temperature = rng.uniform(900, 2500)
        plan = [(4500, 600), (temperature, 600), (rng.uniform(900, 2500), 900)]
        for atoms in list(dynamics(rng, start, model, plan, 1.5))[-2:]:
            add("melt", atoms)

    lithium_chlorine, lithium_lithium, chlorine_chlorine = ("Li", "Cl"), ("Li", "Li"), ("Cl", "Cl")
    kinds = [
        *((lithium_chlorine, distance) for distance in (1.6, 1.75, 1.9)),
        *((lithium_lithium, distance) for distance in (1.7, 2.0)),
        *((chlorine_chlorine, distance) for distance in (2.45, 2.6, 2.75)),
        (lithium_chlorine, 1.68),
        (lithium_lithium, 2.3),
    ]
    small = [a for a in groups["melt"] if len(a) < 20]
    for n, (pair, distance) in enumerate(kinds):
        # a melt structure of its own, taken on for a while so as not to repeat it
        for source in small[3 * n : 3 * n + 3]:
            moved = next(iter(dynamics(rng, source, model, [(1500, 400)], 1.5)), None)
            atoms = moved and with_contact(rng, moved, pair, distance)
            if atoms:
                add("close_contact", atoms)
                break
    return interleave(rng, groups)


def melt_cell(rng, supercell, density):
    """Return the atoms of `supercell` in a nearly cubic cell of the wanted density (g/cm3), somewhat sheared."""
    volume = supercell.get_masses().sum() * 1.66053907 / density
    new = supercell.copy()
    shape = np.diag(rng.uniform(0.9, 1.1, 3)) @ random_strain(rng, 0.08)
    shape *= (volume / np.linalg.det(shape)) ** (1 / 3)
    new.set_cell(shape, scale_atoms=True)
    return new


def interleave(rng, groups):
    """Return all structures in an order that has each group spread evenly."""
    keyed = [
        ((k + 0.5 + 0.1 * rng.uniform()) / len(members), group, atoms)
        for group, members in groups.items()
        for k, atoms in enumerate(members)
    ]
    out = []
    for n, (_, group, atoms) in enumerate(sorted(keyed, key=lambda item: item[0])):
        new = Atoms(atoms.symbols, positions=np.round(atoms.positions, 6), cell=np.round(atoms.cell.array, 6), pbc=True)
        new.info.update(config_type=group, serial=n)
        out.append(new)
    return out


# %% DFT
def kpoint_mesh(atoms, settings):
    """Return the k-points: a mesh by density, Gamma-centred for oblique cells.

    In an insulator a large cell needs less than the smallest such mesh, 2 x 2 x 2. From ``two_from`` atoms on, two of
    the four inequivalent points of that mesh are taken, such that of the images at the sum and at the difference
    of two cell vectors those that involve the shortest vector still cancel.
    """
    heights = 1 / np.linalg.norm(np.linalg.inv(atoms.cell.array), axis=0)
    if len(atoms) >= settings.get("two_from", np.inf):
        points = np.full((2, 3), 0.25)
        points[1, np.argmin(heights)] *= -1
        return points
    metal = atoms.info.get("config_type") in METALS and "kdensity_metals" in settings
    density = settings["kdensity_metals" if metal else "kdensity"]
    size = np.maximum(settings["kmin"], np.ceil(2 * np.pi * density / heights - 1e-3)).astype(int)
    oblique = np.abs(atoms.cell.angles() - 90).max() > 20
    return {"size": tuple(int(n) for n in size), "gamma": bool(oblique)}


def label(atoms, settings, txt=None, kpts=None):
    """Return a copy of `atoms` with energy, forces and stress from DFT."""
    from gpaw import GPAW, PW, FermiDirac, KohnShamConvergenceError, Mixer

    new = Atoms(atoms.symbols, positions=atoms.positions, cell=atoms.cell, pbc=True)
    kpts = kpts if kpts is not None else kpoint_mesh(atoms, settings)
    parameters = {
        "mode": PW(settings["ecut"], dedecut="estimate" if settings["pulay"] else None),
        "xc": XC,
        "kpts": kpts,
        "occupations": FermiDirac(settings["width"]),
        "convergence": CONVERGENCE,
        "txt": txt,
    }
    new.calc = GPAW(mixer=Mixer(0.2, 5, 1), maxiter=60, **parameters)
    try:
        new.get_potential_energy()
    except KohnShamConvergenceError:
        new.calc = GPAW(mixer=Mixer(0.05, 5, 50), maxiter=200, **parameters)
    energy = new.get_potential_energy(force_consistent=True)
    forces = new.get_forces()
    stress = new.get_stress()
    new.calc = SinglePointCalculator(
        new, energy=round(float(energy), 6), forces=np.round(forces, 5), stress=np.round(stress, 7)
    )
    new.info.update(atoms.info)
    return new


def extxyz(atoms):
    """Return one structure as extended XYZ text."""
    buffer = io.StringIO()
    write(buffer, atoms, format="extxyz")
    return buffer.getvalue()


def generate(args):
    """Write the unlabelled structures."""
    structures = {"silicon": silicon_structures, "lithium_chloride": lithium_chloride_structures}[args.set]()
    write(args.work / f"{args.set}_structures.xyz", structures, format="extxyz")
    counts: dict[str, int] = {}
    for atoms in structures:
        counts[atoms.info["config_type"]] = counts.get(atoms.info["config_type"], 0) + 1
        limits = MIN_DISTANCES_CONTACT if atoms.info["config_type"] == "close_contact" else MIN_DISTANCES
        if not acceptable(atoms, limits):
            raise RuntimeError(f"structure {atoms.info} has atoms too close: {closest(atoms)}")
    print(len(structures), counts)


def finished(args):
    """Return the labelled structures of all parts, by serial number."""
    files = sorted(args.work.glob(f"{args.set}_done*.xyz"))
    return {a.info["serial"]: a for f in files for a in read(f, ":", format="extxyz")}


def compute(args):
    """Label the structures that are not labelled yet, one after another."""
    part, parts = (int(n) for n in args.part.split("/"))
    structures = read(args.work / f"{args.set}_structures.xyz", ":", format="extxyz")
    for atoms in structures:
        serial = atoms.info["serial"]
        if serial % parts != part or len(atoms) > args.max_atoms or serial in finished(args):
            continue
        start = time.time()
        try:
            done = label(atoms, SETTINGS[args.set], txt=str(args.work / f"{args.set}_{part}of{parts}.txt"))
        except Exception as error:  # one that does not converge is left out
            print(serial, atoms.info["config_type"], "failed:", repr(error), flush=True)
            continue
        with open(args.work / f"{args.set}_done_{part}of{parts}.xyz", "a") as file:
            file.write(extxyz(done))
        print(serial, atoms.info["config_type"], len(atoms), f"{time.time() - start:.1f} s", flush=True)


# %% checks
def pick(args, count, most=8):
    """Return the first `count` labelled structures of different groups, at low symmetry and of at most `most` atoms."""
    wanted = {
        "silicon": ("liquid", "rattled", "vacancy"),
        "lithium_chloride": ("melt", "rattled", "strained"),
    }[args.set]
    chosen = []
    for group in wanted[:count]:
        members = [a for _, a in sorted(finished(args).items()) if a.info["config_type"] == group]
        chosen.append(next(a for a in members if 1 < len(a) <= most and np.abs(a.get_forces()).max() > 0.03))
    return chosen


def report(args, **record):
    """Print a result and add it to the file of results."""
    print(record, flush=True)
    with open(args.work / f"{args.set}_checks.jsonl", "a") as file:
        file.write(json.dumps(record) + "\n")


def differences(new, old):
    """Return changes of energy (meV/atom), forces (meV/Angstrom; maximum and rms) and stress (meV/Angstrom^3)."""
    force = 1e3 * (new.get_forces() - old.get_forces())
    return {
        "energy": round(1e3 * (new.get_potential_energy() - old.get_potential_energy()) / len(old), 2),
        "force_max": round(float(np.abs(force).max()), 2),
        "force_rms": round(float(np.sqrt(np.mean(force**2))), 2),
        "stress_max": round(float(1e3 * np.abs(new.get_stress() - old.get_stress()).max()), 3),
    }


def converge(args):
    """Label a few structures again with more plane waves and with more k-points."""
    settings = SETTINGS[args.set]
    structures = pick(args, 2)
    group, size = {"silicon": ("simple_cubic", 8), "lithium_chloride": ("melt", 16)}[args.set]
    for _, atoms in sorted(finished(args).items()):
        if atoms.info["config_type"] == group and len(atoms) == size:
            structures.append(atoms)
            break
    for atoms in structures:
        name = f"{atoms.info['config_type']}, {len(atoms)} atoms"
        finer = settings | {"ecut": settings["ecut"] + (200 if args.set == "silicon" else 300)}
        report(args, structure=name, ecut=finer["ecut"], **differences(label(atoms, finer), atoms))
        mesh = kpoint_mesh(atoms, settings)
        size = tuple(n + 2 for n in mesh["size"]) if isinstance(mesh, dict) else (2, 2, 2)
        again = label(atoms, settings, kpts={"size": size, "gamma": False})
        report(args, structure=name, mesh=size, **differences(again, atoms))


def check(args, step=0.01, strain=0.01):
    """Compare forces and stresses with finite differences of the energy (same k-points, same cutoff)."""
    settings = SETTINGS[args.set]
    for atoms in pick(args, 3):
        kpts = kpoint_mesh(atoms, settings)
        name = f"{atoms.info['config_type']}, {len(atoms)} atoms"

        def energy(change, atoms=atoms, kpts=kpts):
            moved = atoms.copy()
            change(moved)
            return label(moved, settings, kpts=kpts).get_potential_energy()

        forces = atoms.get_forces()
        order = np.argsort(-np.abs(forces), axis=None)
        errors = []
        for flat in order[[0, len(order) // 2]]:
            atom, axis = np.unravel_index(flat, forces.shape)

            def displace(moved, sign, atom=atom, axis=axis):
                moved.positions[atom, axis] += sign * step

            slope = (energy(lambda m: displace(m, 1)) - energy(lambda m: displace(m, -1))) / (2 * step)
            errors.append(float(-slope - forces[atom, axis]))
        report(args, structure=name, force_errors_meV_per_A=[round(1e3 * e, 2) for e in errors])

        stress = atoms.get_stress(voigt=False)
        for kind, direction in {
            "pressure": np.eye(3) / 3,
            "shear": np.array([[1, 0.5, 0], [0.5, -1, 0.5], [0, 0.5, 0]]) / 2,
        }.items():
            energies = []
            sizes = strain * np.array([-1, -0.5, 0.5, 1])
            for size in sizes * (3 if kind == "pressure" else 1):

                def stretch(moved, size=size, direction=direction):
                    moved.set_cell(moved.cell.array @ (np.eye(3) + size * direction), scale_atoms=True)

                energies.append(energy(stretch))
            # a cubic through five points smooths the jumps of the number of plane waves
            sizes = np.append(sizes * (3 if kind == "pressure" else 1), 0.0)
            slope = np.polyfit(sizes, np.append(energies, atoms.get_potential_energy()), 3)[-2]
            expected = float(np.sum(stress * direction)) * atoms.get_volume()
            report(
                args,
                structure=name,
                strain=kind,
                stress_meV_per_A3=round(1e3 * expected / atoms.get_volume(), 3),
                finite_difference=round(1e3 * float(slope) / atoms.get_volume(), 3),
            )


# %% shipped files
def split(structures, share=0.17, seed=7):
    """Return train and test sets, with about `share` of every group in the latter.

    Structures with the same cell come from one trajectory and stay on one side.
    """
    families: dict[tuple, list[Atoms]] = {}
    for atoms in structures:
        families.setdefault(tuple(np.round(atoms.cell.array.ravel(), 4)), []).append(atoms)
    total: dict[str, int] = {}
    for atoms in structures:
        total[atoms.info["config_type"]] = total.get(atoms.info["config_type"], 0) + 1
    quota = {group: max(int(n >= 5), round(share * n)) for group, n in total.items()}
    taken = dict.fromkeys(total, 0)
    order = list(families.values())
    np.random.default_rng(seed).shuffle(order)
    test = set()
    for slack in (0, 1):
        for family in order:
            groups = [a.info["config_type"] for a in family]
            fits = all(taken[g] + groups.count(g) <= quota[g] + slack for g in groups)
            if fits and any(taken[g] < quota[g] for g in groups) and not test & {a.info["serial"] for a in family}:
                test |= {a.info["serial"] for a in family}
                for group in groups:
                    taken[group] += 1
    return [a for a in structures if a.info["serial"] not in test], [a for a in structures if a.info["serial"] in test]


def ship(args):
    """Write the gzip'd files of the package."""
    structures = [atoms for _, atoms in sorted(finished(args).items())]
    args.out.mkdir(parents=True, exist_ok=True)
    counts: dict[str, list[int]] = {}
    for k, (part, members) in enumerate(zip(("train", "test"), split(structures), strict=True)):
        text = ""
        for atoms in members:
            counts.setdefault(atoms.info["config_type"], [0, 0])[k] += 1
            new = Atoms(atoms.symbols, positions=atoms.positions, cell=atoms.cell, pbc=True)
            new.info["config_type"] = atoms.info["config_type"]
            new.calc = SinglePointCalculator(new, **atoms.calc.results)
            text += extxyz(new)
        # no time stamp inside: the same structures give the same bytes
        path = args.out / f"{args.set}_{part}.xyz.gz"
        path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
        print(path, len(members), "structures", path.stat().st_size, "bytes")
    for group, (train, test) in sorted(counts.items()):
        print(f"| {group} | {train} | {test} |")


# %% command line
def main():
    """Run one step."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("step", choices=["generate", "compute", "converge", "check", "ship"])
    parser.add_argument("set", choices=sorted(SETTINGS))
    parser.add_argument("--work", type=Path, default=Path("bundled_data_work"), help="directory of intermediate files")
    parser.add_argument("--part", default="0/1", help="this process's share of the structures, such as 0/2")
    parser.add_argument("--max-atoms", type=int, default=1000, help="compute no larger structures")
    parser.add_argument("--out", type=Path, default=Path(), help="where the step ship puts the files")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    globals()[args.step](args)


if __name__ == "__main__":
    main()
