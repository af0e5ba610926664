r"""Energy differences of structures alike against the work that forces and stresses do between them.

Between two structures of the same atoms the energy changes by the integral of

.. math:: dE = V \sigma : (h^{-1} dh) - \sum_a F_a \cdot (ds_a h)

over cell vectors h (rows) and fractional positions s. The trapezoidal rule on the labels of the two ends gives it
without any model, and the ratio of what is left of dE after the work of the forces to the work of the stress is 1.
"""

from dataclasses import dataclass

import numpy as np

from linmlp.structures.data_checks.contract import DataSet
from linmlp.units import FloatArray, matrix_from_voigt

MAX_STRAIN = 0.12
"""Norm of h⁻¹ Δh above which the trapezoidal rule is not trusted; sets of elastic strains go to 0.1."""

MAX_MOVE = 0.05
"""Root mean square of displacements at fixed fractional positions (Å) above which it is not."""

NEIGHBORS = 4
"""Closest structures each one is compared with."""

MIN_WORK = 1e-3
"""Energy (eV/atom) that the larger of the two sides must have: below it DFT noise decides."""


@dataclass(frozen=True)
class StrainPair:
    """Two structures that differ by a strain.

    Parameters
    ----------
    i, j : int
        Structures.
    change : float
        Energy difference less the work of the forces, eV/atom.
    work : float
        Work of the stress, eV/atom.
    """

    i: int
    j: int
    change: float
    work: float


def strain_pairs(data: DataSet) -> list[StrainPair]:
    """Return the pairs of structures that differ by a small strain, with both sides of the relation.

    Parameters
    ----------
    data : DataSet
        Structures and labels; those without energy, stress or full periodicity are left out.

    Returns
    -------
    list of StrainPair
        Each structure with its closest ones; each pair once.
    """
    families: dict[bytes, list[int]] = {}
    for index, (atoms, labels) in enumerate(zip(data.structures, data.labels, strict=True)):
        if labels.energy is not None and labels.stress is not None and labels.volume and atoms.pbc.all():
            families.setdefault(atoms.numbers.tobytes(), []).append(index)
    found = []
    for members in families.values():
        cells = np.array([data.structures[i].cell.array for i in members])
        fractional = [data.structures[i].get_scaled_positions(wrap=False) for i in members]
        for i, j in _candidates(cells):
            moved = fractional[j] - fractional[i]
            moved -= np.round(moved - moved[0]) + np.round(moved[0])
            moved -= moved.mean(axis=0)
            if np.sqrt(np.mean(np.sum((moved @ cells[i]) ** 2, axis=1))) > MAX_MOVE:
                continue
            pair = _pair(data, (members[i], members[j]), (cells[i], cells[j]), moved)
            if max(abs(pair.change), abs(pair.work)) > MIN_WORK and pair.work != 0.0:
                found.append(pair)
    return found


def _candidates(cells: FloatArray) -> list[tuple[int, int]]:
    """Return the pairs of cells that differ by a small strain, the closest of each cell."""
    pairs: set[tuple[int, int]] = set()
    for i, inverse in enumerate(np.linalg.inv(cells)):
        strains = np.linalg.norm(inverse @ (cells - cells[i]), axis=(1, 2))
        near = [j for j in np.argsort(strains) if 1e-4 < strains[j] < MAX_STRAIN]
        pairs.update((min(i, int(j)), max(i, int(j))) for j in near[:NEIGHBORS])
    return sorted(pairs)


def _pair(
    data: DataSet, places: tuple[int, int], cells: tuple[FloatArray, FloatArray], moved: FloatArray
) -> StrainPair:
    """Return both sides of the relation by the trapezoidal rule."""
    i, j = places
    n_atoms = data.labels[i].n_atoms
    change = float((data.labels[j].energy or 0.0) - (data.labels[i].energy or 0.0))
    work = 0.0
    for place, cell in zip(places, cells, strict=True):
        labels = data.labels[place]
        strain = np.linalg.solve(cell, cells[1] - cells[0])
        if labels.stress is not None and labels.volume is not None:
            work += 0.5 * labels.volume * float(np.sum(matrix_from_voigt(labels.stress) * strain))
        if labels.forces is not None:
            change += 0.5 * float(np.sum(labels.forces * (moved @ cell)))
    return StrainPair(i, j, change / n_atoms, work / n_atoms)
