"""A small descriptor in plain numpy that fulfils the contract: Gaussians of pair distances, per element of the center.

Feature (e, k) of atom i is ``sum_j exp(-(d_ij - r_k)^2 / w^2) fc(d_ij)`` if i is of element e, else 0; a feature of
higher order is its square.
"""

import numpy as np
from ase.data import atomic_numbers

from linmlp.neighbors import find_pairs
from linmlp.units import VOIGT


class ToyDescriptor:
    def __init__(self, elements=("Si",), cutoff=4.0, n_radial=4, padding=0):
        self.elements_ = tuple(elements)
        self.cutoff_ = cutoff
        self.n_radial = n_radial
        self.padding = padding
        self.n_features_ = self.n_features_out_ = 2 * n_radial * len(elements)

    def allocate_rows(self, n_atoms):
        n, stride = self.n_features_, self.n_features_ + self.padding
        return (
            np.empty(n),
            np.full((3 * n_atoms, stride), np.nan)[:, :n],
            np.full((6, stride), np.nan)[:, :n],
        )

    def _radial(self, d):
        centers = np.linspace(1.5, self.cutoff_, self.n_radial)
        inside = d < self.cutoff_
        cut = np.where(inside, 0.5 * (1 + np.cos(np.pi * d / self.cutoff_)), 0.0)[:, None]
        d_cut = np.where(inside, -0.5 * np.pi / self.cutoff_ * np.sin(np.pi * d / self.cutoff_), 0.0)[:, None]
        x = d[:, None] - centers
        gauss = np.exp(-(x**2))
        return gauss * cut, gauss * (d_cut - 2 * x * cut)

    def compute_features(self, pairs):
        g, _ = self._radial(pairs.distances)
        rho = np.zeros((len(pairs.numbers), self.n_radial))
        np.add.at(rho, pairs.i, g)
        features = np.zeros((len(pairs.numbers), len(self.elements_), 2, self.n_radial))
        for e, symbol in enumerate(self.elements_):
            mine = pairs.numbers == atomic_numbers[symbol]
            features[mine, e, 0], features[mine, e, 1] = rho[mine], rho[mine] ** 2
        return features.reshape(len(pairs.numbers), -1)

    def write_rows(self, pairs, energy, d_positions, d_strain):
        features = self.compute_features(pairs)
        energy[:] = features.sum(axis=0)
        if d_positions is None and d_strain is None:
            return
        i, j, vectors, d = pairs.i, pairs.j, pairs.vectors, pairs.distances
        g, dg = self._radial(d)
        rho = np.zeros((len(pairs.numbers), self.n_radial))
        np.add.at(rho, i, g)
        # derivative of the features of center i with respect to the distance of each pair
        per_pair = np.zeros((len(d), len(self.elements_), 2, self.n_radial))
        for e, symbol in enumerate(self.elements_):
            mine = pairs.numbers[i] == atomic_numbers[symbol]
            per_pair[mine, e, 0], per_pair[mine, e, 1] = dg[mine], (2 * rho[i] * dg)[mine]
        per_pair = per_pair.reshape(len(d), -1)
        unit = vectors / d[:, None]
        if d_positions is not None:
            d_positions[:] = 0.0
            for axis in range(3):
                np.add.at(d_positions, 3 * j + axis, unit[:, axis, None] * per_pair)
                np.add.at(d_positions, 3 * i + axis, -unit[:, axis, None] * per_pair)
        if d_strain is not None:
            for v, (a, b) in enumerate(VOIGT):
                d_strain[v] = (unit[:, a] * vectors[:, b]) @ per_pair

    def predict(self, atoms, coef):
        """Return energy, forces (n, 3) and stress (6,)."""
        energy, d_positions, d_strain = self.allocate_rows(len(atoms))
        self.write_rows(find_pairs(atoms, self.cutoff_), energy, d_positions, d_strain)
        volume = atoms.get_volume() if atoms.cell.rank == 3 else np.nan
        return energy @ coef, -(d_positions @ coef).reshape(-1, 3), d_strain @ coef / volume
