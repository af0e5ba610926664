"""Pairs of atoms that overlap."""

import numpy as np
from ase import Atoms
from ase.data import covalent_radii
from ase.neighborlist import neighbor_list

from linmlp.structures.data_checks.contract import DataSet, Finding

OVERLAP = 0.4
"""Distance over the sum of covalent radii below which a pair overlaps: there even the shortest
bonds of molecules and of cells at a terapascal (0.6 and more) are far, and pseudopotential cores touch."""

CLOSE = 0.6
"""Below this ratio a pair is unusually close: hot metals and close contacts made on purpose come to 0.6 to 0.7."""

SEARCHED = 1.0
"""Ratio up to which pairs are searched."""


def check_distances(data: DataSet) -> list[Finding]:
    """Return structures with pairs of atoms closer than their covalent radii allow."""
    found = []
    for index, atoms in enumerate(data.structures):
        ratio, i, j, distance = closest_pair(atoms)
        if ratio < CLOSE:
            severity = "error" if ratio < OVERLAP else "warning"
            seen = f"atoms {i} and {j} are {distance:.3g} Å apart, {ratio:.2f} of the sum of their covalent radii"
            advice = "look at the structure; remove it unless the close contact is meant and its DFT converged"
            wanted = f"above {CLOSE:g}, never below {OVERLAP:g}"
            found.append(data.finding(severity, "distances", (index,), seen, wanted, advice))
    return found


def closest_pair(atoms: Atoms) -> tuple[float, int, int, float]:
    """Return the smallest ratio of distance to covalent radii, the two atoms, and their distance in Å.

    Parameters
    ----------
    atoms : ase.Atoms
        Structure.

    Returns
    -------
    tuple of (float, int, int, float)
        An infinite ratio where no pair is closer than the sum of its radii.
    """
    radii = covalent_radii[atoms.numbers]
    i, j, distances = neighbor_list("ijd", atoms, 2.0 * SEARCHED * float(radii.max()))
    if not len(distances):
        return np.inf, -1, -1, np.inf
    ratios = distances / (radii[i] + radii[j])
    best = int(ratios.argmin())
    return float(ratios[best]), int(i[best]), int(j[best]), float(distances[best])
