"""The same structure twice: within a part of the data, across training and test, with different labels."""

from linmlp.structures.data_checks.contract import DataSet, Finding
from linmlp.structures.neighbor_frames import duplicate_pairs

SAME_LABEL = 1e-3
"""Energies per atom (eV) of one structure that differ by more are of different settings: convergence is better."""


def check_duplicates(data: DataSet) -> list[Finding]:
    """Return structures that stand in the data twice (atoms in the same order; translations do not count)."""
    found = []
    repeated: set[int] = set()
    for i, j in duplicate_pairs(data.structures).tolist():
        names = f"{data.name(i)} and {data.name(j)} are the same"
        one, other = data.labels[i], data.labels[j]
        if one.energy is not None and other.energy is not None:
            difference = abs(one.energy - other.energy) / one.n_atoms
            if difference > SAME_LABEL:
                seen = f"{names}, but their energies differ by {1e3 * difference:.3g} meV/atom"
                advice = "find which calculation is the wrong one and remove it"
                found.append(data.finding("error", "duplicates", (i, j), seen, "one energy", advice))
        if i < data.n_train <= j:
            advice = "remove one: test errors come out too small"
            found.append(data.finding("error", "duplicates", (i, j), f"{names}, in train and test", "no leak", advice))
        else:
            repeated.update((i, j))
    if repeated:
        seen = f"{len(repeated)} structures have a duplicate in the same part"
        advice = "remove the copies, or keep them on one side of each split (structure_groups)"
        found.append(data.finding("warning", "duplicates", sorted(repeated), seen, "each structure once", advice))
    return found
