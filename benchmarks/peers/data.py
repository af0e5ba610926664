"""Labelled structures of a set, and the crystal that steps are timed on."""

from pathlib import Path

import numpy as np
from ase.io import read

N_ATOMS = 500
"""Atoms of the crystal, at least: enough to fill loops, and as many as fit into the caches of a core."""


def read_part(folder, part):
    """Return the structures of one part of a set; a folder of None stands for bundled silicon, 40 and 6 structures."""
    if folder is None:
        from linmlp.datasets import load_silicon

        train, test = load_silicon()
        return train[::5][:40] if part == "train" else test[:6]
    structures = read(Path(folder) / f"{part}.xyz.gz", ":")
    if len({symbol for atoms in structures for symbol in atoms.symbols}) != 1:
        raise SystemExit(f"{folder} has several elements; this comparison is of codes on sets of one element")
    return structures


def crystal(train, n_atoms=N_ATOMS):
    """Return a thermally displaced crystal: one of the training structures, repeated to some number of atoms.

    Of the largest structures of bulk density it is the one whose forces have the median size.
    """
    density = np.array([atoms.get_volume() / len(atoms) if atoms.pbc.all() else np.inf for atoms in train])
    sizes = np.array([np.sqrt(np.mean(atoms.get_forces() ** 2)) for atoms in train])
    bulk = (np.abs(density / np.median(density) - 1) < 0.1) & (sizes > 0.01)
    n_most = max(len(atoms) for atoms, is_bulk in zip(train, bulk, strict=True) if is_bulk)
    bulk = np.flatnonzero(bulk & np.array([len(atoms) == n_most for atoms in train]))
    chosen = train[bulk[np.argsort(sizes[bulk])[len(bulk) // 2]]].copy()
    chosen.info = {}
    repeats = np.ones(3, dtype=int)
    while len(chosen) * repeats.prod() < n_atoms:
        repeats[np.argmin(repeats * chosen.cell.lengths())] += 1
    return chosen.repeat(repeats)
