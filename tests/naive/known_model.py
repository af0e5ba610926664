"""A known linear potential, and random structures labelled by it: energies from plain sums over features."""

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from linmlp import ACE
from linmlp.neighbors import find_pairs

WEIGHTS = {"energy_weight": 2.0, "force_weight": 1.0, "stress_weight": 50.0, "energy_per": "sqrt_atom"}
E0 = {"C": -3.25, "Si": -1.5, "Ge": -2.25}


def small_ace(channels=None):
    """Order 3 is in, with few functions; compiled once for all tests that use it."""
    return ACE(cutoff=4.0, order=3, max_degree=(4, 3, 2), channels=channels)


def random_structures(symbols, seed, n=14):
    """Crystals, slabs and molecules of some elements, rattled, no two atoms closer than 1.6 Å."""
    rng = np.random.default_rng(seed)
    structures = []
    while len(structures) < n:
        kind = ("bulk", "slab", "molecule")[len(structures) % 3]
        size = int(rng.integers(3, 7))
        box = 2.45 * 8 ** (1 / 3) * np.eye(3) + 0.2 * rng.normal(size=(3, 3))
        sites = np.array(np.meshgrid(*[[0.0, 0.5]] * 3)).T.reshape(-1, 3)[rng.permutation(8)[:size]]
        atoms = Atoms(rng.choice(symbols, size), cell=box, pbc=True, scaled_positions=sites)
        atoms.positions += 0.15 * rng.normal(size=(size, 3))
        if kind == "slab":
            atoms.center(vacuum=6.0, axis=2)
            atoms.pbc = (True, True, False)
        if kind == "molecule":
            atoms = Atoms(atoms.symbols, atoms.positions)
        distances = find_pairs(atoms, 3.0).distances
        if len(distances) and distances.min() > 1.6:
            atoms.info["config_type"] = kind
            structures.append(atoms)
    return structures


@dataclass(frozen=True)
class KnownModel:
    descriptor: ACE
    coef: np.ndarray
    e0: dict
    structures: list

    @classmethod
    def of(cls, symbols, seed, ace=None):
        rng = np.random.default_rng(seed)
        structures = random_structures(symbols, seed, n=14 * len(symbols))
        descriptor = (ace or small_ace()).fit(structures)
        spread = np.concatenate([descriptor.compute_features(find_pairs(a, 4.0)) for a in structures]).std(0)
        coef = rng.normal(size=descriptor.n_features_out_) / np.maximum(spread, 1e-3 * spread.max())
        known = cls(descriptor, 0.3 * coef / np.sqrt(len(coef)), {s: E0[s] for s in symbols}, structures)
        for atoms in structures:
            known.label(atoms)
        return known

    def compute(self, atoms):
        """Energy, forces and stress (NaN without volume) from the rows of the design matrix."""
        rows = energy, d_positions, d_strain = self.descriptor.allocate_rows(len(atoms))
        self.descriptor.write_rows(find_pairs(atoms, 4.0), *rows)
        reference = sum(self.e0[symbol] for symbol in atoms.get_chemical_symbols())
        volume = atoms.get_volume() if atoms.cell.rank == 3 else np.nan
        return (
            energy @ self.coef + reference,
            -(d_positions @ self.coef).reshape(-1, 3),
            d_strain @ self.coef / volume,
        )

    def label(self, atoms):
        """Put the labels on the structure; returns it."""
        energy, forces, stress = self.compute(atoms)
        labels = {"energy": energy, "forces": forces} | ({"stress": stress} if atoms.cell.rank == 3 else {})
        atoms.calc = SinglePointCalculator(atoms, **labels)
        return atoms


def without(atoms, *kinds, **changes):
    """The structure with some labels left out or changed."""
    results = {**atoms.calc.results, **changes}
    other = atoms.copy()
    other.calc = SinglePointCalculator(other, **{k: v for k, v in results.items() if k not in kinds})
    return other
