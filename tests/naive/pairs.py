"""Pairs by looking at every image within reach, one at a time."""

from itertools import product

import numpy as np


def naive_pairs(atoms, cutoff):
    """Return (i, j, shift in cell vectors, vector), sorted by (i, number of j, j, shift)."""
    periodic = [axis for axis in range(3) if atoms.pbc[axis]]
    cell = atoms.cell.array
    spread = np.ptp(atoms.positions, axis=0)
    reach = cutoff + np.linalg.norm(spread)
    counts = [0, 0, 0]
    for axis in periodic:
        # The component along a vector's part that is orthogonal to the other periodic vectors bounds the count.
        others = [cell[other] for other in periodic if other != axis]
        along = cell[axis].copy()
        if others:
            basis, _ = np.linalg.qr(np.array(others).T)
            along -= basis @ (basis.T @ along)
        counts[axis] = int(np.ceil(reach / np.linalg.norm(along)))
    found = []
    for shift in product(*(range(-n, n + 1) for n in counts)):
        translation = sum((shift[axis] * cell[axis] for axis in periodic), np.zeros(3))
        for i, j in product(range(len(atoms)), repeat=2):
            if i == j and shift == (0, 0, 0):
                continue
            vector = atoms.positions[j] - atoms.positions[i] + translation
            if np.linalg.norm(vector) < cutoff:
                found.append((i, int(atoms.numbers[j]), j, shift, vector))
    found.sort(key=lambda pair: pair[:4])
    return [(i, j, shift, vector) for i, _, j, shift, vector in found]
