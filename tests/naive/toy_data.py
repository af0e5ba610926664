"""Random labelled structures for the tests of systems and searches."""

from dataclasses import replace

import numpy as np
from ase import Atoms

from linmlp.structures import Labels


def toy_structures(n=12, seed=0, symbols=("Si",), sizes=(2, 3, 4, 5)):
    rng = np.random.default_rng(seed)
    structures = []
    for _ in range(n):
        size = int(rng.choice(sizes))
        box = 2.6 * size ** (1 / 3)
        cell = box * np.eye(3) + 0.1 * rng.normal(size=(3, 3))
        grid = np.array(np.meshgrid(*[[0.0, 0.5]] * 3)).T.reshape(-1, 3)
        scaled = grid[rng.permutation(8)[:size]] + 0.05 * rng.normal(size=(size, 3))
        structures.append(Atoms(rng.choice(symbols, size), scaled_positions=scaled, cell=cell, pbc=True))
    return structures


def toy_labels(structures, descriptor, coef, noise=0.05, seed=1, e0=(-5.0, -3.0), groups=("bulk", "slab")):
    """Labels of a linear model plus noise; every fourth structure lacks a stress, every fifth its forces."""
    rng = np.random.default_rng(seed)
    labels = []
    for k, atoms in enumerate(structures):
        energy, forces, stress = descriptor.predict(atoms, coef)
        energy += sum(e0[descriptor.elements_.index(symbol)] for symbol in atoms.get_chemical_symbols())
        n = len(atoms)
        labels.append(
            Labels(
                energy=float(energy + noise * rng.normal()),
                forces=None if k % 5 == 4 else forces + noise * rng.normal(size=(n, 3)),
                stress=None if k % 4 == 3 else stress + 0.1 * noise * rng.normal(size=6),
                config_type=groups[k % len(groups)],
                n_atoms=n,
                numbers=atoms.numbers.astype(np.int64),
                volume=float(atoms.get_volume()),
                energy_weight=1.0,
                force_weight=np.ones((n, 3)),
                stress_weight=np.ones(6),
            )
        )
    return labels


def with_odd_weights(labels, seed=2):
    """The same labels with every kind of weight and mask of their own."""
    rng = np.random.default_rng(seed)
    odd = []
    for k, label in enumerate(labels):
        force_weight = rng.uniform(0.5, 2.0, size=(label.n_atoms, 3))
        force_weight[0] = 0.0
        force_weight[-1, 1] = 0.0
        stress_weight = rng.uniform(0.5, 2.0, size=6)
        stress_weight[k % 6] = 0.0
        odd.append(
            replace(
                label,
                energy_weight=0.0 if k % 6 == 5 else float(rng.uniform(0.5, 2.0)),
                force_weight=force_weight * (k % 7 != 6),
                stress_weight=stress_weight * (k % 7 != 5),
            )
        )
    return odd


def naive_loss(labels, predictions, w_energy, w_force, w_stress, power=0, listed=None):
    """L from its formula; predictions are (energy, forces, stress) of each structure."""
    listed = np.ones(len(labels)) if listed is None else listed
    energy = force = stress = n_energy = n_force = n_stress = 0.0
    for n, label, (E, F, S) in zip(listed, labels, predictions, strict=True):
        if label.energy is not None and label.energy_weight > 0:
            n_energy += n
            energy += n * label.energy_weight * (label.energy - E) ** 2 / label.n_atoms**power
        if label.forces is not None:
            n_force += n * (label.force_weight.max(axis=1) > 0).sum()
            force += n * (label.force_weight * (label.forces - F) ** 2).sum()
        if label.stress is not None and label.stress_weight.max() > 0:
            n_stress += n
            xx, yy, zz, yz, xz, xy = label.stress_weight * (label.stress - S) ** 2
            stress += n * (xx + yy + zz + 2 * yz + 2 * xz + 2 * xy)
    return w_energy * energy / n_energy + w_force * force / n_force + w_stress * stress / n_stress
